package trainer

import "math"

// meter averages loss and errors over the pictures of a pass.
type meter struct {
	Loss     float64 `json:"loss"` // sum over pictures
	Top1     int     `json:"top1"` // pictures whose class is not the first
	Top5     int     `json:"top5"` // nor among the first 5
	Pictures int     `json:"pictures"`
	classes  int
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
			m.Top1++
		}
		if r >= 5 {
			m.Top5++
		}
	}
	m.Loss += loss * float64(pictures)
	m.Pictures += pictures
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

func (m *meter) meanLoss() float64  { return m.Loss / float64(m.Pictures) }
func (m *meter) top1Error() float64 { return 100 * float64(m.Top1) / float64(m.Pictures) }

// top5Error is NaN for fewer than six classes, where it means nothing.
func (m *meter) top5Error() float64 {
	if m.classes < 6 {
		return math.NaN()
	}
	return 100 * float64(m.Top5) / float64(m.Pictures)
}
