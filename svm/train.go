package svm

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"vgg/internal/kernel"
)

// Loss is what a row costs that is on the wrong side of its margin.
type Loss int

const (
	Hinge        Loss = iota // max(0, v), liblinear's -s 3
	SquaredHinge             // max(0, v)², liblinear's -s 1
)

// String is the loss's name, "hinge" or "squared-hinge".
func (l Loss) String() string {
	switch l {
	case Hinge:
		return "hinge"
	case SquaredHinge:
		return "squared-hinge"
	}
	return fmt.Sprintf("Loss(%d)", int(l))
}

// ParseLoss returns the loss of a name.
func ParseLoss(name string) (Loss, error) {
	for _, l := range []Loss{Hinge, SquaredHinge} {
		if l.String() == name {
			return l, nil
		}
	}
	return 0, errors.Errorf("loss %q: want %s or %s", name, Hinge, SquaredHinge)
}

// The values that stand for 0 in Options.
const (
	DefaultTolerance = 1e-4
	DefaultMaxPasses = 1000
)

// Options of a training.
type Options struct {
	Loss Loss
	// C is the weight of the rows' losses beside ½|w|², more than 0. Trainings round it to float32.
	C float64
	// Bias is a feature that is appended to every row, as liblinear's -B: its weight, regularised like the others, is the
	// bias. 0 for none.
	Bias float64
	// Tolerance is the relative duality gap, (primal - dual) / primal, at which a class is done; 0 for DefaultTolerance.
	// What float32 can reach is about 1e-6.
	Tolerance float64
	// MaxPasses is the most passes over the rows; 0 for DefaultMaxPasses.
	MaxPasses int
	// Seed of the order in which rows are taken.
	Seed uint64
	// Done, if not nil, is called in the course of a training, with the C that is trained with and how many more classes
	// need no more passes with it: 0 as it begins. An error that it returns ends the training.
	Done func(c float64, classes int) error
}

func (o Options) check() (Options, error) {
	if o.Tolerance == 0 {
		o.Tolerance = DefaultTolerance
	}
	if o.MaxPasses == 0 {
		o.MaxPasses = DefaultMaxPasses
	}
	switch {
	case o.Loss != Hinge && o.Loss != SquaredHinge:
		return o, errors.Errorf("there is no %s", o.Loss)
	case !(float32(o.C) > 0) || !float32Holds(o.C):
		return o, errors.Errorf("C is %g: want a number above 0 that float32 holds", o.C)
	case !float32Holds(o.Bias * o.Bias):
		return o, errors.Errorf("the bias feature is %g: want a number whose square float32 holds, or 0 for none", o.Bias)
	case !(o.Tolerance > 0 && o.Tolerance < 1):
		return o, errors.Errorf("the tolerance of the duality gap is %g: want more than 0 and less than 1", o.Tolerance)
	case o.MaxPasses < 0:
		return o, errors.Errorf("%d passes at most: want at least 1", o.MaxPasses)
	}
	return o, nil
}

// float32Holds is false of NaN, of infinities, and of what becomes one.
func float32Holds(v float64) bool { return float32(v)-float32(v) == 0 }

// A Certificate says how far a class is from its optimum: the optimal objective lies between Dual and Primal.
type Certificate struct {
	Primal, Dual float64 // objectives
	Gap          float64 // relative: (Primal - Dual) / Primal
	Passes       int     // over the rows
	Converged    bool    // Gap is at most the tolerance
}

// A Model is a linear machine a class.
type Model struct {
	K, D         int
	W            []float32     // (K, D)
	B            []float32     // (K) biases
	Certificates []Certificate // (K)
	Gram         bool          // trained on X·Xᵀ
}

// A NotConvergedError says that the most passes were too few for some classes. The model of Train, which comes with it,
// is complete, and its certificates say how far it is from the optimum.
type NotConvergedError struct {
	Classes   []string // that have not converged, as messages call them
	Gap       float64  // the largest
	Tolerance float64
	Passes    int
}

func (e *NotConvergedError) Error() string {
	return fmt.Sprintf("after %d passes the relative duality gap of %s is up to %.2g: want %.2g at most; allow more passes, or a smaller C",
		e.Passes, strings.Join(e.Classes, ", "), e.Gap, e.Tolerance)
}

// Train trains a machine for each class of the targets. It works on X·Xᵀ, which is computed once for the rows, if there
// are at most twice as many rows as features. If classes have not converged, it returns the model and a
// NotConvergedError.
func Train(rows *Rows, targets Targets, o Options) (*Model, error) {
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	if err := targets.check(rows.n); err != nil {
		return nil, err
	}
	s := newSolver(rows, targets, o)
	err = s.solve(o.C)
	if err != nil && !errors.As(err, new(*NotConvergedError)) {
		return nil, err
	}
	return s.model(), err
}

// Scores returns w·x + b of each row and class, (N, K). The rows must have as many features as those of the training.
// It is an error if a score is not finite.
func (m *Model) Scores(rows *Rows) ([]float32, error) {
	if rows.d != m.D {
		return nil, errors.Errorf("rows of %d features for a machine of %d", rows.d, m.D)
	}
	scores := make([]float32, rows.n*m.K)
	for lo := 0; lo < rows.n; lo += blockRows {
		n := min(blockRows, rows.n-lo)
		kernel.Linear{N: n, In: m.D, Out: m.K}.Forward(scores[lo*m.K:], rows.x[lo*m.D:], m.W, m.B, false)
	}
	for i, v := range scores {
		if !float32Holds(float64(v)) {
			return nil, errors.Errorf("the score of row %d for class %d (both from 0) is %g: scale the features down", i/m.K, i%m.K, v)
		}
	}
	return scores, nil
}

// Predict returns the class of the highest score of each row, the lower of two classes with the same.
func (m *Model) Predict(rows *Rows) ([]int, error) {
	scores, err := m.Scores(rows)
	if err != nil {
		return nil, err
	}
	return Argmax(scores, m.K), nil
}

// Argmax returns the class of the highest of k scores in each row of scores (N, K), the lower of two classes with the
// same. Without a class there are no rows.
func Argmax(scores []float32, k int) []int {
	if k < 1 {
		return nil
	}
	classes := make([]int, len(scores)/k)
	for i := range classes {
		row := scores[i*k:][:k]
		classes[i] = slices.Index(row, slices.Max(row))
	}
	return classes
}
