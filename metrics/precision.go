package metrics

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// A Curve is precision against recall of one class, as the threshold on the score falls.
type Curve struct {
	Positives int          // pictures of the class
	Points    []CurvePoint // one for each score that occurs, the highest first
}

// A CurvePoint is what pictures with at least some score are. Pictures with the same score enter together, so that the
// order in which they are listed does not matter.
type CurvePoint struct {
	Score             float64
	Right             int     // pictures of the class with this score or more
	Found             int     // pictures with this score or more
	Precision, Recall float64 // Right / Found and Right / Positives, from 0 to 1
}

// NewCurve returns the curve of a class from the scores of N pictures and their truth: 1 for pictures of the class, -1
// for others, 0 for those that do not count, as VOC's difficult ones. It is an error if no picture is of the class, or
// if a score is NaN.
func NewCurve[F float32 | float64](scores []F, truth []int8) (Curve, error) {
	if len(scores) != len(truth) {
		return Curve{}, fmt.Errorf("%d scores for %d pictures", len(scores), len(truth))
	}
	var c Curve
	var counted []int
	for i, t := range truth {
		switch {
		case t < -1 || t > 1:
			return c, fmt.Errorf("the truth of picture %d is %d: want 1, -1, or 0 for one that does not count", i, t)
		case t == 0:
			continue
		case scores[i] != scores[i]:
			return c, fmt.Errorf("the score of picture %d is NaN", i)
		case t == 1:
			c.Positives++
		}
		counted = append(counted, i)
	}
	if c.Positives == 0 {
		return c, errors.New("no picture is of the class: its average precision is not defined")
	}
	slices.SortFunc(counted, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	right := 0
	for found, i := range counted {
		if truth[i] == 1 {
			right++
		}
		if next := found + 1; next == len(counted) || scores[counted[next]] != scores[i] {
			c.Points = append(c.Points, CurvePoint{
				Score: float64(scores[i]), Right: right, Found: next,
				Precision: float64(right) / float64(next), Recall: float64(right) / float64(c.Positives),
			})
		}
	}
	return c, nil
}

// AP2007 is the average precision of VOC-2007, in percent: the mean over the recalls 0, 0.1, …, 1 of the highest
// precision at that recall or above. Recalls are compared as fractions, without rounding.
func (c Curve) AP2007() float64 {
	sum, next, highest := 0.0, len(c.Points)-1, 0.0
	for tenths := 10; tenths >= 0; tenths-- {
		for ; next >= 0 && 10*c.Points[next].Right >= tenths*c.Positives; next-- {
			highest = max(highest, c.Points[next].Precision)
		}
		sum += highest
	}
	return 100 * sum / 11
}

// AP2010 is the average precision of VOC from 2010 on, in percent: the area under the curve once each precision is
// raised to the highest at that recall or above.
func (c Curve) AP2010() float64 {
	area, highest := 0.0, 0.0
	for i, p := range slices.Backward(c.Points) {
		highest = max(highest, p.Precision)
		before := 0
		if i > 0 {
			before = c.Points[i-1].Right
		}
		area += highest * float64(p.Right-before)
	}
	return 100 * area / float64(c.Positives)
}

// MeanAP is the mean over K classes of an average precision, such as Curve.AP2007, in percent, with that of each class.
// Scores and truth are (N, K), as NewCurve takes them.
func MeanAP[F float32 | float64](scores []F, truth []int8, k int, ap func(Curve) float64) (mean float64, each []float64, err error) {
	if k < 1 || len(scores) != len(truth) || len(scores)%k != 0 {
		return math.NaN(), nil, fmt.Errorf("%d scores and %d truths for %d classes", len(scores), len(truth), k)
	}
	n := len(scores) / k
	column, of := make([]F, n), make([]int8, n)
	for class := range k {
		for i := range n {
			column[i], of[i] = scores[i*k+class], truth[i*k+class]
		}
		curve, err := NewCurve(column, of)
		if err != nil {
			return math.NaN(), nil, fmt.Errorf("class %d (from 0): %w", class, err)
		}
		each = append(each, ap(curve))
	}
	mean, _ = MeanDeviation(each)
	return mean, each, nil
}

// MeanClassRecall is the mean over K classes of the share of a class's pictures that are predicted rightly, in percent,
// with that of each class. Predictions and labels are from 0 to K-1. It is an error if a class has no pictures.
func MeanClassRecall(predicted, labels []int, k int) (mean float64, each []float64, err error) {
	if k < 1 || len(predicted) != len(labels) {
		return math.NaN(), nil, fmt.Errorf("%d predictions and %d labels for %d classes", len(predicted), len(labels), k)
	}
	right, all := make([]int, k), make([]int, k)
	for i, label := range labels {
		if label < 0 || label >= k {
			return math.NaN(), nil, fmt.Errorf("label %d of picture %d is not among %d classes", label, i, k)
		}
		all[label]++
		if predicted[i] == label {
			right[label]++
		}
	}
	for class, n := range all {
		if n == 0 {
			return math.NaN(), nil, fmt.Errorf("class %d (from 0) has no pictures: its recall is not defined", class)
		}
		each = append(each, Percent(right[class], n))
	}
	mean, _ = MeanDeviation(each)
	return mean, each, nil
}

// MeanDeviation is the mean of some values and their sample standard deviation (the sum of squares is divided by one
// less than the number of values): the ± of Table 11. The mean of no values, and the deviation of fewer than two, are
// NaN.
func MeanDeviation(values []float64) (mean, deviation float64) {
	n := float64(len(values))
	for _, v := range values {
		mean += v
	}
	mean /= n
	if len(values) < 2 {
		return mean, math.NaN()
	}
	for _, v := range values {
		deviation += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(deviation / (n - 1))
}
