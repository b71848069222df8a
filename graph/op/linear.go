package op

import (
	"fmt"

	"github.com/chewxy/hm"
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/internal/kernel"
)

// Linear is a fully connected layer, plus a bias, with an optional ReLU. The shapes are x (N, In), w (Out, In),
// b (Out); the result is (N, Out).
func Linear(x, w, b *gorgonia.Node, o LayerOptions) (*gorgonia.Node, error) {
	return apply(linear{o}, x, w, b)
}

type linear struct{ LayerOptions }

func (c linear) String() string       { return fmt.Sprintf("linear%+v", c.LayerOptions) }
func (c linear) signature() []hm.Type { return []hm.Type{float(2), float(2), float(1), float(2)} }

func (c linear) shape(x, w tensor.Shape) (kernel.Linear, error) {
	k := kernel.Linear{N: x[0], In: x[1], Out: w[0]}
	if w[1] != k.In {
		return k, errors.Errorf("weights %v do not fit an input of %d features: want (out, %d)", w, k.In, k.In)
	}
	return k, k.Validate()
}

func (c linear) infer(in []tensor.Shape) (tensor.Shape, error) {
	k, err := c.shape(in[0], in[1])
	if err == nil && in[2][0] != k.Out {
		err = errors.Errorf("%d biases for %d outputs", in[2][0], k.Out)
	}
	return tensor.Shape{k.N, k.Out}, err
}

func (c linear) run(out []float32, a arguments) error {
	k, err := c.shape(a.shape(0), a.shape(1))
	if err != nil {
		return err
	}
	k.Forward(out, a.data[0], a.data[1], a.data[2], c.ReLU)
	return nil
}

func (c linear) gradient(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	return c.declareGradients(in[0], in[1], out, grad, linearWeightGradient{}, linearDataGradient{})
}

// linearDataGradient is the gradient with regard to the input, from grad (N, Out) and w (Out, In).
type linearDataGradient struct{}

func (c linearDataGradient) String() string       { return "linearDataGradient" }
func (c linearDataGradient) signature() []hm.Type { return []hm.Type{float(2), float(2), float(2)} }

func (c linearDataGradient) infer(in []tensor.Shape) (tensor.Shape, error) {
	if in[0][1] != in[1][0] {
		return nil, errors.Errorf("a gradient of %d outputs for %d", in[0][1], in[1][0])
	}
	return tensor.Shape{in[0][0], in[1][1]}, nil
}

func (c linearDataGradient) run(out []float32, a arguments) error {
	grad, w := a.shape(0), a.shape(1)
	kernel.Linear{N: grad[0], In: w[1], Out: w[0]}.DataGradient(out, a.data[0], a.data[1])
	return nil
}

// linearWeightGradient is the gradient with regard to the weights, from x (N, In) and grad (N, Out).
type linearWeightGradient struct{}

func (c linearWeightGradient) String() string       { return "linearWeightGradient" }
func (c linearWeightGradient) signature() []hm.Type { return []hm.Type{float(2), float(2), float(2)} }

func (c linearWeightGradient) shape(x, grad tensor.Shape) kernel.Linear {
	return kernel.Linear{N: x[0], In: x[1], Out: grad[1]}
}

func (c linearWeightGradient) infer(in []tensor.Shape) (tensor.Shape, error) {
	return tensor.Shape{in[1][1], in[0][1]}, sameShape(in[0][:1], in[1][:1])
}

func (c linearWeightGradient) run(out []float32, a arguments) error {
	c.shape(a.shape(0), a.shape(1)).WeightGradient(out, a.data[0], a.data[1], false)
	return nil
}

func (c linearWeightGradient) accumulate(out []float32, a arguments) error {
	c.shape(a.shape(0), a.shape(1)).WeightGradient(out, a.data[0], a.data[1], true)
	return nil
}
