package explain

import (
	"vgg/boxes"
	"vgg/metrics"
)

// PointingGame counts the pictures in which the peak of a map of the true class lies in a box of an object of that
// class (Zhang et al., arXiv 1608.00507, section 4.1, with no margin around the box), and beside them those whose middle
// does: what a map must beat that knows nothing of the picture. The zero value has none.
type PointingGame struct {
	Pictures int // with a box
	Peaks    int // that lie in a box; a map without a peak points nowhere
	Middles  int // of pictures, that lie in a box

	onlyPeak, onlyMiddle int
}

// Add counts a picture with the boxes of its class, in shares of its sides.
func (p *PointingGame) Add(v *View, m Map, all []boxes.Box) {
	x, y, ok := m.Peak()
	x, y = v.InPicture(x, y)
	peak, middle := ok && inside(all, x, y), inside(all, 0.5, 0.5)
	p.Pictures++
	for _, count := range []struct {
		counter *int
		counts  bool
	}{{&p.Peaks, peak}, {&p.Middles, middle}, {&p.onlyPeak, peak && !middle}, {&p.onlyMiddle, middle && !peak}} {
		if count.counts {
			*count.counter++
		}
	}
}

func inside(all []boxes.Box, x, y float64) bool {
	for _, b := range all {
		if x >= b.XMin && x <= b.XMax && y >= b.YMin && y <= b.YMax {
			return true
		}
	}
	return false
}

// Share is that of the peaks in a box, in percent, with its 95 % interval.
func (p PointingGame) Share() (share, low, high float64) { return interval(p.Peaks, p.Pictures) }

// MiddleShare is that of the middles, in percent, with its 95 % interval.
func (p PointingGame) MiddleShare() (share, low, high float64) {
	return interval(p.Middles, p.Pictures)
}

func interval(k, n int) (share, low, high float64) {
	low, high = metrics.Interval(k, n)
	return metrics.Percent(k, n), low, high
}

// Difference is the share of the peaks less that of the middles, in percent, with its 95 % interval.
func (p PointingGame) Difference() (difference, low, high float64) {
	return metrics.PairedDifference(p.onlyPeak, p.onlyMiddle, p.Pictures)
}
