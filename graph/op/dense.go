package op

import (
	"fmt"

	"github.com/chewxy/hm"
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/internal/kernel"
)

// Windows turns feature maps (N, H, W, C) into all their windows of size×size pixels, at stride 1, as vectors
// (N·windows, C·size·size), each in the order of Flatten. A fully connected layer on them is the convolution that
// section 3.2 turns it into, with the same weights.
func Windows(x *gorgonia.Node, size int) (*gorgonia.Node, error) {
	s := x.Shape()
	if s.Dims() != 4 {
		return nil, errors.Errorf("op: no windows in shape %v: want four dimensions", s)
	}
	return apply(windows{kernel.Windows{N: s[0], H: s[1], W: s[2], C: s[3], Size: size}}, x)
}

type windows struct{ kernel.Windows }

func (c windows) String() string       { return fmt.Sprintf("windows%+v", c.Windows) }
func (c windows) signature() []hm.Type { return []hm.Type{float(4), float(2)} }
func (c windows) wrt() []bool          { return []bool{true} }

func (c windows) infer(in []tensor.Shape) (tensor.Shape, error) {
	return tensor.Shape{c.N * c.Count(), c.C * c.Size * c.Size}, c.Validate()
}

func (c windows) run(out []float32, a arguments) error {
	c.Forward(out, a.data[0])
	return nil
}

func (c windows) gradient(_ gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := apply(windowsGradient(c), grad)
	return gorgonia.Nodes{dx}, err
}

type windowsGradient struct{ kernel.Windows }

func (c windowsGradient) String() string       { return fmt.Sprintf("windowsGradient%+v", c.Windows) }
func (c windowsGradient) signature() []hm.Type { return []hm.Type{float(2), float(4)} }

func (c windowsGradient) infer([]tensor.Shape) (tensor.Shape, error) {
	return tensor.Shape{c.N, c.H, c.W, c.C}, nil
}

func (c windowsGradient) run(out []float32, a arguments) error {
	c.Gradient(out, a.data[0])
	return nil
}

// DenseFixed is Linear on Windows of size×size pixels, for weights that do not change, as ConvFixed takes them: by
// minimal filtering where that is expected to be faster. The shapes are x (N, H, W, C), w (Out, C·size·size), b (Out);
// the result is (N·windows, Out). It has no gradient.
func DenseFixed(x, w, b *gorgonia.Node, size int, o LayerOptions, filters *Filters) (*gorgonia.Node, error) {
	s := x.Shape()
	if s.Dims() != 4 || w.Dims() != 2 {
		return nil, errors.Errorf("op: dense layer of %v with weights %v: want four dimensions and two", s, w.Shape())
	}
	k := kernel.Dense{Windows: kernel.Windows{N: s[0], H: s[1], W: s[2], C: s[3], Size: size}, Out: w.Shape()[0]}
	if err := k.Validate(); err != nil || !k.Pays() {
		rows, err := Windows(x, size)
		if err != nil {
			return nil, err
		}
		return Linear(rows, w, b, o)
	}
	prepared, err := apply(convPrepare{k.Filters(), 2, filters}, w)
	if err != nil {
		return nil, err
	}
	return apply(densePrepared{k, o.ReLU}, x, prepared, b)
}

// densePrepared is the dense layer of x (N, H, W, C) with prepared weights and b (Out).
type densePrepared struct {
	kernel.Dense
	relu bool
}

func (c densePrepared) String() string {
	return fmt.Sprintf("densePrepared%+v{ReLU:%t}", c.Dense, c.relu)
}

func (c densePrepared) signature() []hm.Type {
	return []hm.Type{float(4), float(1), float(1), float(2)}
}

func (c densePrepared) infer(in []tensor.Shape) (tensor.Shape, error) {
	if in[2][0] != c.Out {
		return nil, errors.Errorf("%d biases for %d outputs", in[2][0], c.Out)
	}
	return tensor.Shape{c.N * c.Count(), c.Out}, sameShape(in[0], tensor.Shape{c.N, c.H, c.W, c.C})
}

func (c densePrepared) run(out []float32, a arguments) error {
	c.ForwardPrepared(out, a.data[0], a.data[1], a.data[2], c.relu)
	return nil
}

// MeanRows takes the mean of every count consecutive rows: x is (N·count, columns), the result (N, columns). It is the
// spatial average of the class score map (section 3.2).
func MeanRows(x *gorgonia.Node, count int) (*gorgonia.Node, error) {
	s := x.Shape()
	if s.Dims() != 2 || count < 1 || s[0]%count != 0 {
		return nil, errors.Errorf("op: the rows of %v cannot be averaged in groups of %d", s, count)
	}
	return apply(meanRows{count}, x)
}

type meanRows struct{ count int }

func (c meanRows) String() string       { return fmt.Sprintf("meanRows%d", c.count) }
func (c meanRows) signature() []hm.Type { return []hm.Type{float(2), float(2)} }
func (c meanRows) wrt() []bool          { return []bool{true} }

func (c meanRows) infer(in []tensor.Shape) (tensor.Shape, error) {
	return tensor.Shape{in[0][0] / c.count, in[0][1]}, nil
}

func (c meanRows) run(out []float32, a arguments) error {
	kernel.MeanRows(out, a.data[0], c.count, a.shape(0)[1])
	return nil
}

func (c meanRows) gradient(_ gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := apply(meanRowsGradient(c), grad)
	return gorgonia.Nodes{dx}, err
}

type meanRowsGradient struct{ count int }

func (c meanRowsGradient) String() string       { return fmt.Sprintf("meanRowsGradient%d", c.count) }
func (c meanRowsGradient) signature() []hm.Type { return []hm.Type{float(2), float(2)} }

func (c meanRowsGradient) infer(in []tensor.Shape) (tensor.Shape, error) {
	return tensor.Shape{in[0][0] * c.count, in[0][1]}, nil
}

func (c meanRowsGradient) run(out []float32, a arguments) error {
	kernel.MeanRowsGradient(out, a.data[0], c.count, a.shape(0)[1])
	return nil
}
