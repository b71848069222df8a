package op

import (
	"github.com/chewxy/hm"
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/internal/kernel"
)

// CrossEntropy is the multinomial logistic regression objective of section 3.1: the mean over the rows of logits
// (N, classes) of -log softmax(row)[label], for labels (N) of type int from 0. Rows whose label is -1 do not count:
// they pad an incomplete batch. The result is a scalar.
func CrossEntropy(logits, labels *gorgonia.Node) (*gorgonia.Node, error) {
	return apply(crossEntropy{}, logits, labels)
}

type crossEntropy struct{}

func (c crossEntropy) String() string       { return "crossEntropy" }
func (c crossEntropy) signature() []hm.Type { return []hm.Type{float(2), integer(1), float(0)} }
func (c crossEntropy) wrt() []bool          { return []bool{true, false} }

func (c crossEntropy) infer(in []tensor.Shape) (tensor.Shape, error) {
	return tensor.ScalarShape(), sameShape(in[0][:1], in[1])
}

func (c crossEntropy) run(out []float32, a arguments) error {
	labels, err := classLabels(a)
	if err == nil {
		out[0] = float32(kernel.CrossEntropy(a.data[0], labels, a.shape(0)[1]))
	}
	return err
}

func (c crossEntropy) gradient(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	d, err := apply(crossEntropyGradient{}, in[0], in[1], grad)
	return gorgonia.Nodes{d, nil}, err
}

// crossEntropyGradient is (softmax - one-hot) / rows counted, times the gradient of the loss, a scalar.
type crossEntropyGradient struct{}

func (c crossEntropyGradient) String() string { return "crossEntropyGradient" }
func (c crossEntropyGradient) signature() []hm.Type {
	return []hm.Type{float(2), integer(1), float(0), float(2)}
}

func (c crossEntropyGradient) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[0].Clone(), sameShape(in[0][:1], in[1])
}

func (c crossEntropyGradient) run(out []float32, a arguments) error {
	labels, err := classLabels(a)
	if err != nil {
		return err
	}
	scale, ok := a.values[2].Data().(float32)
	if !ok {
		return errors.Errorf("the loss's gradient is a %T, want a float32", a.values[2].Data())
	}
	kernel.CrossEntropyGradient(out, a.data[0], labels, a.shape(0)[1], scale)
	return nil
}

// classLabels gives the labels, the second argument, checked against the classes, the first one's width.
func classLabels(a arguments) ([]int, error) {
	labels, ok := a.values[1].Data().([]int)
	if !ok {
		return nil, errors.Errorf("labels are %T, want []int", a.values[1].Data())
	}
	classes := a.shape(0)[1]
	for i, l := range labels {
		if l < -1 || l >= classes {
			return nil, errors.Errorf("label %d of row %d is not among the %d classes (-1 marks a row that does not count)", l, i, classes)
		}
	}
	return labels, nil
}
