package svm

import (
	"fmt"
	"math"
	"sync"

	"github.com/pkg/errors"

	"vgg/internal/kernel"
)

// Rows are feature vectors, one a row. They are read-only, and keep X·Xᵀ once it has been computed, for later
// trainings.
type Rows struct {
	n, d int
	x    []float32 // (N, D)
	once sync.Once
	gram []float32 // (N, N) x xᵀ, made once, when it is first needed
}

// NewRows returns rows of n times d features, row-major. It does not copy x, which may not be changed afterwards.
// Features that are NaN or infinite, and rows whose squares overflow, are refused with a NotFiniteError.
func NewRows(x []float32, n, d int) (*Rows, error) {
	if n < 1 || d < 1 || len(x)/d != n || len(x)%d != 0 {
		return nil, errors.Errorf("%d features are not %d rows of %d", len(x), n, d)
	}
	for i := range n {
		var squares float64
		for j, v := range x[i*d:][:d] {
			if !float32Holds(float64(v)) {
				return nil, errors.WithStack(&NotFiniteError{Row: i, Column: j, Value: v})
			}
			squares += float64(v) * float64(v)
		}
		if !float32Holds(squares) {
			return nil, errors.WithStack(&NotFiniteError{Row: i, Column: -1, Value: float32(squares)})
		}
	}
	return &Rows{n: n, d: d, x: x}, nil
}

// Len is the number of rows.
func (r *Rows) Len() int { return r.n }

// Width is the number of features of a row.
func (r *Rows) Width() int { return r.d }

// products returns X·Xᵀ, (N, N).
func (r *Rows) products() []float32 {
	r.once.Do(func() { r.gram = products(r.x, r.n, r.d) })
	return r.gram
}

// products returns x xᵀ of x (n, d).
func products(x []float32, n, d int) []float32 {
	g := make([]float32, n*n)
	const most = 128 // rows at a time, with those after them
	part := make([]float32, min(n, most)*n)
	for lo := 0; lo < n; lo += most {
		rows, columns := min(most, n-lo), n-lo
		kernel.Linear{N: rows, In: d, Out: columns}.Forward(part, x[lo*d:], x[lo*d:], nil, false)
		for i := range rows {
			row := part[i*columns:][:columns]
			copy(g[(lo+i)*n+lo:], row)
			for j := rows; j < columns; j++ {
				g[(lo+j)*n+lo+i] = row[j]
			}
		}
	}
	return g
}

// A NotFiniteError names a feature that is no number, or a row whose sum of squares is more than float32 holds.
type NotFiniteError struct {
	Row, Column int // from 0; the column is -1 for the sum of squares
	Value       float32
}

func (e *NotFiniteError) Error() string {
	if e.Column < 0 {
		return fmt.Sprintf("the squares of row %d (from 0) sum to more than %.2g: scale the features down", e.Row, math.MaxFloat32)
	}
	return fmt.Sprintf("feature %d of row %d (both from 0) is %g: features must be finite", e.Column, e.Row, e.Value)
}
