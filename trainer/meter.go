package trainer

import "vgg/metrics"

// meter averages the loss and counts the errors of a pass over pictures.
type meter struct {
	Loss float64 `json:"loss"` // sum over pictures, in nats
	metrics.Errors
	classes int
}

// add takes the mean loss of a batch, its logits (N, classes) and its labels; rows with label -1 do not count.
func (m *meter) add(loss float64, logits []float32, labels []int) {
	before := m.Pictures
	for i, label := range labels {
		if label >= 0 {
			m.Errors.Add(metrics.Rank(logits[i*m.classes:(i+1)*m.classes], label))
		}
	}
	m.Loss += loss * float64(m.Pictures-before)
}

// meanLossSince is the mean loss of the pictures added after before, a copy of m at that time; 0 if there are none.
func (m *meter) meanLossSince(before meter) float64 {
	return (m.Loss - before.Loss) / float64(max(1, m.Pictures-before.Pictures))
}

func (m *meter) meanLoss() float64  { return m.Loss / float64(m.Pictures) }
func (m *meter) top5Error() float64 { return m.Top5Error(m.classes) }
