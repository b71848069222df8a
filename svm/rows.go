package svm

import (
	"fmt"

	"github.com/pkg/errors"

	"vgg/internal/kernel"
)

// Rows are feature vectors, one a row. They are read-only, and keep X·Xᵀ once it has been computed, for later trainings.
type Rows struct {
	n, d int
	x    []float32 // (N, D)
	gram []float32 // (N, N) x xᵀ, or nil before it is first needed
}

// NewRows returns rows of n times d features, row-major. It does not copy x, which may not be changed afterwards. Features
// that are NaN or infinite are refused with a NotFiniteError.
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
		r.gram = make([]float32, r.n*r.n)
		for lo := 0; lo < r.n; lo += blockRows {
			n := min(blockRows, r.n-lo)
			kernel.Linear{N: n, In: r.d, Out: r.n}.Forward(r.gram[lo*r.n:], r.x[lo*r.d:], r.x, nil, false)
		}
	}
	return r.gram
}

// A NotFiniteError names a feature that is no number.
type NotFiniteError struct {
	Row, Column int // from 0
	Value       float32
}

func (e *NotFiniteError) Error() string {
	return fmt.Sprintf("feature %d of row %d (both from 0) is %g: features must be finite", e.Column, e.Row, e.Value)
}
