package op

import (
	"fmt"
	"hash"
	"hash/fnv"

	"github.com/chewxy/hm"
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/internal/kernel"
	"vgg/internal/memory"
	"vgg/internal/outer"
)

// computation is the part in which the ops of this package differ; operation turns it into a gorgonia.Op.
type computation interface {
	// String names the computation with every parameter: computations of equal names are interchangeable.
	fmt.Stringer
	// signature gives the types of the inputs and, last, of the output.
	signature() []hm.Type
	// infer gives the output's shape, or an error about the inputs' shapes.
	infer(in []tensor.Shape) (tensor.Shape, error)
	// run writes every element of out.
	run(out []float32, a arguments) error
}

// differentiable is a computation with a symbolic gradient.
type differentiable interface {
	computation
	// wrt says for each input whether a gradient with regard to it exists.
	wrt() []bool
	// gradient declares the gradient with regard to each input for which wrt says true.
	gradient(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error)
}

// overwriting is a computation whose output may overwrite some of its inputs.
type overwriting interface{ inPlace() []int }

// fusing is a computation that can be part of that of its first argument.
type fusing interface {
	// fuse gives the computation of both; its arguments are those of first, and then the others of its own.
	fuse(first computation) (both computation, ok bool)
}

// accumulating is a computation that can add its result to its output.
type accumulating interface {
	accumulate(out []float32, a arguments) error
}

// arguments are the inputs of one execution.
type arguments struct {
	values []gorgonia.Value
	data   [4][]float32 // nil where the input is not a float32 tensor
}

func (a arguments) shape(i int) tensor.Shape { return a.values[i].Shape() }

// operation is an operation of a VGG net. It implements gorgonia.SDOp and gorgonia.UsePreallocDoer.
type operation struct{ computation }

// accumulatingOp is an operation that implements gorgonia.IncrDoer too: a gradient of weights, which is summed over
// several micro-batches before a step.
type accumulatingOp struct{ operation }

// productOp is an accumulatingOp that implements outer.Op too.
type productOp struct{ accumulatingOp }

var _ outer.Op = productOp{}

// prepareOp is an operation whose result is kept: convPrepare.
type prepareOp struct{ operation }

// Do gives the prepared weights.
func (o prepareOp) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	c := o.computation.(convPrepare)
	return c.kept.prepare(in[0], c.Filters, o.operation.Do)
}

func apply(c computation, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	if err := kernel.Check(); err != nil {
		return nil, errors.Wrap(err, "op")
	}
	var op gorgonia.Op
	switch c.(type) {
	case convPrepare:
		op = prepareOp{operation{c}}
	case linearWeightGradient: // accumulating too
		op = productOp{accumulatingOp{operation{c}}}
	case accumulating:
		op = accumulatingOp{operation{c}}
	default:
		op = operation{c}
	}
	n, err := gorgonia.ApplyOp(op, in...)
	return n, errors.Wrapf(err, "op: cannot apply %v", c)
}

// Arity is part of gorgonia.Op.
func (o operation) Arity() int { return len(o.signature()) - 1 }

// Type is part of gorgonia.Op.
func (o operation) Type() hm.Type { return hm.NewFnType(o.signature()...) }

// InferShape is part of gorgonia.Op. Shapes that do not fit are reported here, when the graph is built.
func (o operation) InferShape(sizers ...gorgonia.DimSizer) (tensor.Shape, error) {
	shapes, err := gorgonia.DimSizersToShapes(sizers)
	if err != nil {
		return nil, errors.Wrapf(err, "%v", o)
	}
	for i, want := range o.signature()[:len(shapes)] {
		if t, ok := want.(gorgonia.TensorType); ok && t.Dims != shapes[i].Dims() {
			return nil, errors.Errorf("%v: input %d has the shape %v: want %d dimensions", o, i, shapes[i], t.Dims)
		}
	}
	shape, err := o.infer(shapes)
	return shape, errors.Wrapf(err, "%v", o)
}

// ReturnsPtr is part of gorgonia.Op. It keeps Gorgonia's own machines from reusing the result's register.
func (o operation) ReturnsPtr() bool { return false }

// CallsExtern is part of gorgonia.Op.
func (o operation) CallsExtern() bool { return false }

// OverwritesInput is part of gorgonia.Op. Package machine uses InPlace instead.
func (o operation) OverwritesInput() int { return -1 }

// WriteHash is part of gorgonia.Op. The name holds every parameter, so equal hashes mean equal computations.
func (o operation) WriteHash(h hash.Hash) { fmt.Fprintf(h, "vgg/%v", o.computation) }

// Hashcode is part of gorgonia.Op.
func (o operation) Hashcode() uint32 {
	h := fnv.New32a()
	o.WriteHash(h)
	return h.Sum32()
}

// Do computes the op into a new value.
func (o operation) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	shapes := make([]tensor.Shape, len(in))
	for i, v := range in {
		shapes[i] = v.Shape()
	}
	shape, err := o.infer(shapes)
	if err != nil {
		return nil, errors.Wrapf(err, "%v", o)
	}
	if shape.IsScalar() {
		var out [1]float32
		if err := o.execute(out[:], in, o.run); err != nil {
			return nil, err
		}
		return gorgonia.NewF32(out[0]), nil
	}
	// What is large and not in planned memory is computed once and read in every run, such as prepared filters.
	out := tensor.New(tensor.WithShape(shape...), tensor.WithBacking(memory.MakeHuge[float32](shape.TotalSize())))
	return o.UsePreallocDo(out, in...)
}

// UsePreallocDo computes the op into prealloc, every element of which is overwritten.
func (o operation) UsePreallocDo(prealloc gorgonia.Value, in ...gorgonia.Value) (gorgonia.Value, error) {
	out, err := floats(prealloc)
	if err != nil {
		return nil, errors.Wrapf(err, "%v: output", o)
	}
	return prealloc, o.execute(out, in, o.run)
}

// InPlace lists the inputs that the output may overwrite. An op with this method promises package machine that
// UsePreallocDo keeps no reference to its arguments.
func (o operation) InPlace() []int {
	if c, ok := o.computation.(overwriting); ok {
		return c.inPlace()
	}
	return nil
}

// Fuse is part of machine.FusedOp.
func (o operation) Fuse(first gorgonia.Op) (gorgonia.Op, bool) {
	c, fuses := o.computation.(fusing)
	f, ours := first.(operation)
	if !fuses || !ours {
		return nil, false
	}
	both, ok := c.fuse(f.computation)
	return operation{both}, ok
}

// DiffWRT is part of gorgonia.SDOp.
func (o operation) DiffWRT(inputs int) []bool {
	if c, ok := o.computation.(differentiable); ok {
		return c.wrt()
	}
	return make([]bool, inputs)
}

// SymDiff is part of gorgonia.SDOp.
func (o operation) SymDiff(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	c, ok := o.computation.(differentiable)
	if !ok {
		return nil, errors.Errorf("%v has no gradient", o)
	}
	return c.gradient(in, out, grad)
}

// IncrDo adds the op's result to sum.
func (o accumulatingOp) IncrDo(sum gorgonia.Value, in ...gorgonia.Value) error {
	out, err := floats(sum)
	if err != nil {
		return errors.Wrapf(err, "%v: sum", o)
	}
	return o.execute(out, in, o.computation.(accumulating).accumulate)
}

// Factors gives x (N, In) and g (N, Out), of which the op's result is gᵀx.
func (o productOp) Factors(in ...gorgonia.Value) (x, g []float32, err error) {
	a, err := o.arguments(in)
	return a.data[0], a.data[1], err
}

func (o operation) execute(out []float32, in []gorgonia.Value, run func([]float32, arguments) error) error {
	a, err := o.arguments(in)
	if err != nil {
		return err
	}
	return errors.Wrapf(run(out, a), "%v", o)
}

func (o operation) arguments(in []gorgonia.Value) (arguments, error) {
	a := arguments{values: in}
	for i, v := range in {
		if v.Dtype() != tensor.Float32 || v.Shape().IsScalar() {
			continue
		}
		var err error
		if a.data[i], err = floats(v); err != nil {
			return a, errors.Wrapf(err, "%v: input %d", o, i)
		}
	}
	return a, nil
}

// floats gives a value's elements in row-major order.
func floats(v gorgonia.Value) ([]float32, error) {
	t, ok := v.(*tensor.Dense)
	if !ok || t.Dtype() != tensor.Float32 {
		return nil, errors.Errorf("want a dense float32 tensor, have %T of %v", v, v.Dtype())
	}
	if t.RequiresIterator() || !t.DataOrder().IsRowMajor() {
		t = t.Materialize().(*tensor.Dense)
	}
	data, ok := t.Data().([]float32)
	if !ok {
		return nil, errors.Errorf("want a float32 tensor, have %v", t.Dtype())
	}
	return data, nil
}

func float(dims int) hm.Type {
	if dims == 0 {
		return tensor.Float32
	}
	return gorgonia.TensorType{Dims: dims, Of: tensor.Float32}
}

func integer(dims int) hm.Type {
	if dims == 0 {
		return tensor.Int
	}
	return gorgonia.TensorType{Dims: dims, Of: tensor.Int}
}

func sameShape(a, b tensor.Shape) error {
	if !a.Eq(b) {
		return errors.Errorf("shapes %v and %v differ", a, b)
	}
	return nil
}
