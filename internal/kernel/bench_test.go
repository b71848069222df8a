package kernel

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// report turns the benchmark's time into GFLOP/s and the fraction of the peak, measured in the same run.
func report(b *testing.B, multiplyAdds int, peak float64) {
	rate := 2 * float64(multiplyAdds) * float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(rate/1e9, "GFLOP/s")
	b.ReportMetric(rate/peak, "of-peak")
}

// reportUndisturbed reports the fraction of the peak that work on one thread reaches where nothing disturbs it. Others'
// programs take parts of a shared core, and its frequency changes with what they do. So work and the peak run in turn, in
// bursts of tens of microseconds, and of each the burst counts that only one in a hundred is faster than.
func reportUndisturbed(b *testing.B, multiplyAdds int, work func()) {
	const bursts, steps = 10000, 2000
	peak, operations := peakLoop()
	repeat := max(1, steps*operations/(2*multiplyAdds))
	var rates [2][]float64
	for range bursts {
		start := time.Now()
		peak(steps)
		middle := time.Now()
		for range repeat {
			work()
		}
		rates[0] = append(rates[0], float64(steps*operations)/middle.Sub(start).Seconds())
		rates[1] = append(rates[1], float64(2*multiplyAdds*repeat)/time.Since(middle).Seconds())
	}
	slices.Sort(rates[0])
	slices.Sort(rates[1])
	b.ReportMetric(rates[1][bursts*99/100]/1e9, "GFLOP/s")
	b.ReportMetric(rates[1][bursts*99/100]/rates[0][bursts*99/100], "of-peak")
}

// BenchmarkConv runs the layers of net D on pictures of 224×224, batch 8, those of net A at a quarter of the width on
// 32×32, batch 32, and the second of net D at an eighth of the width on 64×64.
func BenchmarkConv(b *testing.B) {
	for _, c := range []Conv{
		{8, 224, 224, 3, 64, 3}, {8, 224, 224, 64, 64, 3}, {8, 112, 112, 64, 128, 3}, {8, 112, 112, 128, 128, 3},
		{8, 56, 56, 128, 256, 3}, {8, 56, 56, 256, 256, 3}, {8, 28, 28, 256, 512, 3}, {8, 28, 28, 512, 512, 3}, {8, 14, 14, 512, 512, 3},
		{32, 32, 32, 1, 16, 3}, {32, 16, 16, 16, 32, 3}, {32, 8, 8, 32, 64, 3}, {32, 8, 8, 64, 64, 3},
		{32, 4, 4, 64, 128, 3}, {32, 4, 4, 128, 128, 3}, {32, 2, 2, 128, 128, 3},
		{32, 64, 64, 8, 8, 3},
	} {
		nx, ny, nw := c.sizes()
		r := generator(1)
		x, y, w := random(r, nx), random(r, ny), random(r, nw)
		peak := Peak(0.1)
		for _, pass := range []struct {
			name string
			run  func()
		}{
			{"forward", func() { c.Forward(y, x, w, y[:c.Out:c.Out], true) }},
			{"data", func() { c.DataGradient(x, y, w, nil) }},
			{"weight", func() { c.WeightGradient(w, x, y, false) }},
		} {
			b.Run(fmt.Sprintf("%dx%dx%dx%d-%d/%s", c.N, c.H, c.W, c.In, c.Out, pass.name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					pass.run()
				}
				report(b, ny*c.In*c.Kernel*c.Kernel, peak)
			})
		}
	}
}

// BenchmarkMaskedGradient runs the data gradient of layers above a ReLU and the ReLU's gradient in turn apart and
// together, and reports the time of together as a fraction of that apart.
func BenchmarkMaskedGradient(b *testing.B) {
	for _, c := range []Conv{{8, 224, 224, 64, 64, 3}, {8, 56, 56, 256, 256, 3}, {8, 28, 28, 512, 512, 3}, {32, 64, 64, 8, 8, 3}} {
		nx, ny, nw := c.sizes()
		r := generator(1)
		x, dx, dy, w := random(r, nx), make([]float32, nx), random(r, ny), random(r, nw)
		b.Run(fmt.Sprintf("%dx%dx%dx%d-%d", c.N, c.H, c.W, c.In, c.Out), func(b *testing.B) {
			var apart, together time.Duration
			for b.Loop() {
				began := time.Now()
				c.DataGradient(dx, dy, w, nil)
				ReLUGradient(dx, dx, x)
				between := time.Now()
				c.DataGradient(dx, dy, w, x)
				apart, together = apart+between.Sub(began), together+time.Since(between)
			}
			b.ReportMetric(float64(together)/float64(apart), "of-apart")
		})
	}
}

// BenchmarkLayersOfD runs the 3×3 layers of net D but the first on pictures of 224×224, batch 8, one after the other:
// the mean over them, weighted by their work.
func BenchmarkLayersOfD(b *testing.B) {
	layers := []struct {
		Conv
		times int
	}{
		{Conv{8, 224, 224, 64, 64, 3}, 1}, {Conv{8, 112, 112, 64, 128, 3}, 1}, {Conv{8, 112, 112, 128, 128, 3}, 1},
		{Conv{8, 56, 56, 128, 256, 3}, 1}, {Conv{8, 56, 56, 256, 256, 3}, 2}, {Conv{8, 28, 28, 256, 512, 3}, 1},
		{Conv{8, 28, 28, 512, 512, 3}, 2}, {Conv{8, 14, 14, 512, 512, 3}, 3},
	}
	r := generator(1)
	nx, ny, _ := layers[0].sizes() // no other layer has larger maps
	_, _, nw := layers[len(layers)-1].sizes()
	x, y, w, dw := random(r, nx), random(r, ny), random(r, nw), make([]float32, nw)
	peak := Peak(0.1)
	for _, pass := range []struct {
		name string
		run  func(c Conv)
	}{
		{"forward", func(c Conv) { c.Forward(y, x, w, w[:c.Out:c.Out], true) }},
		{"data", func(c Conv) { c.DataGradient(x, y, w, nil) }},
		{"weight", func(c Conv) { c.WeightGradient(dw, x, y, false) }},
	} {
		b.Run(pass.name, func(b *testing.B) {
			work := 0
			for b.Loop() {
				work = 0
				for _, l := range layers {
					_, ny, _ := l.sizes()
					for range l.times {
						pass.run(l.Conv)
						work += ny * l.In * l.Kernel * l.Kernel
					}
				}
			}
			report(b, work, peak)
		})
	}
}

// BenchmarkConvPrepared runs the layers of net D on one picture of 224×224, with weights that are prepared once.
func BenchmarkConvPrepared(b *testing.B) {
	for _, c := range []Conv{
		{1, 224, 224, 3, 64, 3}, {1, 224, 224, 64, 64, 3}, {1, 112, 112, 64, 128, 3}, {1, 112, 112, 128, 128, 3},
		{1, 56, 56, 128, 256, 3}, {1, 56, 56, 256, 256, 3}, {1, 28, 28, 256, 512, 3}, {1, 28, 28, 512, 512, 3}, {1, 14, 14, 512, 512, 3},
	} {
		nx, ny, nw := c.sizes()
		r := generator(1)
		x, y, prepared := random(r, nx), random(r, ny), make([]float32, c.Filters().Size())
		c.Filters().Prepare(prepared, random(r, nw))
		peak := Peak(0.1)
		b.Run(fmt.Sprintf("%dx%dx%d-%d", c.H, c.W, c.In, c.Out), func(b *testing.B) {
			for b.Loop() {
				c.ForwardPrepared(y, x, prepared, y[:c.Out:c.Out], true)
			}
			report(b, ny*c.In*c.Kernel*c.Kernel, peak)
		})
	}
}

// BenchmarkLinear runs fc6 and fc8 of the full nets, dense fc6, fc7 and fc8 of boxes, and the layers of the narrow one; GB/s counts the weights once.
func BenchmarkLinear(b *testing.B) {
	step := SGD{LearningRate: 1e-3, Momentum: 0.9, WeightDecay: 5e-4, Scale: 1, Keep: true}
	for _, l := range []Linear{
		{1, 25088, 4096}, {8, 25088, 4096}, {16, 25088, 4096}, {32, 25088, 4096}, {64, 25088, 4096}, {128, 25088, 4096}, {240, 25088, 4096}, {256, 25088, 4096},
		{240, 4096, 4096}, {240, 4096, 4000},
		{32, 4096, 1000}, {32, 128, 256}, {32, 256, 256}, {32, 256, 10},
	} {
		nx, ny, nw := l.sizes()
		r := generator(1)
		x, y, w := random(r, nx), random(r, ny), slices.Repeat([]float32{1}, nw)
		v, dw := slices.Clone(w), slices.Clone(w)
		peak := Peak(0.1)
		for _, pass := range []struct {
			name string
			run  func()
		}{
			{"forward", func() { l.Forward(y, x, w, y[:l.Out:l.Out], true) }},
			{"data", func() { l.DataGradient(x, y, w) }},
			{"weight", func() { l.WeightGradient(dw, x, y, false) }},
			{"accumulate", func() { l.WeightGradient(dw, x, y, true) }},
			{"weight-and-step", func() { l.WeightGradient(dw, x, y, false); step.Step(w, v, dw) }},
			{"step-linear", func() { step.StepLinear(l, w, v, x, y) }},
		} {
			b.Run(fmt.Sprintf("%dx%d-%d/%s", l.N, l.In, l.Out, pass.name), func(b *testing.B) {
				b.SetBytes(int64(4 * nw))
				for b.Loop() {
					pass.run()
				}
				report(b, l.N*nw, peak)
			})
		}
	}
}

// BenchmarkDense prepares fc6 of the full nets, and runs it on the last maps of pictures of 3:4 at Q from 768 to 256, as
// a linear layer on all windows and by minimal filtering.
func BenchmarkDense(b *testing.B) {
	d := Dense{Windows{C: 512, Size: 7}, 4096}
	r := generator(1)
	w, bias, prepared := random(r, d.Out*d.C*d.Size*d.Size), random(r, d.Out), make([]float32, d.Filters().Size())
	b.Run("prepare", func(b *testing.B) {
		for b.Loop() {
			d.Filters().Prepare(prepared, w)
		}
	})
	for _, maps := range [][3]int{{2, 24, 32}, {2, 20, 27}, {2, 16, 22}, {2, 12, 16}, {9, 8, 11}, {2, 8, 11}, {1, 8, 11}} {
		d.N, d.H, d.W = maps[0], maps[1], maps[2]
		x, y := random(r, d.N*d.H*d.W*d.C), make([]float32, d.N*d.Count()*d.Out)
		l := Linear{d.N * d.Count(), d.C * d.Size * d.Size, d.Out}
		rows := make([]float32, l.N*l.In)
		peak := Peak(0.1)
		for _, way := range []struct {
			name string
			run  func()
		}{
			{"windows", func() { d.Windows.Forward(rows, x); l.Forward(y, rows, w, bias, true) }},
			{"minimal", func() { d.ForwardPrepared(y, x, prepared, bias, true) }},
		} {
			b.Run(fmt.Sprintf("%dx%dx%d/%s", d.N, d.H, d.W, way.name), func(b *testing.B) {
				for b.Loop() {
					way.run()
				}
				report(b, l.N*l.In*l.Out, peak)
			})
		}
	}
}

// BenchmarkMemory runs the kernels that do little but move memory, on 64 MB; MB/s counts x once.
func BenchmarkMemory(b *testing.B) {
	const n, c, h, w = 4, 64, 256, 256
	const size = n * c * h * w
	r := generator(1)
	x, y, z := random(r, size), random(r, size), random(r, size)
	p := Pool{n, h, w, c}
	l := LRN{n * h * w, c, 5, 1e-4, 0.75, 2}
	for _, kernel := range []struct {
		name string
		run  func()
	}{
		{"Add", func() { Add(x, y) }},
		{"ReLUGradient", func() { ReLUGradient(z, x, y) }},
		{"BiasGradient", func() { BiasGradient(y[:c:c], x, false) }},
		{"SGD", func() { SGD{LearningRate: 0.01, Momentum: 0.9, WeightDecay: 5e-4, Scale: 1}.Step(x, y, z) }},
		{"SGDKeep", func() { SGD{LearningRate: 0.01, Momentum: 0.9, WeightDecay: 5e-4, Scale: 1, Keep: true}.Step(x, y, z) }},
		{"Pool", func() { p.Forward(y[:size/4], x) }},
		{"PoolGradient", func() { p.Gradient(z, y[:size/4], x, y[:size/4]) }},
		{"LRN", func() { l.Forward(y, x) }},
		{"LRNGradient", func() { l.Gradient(z, y, x) }},
		{"Dropout", func() { Dropout(y, x, 0.5, 1) }},
		{"ToNHWC", func() { ToNHWC(y, x, n, c, h, w) }},
		{"ToNCHW", func() { ToNCHW(y, x, n, c, h, w) }},
	} {
		b.Run(kernel.name, func(b *testing.B) {
			b.SetBytes(4 * size)
			for b.Loop() {
				kernel.run()
			}
		})
	}
}
