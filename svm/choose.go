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
	Values []float64 // of the metric, a value of C each; NaN where it is left out
	Passes []int     // over the rows, the most of any class, a value of C each
	// LeftOut says of each C with which trainings do not converge why it cannot be chosen; nil of the others.
	LeftOut []*NotConvergedError
	// AtEdge is set if the best C is the largest, or the least and better than the next, of those that are not left out:
	// others beyond may be better.
	AtEdge bool
}

// ChooseC trains on all rows but the validation rows with each C of a rising grid, each from the solution of the C
// before, and rates the scores of the validation rows. It ignores o.C. To train on all rows with the C it chose is left
// to Train, which uses the same X·Xᵀ. A C that does not converge is left out; if none does, it ends with a
// NotConvergedError.
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
	for _, c := range grid {
		value, failed := math.NaN(), (*NotConvergedError)(nil)
		if err := s.solve(c); err != nil && !errors.As(err, &failed) {
			return choice, errors.WithMessagef(err, "C = %g", c)
		}
		if failed == nil {
			if value, err = s.rate(validation, metric); err != nil {
				return choice, errors.WithMessagef(err, "C = %g", c)
			}
		}
		choice.Values = append(choice.Values, value)
		choice.Passes = append(choice.Passes, s.mostPasses())
		choice.LeftOut = append(choice.LeftOut, failed)
	}
	return choice, choice.choose()
}

// LeaveOut leaves out the C that was chosen, with which a training on all rows has not converged, and chooses among the
// others. If there are none, the error is e.
func (c *Choice) LeaveOut(e *NotConvergedError) error {
	c.LeftOut[c.Best], c.Values[c.Best] = e, math.NaN()
	if c.choose() != nil {
		return errors.WithMessagef(e, "C = %g", c.C)
	}
	return nil
}

// choose chooses among the values of C that are not left out.
func (c *Choice) choose() error {
	var left []int
	for i, e := range c.LeftOut {
		if e == nil {
			left = append(left, i)
		}
	}
	if left == nil {
		return errors.WithMessagef(c.LeftOut[0], "C = %g", c.Grid[0])
	}
	c.Best = left[0]
	for _, i := range left {
		if c.Values[i] > c.Values[c.Best] {
			c.Best = i
		}
	}
	c.C = c.Grid[c.Best]
	c.AtEdge = len(c.Grid) > 1 && (c.Best == left[len(left)-1] || c.Best == left[0] && c.Values[c.Best] > c.Values[left[1]])
	return nil
}

// rate is the metric of the scores of validation rows.
func (s *solver) rate(validation []int, metric Metric) (float64, error) {
	scores, err := s.scoresOf(validation)
	if err != nil {
		return 0, err
	}
	value, err := metric(scores, validation)
	if err == nil && math.IsNaN(value) {
		err = errors.New("the metric is NaN")
	}
	return value, err
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
