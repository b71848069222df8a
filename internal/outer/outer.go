package outer

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/internal/kernel"
)

// Op is an op whose result (Out, In) is the product gᵀx of two factors, with a row for each picture.
type Op interface {
	gorgonia.Op
	// Factors gives the elements of x (N, In) and g (N, Out), in row-major order, for the op's inputs.
	Factors(in ...gorgonia.Value) (x, g []float32, err error)
}

// leastElements is the size of a gradient from which factors are faster: smaller ones stay in the cache until the step.
const leastElements = 1 << 21

// Pays says whether factors of that many rows, the pictures of a mini-batch, are better than the gradient (out, in) as
// a matrix: they take less memory, and the matrix is large.
func Pays(rows, out, in int) bool {
	return rows > 0 && rows*(out+in) < out*in && out*in >= leastElements
}

// Gradient is a gradient (Out, In) held as its factors. It is a gorgonia.Value; Gorgonia's own solvers cannot work with
// it.
type Gradient struct {
	X, G []float32 // (Rows(), In), (Rows(), Out)

	shape tensor.Shape // (Out, In)
}

// New gives a gradient (out, in) of zero, with memory for that many rows.
func New(rows, out, in int) *Gradient {
	return &Gradient{shape: tensor.Shape{out, in}, X: make([]float32, 0, rows*in), G: make([]float32, 0, rows*out)}
}

// Rows is the number of rows of the factors, zero before the first Add and after Clear.
func (p *Gradient) Rows() int { return len(p.X) / p.shape[1] }

// Resize makes the factors have that many rows, at most as many as New made room for. Add goes on behind them; rows
// that are new hold what was last in their memory.
func (p *Gradient) Resize(rows int) {
	p.X, p.G = p.X[:rows*p.shape[1]], p.G[:rows*p.shape[0]]
}

// Clear sets the gradient to zero.
func (p *Gradient) Clear() { p.X, p.G = p.X[:0], p.G[:0] }

// Add adds gᵀx to the gradient, for x (N, In) and g (N, Out), which it copies.
func (p *Gradient) Add(x, g []float32) { p.X, p.G = append(p.X, x...), append(p.G, g...) }

// Layer is the fully connected layer of which this is the gradient, with Rows rows.
func (p *Gradient) Layer() kernel.Linear {
	return kernel.Linear{N: p.Rows(), In: p.shape[1], Out: p.shape[0]}
}

// Finite says whether no element is infinite or not a number. Where the factors are small enough, it does not multiply
// them.
func (p *Gradient) Finite() bool {
	if float64(p.Rows())*float64(kernel.Largest(p.X))*float64(kernel.Largest(p.G)) <= math.MaxFloat32 {
		return true
	}
	return kernel.Finite(p.multiply())
}

// multiply computes the matrix.
func (p *Gradient) multiply() []float32 {
	matrix := make([]float32, p.Size())
	if p.Rows() > 0 {
		p.Layer().WeightGradient(matrix, p.X, p.G, false)
	}
	return matrix
}

// Data computes the elements of the matrix, []float32. It is part of gorgonia.Value.
func (p *Gradient) Data() any { return p.multiply() }

// Shape is that of the matrix. It is part of gorgonia.Value.
func (p *Gradient) Shape() tensor.Shape { return p.shape }

// Size is the number of elements of the matrix. It is part of gorgonia.Value.
func (p *Gradient) Size() int { return p.shape.TotalSize() }

// Dtype is part of gorgonia.Value.
func (p *Gradient) Dtype() tensor.Dtype { return tensor.Float32 }

// MemSize is the number of bytes of the factors. It is part of gorgonia.Value.
func (p *Gradient) MemSize() uintptr { return uintptr(4 * (cap(p.X) + cap(p.G))) }

// Uintptr is zero: the matrix has no address. It is part of gorgonia.Value.
func (p *Gradient) Uintptr() uintptr { return 0 }

// Format is part of gorgonia.Value.
func (p *Gradient) Format(s fmt.State, _ rune) {
	fmt.Fprintf(s, "product of %d rows %v", p.Rows(), p.shape)
}
