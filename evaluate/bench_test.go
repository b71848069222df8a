package evaluate

import (
	"testing"

	"vgg/augment"
	"vgg/configs"
	"vgg/graph"
	"vgg/weights"
)

// BenchmarkDense compares the dense net D at Q = 256, on a picture and its mirror image at a time, with plain inference on
// crops of 224×224, at full width: effective GFLOP/s, two operations a multiply-add of direct convolution, and in percent
// of the faster of the plain ones.
//
//	go test -run x -bench Dense -benchtime 5x ./evaluate
func BenchmarkDense(b *testing.B) {
	m := zeroModel(b, configs.D, 224)
	defer m.Close()
	plain := 0.0
	for _, c := range []struct {
		name          string
		n, rows, side int
		dense         bool
	}{
		{"plain/crops=1", 1, 224, 224, false},
		{"plain/crops=10", 10, 224, 224, false},
		{"dense/256x256", 2, 256, 256, true},
		{"dense/256x352", 2, 256, 352, true},
	} {
		b.Run(c.name, func(b *testing.B) {
			r, err := m.runner(c.n, c.rows, c.side, c.dense)
			if err != nil {
				b.Fatal(err)
			}
			views := make([]view, c.n)
			for i := range views {
				views[i] = view{augment.Crop{}, make([]float32, 3*c.rows*c.side)}
				for j := range views[i].pixels {
					views[i].pixels[j] = float32((i+j*7)%13) - 6
				}
			}
			adds := 0
			for _, l := range r.net.Summary() {
				adds += l.MultiplyAdds
			}
			run := func() {
				if _, err := r.run(views); err != nil {
					b.Fatal(err)
				}
			}
			for run(); b.Loop(); {
				run()
			}
			rate := 2e-9 * float64(adds*c.n) * float64(b.N) / b.Elapsed().Seconds()
			b.ReportMetric(rate, "GFLOP/s")
			if !c.dense {
				plain = max(plain, rate)
			} else if plain > 0 { // -bench may leave the plain ones out
				b.ReportMetric(100*rate/plain, "%-of-plain")
			}
		})
	}
}

// zeroModel is a net of config at full width, its weights drawn at random.
func zeroModel(t testing.TB, config configs.Config, input int) *Model {
	t.Helper()
	o := graph.Options{Seed: 1}
	return newTestModel(t, config, o, weights.Info{Input: input, Channels: 3, Classes: make([]string, 1000)})
}
