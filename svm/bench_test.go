package svm

import "testing"

// BenchmarkTrain trains 20 classes on 10,000 rows of 4,096 L2-normalised features about one common direction (their
// cosines are about 0.6), hinge, C = 1, to a relative duality gap of 1e-4.
func BenchmarkTrain(b *testing.B) {
	rows, targets := problem(b, 10000, 4096, 20)
	passes := 0
	for b.Loop() {
		m, err := Train(rows, targets, Options{Loss: Hinge, C: 1, Bias: 1})
		if err != nil {
			b.Fatal(err)
		}
		for _, c := range m.Certificates {
			passes = max(passes, c.Passes)
		}
	}
	b.ReportMetric(float64(passes), "passes")
}
