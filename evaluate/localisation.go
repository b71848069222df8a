package evaluate

import (
	"github.com/pkg/errors"

	"vgg/boxes"
	"vgg/dataset"
	"vgg/metrics"
)

// Overlap is the largest IoU of a box with an object of a class; 0 if there is none.
func (l Localisation) Overlap(b boxes.Box, class int) (most float64) {
	for _, o := range l.Objects {
		if o.Class == class {
			most = max(most, boxes.IoU(b, o.Box))
		}
	}
	return most
}

// Right says whether a guess has the picture's class and overlaps with any of its objects.
func (l Localisation) Right(g Guess) bool {
	return g.Class == l.Class && l.Overlap(g.Box, g.Class) >= boxes.MinIoU
}

// Rank is the number of guesses before the first that is right; MostGuesses if none is.
func (l Localisation) Rank() int {
	for i, g := range l.Guesses {
		if l.Right(g) {
			return i
		}
	}
	return MostGuesses
}

// CentralOverlap is that of the box of test 1 by a localiser: see boxes.RightInTest1.
func (l Localisation) CentralOverlap(localiser int) float64 {
	return l.Overlap(l.Central[localiser], l.Class)
}

// LocalisationResult counts what nets find in pictures of which the class and the boxes of its objects are known:
// ILSVRC's error of test 2, and the errors of test 1. The zero value has counted none.
type LocalisationResult struct {
	Guessed metrics.Errors  // test 2: wrong in the first guess, and in all of up to MostGuesses
	Central []CentralResult // test 1 of each localiser
}

// CentralResult counts the boxes of the true class that are predicted from the central crop.
type CentralResult struct {
	Pictures, Wrong int
	overlaps        float64
}

// Add counts a picture.
func (r *LocalisationResult) Add(l Localisation) {
	if r.Central == nil {
		r.Central = make([]CentralResult, len(l.Central))
	}
	for i := range l.Central {
		r.Central[i].Add(l.CentralOverlap(i))
	}
	if l.Guesses != nil {
		r.Guessed.Add(l.Rank())
	}
}

// Add counts a picture by the IoU of its box.
func (c *CentralResult) Add(overlap float64) {
	c.Pictures++
	c.overlaps += overlap
	if !boxes.RightInTest1(overlap) {
		c.Wrong++
	}
}

// Error is the share of wrong boxes, in percent; NaN without pictures.
func (c CentralResult) Error() float64 { return metrics.Percent(c.Wrong, c.Pictures) }

// Interval is the 95 % confidence interval of the error, in percent.
func (c CentralResult) Interval() (low, high float64) { return metrics.Interval(c.Wrong, c.Pictures) }

// MeanIoU is the mean of the overlaps; NaN without pictures.
func (c CentralResult) MeanIoU() float64 { return c.overlaps / float64(c.Pictures) }

// Top1Error is the share of pictures whose first guess is wrong, in percent; NaN without guesses.
func (r *LocalisationResult) Top1Error() float64 { return r.Guessed.Top1Error() }

// Top5Error is the share of pictures of which all guesses are wrong, in percent: ILSVRC's localisation error. NaN
// without guesses. It means something for few classes too, since a box must be right.
func (r *LocalisationResult) Top5Error() float64 {
	return metrics.Percent(r.Guessed.Top5, r.Guessed.Pictures)
}

// Top1Interval is the 95 % confidence interval of the top-1 error, in percent.
func (r *LocalisationResult) Top1Interval() (low, high float64) { return r.Guessed.Top1Interval() }

// Top5Interval is the 95 % confidence interval of the top-5 error, in percent.
func (r *LocalisationResult) Top5Interval() (low, high float64) { return r.Guessed.Top5Interval() }

// meanBoxPictures are enough for a mean whose error does not matter.
const meanBoxPictures = 2000

// MeanBox is the mean, by centre and size, of the boxes of pictures, in shares of their sides: the largest of the
// picture's class in each. Answering it always is the least that a net must beat. Of many pictures a sample is read; skip is
// called with each that cannot be, and ends the reading by an error.
func MeanBox(split dataset.Boxed, skip func(name string, reason error) error) (boxes.Box, error) {
	var sums [4]float64
	n := 0
	sample := dataset.Subset(split, meanBoxPictures).(dataset.Boxed)
	for i := range sample.Len() {
		if !sample.HasBox(i) {
			continue
		}
		_, objects, err := sample.Located(i)
		if err != nil {
			if err := skip(sample.Name(i), err); err != nil {
				return boxes.Box{}, err
			}
			continue
		}
		var largest boxes.Box
		for _, o := range objects {
			if o.Class == sample.Label(i) && o.Area() > largest.Area() {
				largest = o.Box
			}
		}
		x, y, width, height := largest.Centre()
		for k, v := range []float64{x, y, width, height} {
			sums[k] += v
		}
		n++
	}
	if n == 0 {
		return boxes.Box{}, errors.New("evaluate: no picture that can be read has a box")
	}
	for k := range sums {
		sums[k] /= float64(n)
	}
	return boxes.FromCentre(sums[0], sums[1], sums[2], sums[3]), nil
}
