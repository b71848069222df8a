package op

import (
	"fmt"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/internal/kernel"
)

// MaxPool takes the maximum of each 2×2 window, stride 2 (section 2.1): (N, H, W, C) becomes (N, H/2, W/2, C).
// H and W must be even. Where a window has several maxima, the gradient goes to the first in row-major order.
func MaxPool(x *gorgonia.Node) (*gorgonia.Node, error) { return apply(maxPool{}, x) }

type maxPool struct{}

func (c maxPool) String() string       { return "maxPool" }
func (c maxPool) signature() []hm.Type { return []hm.Type{float(4), float(4)} }
func (c maxPool) wrt() []bool          { return []bool{true} }

func poolShape(x tensor.Shape) kernel.Pool {
	return kernel.Pool{N: x[0], H: x[1], W: x[2], C: x[3]}
}

func (c maxPool) infer(in []tensor.Shape) (tensor.Shape, error) {
	p := poolShape(in[0])
	return tensor.Shape{p.N, p.H / 2, p.W / 2, p.C}, p.Validate()
}

func (c maxPool) run(out []float32, a arguments) error {
	poolShape(a.shape(0)).Forward(out, a.data[0])
	return nil
}

func (c maxPool) gradient(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	x, masked := in[0], isReLU(in[0])
	if masked {
		var err error
		if grad, err = reluGradient(grad, out); err != nil {
			return nil, err
		}
	}
	dx, err := apply(maxPoolGradient{masked}, grad, x, out)
	return gorgonia.Nodes{dx}, err
}

// isReLU says whether a node is a convolution with a ReLU. Where a maximum of its output is zero all of the window is, so that
// the ReLU's gradient may be taken after the pooling, of a quarter of the elements.
func isReLU(n *gorgonia.Node) bool {
	o, _ := n.Op().(operation)
	c, ok := o.computation.(conv)
	return ok && c.ReLU
}

// maxPoolGradient hands grad to the places of the maxima, from the pooling's input and output.
type maxPoolGradient struct {
	masked bool // grad is zero where the ReLU that made the input was
}

func (c maxPoolGradient) String() string { return fmt.Sprintf("maxPoolGradient{masked:%t}", c.masked) }
func (c maxPoolGradient) signature() []hm.Type {
	return []hm.Type{float(4), float(4), float(4), float(4)}
}

func (c maxPoolGradient) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[1].Clone(), sameShape(in[0], in[2])
}

func (c maxPoolGradient) run(out []float32, a arguments) error {
	poolShape(a.shape(1)).Gradient(out, a.data[0], a.data[1], a.data[2])
	return nil
}
