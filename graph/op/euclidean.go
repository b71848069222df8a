package op

import (
	"fmt"

	"github.com/chewxy/hm"
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Euclidean is the loss of appendix A for boxes (N, 4) or (N, 4 · classes), targets (N, 4) and labels (N) of type int
// from 0: the mean over the rows of factor times the sum of the four squared differences. Of boxes for each class only
// the four of the row's label count, and only they have a gradient. Rows whose label is -1 do not count. The result is
// a scalar.
func Euclidean(boxes, labels, targets *gorgonia.Node, factor float32) (*gorgonia.Node, error) {
	return apply(euclidean{factor}, boxes, labels, targets)
}

// numbers is how many describe a box.
const numbers = 4

type euclidean struct{ factor float32 }

func (c euclidean) String() string { return fmt.Sprintf("euclidean{factor:%v}", c.factor) }
func (c euclidean) signature() []hm.Type {
	return []hm.Type{float(2), integer(1), float(2), float(0)}
}
func (c euclidean) wrt() []bool { return []bool{true, false, false} }

func (c euclidean) infer(in []tensor.Shape) (tensor.Shape, error) {
	return tensor.ScalarShape(), boxShapes(in)
}

// boxShapes checks the shapes of boxes, labels and targets.
func boxShapes(in []tensor.Shape) error {
	boxes, labels, targets := in[0], in[1], in[2]
	if boxes[1]%numbers != 0 || targets[1] != numbers || boxes[0] != targets[0] {
		return errors.Errorf("boxes %v for targets %v: want (N, %d) or (N, %[3]d × classes), and (N, %[3]d)", boxes, targets, numbers)
	}
	return sameShape(boxes[:1], labels)
}

func (c euclidean) run(out []float32, a arguments) error {
	sum := 0.0
	rows, err := boxDifferences(a, func(_ int, d float64) { sum += d * d })
	out[0] = float32(float64(c.factor) * sum / float64(max(rows, 1)))
	return err
}

// boxDifferences calls f with the place among the boxes and the difference from the target of each number that counts,
// and returns the number of rows that count.
func boxDifferences(a arguments, f func(at int, difference float64)) (rows int, err error) {
	labels, ok := a.values[1].Data().([]int)
	if !ok {
		return 0, errors.Errorf("labels are %T, want []int", a.values[1].Data())
	}
	boxes, targets, width := a.data[0], a.data[2], a.shape(0)[1]
	for row, label := range labels {
		switch {
		case label == -1:
			continue
		case label < 0 || width > numbers && numbers*label >= width:
			return 0, errors.Errorf("label %d of row %d is not among the %d classes (-1 marks a row that does not count)", label, row, width/numbers)
		case width == numbers:
			label = 0 // one box for all classes
		}
		rows++
		for i, t := range targets[numbers*row:][:numbers] {
			at := row*width + numbers*label + i
			f(at, float64(boxes[at])-float64(t))
		}
	}
	return rows, nil
}

func (c euclidean) gradient(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	d, err := apply(euclideanGradient(c), in[0], in[1], in[2], grad)
	return gorgonia.Nodes{d, nil, nil}, err
}

// euclideanGradient is 2 × factor × difference / rows counted, times the gradient of the loss, a scalar.
type euclideanGradient struct{ factor float32 }

func (c euclideanGradient) String() string {
	return fmt.Sprintf("euclideanGradient{factor:%v}", c.factor)
}
func (c euclideanGradient) signature() []hm.Type {
	return []hm.Type{float(2), integer(1), float(2), float(0), float(2)}
}

func (c euclideanGradient) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[0].Clone(), boxShapes(in)
}

func (c euclideanGradient) run(out []float32, a arguments) error {
	scale, ok := a.values[3].Data().(float32)
	if !ok {
		return errors.Errorf("the loss's gradient is a %T, want a float32", a.values[3].Data())
	}
	clear(out)
	rows, err := boxDifferences(a, func(at int, d float64) { out[at] = float32(d) })
	factor := 2 * c.factor * scale / float32(max(rows, 1))
	for i := range out {
		out[i] *= factor
	}
	return err
}
