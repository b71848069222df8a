package trainer

import (
	"vgg/configs"
	"vgg/dataset"
	"vgg/metrics"
)

// meter averages the loss and counts the errors of a pass over pictures.
type meter struct {
	Loss float64 `json:"loss"` // sum over pictures, in nats where the net classifies
	metrics.Errors
}

// add takes the mean loss of a batch and the net's outputs: logits (N, classes) or, for a batch with boxes, those
// predicted. Rows with label -1 do not count. A box is wrong unless it is right in test 1 of appendix A.
func (m *meter) add(loss float64, output []float32, batch *dataset.Batch) {
	before := m.Pictures
	width := len(output) / len(batch.Labels)
	for i, label := range batch.Labels {
		row := output[i*width:][:width]
		switch {
		case label < 0:
		case batch.Boxes == nil:
			m.Errors.Add(metrics.Rank(row, label))
		case found(configs.BoxOf(row, label), batch.Instances[i]):
			m.Errors.Add(0)
		default:
			m.Errors.Add(1)
		}
	}
	m.Loss += loss * float64(m.Pictures-before)
}

// merge adds what another meter has counted.
func (m *meter) merge(o meter) {
	m.Loss += o.Loss
	m.Top1 += o.Top1
	m.Top5 += o.Top5
	m.Pictures += o.Pictures
}

// meanLossSince is the mean loss of the pictures added after before, a copy of m at that time; 0 if there are none.
func (m *meter) meanLossSince(before meter) float64 {
	return (m.Loss - before.Loss) / float64(max(1, m.Pictures-before.Pictures))
}

func (m *meter) meanLoss() float64 { return m.Loss / float64(m.Pictures) }
