package svm

import (
	"fmt"

	"github.com/pkg/errors"

	"vgg/internal/kernel"
)

// Rows are feature vectors, one a row. They are read-only, and keep X·Xᵀ once it has been computed, for later
// trainings.
type Rows struct {
	n, d int
	x    []float32 // (N, D)
	gram []float32 // (N, N) x xᵀ, or nil before it is first needed
}

// NewRows returns rows of n times d features, row-major. It does not copy x, which may not be changed afterwards.
// Features that are NaN or infinite are refused with a NotFiniteError.
func NewRows(x []float32, n, d int) (*Rows, error) {
	if n < 1 || d < 1 || len(x)/d != n || len(x)%d != 0 {
		return nil, errors.Errorf("%d features are not %d rows of %d", len(x), n, d)
	}
	for i, v := range x {
		if v-v != 0 { // NaN and infinities
			return nil, errors.WithStack(&NotFiniteError{Row: i / d, Column: i % d, Value: v})
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
	if r.gram == nil {
		r.gram = products(r.x, r.n, r.d)
	}
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

// A NotFiniteError names a feature that is no number.
type NotFiniteError struct {
	Row, Column int // from 0
	Value       float32
}

func (e *NotFiniteError) Error() string {
	return fmt.Sprintf("feature %d of row %d (both from 0) is %g: features must be finite", e.Column, e.Row, e.Value)
}
