package metrics

import (
	"fmt"
	"math"
)

// CalibrationBins is the number of bins of a calibration unless another is asked for.
const CalibrationBins = 15

// Calibration compares how sure a net is of its answers, the probability of its first class, with how often they are
// right (Guo et al., On Calibration of Modern Neural Networks, arXiv 1706.04599, section 2). Bin m of M equal ones,
// from 1, holds the answers with a confidence above (m − 1) / M and up to m / M; the first has those of 0 too.
type Calibration struct {
	Bins []CalibrationBin
}

// CalibrationBin is what the answers of a bin are.
type CalibrationBin struct {
	Pictures, Right int
	Sure            float64 // the sum of the confidences
}

// NewCalibration has a number of empty bins.
func NewCalibration(bins int) *Calibration { return &Calibration{make([]CalibrationBin, bins)} }

// Add takes an answer. It is an error if the confidence is not from 0 to 1, but for rounding.
func (c *Calibration) Add(confidence float64, right bool) error {
	const slack = 1e-6
	if !(confidence >= -slack && confidence <= 1+slack) {
		return fmt.Errorf("a confidence of %v: want a probability, from 0 to 1", confidence)
	}
	confidence = max(0, min(confidence, 1))
	n := len(c.Bins)
	bin := &c.Bins[max(0, min(int(math.Ceil(confidence*float64(n))), n)-1)]
	bin.Pictures++
	bin.Sure += confidence
	if right {
		bin.Right++
	}
	return nil
}

// All is all bins as one.
func (c *Calibration) All() (all CalibrationBin) {
	for _, b := range c.Bins {
		all.Pictures += b.Pictures
		all.Right += b.Right
		all.Sure += b.Sure
	}
	return all
}

// Accuracy is the share of right answers in percent; NaN without any.
func (b CalibrationBin) Accuracy() float64 { return Percent(b.Right, b.Pictures) }

// Confidence is the mean in percent; NaN without answers.
func (b CalibrationBin) Confidence() float64 {
	if b.Pictures == 0 {
		return math.NaN()
	}
	return 100 * b.Sure / float64(b.Pictures)
}

// ECE is the expected calibration error in percent: the mean over the bins, weighted by their answers, of the distance
// between accuracy and confidence (equation 3). NaN without answers.
func (c *Calibration) ECE() float64 {
	sum := 0.0
	for _, b := range c.Bins {
		sum += math.Abs(float64(b.Right) - b.Sure)
	}
	n := c.All().Pictures
	if n == 0 {
		return math.NaN()
	}
	return 100 * sum / float64(n)
}
