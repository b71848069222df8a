package op

import (
	"fmt"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/internal/kernel"
)

// LRNOptions are the parameters of local response normalisation, named as by Krizhevsky et al.
type LRNOptions struct {
	Size           int // channels in the sum, n
	Alpha, Beta, K float32
}

// LRN is the local response normalisation of net A-LRN: b = a / (K + Alpha Σ a²)^Beta, the sum going over Size
// neighbouring channels. Alpha is not divided by Size, as in the paper that defines it (Caffe and PyTorch divide).
// x and the result are (N, H, W, C).
func LRN(x *gorgonia.Node, o LRNOptions) (*gorgonia.Node, error) { return apply(lrn{o}, x) }

type lrn struct{ LRNOptions }

func (c lrn) String() string       { return fmt.Sprintf("lrn%+v", c.LRNOptions) }
func (c lrn) signature() []hm.Type { return []hm.Type{float(4), float(4)} }
func (c lrn) wrt() []bool          { return []bool{true} }

func (o LRNOptions) shape(x tensor.Shape) kernel.LRN {
	return kernel.LRN{Rows: x[0] * x[1] * x[2], Channels: x[3], Size: o.Size, Alpha: o.Alpha, Beta: o.Beta, K: o.K}
}

func (c lrn) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[0].Clone(), c.shape(in[0]).Validate()
}

func (c lrn) run(out []float32, a arguments) error {
	c.shape(a.shape(0)).Forward(out, a.data[0])
	return nil
}

func (c lrn) gradient(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := apply(lrnGradient(c), grad, in[0])
	return gorgonia.Nodes{dx}, err
}

// lrnGradient is the gradient of LRN from grad and the input.
type lrnGradient struct{ LRNOptions }

func (c lrnGradient) String() string       { return fmt.Sprintf("lrnGradient%+v", c.LRNOptions) }
func (c lrnGradient) signature() []hm.Type { return []hm.Type{float(4), float(4), float(4)} }

func (c lrnGradient) infer(in []tensor.Shape) (tensor.Shape, error) {
	return in[1].Clone(), sameShape(in[0], in[1])
}

func (c lrnGradient) run(out []float32, a arguments) error {
	c.shape(a.shape(1)).Gradient(out, a.data[0], a.data[1])
	return nil
}
