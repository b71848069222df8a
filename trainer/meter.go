package trainer

import "math"

// meter averages loss and errors over the pictures of a pass.
type meter struct {
	loss       float64 // sum over pictures
	top1, top5 int     // pictures whose class is not among the first 1, 5
	pictures   int
	classes    int
}

// add takes the mean loss of a batch, its logits (N, classes) and its labels, -1 in rows that do not count.
func (m *meter) add(loss float64, logits []float32, labels []int) {
	pictures := 0
	for i, label := range labels {
		if label < 0 {
			continue
		}
		pictures++
		r := rank(logits[i*m.classes:(i+1)*m.classes], label)
		if r >= 1 {
			m.top1++
		}
		if r >= 5 {
			m.top5++
		}
	}
	m.loss += loss * float64(pictures)
	m.pictures += pictures
}

// rank is the number of classes that stand before label. Of equal logits the lower class stands first; a NaN is never
// right.
func rank(logits []float32, label int) int {
	before := 0
	for c, l := range logits {
		if !(l < logits[label]) && (l != logits[label] || c < label) {
			before++
		}
	}
	return before
}

func (m *meter) meanLoss() float64  { return m.loss / float64(m.pictures) }
func (m *meter) top1Error() float64 { return 100 * float64(m.top1) / float64(m.pictures) }

// top5Error is NaN for fewer than six classes, where it means nothing.
func (m *meter) top5Error() float64 {
	if m.classes < 6 {
		return math.NaN()
	}
	return 100 * float64(m.top5) / float64(m.pictures)
}
