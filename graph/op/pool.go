package op

import (
	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/internal/kernel"
)

// MaxPool takes the maximum of each 2×2 window, stride 2 (section 2.1): (N, H, W, C) becomes (N, ⌈H/2⌉, ⌈W/2⌉, C).
// Where a side is odd, the last windows have only the pixels that are in the map, as in Caffe. Where a window has
// several maxima, the gradient goes to the first in row-major order.
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
	height, width := p.Pooled()
	return tensor.Shape{p.N, height, width, p.C}, p.Validate()
}

func (c maxPool) run(out []float32, a arguments) error {
	poolShape(a.shape(0)).Forward(out, a.data[0])
	return nil
}

func (c maxPool) gradient(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := apply(maxPoolGradient{}, grad, in[0], out)
	return gorgonia.Nodes{dx}, err
}

// maxPoolGradient writes grad to the positions of the maxima, which it finds from the pooling's input and output.
type maxPoolGradient struct{}

func (c maxPoolGradient) String() string { return "maxPoolGradient" }
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
