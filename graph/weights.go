package graph

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/configs"
	"vgg/internal/text"
	"vgg/weights"
)

// Tensors gives the parameters as they are stored in files. The data are the net's own, not copies.
func (n *Net) Tensors() []weights.Tensor {
	tensors := make([]weights.Tensor, len(n.parameters))
	for i, p := range n.parameters {
		tensors[i] = weights.Tensor{Name: p.Name, Shape: slices.Clone([]int(p.Node.Shape())), Data: p.data()}
	}
	return tensors
}

func (p Parameter) data() []float32 { return p.Node.Value().Data().([]float32) }

// Load copies a file's tensors into the net. If layers (conv1_1, fc6) or stages (conv1) are named, it copies only
// these, whatever else the file holds: to fine-tune with a new fc8, load all but that. Otherwise the file must hold all
// parameters and nothing else. The error says which tensors are missing, unknown or of another shape; nothing was
// copied then.
func (n *Net) Load(tensors []weights.Tensor, layers ...string) error {
	chosen, err := n.Config.Select(layers...)
	if err != nil {
		return errors.Wrap(err, "graph: cannot load")
	}
	into := slices.Clone(n.parameters)
	if len(layers) > 0 {
		into = slices.DeleteFunc(into, func(p Parameter) bool { return !chosen[p.Layer] })
	}
	found, err := n.match(into, tensors, len(layers) == 0)
	if err != nil {
		return err
	}
	for i, p := range into {
		copy(p.data(), found[i].Data)
	}
	return nil
}

// bind makes tensors the values of the parameters.
func (n *Net) bind(tensors []weights.Tensor) error {
	if tensors == nil {
		return nil
	}
	found, err := n.match(n.parameters, tensors, true)
	if err != nil {
		return err
	}
	for i, p := range n.parameters {
		if err := gorgonia.Let(p.Node, tensor.New(tensor.WithShape(found[i].Shape...), tensor.WithBacking(found[i].Data))); err != nil {
			return errors.Wrapf(err, "graph: %s", p.Name)
		}
	}
	return nil
}

// match finds the tensor of each parameter. If all tensors must be used, further ones are an error.
func (n *Net) match(parameters []Parameter, tensors []weights.Tensor, all bool) ([]weights.Tensor, error) {
	have := map[string]weights.Tensor{}
	for _, t := range tensors {
		if _, twice := have[t.Name]; twice {
			return nil, errors.Errorf("graph: two tensors are called %s", t.Name)
		}
		have[t.Name] = t
	}
	var missing, misshapen, unknown []string
	found := make([]weights.Tensor, len(parameters))
	for i, p := range parameters {
		t, ok := have[p.Name]
		switch want := p.Node.Shape(); {
		case !ok:
			missing = append(missing, p.Name)
		case !slices.Equal(t.Shape, want):
			misshapen = append(misshapen, fmt.Sprintf("%s is %v, not %v", p.Name, t.Shape, []int(want)))
		case len(t.Data) != want.TotalSize():
			misshapen = append(misshapen, fmt.Sprintf("%s is %v and has %d values", p.Name, t.Shape, len(t.Data)))
		}
		found[i] = t
		delete(have, p.Name)
	}
	for _, t := range tensors {
		if _, ok := have[t.Name]; ok && all {
			unknown = append(unknown, t.Name)
		}
	}
	var faults []string
	for _, f := range []struct {
		what  string
		names []string
	}{{"no ", missing}, {"", misshapen}, {"unknown ", unknown}} {
		if len(f.names) > 0 {
			faults = append(faults, f.what+text.FirstFew(f.names, 4))
		}
	}
	if len(faults) > 0 {
		return nil, errors.Errorf("graph: weights do not fit config %s with %s: %s%s", n.Config.Name, n.outputs(), strings.Join(faults, "; "), n.otherClasses(parameters, tensors))
	}
	return found, nil
}

// outputs says what the last layer gives.
func (n *Net) outputs() string {
	switch o := n.Options; o.Boxes {
	case configs.RegressPerClass:
		return fmt.Sprintf("a box for each of %d classes", o.Classes)
	case configs.RegressSingle:
		return "one box"
	default:
		return fmt.Sprintf("%d classes", o.Classes)
	}
}

// otherClasses says what to do about weights of another number of classes; "" if theirs is the net's, if the last layer
// is not among the wanted parameters, or if the net predicts boxes.
func (n *Net) otherClasses(wanted []Parameter, tensors []weights.Tensor) string {
	last := n.layers[len(n.layers)-1]
	i := slices.IndexFunc(tensors, func(t weights.Tensor) bool { return t.Name == last.WeightName() })
	isWanted := slices.ContainsFunc(wanted, func(p Parameter) bool { return p.Layer == last.Name })
	if n.Boxes != nil || !isWanted || i < 0 || len(tensors[i].Shape) != 2 || tensors[i].Shape[0] == n.Options.Classes {
		return ""
	}
	return fmt.Sprintf("; the weights are of %d classes: replace their last layer (%s, %s) by a new one of %d, or use as many classes as they have",
		tensors[i].Shape[0], last.Name, last.WeightName(), n.Options.Classes)
}

// Copied is a layer that Transfer copied.
type Copied struct {
	Layer    string // of both nets
	From, To string // names of the weight tensors in the two files
	Shape    []int
}

// transferred is the number of convolutions that section 3.1 copies from net A, besides the three fully connected
// layers: conv1_1, conv2_1, conv3_1 and conv3_2.
const transferred = 4

// Transfer starts the net as section 3.1 starts its deeper nets from net A: the first four convolutions and the fully
// connected layers of source are copied into the layers of the same name, weights and biases; the others stay as they
// were initialised. It changes nothing if a layer is missing or of another shape.
func (n *Net) Transfer(source configs.Config, tensors []weights.Tensor) ([]Copied, error) {
	var copied []Copied
	var copies []func()
	convolutions := source.Convolutions()
	for _, l := range slices.Concat(convolutions[:min(transferred, len(convolutions))], source.FullyConnected()) {
		i := slices.IndexFunc(n.layers, func(to layer) bool { return to.Name == l.Name })
		if i < 0 {
			return nil, errors.Errorf("graph: config %s has no layer %s to take over from %s", n.Config.Name, l.Name, source.Name)
		}
		to := n.layers[i]
		for _, c := range []struct {
			from string
			into *gorgonia.Node
		}{{l.WeightName(), to.weight}, {l.BiasName(), to.bias}} {
			j := slices.IndexFunc(tensors, func(t weights.Tensor) bool { return t.Name == c.from })
			if j < 0 {
				return nil, errors.Errorf("graph: the weights of config %s have no %s (layer %s)", source.Name, c.from, l.Name)
			}
			t := tensors[j]
			if !slices.Equal(t.Shape, c.into.Shape()) {
				return nil, errors.Errorf("graph: layer %s is %v in the weights to start from and %v here: use the same width, fully connected size, input size and classes", l.Name, t.Shape, []int(c.into.Shape()))
			}
			copies = append(copies, func() { copy(c.into.Value().Data().([]float32), t.Data) })
		}
		copied = append(copied, Copied{l.Name, l.WeightName(), to.WeightName(), slices.Clone([]int(to.weight.Shape()))})
	}
	for _, c := range copies {
		c()
	}
	return copied, nil
}
