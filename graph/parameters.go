package graph

import (
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Parameter is a tensor of weights or biases.
type Parameter struct {
	Layer  string // conv1_1 … conv5_4, fc6, fc7, fc8
	Name   string // in files, after torchvision: features.0.weight, classifier.6.bias
	Node   *gorgonia.Node
	Frozen bool // not a learnable: see Options.Freeze
}

// freeze marks the layers that are not trained. In an inference graph it marks none.
func (n *Net) freeze() error {
	frozen, err := n.Config.Select(n.Options.Freeze...)
	if err != nil {
		return errors.Wrap(err, "graph: cannot freeze")
	}
	for i := range n.layers {
		n.layers[i].frozen = frozen[n.layers[i].Name] && !n.Options.Inference
	}
	return nil
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
	if n.Options.From == nil { // otherwise bind sets all values at once
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

// value gives the initial value of a parameter: shared, zero for biases, or drawn.
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

// seed derives the seed of a layer, so that no two layers draw the same.
func seed(s uint64, name string) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s", s, name)
	return h.Sum64()
}

// Learnables are the weights and biases of the layers that are not frozen, from the first layer to the last.
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
