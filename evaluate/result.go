package evaluate

import "math"

// Result is what a test found.
type Result struct {
	Classes   []string
	Images    int
	Confusion [][]int // pictures by true and by predicted class

	wrong1, wrong5 int
}

func newResult(classes []string) *Result {
	r := &Result{Classes: classes, Confusion: make([][]int, len(classes))}
	for i := range r.Confusion {
		r.Confusion[i] = make([]int, len(classes))
	}
	return r
}

func (r *Result) add(p Prediction) {
	ranking := p.Ranking()
	r.Images++
	r.Confusion[p.Class][ranking[0]]++
	if ranking[0] != p.Class {
		r.wrong1++
	}
	for place, class := range ranking {
		if class == p.Class && place >= 5 {
			r.wrong5++
		}
	}
}

// Top1Error is the share of pictures whose class is not the most probable, in percent.
func (r *Result) Top1Error() float64 { return share(r.wrong1, r.Images) }

// Top5Error is the share of pictures whose class is not among the five most probable, in percent; NaN for fewer than six
// classes, where it means nothing.
func (r *Result) Top5Error() float64 {
	if len(r.Classes) < 6 {
		return math.NaN()
	}
	return share(r.wrong5, r.Images)
}

// Top1Interval is the 95 % interval of the top-1 error in percent (Wilson's, for a binomial share), Top5Interval that of
// the top-5 error.
func (r *Result) Top1Interval() (low, high float64) { return wilson(r.wrong1, r.Images) }

// Top5Interval is explained at Top1Interval.
func (r *Result) Top5Interval() (low, high float64) { return wilson(r.wrong5, r.Images) }

// ClassError is the top-1 error of the pictures of a class, in percent; NaN where it has none.
func (r *Result) ClassError(class int) float64 {
	all := 0
	for _, n := range r.Confusion[class] {
		all += n
	}
	return share(all-r.Confusion[class][class], all)
}

func share(part, of int) float64 {
	if of == 0 {
		return math.NaN()
	}
	return 100 * float64(part) / float64(of)
}

// wilson is the score interval of Wilson (1927) for a share of so many in so many, in percent, at 95 %.
func wilson(part, of int) (low, high float64) {
	const z = 1.959964
	n := float64(of)
	p := float64(part) / n
	middle := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	// Rounding must not part an interval from a share at its end.
	return 100 * max(0, min(middle-half, p)), 100 * min(1, max(middle+half, p))
}
