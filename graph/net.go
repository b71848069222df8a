// Package graph declares the nets of the paper's Table 1 (arXiv 1409.1556, section 2) as Gorgonia expression graphs.
//
// Build takes a graph, the node of a mini-batch of pictures and a config, and gives a Net: the node of the logits,
// the learnables for gorgonia.Grad and a solver, every layer by its name. Pictures go in as (N, C, H, W), weights are
// (out, in, kernel, kernel) and (out, in) as in torchvision, and several graphs (for training, for validation, for
// another batch size, for another goroutine) may share one set of weights. The graph runs in package machine and in
// Gorgonia's own machines.
package graph

import (
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/configs"
	"vgg/graph/op"
	"vgg/internal/finite"
	"vgg/weights"
)

// Options are what a config leaves open. The zero value of each field means the paper's choice, or the default named.
type Options struct {
	Classes int          // outputs of the last layer; 0 = 1000
	Width   float64      // multiplies the channels of every convolution; 0 = 1
	FC      int          // width of the two hidden fully connected layers; 0 = 4096
	Dropout float64      // probability of dropping a hidden fully connected unit (section 3.1: 0.5); 0 = off, as for inference
	Init    configs.Init // how the weights start; "" = DefaultInit
	Seed    uint64       // of the initial weights and of dropout

	// Dense is the side of the pictures that the weights are for, where x has larger ones: the fully connected layers are
	// then applied at every place, as the convolutions that section 3.2 makes of them, and the logits are the mean of
	// the class score map. 0 = as large as x.
	Dense int

	// Freeze names layers (conv1_1, fc6) and stages (conv1) that are not trained: their weights are no learnables, and no
	// gradient is declared for them, nor for what is below where everything is frozen. It changes nothing in a graph for
	// inference.
	Freeze []string

	// From and Weights give the weights instead of Init, without a copy, so that training changes theirs: tensors that fit
	// as Load wants them, such as a file's; or a net of the same shapes. Graphs that share weights may run at the same
	// time, each on its own goroutine with a machine of its own, as long as nobody changes the weights.
	From    []weights.Tensor
	Weights *Net

	Inference     bool // the weights do not change: their kernels prepare them once (machine.Constants); no gradients
	InputGradient bool // let gorgonia.Grad differentiate with regard to x too
}

func (o Options) withDefaults() Options {
	if o.Classes == 0 {
		o.Classes = configs.Classes
	}
	if o.Width == 0 {
		o.Width = 1
	}
	if o.FC == 0 {
		o.FC = configs.FC
	}
	if o.Init == "" {
		o.Init = DefaultInit
	}
	return o
}

func (o Options) validate() error {
	switch {
	case o.Classes < 1:
		return errors.Errorf("graph: %d classes: want at least 1", o.Classes)
	case !(o.Width > 0) || !finite.Is(o.Width):
		return errors.Errorf("graph: width %v: want a positive multiplier such as 0.25", o.Width)
	case o.FC < 1:
		return errors.Errorf("graph: %d fully connected units: want at least 1", o.FC)
	case o.Dense < 0:
		return errors.Errorf("graph: dense evaluation of a net for pictures of %d pixels: want 0 or the side that it was trained with", o.Dense)
	case o.From != nil && o.Weights != nil:
		return errors.New("graph: weights both from tensors and from a net: want one of Options.From and Options.Weights")
	case !(o.Dropout >= 0 && o.Dropout < 1):
		return errors.Errorf("graph: dropout probability %v: want one in [0, 1)", o.Dropout)
	}
	return nil
}

// Parameter is a tensor of weights or biases.
type Parameter struct {
	Layer  string // conv1_1 … conv5_4, fc6, fc7, fc8
	Name   string // in files, after torchvision: features.0.weight, classifier.6.bias
	Node   *gorgonia.Node
	Frozen bool // no learnable: see Options.Freeze
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
		out := 0
		switch {
		case l.Kind == configs.Convolution:
			out = max(1, int(math.Round(o.Width*float64(l.Channels))))
		case l.Hidden:
			out = o.FC
		case l.Kind == configs.FullyConnected:
			out = o.Classes
		}
		layers = append(layers, layer{Layer: l, out: out})
	}
	return layers
}

// Net is a config declared in a Gorgonia graph.
type Net struct {
	Config  configs.Config
	Options Options // as resolved
	Input   *gorgonia.Node
	Logits  *gorgonia.Node // (N, Classes), before the soft-max

	// Iteration is a scalar input of type int that chooses what dropout drops: give it another value in each run
	// (SetIteration). It is nil where dropout is off.
	Iteration *gorgonia.Node

	layers     []layer
	parameters []Parameter
	windows    int // places at which the fully connected layers of a dense net are applied
}

// Build declares config in g for pictures x of shape (N, C, H, W), H and W multiples of 2 to the power of the number
// of stages (32 for the paper's nets). Weights are initialised, given or shared, as o says.
func Build(g *gorgonia.ExprGraph, x *gorgonia.Node, config configs.Config, o Options) (*Net, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	if err := config.Validate(); err != nil {
		return nil, errors.Wrap(err, "graph")
	}
	if err := checkInput(x, config); err != nil {
		return nil, err
	}
	n := &Net{Config: config, Options: o, Input: x, layers: layersOf(config, o)}
	if err := n.freeze(); err != nil {
		return nil, err
	}
	if o.Dropout > 0 {
		n.Iteration = gorgonia.NewScalar(g, tensor.Int, gorgonia.WithName("iteration"), gorgonia.WithValue(0))
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
	if n.windows > 1 {
		if h, err = op.MeanRows(h, n.windows); err != nil {
			return nil, errors.Wrap(err, "graph: class score map")
		}
	}
	n.Logits = h
	if err := n.bind(o.From); err != nil {
		return nil, err
	}
	return n, nil
}

// freeze marks the layers that are not trained. In an inference graph none is.
func (n *Net) freeze() error {
	frozen, err := n.selected(n.Options.Freeze)
	if err != nil {
		return errors.Wrap(err, "graph: cannot freeze")
	}
	for i := range n.layers {
		n.layers[i].frozen = frozen[n.layers[i].Name] && !n.Options.Inference
	}
	return nil
}

// selected are the layers with weights that names of layers and stages mean.
func (n *Net) selected(names []string) (map[string]bool, error) {
	all := map[string]bool{}
	for _, name := range names {
		known := false
		for _, l := range n.layers {
			if l.HasWeights() && (l.Name == name || l.stage() == name) {
				all[l.Name], known = true, true
			}
		}
		if !known {
			return nil, errors.Errorf("%q: config %s has no such stage, nor such a layer with weights: it has %s", name, n.Config.Name, strings.Join(n.selectable(), ", "))
		}
	}
	return all, nil
}

// stage is the name of the layer's stage, conv1 to conv5 in the paper's nets; a fully connected layer is one of its own.
func (l layer) stage() string {
	if l.Stage == 0 {
		return l.Name
	}
	return fmt.Sprintf("conv%d", l.Stage)
}

// selectable lists the stages and the layers with weights.
func (n *Net) selectable() (names []string) {
	for _, l := range n.layers {
		for _, name := range []string{l.stage(), l.Name} {
			if l.HasWeights() && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

func checkInput(x *gorgonia.Node, config configs.Config) error {
	s := x.Shape()
	if s.Dims() != 4 || x.Dtype() != tensor.Float32 {
		return errors.Errorf("graph: the input is %v of %v: want float32 pictures (N, C, H, W)", s, x.Dtype())
	}
	multiple := config.Stride()
	if s[2] == 0 || s[3] == 0 || s[2]%multiple != 0 || s[3]%multiple != 0 {
		return errors.Errorf("graph: pictures of %d×%d cannot be halved by %d max-pools: want multiples of %d", s[2], s[3], len(config.Stages), multiple)
	}
	return nil
}

// declare applies one layer to x and returns what goes on to the next.
func (n *Net) declare(l *layer, x *gorgonia.Node) (y *gorgonia.Node, err error) {
	if l.Kind == configs.FullyConnected && x.Dims() == 4 {
		if x, err = n.vectors(x); err != nil {
			return nil, err
		}
	}
	o := op.LayerOptions{ReLU: l.Kind == configs.Convolution || l.Hidden, InputFixed: n.inputFixed(), WeightsFixed: l.frozen}
	switch l.Kind {
	case configs.Convolution:
		if err = n.declareWeights(l, l.out, x.Shape()[3], l.Kernel, l.Kernel); err == nil {
			convolve := op.Conv
			if n.Options.Inference {
				convolve = op.ConvFixed
			}
			l.node, err = convolve(x, l.weight, l.bias, o)
		}
	case configs.LRN:
		l.node, err = op.LRN(x, op.LRNOptions{Size: configs.LRNN, Alpha: configs.LRNAlpha, Beta: configs.LRNBeta, K: configs.LRNK})
	case configs.MaxPool:
		l.node, err = op.MaxPool(x)
	case configs.FullyConnected:
		if err = n.declareWeights(l, l.out, x.Shape()[1]); err == nil {
			l.node, err = op.Linear(x, l.weight, l.bias, o)
		}
	}
	if err == nil && l.Hidden && n.Options.Dropout > 0 {
		return op.Dropout(l.node, n.Iteration, n.Options.Dropout, seed(n.Options.Seed, "dropout "+l.Name))
	}
	return l.node, err
}

// vectors makes of the last feature maps what the first fully connected layer takes: each as a vector, or each of its
// parts that are as large as the maps of a picture that the net is for.
func (n *Net) vectors(x *gorgonia.Node) (*gorgonia.Node, error) {
	if n.Options.Dense == 0 {
		return op.Flatten(x)
	}
	multiple := n.Config.Stride()
	if n.Options.Dense%multiple != 0 {
		return nil, errors.Errorf("a net for pictures of %d×%[1]d pixels: want a multiple of %d", n.Options.Dense, multiple)
	}
	side := n.Options.Dense / multiple
	parts, err := op.Windows(x, side)
	if err == nil {
		n.windows = parts.Shape()[0] / x.Shape()[0]
	}
	return parts, errors.Wrapf(err, "pictures smaller than %d×%[1]d pixels", n.Options.Dense)
}

// inputFixed says whether the next layer can do without the gradient of its input: nothing below is trained.
func (n *Net) inputFixed() bool {
	return n.Input.Op() == nil && !n.Options.InputGradient && !slices.ContainsFunc(n.parameters, func(p Parameter) bool { return !p.Frozen })
}

// declareWeights makes a layer's weight, of the given shape (out, in, …), and its bias.
func (n *Net) declareWeights(l *layer, shape ...int) (err error) {
	if l.weight, err = n.parameter(l, l.WeightName(), "weight", shape); err == nil {
		l.bias, err = n.parameter(l, l.BiasName(), "bias", shape[:1])
	}
	return err
}

// parameter declares a tensor of weights with an initial value, or with that of the net that shares its weights.
func (n *Net) parameter(l *layer, name, role string, shape []int) (*gorgonia.Node, error) {
	p := Parameter{Layer: l.Name, Name: name, Frozen: l.frozen}
	options := []gorgonia.NodeConsOpt{gorgonia.WithShape(shape...), gorgonia.WithName(l.Name + "." + role)}
	if n.Options.From == nil { // else bind gives all of them their values at once
		value, err := n.value(p, shape)
		if err != nil {
			return nil, err
		}
		options = append(options, gorgonia.WithValue(value))
	}
	p.Node = gorgonia.NewTensor(n.Input.Graph(), tensor.Float32, len(shape), options...)
	n.parameters = append(n.parameters, p)
	return p.Node, nil
}

func (n *Net) value(p Parameter, shape []int) (gorgonia.Value, error) {
	if shared := n.Options.Weights; shared != nil {
		i := slices.IndexFunc(shared.parameters, func(q Parameter) bool { return q.Name == p.Name })
		if i < 0 || !slices.Equal(shared.parameters[i].Node.Shape(), shape) {
			return nil, errors.Errorf("the net whose weights are to be shared has no %s of shape %v", p.Name, shape)
		}
		return shared.parameters[i].Node.Value(), nil
	}
	if len(shape) == 1 {
		return tensor.New(tensor.WithShape(shape...), tensor.Of(tensor.Float32)), nil
	}
	values, err := initialValues(n.Options.Init, shape, seed(n.Options.Seed, p.Layer))
	if err != nil {
		return nil, err
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(values)), nil
}

// seed makes the seeds of the layers different.
func seed(s uint64, name string) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s", s, name)
	return h.Sum64()
}

// Learnables are the weights and biases but those of frozen layers, from the first layer to the last.
func (n *Net) Learnables() gorgonia.Nodes {
	var nodes gorgonia.Nodes
	for _, p := range n.parameters {
		if !p.Frozen {
			nodes = append(nodes, p.Node)
		}
	}
	return nodes
}

// Parameters are all weights and biases, frozen ones too, from the first layer to the last.
func (n *Net) Parameters() []Parameter { return slices.Clone(n.parameters) }

// Layer gives the output of a layer after its ReLU: conv1_1 … pool5 as (N, C, H, W), fc6, fc7, fc8 as (N, features),
// in a dense net as (N·places, features), the places of a picture row by row. A user may go on from there with any of Gorgonia's ops.
func (n *Net) Layer(name string) (*gorgonia.Node, error) {
	var names []string
	for _, l := range n.layers {
		if l.Name == name {
			if l.Kind == configs.FullyConnected {
				return l.node, nil
			}
			return op.ToNCHW(l.node)
		}
		names = append(names, l.Name)
	}
	return nil, errors.Errorf("graph: config %s has no layer %q: it has %s", n.Config.Name, name, strings.Join(names, ", "))
}

// Loss declares the mean soft-max cross-entropy for labels (N), a vector of type int: the class from 0, or -1 for
// rows that do not count (section 3.1).
func (n *Net) Loss(labels *gorgonia.Node) (*gorgonia.Node, error) {
	return op.CrossEntropy(n.Logits, labels)
}

// SetIteration chooses which units dropout drops in the next runs: any number that was not used before.
func (n *Net) SetIteration(i int) error {
	if n.Iteration == nil {
		return nil
	}
	return gorgonia.Let(n.Iteration, i)
}
