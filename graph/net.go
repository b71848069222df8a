package graph

import (
	"slices"
	"strings"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/configs"
	"vgg/graph/op"
)

// Net is a config declared in a Gorgonia graph.
type Net struct {
	Config  configs.Config
	Options Options // as resolved, without From and Weights
	Input   *gorgonia.Node
	Logits  *gorgonia.Node // (N, Classes), before the soft-max; nil in a net with Options.Boxes

	// Boxes are centre x, centre y, width and height, of each class or of one, in a net with Options.Boxes; otherwise nil.
	// The shape is (N, 4 · Classes) or (N, 4), with N · positions rows in a dense net: see Positions.
	Boxes *gorgonia.Node

	// Iteration is a scalar input of type int that chooses what dropout drops; SetIteration sets it. It is nil where
	// dropout is off.
	Iteration *gorgonia.Node

	layers     []layer
	parameters []Parameter
	filters    *op.Filters // of an inference graph
	places     [2]int      // rows and columns of a picture's positions at which a dense net applies the fully connected layers
}

// Build declares config for pictures x of shape (N, C, H, W), in their graph. Maps of odd sides are pooled as op.MaxPool does, so
// the last ones are (⌈H/stride⌉, ⌈W/stride⌉), config.Stride() being 32 for the paper's nets. Weights are drawn, taken
// from tensors or shared with another net, as o says. It is an error if the config, the options or the shape of x are
// not valid, given weights do not fit, or the net does not fit into memory.
func Build(x *gorgonia.Node, config configs.Config, o Options) (*Net, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	if err := config.Validate(); err != nil {
		return nil, errors.Wrap(err, "graph")
	}
	if s := x.Shape(); s.Dims() != 4 || s.TotalSize() == 0 || x.Dtype() != tensor.Float32 {
		return nil, errors.Errorf("graph: the input is %v of %v: want float32 pictures (N, C, H, W)", s, x.Dtype())
	}
	if err := checkSize(config, o, x.Shape()); err != nil {
		return nil, err
	}
	n := &Net{Config: config, Options: o, Input: x, layers: layersOf(config, o)}
	if err := n.freeze(); err != nil {
		return nil, err
	}
	if o.Inference {
		n.filters = new(op.Filters)
		if o.Weights != nil && o.Weights.Options.Inference {
			n.filters = o.Weights.filters
		}
	}
	if o.Dropout > 0 {
		n.Iteration = gorgonia.NewScalar(x.Graph(), tensor.Int, gorgonia.WithName("iteration"), gorgonia.WithValue(0))
	}
	h, err := op.ToNHWC(x)
	if err != nil {
		return nil, errors.Wrap(err, "graph")
	}
	for i := range n.layers {
		if h, err = n.declare(&n.layers[i], h); err != nil {
			return nil, errors.Wrapf(err, "graph: layer %s of config %s", n.layers[i].Name, config.Name)
		}
	}
	places := n.places[0] * n.places[1]
	switch {
	case o.Boxes != "":
		n.Boxes = h
	case places > 1:
		if n.Logits, err = op.MeanRows(h, places); err != nil {
			return nil, errors.Wrap(err, "graph: class score map")
		}
	default:
		n.Logits = h
	}
	if err := n.bind(o.From); err != nil {
		return nil, err
	}
	n.Options.From, n.Options.Weights = nil, nil
	return n, nil
}

// layer is a layer declared in a graph.
type layer struct {
	configs.Layer
	out    int // channels or features of the result; 0 where they stay as they are
	frozen bool

	node         *gorgonia.Node // (N, H, W, C), or (N, features); after the ReLU, before dropout
	weight, bias *gorgonia.Node // nil where the layer has none
}

// layersOf lists the layers of a config with the widths of o.
func layersOf(config configs.Config, o Options) []layer {
	var layers []layer
	for _, l := range config.Layers() {
		layers = append(layers, layer{Layer: l, out: int(o.outputs(l))})
	}
	return layers
}

// declare applies one layer to x and returns the input of the next.
func (n *Net) declare(l *layer, x *gorgonia.Node) (y *gorgonia.Node, err error) {
	o := op.LayerOptions{ReLU: l.Kind == configs.Convolution || l.Hidden, InputFixed: n.inputFixed(), WeightsFixed: l.frozen}
	switch l.Kind {
	case configs.Convolution:
		if err = n.declareWeights(l, l.out, x.Shape()[3], l.Kernel, l.Kernel); err == nil {
			if n.Options.Inference {
				l.node, err = op.ConvFixed(x, l.weight, l.bias, o, n.filters)
			} else {
				l.node, err = op.Conv(x, l.weight, l.bias, o)
			}
		}
	case configs.LRN:
		l.node, err = op.LRN(x, op.LRNOptions{Size: configs.LRNN, Alpha: configs.LRNAlpha, Beta: configs.LRNBeta, K: configs.LRNK})
	case configs.MaxPool:
		l.node, err = op.MaxPool(x)
	case configs.FullyConnected:
		l.node, err = n.fullyConnected(l, x, o)
	}
	if err == nil && l.Hidden && n.Options.Dropout > 0 {
		return op.Dropout(l.node, n.Iteration, n.Options.Dropout, seed(n.Options.Seed, "dropout "+l.Name))
	}
	return l.node, err
}

// fullyConnected declares a fully connected layer. The first one takes the last feature maps as vectors: one for each
// picture, or, in a dense net, one for each window of the size that a training picture's feature maps have.
func (n *Net) fullyConnected(l *layer, x *gorgonia.Node, o op.LayerOptions) (y *gorgonia.Node, err error) {
	if x.Dims() == 4 && n.Options.Dense > 0 {
		return n.dense(l, x, o)
	}
	if x.Dims() == 4 {
		if x, err = op.Flatten(x); err != nil {
			return nil, err
		}
	}
	if err := n.declareWeights(l, l.out, x.Shape()[1]); err != nil {
		return nil, err
	}
	return op.Linear(x, l.weight, l.bias, o)
}

// dense declares the first fully connected layer of a dense net.
func (n *Net) dense(l *layer, x *gorgonia.Node, o op.LayerOptions) (y *gorgonia.Node, err error) {
	if err := n.Config.CheckInput(n.Options.Dense); err != nil {
		return nil, err
	}
	if s := n.Input.Shape(); min(s[2], s[3]) < n.Options.Dense {
		return nil, errors.Errorf("pictures of %d×%d pixels, smaller than those that the net is for, %d×%[3]d", s[2], s[3], n.Options.Dense)
	}
	side, maps := n.Options.Dense/n.Config.Stride(), x.Shape()
	n.places = [2]int{maps[1] - side + 1, maps[2] - side + 1}
	if err := n.declareWeights(l, l.out, maps[3]*side*side); err != nil {
		return nil, err
	}
	if n.Options.Inference {
		return op.DenseFixed(x, l.weight, l.bias, side, o, n.filters)
	}
	if x, err = op.Windows(x, side); err != nil {
		return nil, err
	}
	return op.Linear(x, l.weight, l.bias, o)
}

// inputFixed says whether the next layer needs no gradient of its input, because nothing below is trained.
func (n *Net) inputFixed() bool {
	return n.Input.Op() == nil && !n.Options.InputGradient && !slices.ContainsFunc(n.parameters, func(p Parameter) bool { return !p.Frozen })
}

// Layer gives the output of a layer after its ReLU: conv1_1 … pool5 as (N, C, H, W), fc6, fc7, fc8 as (N, features),
// in a dense net as (N·positions, features), the positions of a picture row by row. Any of Gorgonia's ops may follow.
// The error for an unknown name lists the known ones.
func (n *Net) Layer(name string) (*gorgonia.Node, error) {
	node, err := n.Maps(name)
	if err != nil || node.Dims() != 4 {
		return node, err
	}
	return op.ToNCHW(node)
}

// Maps is the output of a layer as the net itself goes on with it: feature maps are (N, H, W, C). It is the node to
// differentiate the logits by, which do not depend on Layer's.
func (n *Net) Maps(name string) (*gorgonia.Node, error) {
	var names []string
	for _, l := range n.layers {
		if l.Name == name {
			return l.node, nil
		}
		names = append(names, l.Name)
	}
	return nil, errors.Errorf("graph: config %s has no layer %q: it has %s", n.Config.Name, name, strings.Join(names, ", "))
}

// Loss declares the mean soft-max cross-entropy for labels (N), a vector of type int: the class from 0, or -1 for
// rows that do not count (section 3.1).
func (n *Net) Loss(labels *gorgonia.Node) (*gorgonia.Node, error) {
	if n.Logits == nil {
		return nil, errors.New("graph: a net that predicts boxes has no class scores: its loss is BoxLoss")
	}
	return op.CrossEntropy(n.Logits, labels)
}

// BoxLoss declares the Euclidean loss of appendix A of a net with Options.Boxes, for labels as Loss takes them and
// targets (N, 4): the mean over the rows that count of what Options.BoxLoss makes of the four differences. Of boxes for
// each class only the label's count.
func (n *Net) BoxLoss(labels, targets *gorgonia.Node) (*gorgonia.Node, error) {
	if n.Boxes == nil {
		return nil, errors.New("graph: a net for class scores has no boxes: set Options.Boxes")
	}
	return op.Euclidean(n.Boxes, labels, targets, n.Options.BoxLoss.Factor())
}

// Output is what the last layer gives: Logits or Boxes.
func (n *Net) Output() *gorgonia.Node {
	if n.Boxes != nil {
		return n.Boxes
	}
	return n.Logits
}

// Positions are the rows and columns of positions at which the fully connected layers see a picture: 1 and 1, unless
// the net is dense. Windows of Options.Dense pixels begin Config.Stride pixels apart.
func (n *Net) Positions() (rows, columns int) {
	return max(1, n.places[0]), max(1, n.places[1])
}

// SetIteration chooses which units dropout drops in the next runs. Call it before each step with a number not used
// before; else every step drops the same units. It does nothing where dropout is off.
func (n *Net) SetIteration(i int) error {
	if n.Iteration == nil {
		return nil
	}
	return gorgonia.Let(n.Iteration, i)
}
