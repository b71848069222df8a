package evaluate

import (
	"time"

	"vgg/metrics"
)

// Result is what a test found.
type Result struct {
	Classes    []string
	Confusion  [][]int       // number of pictures by true class, then by predicted class
	LoaderWait time.Duration // time in which no net computed because the next pictures were not read and cropped yet

	errors metrics.Errors
}

// Score counts what predictions of pictures of known class got right.
func Score(classes []string, predictions []Prediction) *Result {
	r := newResult(classes)
	for _, p := range predictions {
		r.add(p)
	}
	return r
}

func newResult(classes []string) *Result {
	r := &Result{Classes: classes, Confusion: make([][]int, len(classes))}
	for i := range r.Confusion {
		r.Confusion[i] = make([]int, len(classes))
	}
	return r
}

func (r *Result) add(p Prediction) {
	r.Confusion[p.Class][p.Ranking()[0]]++
	r.errors.Add(metrics.Rank(p.Probabilities, p.Class))
}

// Pictures is the number of pictures tested.
func (r *Result) Pictures() int { return r.errors.Pictures }

// Top1Error is the share of pictures whose class is not the most probable, in percent.
func (r *Result) Top1Error() float64 { return r.errors.Top1Error() }

// Top5Error is the share of pictures whose class is not among the five most probable, in percent; NaN for fewer than
// six classes, where it means nothing.
func (r *Result) Top5Error() float64 { return r.errors.Top5Error(len(r.Classes)) }

// Top1Interval is the 95 % confidence interval of the top-1 error, in percent.
func (r *Result) Top1Interval() (low, high float64) { return r.errors.Top1Interval() }

// Top5Interval is the 95 % confidence interval of the top-5 error, in percent.
func (r *Result) Top5Interval() (low, high float64) { return r.errors.Top5Interval() }

// OfClass counts the pictures of a class, and those of them whose class is not the most probable.
func (r *Result) OfClass(class int) (wrong, pictures int) {
	for _, n := range r.Confusion[class] {
		pictures += n
	}
	return pictures - r.Confusion[class][class], pictures
}

// ClassError is the top-1 error of the pictures of a class, in percent; NaN if it has none.
func (r *Result) ClassError(class int) float64 { return metrics.Percent(r.OfClass(class)) }
