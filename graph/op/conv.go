package op

import (
	"fmt"
	"sync"
	"unsafe"

	"github.com/chewxy/hm"
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/internal/kernel"
)

// LayerOptions are the choices that Conv and Linear leave to their caller.
type LayerOptions struct {
	ReLU         bool // apply max(0, ·) to the result (section 2.1)
	InputFixed   bool // x needs no gradient: set on the first layer, whose input is the pictures
	WeightsFixed bool // w and b need none: set on layers that are not trained
}

// wrt says of x, w and b whether a gradient with regard to it exists.
func (o LayerOptions) wrt() []bool { return []bool{!o.InputFixed, !o.WeightsFixed, !o.WeightsFixed} }

// Conv is a convolution of stride 1 whose padding keeps the resolution (section 2.1), plus a bias, with an optional
// ReLU. The shapes are x (N, H, W, In), w (Out, In, K, K) with odd K, b (Out); the result is (N, H, W, Out).
func Conv(x, w, b *gorgonia.Node, o LayerOptions) (*gorgonia.Node, error) {
	return apply(conv{o}, x, w, b)
}

// ConvFixed is Conv for weights that do not change. A separate node prepares them for the kernels; package machine
// computes it only once if w is among its Constants. Filters, if not nil, keeps the result for other graphs. It has no
// gradient.
func ConvFixed(x, w, b *gorgonia.Node, o LayerOptions, filters *Filters) (*gorgonia.Node, error) {
	if x.Dims() != 4 || w.Dims() != 4 {
		return nil, errors.Errorf("op: convolution of %v with weights %v: want four dimensions", x.Shape(), w.Shape())
	}
	k, err := convShape(x.Shape(), w.Shape())
	if err != nil {
		return nil, errors.Wrap(err, "op: convolution")
	}
	prepared, err := apply(convPrepare{k.Filters(), 4, filters}, w)
	if err != nil {
		return nil, err
	}
	return apply(convPrepared{k, o.ReLU}, x, prepared, b)
}

type conv struct{ LayerOptions }

func (c conv) String() string       { return fmt.Sprintf("conv%+v", c.LayerOptions) }
func (c conv) signature() []hm.Type { return []hm.Type{float(4), float(4), float(1), float(4)} }

func (c conv) infer(in []tensor.Shape) (tensor.Shape, error) {
	k, err := convShape(in[0], in[1])
	if err == nil && in[2][0] != k.Out {
		err = errors.Errorf("%d biases for %d output channels", in[2][0], k.Out)
	}
	return tensor.Shape{k.N, k.H, k.W, k.Out}, err
}

func (c conv) run(out []float32, a arguments) error {
	k, err := convShape(a.shape(0), a.shape(1))
	if err != nil {
		return err
	}
	k.Forward(out, a.data[0], a.data[1], a.data[2], c.ReLU)
	return nil
}

func (c conv) gradient(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	return c.declareGradients(in[0], in[1], out, grad, convWeightGradient{in[1].Shape()[2]}, convDataGradient{})
}

// declareGradients declares the gradients that a layer with input x, weights w and a bias needs: weight computes that
// of the weights from x and the gradient, data that of the input from the gradient and w.
func (o LayerOptions) declareGradients(x, w, out, grad *gorgonia.Node, weight, data computation) (gorgonia.Nodes, error) {
	var err error
	if o.ReLU {
		if grad, err = reluGradient(grad, out); err != nil {
			return nil, err
		}
	}
	var dx, dw, db *gorgonia.Node
	if !o.WeightsFixed {
		if dw, err = apply(weight, x, grad); err != nil {
			return nil, err
		}
		if db, err = apply(biasGradient{out.Dims()}, grad); err != nil {
			return nil, err
		}
	}
	if !o.InputFixed {
		dx, err = apply(data, grad, w)
	}
	return gorgonia.Nodes{dx, dw, db}, err
}

// convShape gives the kernel for inputs x (N, H, W, In) and weights w (Out, In, K, K).
func convShape(x, w tensor.Shape) (kernel.Conv, error) {
	k := kernel.Conv{N: x[0], H: x[1], W: x[2], In: x[3], Out: w[0], Kernel: w[2]}
	if w[1] != k.In || w[2] != w[3] {
		return k, errors.Errorf("weights %v do not fit an input of %d channels: want (out, %d, k, k)", w, k.In, k.In)
	}
	return k, k.Validate()
}

// convDataGradient is the gradient with regard to the input, from grad (N, H, W, Out) and w (Out, In, K, K). If masked,
// a third argument is the input, the output of a ReLU, and the gradient that of the ReLU's input.
type convDataGradient struct{ masked bool }

func (c convDataGradient) String() string {
	return fmt.Sprintf("convDataGradient{masked:%t}", c.masked)
}

func (c convDataGradient) signature() []hm.Type {
	if c.masked {
		return []hm.Type{float(4), float(4), float(4), float(4)}
	}
	return []hm.Type{float(4), float(4), float(4)}
}

func (c convDataGradient) infer(in []tensor.Shape) (tensor.Shape, error) {
	k, err := c.shape(in[0], in[1])
	shape := tensor.Shape{k.N, k.H, k.W, k.In}
	if err == nil && c.masked {
		err = sameShape(shape, in[2])
	}
	return shape, err
}

func (c convDataGradient) shape(grad, w tensor.Shape) (kernel.Conv, error) {
	k := kernel.Conv{N: grad[0], H: grad[1], W: grad[2], In: w[1], Out: w[0], Kernel: w[2]}
	if grad[3] != k.Out {
		return k, errors.Errorf("a gradient of %d channels for %d output channels", grad[3], k.Out)
	}
	return k, k.Validate()
}

func (c convDataGradient) run(out []float32, a arguments) error {
	k, err := c.shape(a.shape(0), a.shape(1))
	if err != nil {
		return err
	}
	k.DataGradient(out, a.data[0], a.data[1], a.data[2])
	return nil
}

// convWeightGradient is the gradient with regard to the weights, from x (N, H, W, In) and grad (N, H, W, Out).
type convWeightGradient struct{ size int }

func (c convWeightGradient) String() string       { return fmt.Sprintf("convWeightGradient%d", c.size) }
func (c convWeightGradient) signature() []hm.Type { return []hm.Type{float(4), float(4), float(4)} }

func (c convWeightGradient) shape(x, grad tensor.Shape) kernel.Conv {
	return kernel.Conv{N: x[0], H: x[1], W: x[2], In: x[3], Out: grad[3], Kernel: c.size}
}

func (c convWeightGradient) infer(in []tensor.Shape) (tensor.Shape, error) {
	k := c.shape(in[0], in[1])
	if err := sameShape(in[0][:3], in[1][:3]); err != nil {
		return nil, err
	}
	return tensor.Shape{k.Out, k.In, k.Kernel, k.Kernel}, k.Validate()
}

func (c convWeightGradient) run(out []float32, a arguments) error {
	c.shape(a.shape(0), a.shape(1)).WeightGradient(out, a.data[0], a.data[1], false)
	return nil
}

func (c convWeightGradient) accumulate(out []float32, a arguments) error {
	c.shape(a.shape(0), a.shape(1)).WeightGradient(out, a.data[0], a.data[1], true)
	return nil
}

// biasGradient sums a gradient over all but its last dimension, the channels.
type biasGradient struct{ dims int }

func (c biasGradient) String() string       { return fmt.Sprintf("biasGradient%d", c.dims) }
func (c biasGradient) signature() []hm.Type { return []hm.Type{float(c.dims), float(1)} }

func (c biasGradient) infer(in []tensor.Shape) (tensor.Shape, error) {
	return tensor.Shape{in[0][c.dims-1]}, nil
}

func (c biasGradient) run(out []float32, a arguments) error {
	kernel.BiasGradient(out, a.data[0], false)
	return nil
}

func (c biasGradient) accumulate(out []float32, a arguments) error {
	kernel.BiasGradient(out, a.data[0], true)
	return nil
}

// Filters keeps the prepared weights of convolutions for graphs that have the same weights. It may be used by several
// goroutines at once.
type Filters struct {
	mutex sync.Mutex
	kept  map[preparedKey]gorgonia.Value
}

// preparedKey tells prepared weights apart: by where the weights begin and the form that they were given.
type preparedKey struct {
	weights *float32
	form    kernel.Filters
}

// prepare gives what is kept for the weights w, or else the result of f.
func (f *Filters) prepare(w gorgonia.Value, form kernel.Filters, prepare func(in ...gorgonia.Value) (gorgonia.Value, error)) (gorgonia.Value, error) {
	if f == nil {
		return prepare(w)
	}
	data, err := floats(w)
	if err != nil {
		return nil, err
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	key := preparedKey{unsafe.SliceData(data), form}
	if v, ok := f.kept[key]; ok {
		return v, nil
	}
	v, err := prepare(w)
	if err == nil {
		if f.kept == nil {
			f.kept = map[preparedKey]gorgonia.Value{}
		}
		f.kept[key] = v
	}
	return v, err
}

// convPrepare turns weights (Out, In, K, K) or (Out, In·K·K) into a vector for convPrepared or densePrepared.
type convPrepare struct {
	kernel.Filters
	dims int      // of the weights
	kept *Filters // nil keeps none
}

func (c convPrepare) String() string       { return fmt.Sprintf("convPrepare%+v", c.Filters) }
func (c convPrepare) signature() []hm.Type { return []hm.Type{float(c.dims), float(1)} }

func (c convPrepare) infer(in []tensor.Shape) (tensor.Shape, error) {
	want := tensor.Shape{c.Out, c.In, c.Kernel, c.Kernel}
	if c.dims == 2 {
		want = tensor.Shape{c.Out, c.In * c.Kernel * c.Kernel}
	}
	return tensor.Shape{c.Size()}, sameShape(in[0], want)
}

func (c convPrepare) run(out []float32, a arguments) error {
	c.Filters.Prepare(out, a.data[0])
	return nil
}

// convPrepared is the convolution of x (N, H, W, In) with prepared weights and b (Out).
type convPrepared struct {
	kernel.Conv
	relu bool
}

func (c convPrepared) String() string       { return fmt.Sprintf("convPrepared%+v{ReLU:%t}", c.Conv, c.relu) }
func (c convPrepared) signature() []hm.Type { return []hm.Type{float(4), float(1), float(1), float(4)} }

func (c convPrepared) infer(in []tensor.Shape) (tensor.Shape, error) {
	if in[2][0] != c.Out {
		return nil, errors.Errorf("%d biases for %d output channels", in[2][0], c.Out)
	}
	return tensor.Shape{c.N, c.H, c.W, c.Out}, sameShape(in[0], tensor.Shape{c.N, c.H, c.W, c.In})
}

func (c convPrepared) run(out []float32, a arguments) error {
	c.ForwardPrepared(out, a.data[0], a.data[1], a.data[2], c.relu)
	return nil
}
