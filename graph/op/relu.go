package op

import (
	"fmt"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/internal/kernel"
)

// maskByOutput is the gradient of a ReLU, from the sign of its output.
type maskByOutput struct{ dims int }

// reluGradient lets grad through where the ReLU's output out was positive.
//
// If only a max-pool reads out, the gradient of the pooling's output is masked instead of that of its input. This gives
// the same bits from a quarter of the elements, because a window whose maximum is zero is zero everywhere. If something
// else reads out too, grad is a sum, and this does not apply. The unmasked gradient of the pooling stays in the graph
// as the gradient of out; package machine does not compute it unless it is an output.
func reluGradient(grad, out *gorgonia.Node) (*gorgonia.Node, error) {
	if o, ok := grad.Op().(operation); !ok || o.computation != (maxPoolGradient{}) {
		return apply(maskByOutput{out.Dims()}, grad, out)
	}
	var in gorgonia.Nodes // the gradient of the pooling's output, the pooling's input, its output
	for it := grad.Graph().From(grad.ID()); it.Next(); {
		in = append(in, it.Node().(*gorgonia.Node))
	}
	masked, err := apply(maskByOutput{out.Dims()}, in[0], in[2])
	if err != nil {
		return nil, err
	}
	return apply(maxPoolGradient{}, masked, in[1], in[2])
}

func (c maskByOutput) String() string { return fmt.Sprintf("reluGradient%d", c.dims) }
func (c maskByOutput) signature() []hm.Type {
	return []hm.Type{float(c.dims), float(c.dims), float(c.dims)}
}
func (c maskByOutput) inPlace() []int { return []int{0} }

// fuse masks what a convolution's data gradient writes while it is in the cache.
func (c maskByOutput) fuse(first computation) (computation, bool) {
	return convDataGradient{masked: true}, first == convDataGradient{}
}

func (c maskByOutput) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[1].Clone(), sameShape(in[0], in[1])
}

func (c maskByOutput) run(out []float32, a arguments) error {
	kernel.ReLUGradient(out, a.data[0], a.data[1])
	return nil
}
