package svm

import (
	"math"
	"slices"

	"github.com/pkg/errors"
)

// A Metric rates the scores (V, K) of V validation rows, whose numbers it gets: higher is better.
type Metric func(scores []float32, rows []int) (float64, error)

// A Choice is a value of C and how the others did.
type Choice struct {
	C      float64 // the best, the smallest of several
	Best   int     // its place in Grid
	Grid   []float64
	Values []float64 // of the metric, a value of C each
	Passes []int     // over the rows, the most of any class, a value of C each
	// AtEdge is set if the best C is the least or the largest of the grid and better than the next: a wider grid may
	// hold a better one.
	AtEdge bool
}

// ChooseC trains on all rows but the validation rows with each C of a rising grid, each from the solution of the C
// before, and rates the scores of the validation rows. It ignores o.C. To train on all rows with the C it chose is left
// to Train, which uses the same X·Xᵀ. If a C does not converge, it ends with a NotConvergedError.
func ChooseC(rows *Rows, targets Targets, validation []int, grid []float64, metric Metric, o Options) (Choice, error) {
	choice := Choice{Grid: slices.Clone(grid)}
	if len(grid) == 0 || !slices.IsSorted(grid) || len(slices.Compact(slices.Clone(grid))) != len(grid) {
		return choice, errors.Errorf("grid %v of values of C: want at least one, each larger than the one before", grid)
	}
	for _, c := range grid {
		o.C = c
		var err error
		if o, err = o.check(); err != nil {
			return choice, err
		}
	}
	training, err := targets.without(validation, rows.n)
	if err != nil {
		return choice, err
	}
	s := newSolver(rows, training, o)
	for i, c := range grid {
		if err := s.solve(c); err != nil {
			return choice, errors.WithMessagef(err, "C = %g", c)
		}
		scores, err := s.scoresOf(validation)
		if err != nil {
			return choice, err
		}
		value, err := metric(scores, validation)
		if err != nil {
			return choice, errors.WithMessagef(err, "C = %g", c)
		}
		if math.IsNaN(value) {
			return choice, errors.Errorf("C = %g: the metric is NaN", c)
		}
		choice.Values = append(choice.Values, value)
		choice.Passes = append(choice.Passes, s.mostPasses())
		if value > choice.Values[choice.Best] {
			choice.Best = i
		}
	}
	choice.C = grid[choice.Best]
	if n := len(grid); n > 1 {
		v := choice.Values
		choice.AtEdge = choice.Best == 0 && v[0] > v[1] || choice.Best == n-1
	}
	return choice, nil
}

// without returns the targets with some rows left out of all classes.
func (t Targets) without(validation []int, n int) (Targets, error) {
	if err := t.check(n); err != nil {
		return t, err
	}
	if len(validation) == 0 {
		return t, errors.New("no validation rows to choose C by")
	}
	t.Y = slices.Clone(t.Y)
	for _, row := range validation {
		if row < 0 || row >= n {
			return t, errors.Errorf("validation row %d: there are rows 0 to %d", row, n-1)
		}
		clear(t.Y[row*t.K:][:t.K])
	}
	return t, errors.WithMessage(t.check(n), "without the validation rows")
}
