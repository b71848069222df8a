package generalise

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/pkg/errors"

	"vgg/metrics"
	"vgg/svm"
)

// Tried is what a linear SVM reached on a split.
type Tried struct {
	Choice     svm.Choice // of C, on the validation samples
	Validation float64    // the metric there, with the C that was chosen
	Value      float64    // the metric on the test samples, in percent; NaN if there are none with labels
	Each       []float64  // of each class; nil if Value is NaN
	Passes     int        // over the rows, the most of any class
	Gap        float64    // relative duality gap, the largest of any class
	Scores     []float32  // (T, K) of the test samples
}

// Result is what linear SVMs reached on all splits.
type Result struct {
	Splits    []Tried
	Mean      float64   // of the splits' values, in percent
	Deviation float64   // sample standard deviation over the splits; NaN for a single one
	Each      []float64 // means of each class; nil if Mean is NaN
}

// LeftOut says which values of C did not converge in which splits, a line each.
func (r *Result) LeftOut() (lines []string) {
	for i, c := range r.Splits[0].Choice.Grid {
		var splits []string
		var worst svm.NotConvergedError
		for number, s := range r.Splits {
			if e := s.Choice.LeftOut[i]; e != nil {
				splits = append(splits, strconv.Itoa(number+1))
				if e.Gap > worst.Gap {
					worst = *e
				}
			}
		}
		if splits != nil {
			lines = append(lines, fmt.Sprintf("C = %g is left out in split %s: after %d passes the relative duality gap is up to %.2g, above %g",
				c, strings.Join(splits, ", "), worst.Passes, worst.Gap, worst.Tolerance))
		}
	}
	return lines
}

// Classify trains a linear SVM on each split of the features' set: C is chosen from a rising grid by the split's
// validation samples and the set's metric, then the machine is trained on training and validation samples together. A C
// with which one of the two does not converge is left out. Of o.C and o.Done nothing is used.
func Classify(ctx context.Context, f *Features, grid []float64, o svm.Options) (*Result, error) {
	r := &Result{}
	steps := len(f.set.Classes) * (len(grid) + 1) // of a split
	all := steps * len(f.set.Splits)
	f.progress.Restart(all)
	for i := range f.set.Splits {
		done := steps * i
		o.Done = func(c float64, classes int) error {
			done += classes
			f.progress.Set(min(done, all), fmt.Sprintf("SVM, split %d, C = %g", i+1, c))
			return ctx.Err()
		}
		t, err := f.try(i, grid, o)
		if err != nil {
			if len(f.set.Splits) > 1 {
				err = errors.WithMessagef(err, "split %d", i+1)
			}
			return nil, err
		}
		r.Splits = append(r.Splits, t)
	}
	var values []float64
	for _, t := range r.Splits {
		values = append(values, t.Value)
	}
	r.Mean, r.Deviation = metrics.MeanDeviation(values)
	if math.IsNaN(r.Mean) {
		return r, nil
	}
	r.Each = make([]float64, len(f.set.Classes))
	for _, t := range r.Splits {
		for class, v := range t.Each {
			r.Each[class] += v / float64(len(r.Splits))
		}
	}
	return r, nil
}

// try trains and tests on a split.
func (f *Features) try(number int, grid []float64, o svm.Options) (t Tried, err error) {
	split := f.set.Splits[number]
	training := slices.Concat(split.Train, split.Val)
	slices.Sort(training)
	rows, err := f.rows(training)
	if err != nil {
		return t, err
	}
	k := len(f.set.Classes)
	targets := svm.Targets{K: k, Names: f.set.Classes}
	for _, sample := range training {
		targets.Y = append(targets.Y, f.set.Targets[sample*k:][:k]...)
	}
	var validation []int // rows
	for _, sample := range split.Val {
		row, _ := slices.BinarySearch(training, sample)
		validation = append(validation, row)
	}
	metric := func(scores []float32, _ []int) (float64, error) {
		mean, _, err := f.set.Measure(scores, split.Val)
		return mean, err
	}
	if t.Choice, err = svm.ChooseC(rows, targets, validation, grid, metric, o); err != nil {
		return t, err
	}
	m, err := trainBest(rows, targets, &t.Choice, o)
	if err != nil {
		return t, err
	}
	t.Validation = t.Choice.Values[t.Choice.Best]
	for _, c := range m.Certificates {
		t.Passes, t.Gap = max(t.Passes, c.Passes), max(t.Gap, c.Gap)
	}
	t.Value = math.NaN()
	if len(split.Test) == 0 {
		return t, nil
	}
	tests, err := f.rows(split.Test)
	if err != nil {
		return t, err
	}
	if t.Scores, err = m.Scores(tests); err != nil || f.set.Unlabelled {
		return t, err
	}
	t.Value, t.Each, err = f.set.Measure(t.Scores, split.Test)
	return t, err
}

// trainBest trains with the best C that converges.
func trainBest(rows *svm.Rows, targets svm.Targets, choice *svm.Choice, o svm.Options) (*svm.Model, error) {
	for {
		o.C = choice.C
		m, err := svm.Train(rows, targets, o)
		var failed *svm.NotConvergedError
		if !errors.As(err, &failed) {
			return m, err
		}
		if err := choice.LeaveOut(failed); err != nil {
			return nil, err
		}
	}
}

// rows are the features of some samples.
func (f *Features) rows(samples []int) (*svm.Rows, error) {
	x := make([]float32, 0, len(samples)*f.D)
	for _, sample := range samples {
		i, _ := slices.BinarySearch(f.Samples, sample)
		x = append(x, f.Row(i)...)
	}
	rows, err := svm.NewRows(x, len(samples), f.D)
	var bad *svm.NotFiniteError
	if errors.As(err, &bad) {
		i, _ := slices.BinarySearch(f.Samples, samples[bad.Row])
		err = errors.Wrapf(err, "features of %s", f.Name(i))
	}
	return rows, err
}
