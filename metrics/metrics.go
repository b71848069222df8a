package metrics

import (
	"cmp"
	"math"
	"slices"
)

// MinTop5Classes is the least number of classes for which a top-5 error is reported: among five or fewer, the right
// class is always in the top five.
const MinTop5Classes = 6

// Ranking lists the classes from the highest score to the lowest; of equal scores the lower class comes first, and NaN
// comes last.
func Ranking[F float32 | float64](scores []F) []int {
	classes := make([]int, len(scores))
	for i := range classes {
		classes[i] = i
	}
	slices.SortStableFunc(classes, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	return classes
}

// Rank is the place of a class in the ranking, from 0: the number of classes before it. Without sorting it is faster
// than Ranking. A class whose score is NaN comes last, so that it is never right; so does NaN among the other classes.
func Rank[F float32 | float64](scores []F, class int) int {
	before := 0
	for c, s := range scores {
		if !(s < scores[class]) && (s != scores[class] || c < class) {
			before++
		}
	}
	return before
}

// Softmax turns logits into probabilities, which it computes in float64.
func Softmax(logits []float32) []float64 {
	if len(logits) == 0 {
		return nil
	}
	probabilities := make([]float64, len(logits))
	largest, sum := slices.Max(logits), 0.0
	for i, l := range logits {
		probabilities[i] = math.Exp(float64(l - largest))
		sum += probabilities[i]
	}
	for i := range probabilities {
		probabilities[i] /= sum
	}
	return probabilities
}

// Errors counts the pictures that a net gets wrong. Its JSON form is part of the trainer's checkpoints.
type Errors struct {
	Top1     int `json:"top1"` // pictures whose class does not rank first
	Top5     int `json:"top5"` // pictures whose class does not rank among the first five
	Pictures int `json:"pictures"`
}

// Add counts a picture whose class has the given rank.
func (e *Errors) Add(rank int) {
	e.Pictures++
	if rank >= 1 {
		e.Top1++
	}
	if rank >= 5 {
		e.Top5++
	}
}

// Top1Error is in percent; NaN without pictures.
func (e Errors) Top1Error() float64 { return Percent(e.Top1, e.Pictures) }

// Top5Error is in percent; NaN without pictures, and for fewer than MinTop5Classes classes.
func (e Errors) Top5Error(classes int) float64 {
	if classes < MinTop5Classes {
		return math.NaN()
	}
	return Percent(e.Top5, e.Pictures)
}

// Top1Interval is the 95 % confidence interval of the top-1 error, in percent.
func (e Errors) Top1Interval() (low, high float64) { return Interval(e.Top1, e.Pictures) }

// Top5Interval is the 95 % confidence interval of the top-5 error, in percent.
func (e Errors) Top5Interval() (low, high float64) { return Interval(e.Top5, e.Pictures) }

// Percent is 100 k / n, NaN for n = 0.
func Percent(k, n int) float64 {
	if n == 0 {
		return math.NaN()
	}
	return 100 * float64(k) / float64(n)
}

// Z is the quantile of the normal distribution that bounds a two-sided 95 % confidence interval.
const Z = 1.959964

// Interval is Wilson's score interval (1927) for k successes in n trials at 95 % confidence, in percent.
func Interval(k, n int) (low, high float64) {
	trials := float64(n)
	p := float64(k) / trials
	middle := (p + Z*Z/(2*trials)) / (1 + Z*Z/trials)
	half := Z / (1 + Z*Z/trials) * math.Sqrt(p*(1-p)/trials+Z*Z/(4*trials*trials))
	// The interval contains p; rounding must not exclude it.
	return 100 * max(0, min(middle-half, p)), 100 * min(1, max(middle+half, p))
}

// PairedDifference is how much more often one thing happens than another in the same n trials, in percent of them, with
// its 95 % confidence interval by Agresti and Min (2005). onlyFirst counts the trials in which the first happened
// without the second, onlySecond the reverse.
func PairedDifference(onlyFirst, onlySecond, n int) (difference, low, high float64) {
	if n == 0 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	difference = 100 * float64(onlyFirst-onlySecond) / float64(n)
	const added = 0.5 // to each of the four counts
	first, second, trials := float64(onlyFirst)+added, float64(onlySecond)+added, float64(n)+4*added
	middle := (first - second) / trials
	half := Z * math.Sqrt((first+second)/trials-middle*middle) / math.Sqrt(trials)
	// The interval contains the difference; the added counts must not exclude it.
	return difference, min(100*(middle-half), difference), max(100*(middle+half), difference)
}
