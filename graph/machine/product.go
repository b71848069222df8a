package machine

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// ProductOp is an op with two inputs, x (N, In) and g (N, Out), whose result is the matrix product gᵀx, (Out, In), such as
// the gradient of a fully connected layer's weights.
type ProductOp interface {
	PlannedOp
	// Factors gives the elements of the two inputs in row-major order.
	Factors(in ...gorgonia.Value) (x, g []float32, err error)
}

// A Product is a gradient (Out, In) held as the factors of which it is the product gᵀx, a row of each for every picture of
// the mini-batch: two vectors a picture instead of a matrix. It is a gorgonia.Value; solvers that do not know it, such as
// Gorgonia's own, cannot work with it.
type Product struct {
	X, G []float32 // (Rows(), In), (Rows(), Out)

	op    ProductOp
	shape tensor.Shape // (Out, In)
}

// newProduct gives an empty product with memory for so many rows.
func newProduct(op ProductOp, shape tensor.Shape, rows int) *Product {
	return &Product{op: op, shape: shape, X: make([]float32, 0, rows*shape[1]), G: make([]float32, 0, rows*shape[0])}
}

// Rows is the number of rows of the factors, zero before the first run and after Clear.
func (p *Product) Rows() int { return len(p.X) / p.shape[1] }

// Clear sets the gradient to zero.
func (p *Product) Clear() { p.X, p.G = p.X[:0], p.G[:0] }

// add adds the result of the op for these inputs.
func (p *Product) add(in []gorgonia.Value) error {
	x, g, err := p.op.Factors(in...)
	if err != nil {
		return err
	}
	p.X, p.G = append(p.X, x...), append(p.G, g...)
	return nil
}

// Dense multiplies the factors.
func (p *Product) Dense() (*tensor.Dense, error) {
	product := tensor.New(tensor.WithShape(p.shape...), tensor.Of(tensor.Float32))
	if p.Rows() == 0 {
		return product, nil
	}
	x := tensor.New(tensor.WithShape(p.Rows(), p.shape[1]), tensor.WithBacking(p.X))
	g := tensor.New(tensor.WithShape(p.Rows(), p.shape[0]), tensor.WithBacking(p.G))
	_, err := p.op.UsePreallocDo(product, x, g)
	return product, err
}

// Data gives the elements of Dense, []float32, and nil where it cannot be had. It is part of gorgonia.Value.
func (p *Product) Data() any {
	product, err := p.Dense()
	if err != nil {
		return nil
	}
	return product.Data()
}

// Shape is that of the product. It is part of gorgonia.Value.
func (p *Product) Shape() tensor.Shape { return p.shape }

// Size is the number of elements of the product. It is part of gorgonia.Value.
func (p *Product) Size() int { return p.shape.TotalSize() }

// Dtype is part of gorgonia.Value.
func (p *Product) Dtype() tensor.Dtype { return tensor.Float32 }

// MemSize is the number of bytes of the factors. It is part of gorgonia.Value.
func (p *Product) MemSize() uintptr { return uintptr(4 * (cap(p.X) + cap(p.G))) }

// Uintptr is zero: the product has no address. It is part of gorgonia.Value.
func (p *Product) Uintptr() uintptr { return 0 }

// Format is part of gorgonia.Value.
func (p *Product) Format(s fmt.State, _ rune) {
	fmt.Fprintf(s, "product of %d rows %v", p.Rows(), p.shape)
}
