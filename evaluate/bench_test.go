package evaluate

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"vgg/augment"
	"vgg/configs"
	"vgg/dataset"
	"vgg/graph"
	"vgg/weights"
)

// BenchmarkCenter compares a test of net D by the center protocol with plain inference of the same net on batches of 8,
// at full width, on files of pictures: PNGs whose smaller side is Q already, and JPEGs of 500×375. The test and plain
// inference take turns, so that both see the same load of the machine. It prints pictures a second, the ratio, and the
// share of the time in which the net waits for pictures.
//
//	go test -run x -bench Center -benchtime 3x ./evaluate
func BenchmarkCenter(b *testing.B) {
	const perTurn = 100
	m := untrainedModel(b, configs.D, 224)
	plainModel := m.Share()
	defer plainModel.Close()
	for _, format := range []string{"png", "jpeg"} {
		b.Run(format, func(b *testing.B) {
			split := writeFiles(b, format, perTurn)
			var tested, plain, waited time.Duration
			test := func() {
				began := time.Now()
				r, err := Run(context.Background(), []*Model{m}, split, Options{Scales: []int{256}}, nil)
				if err != nil {
					b.Fatal(err)
				}
				tested += time.Since(began)
				waited += r.LoaderWait
			}
			batch := noiseCrops(8, 224, 224)
			infer := func() {
				r, err := plainModel.runner(purpose{rows: len(batch), height: 224, width: 224, prepared: true, kept: true})
				if err != nil {
					b.Fatal(err)
				}
				began := time.Now()
				for range perTurn / len(batch) {
					if err := r.run(batch); err != nil {
						b.Fatal(err)
					}
				}
				plain += time.Since(began)
			}
			test()
			infer()
			tested, plain, waited = 0, 0, 0
			for b.Loop() {
				test()
				infer()
			}
			rate := float64(b.N*perTurn) / tested.Seconds()
			plainRate := float64(b.N*(perTurn/len(batch)*len(batch))) / plain.Seconds()
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(rate, "pictures/s")
			b.ReportMetric(plainRate, "plain-pictures/s")
			b.ReportMetric(rate/plainRate, "of-plain")
			b.ReportMetric(100*waited.Seconds()/tested.Seconds(), "loader-wait-%")
		})
	}
}

// BenchmarkDense compares the dense net D at Q = 256, on batches of one picture and of three, with plain inference on
// crops of 224×224, at full width: effective GFLOP/s, two operations a multiply-add of direct convolution, and in
// percent of the faster of the plain ones.
//
//	go test -run x -bench Dense -benchtime 5x ./evaluate
func BenchmarkDense(b *testing.B) {
	m := untrainedModel(b, configs.D, 224)
	plain := 0.0
	for _, c := range []struct {
		name                string
		rows, height, width int
		dense               bool
	}{
		{"plain/crops=1", 1, 224, 224, false},
		{"plain/crops=10", 10, 224, 224, false},
		{"dense/256x256/crops=2", 2, 256, 256, true},
		{"dense/256x320/crops=2", 2, 256, 320, true},
		{"dense/256x320/crops=6", 6, 256, 320, true},
		{"dense/256x341/crops=2", 2, 256, 341, true},
	} {
		b.Run(c.name, func(b *testing.B) {
			r, err := m.runner(purpose{rows: c.rows, height: c.height, width: c.width, dense: c.dense, prepared: c.rows > 2, kept: c.rows > 2})
			if err != nil {
				b.Fatal(err)
			}
			crops := noiseCrops(c.rows, c.height, c.width)
			adds := 0
			for _, l := range r.net.Summary() {
				adds += l.MultiplyAdds
			}
			run := func() {
				if err := r.run(crops); err != nil {
					b.Fatal(err)
				}
			}
			for run(); b.Loop(); {
				run()
			}
			rate := 2e-9 * float64(adds*c.rows) * float64(b.N) / b.Elapsed().Seconds()
			b.ReportMetric(rate, "GFLOP/s")
			if !c.dense {
				plain = max(plain, rate)
			} else if plain > 0 { // -bench may leave the plain ones out
				b.ReportMetric(100*rate/plain, "%-of-plain")
			}
		})
	}
}

// BenchmarkPrepared compares nets D that prepare their filters with ones that do not, on their first few full batches,
// at full width: the quotient of the times.
//
//	go test -run x -bench Prepared -benchtime 5x ./evaluate
func BenchmarkPrepared(b *testing.B) {
	m := untrainedModel(b, configs.D, 224)
	batch := noiseCrops(DefaultBatch, 224, 224)
	for _, batches := range []int{4, 8, 16} {
		b.Run(fmt.Sprintf("batches=%d", batches), func(b *testing.B) {
			time := map[bool]time.Duration{}
			for b.Loop() {
				for _, prepared := range []bool{false, true} {
					fresh, err := NewModel("fresh", &weights.File{Metadata: m.Info.Metadata(), Tensors: m.net.Tensors()})
					if err != nil {
						b.Fatal(err)
					}
					began := b.Elapsed()
					r, err := fresh.runner(purpose{rows: len(batch), height: 224, width: 224, prepared: prepared, kept: prepared})
					if err != nil {
						b.Fatal(err)
					}
					for range batches {
						if err := r.run(batch); err != nil {
							b.Fatal(err)
						}
					}
					time[prepared] += b.Elapsed() - began
					fresh.Close()
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(time[true].Seconds()/time[false].Seconds(), "prepared/plain")
		})
	}
}

// untrainedModel is a net of config at full width, its weights drawn at random.
func untrainedModel(t testing.TB, config configs.Config, input int) *Model {
	t.Helper()
	return newTestModel(t, config, graph.Options{Seed: 1}, weights.Info{Input: input, Channels: 3, Classes: names(1000)})
}

// noiseCrops are crops of one shape.
func noiseCrops(n, height, width int) (crops []*crop) {
	for range n {
		c := &crop{values: make([]float32, 3*height*width)}
		for i := range c.values {
			c.values[i] = float32((i*7)%13) - 6
		}
		crops = append(crops, c)
	}
	return crops
}

// files is a split of files.
type files []string

func (f files) Len() int          { return len(f) }
func (f files) Label(int) int     { return 0 }
func (f files) Name(i int) string { return f[i] }

func (f files) Picture(i int) (augment.Picture, error) {
	data, err := os.ReadFile(f[i])
	if err != nil {
		return augment.Picture{}, err
	}
	return dataset.Decode(bytes.NewReader(data))
}

// writeFiles writes pictures with edges and fine grain, which are as hard to decode as photographs: PNGs of 341×256
// or JPEGs of 500×375.
func writeFiles(t testing.TB, format string, n int) (all files) {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		r := rand.New(rand.NewPCG(uint64(i), 1))
		width, height := 341, 256
		if format == "jpeg" {
			width, height = 500, 375
		}
		m := image.NewRGBA(image.Rect(0, 0, width, height))
		for y := range height {
			for x := range width {
				wave := 128 + 60*math.Sin(float64(x)/20+float64(i)) + 50*math.Cos(float64(y)/(30+float64(i%7)))
				if (x/40+y/50+i)%3 == 0 {
					wave = 255 - wave
				}
				grain := r.IntN(9) - 4
				m.SetRGBA(x, y, color.RGBA{uint8(int(wave) + grain), uint8(int(wave/2) + 40 + grain), uint8(200 - int(wave/2) - grain), 255})
			}
		}
		path := filepath.Join(dir, fmt.Sprintf("%d.%s", i, format))
		var data bytes.Buffer
		var err error
		if format == "png" {
			err = png.Encode(&data, m)
		} else {
			err = jpeg.Encode(&data, m, &jpeg.Options{Quality: 90})
		}
		if err == nil {
			err = os.WriteFile(path, data.Bytes(), 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, path)
	}
	return all
}

// BenchmarkRead reads pictures and crops their centre.
//
//	go test -run x -bench Read ./evaluate
func BenchmarkRead(b *testing.B) {
	m := untrainedModel(b, configs.A, 32)
	m.Info.Input, m.transform.Size = 224, 224
	for _, format := range []string{"png", "jpeg"} {
		b.Run(format, func(b *testing.B) {
			e, err := newEngine([]*Model{m}, writeFiles(b, format, 16), Options{Scales: []int{256}})
			if err != nil {
				b.Fatal(err)
			}
			i := 0
			for b.Loop() {
				read := e.read(i % 16)
				if read.err != nil {
					b.Fatal(read.err)
				}
				for _, c := range read.crops {
					e.free.Put(&c.values)
				}
				i++
			}
		})
	}
}
