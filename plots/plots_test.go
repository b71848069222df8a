package plots

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vgg/history"
	"vgg/weights"
)

var update = flag.Bool("update", false, "write the golden pictures in testdata instead of comparing with them")

var nan = math.NaN()

// run is a made-up history that falls like a real one. Its learning rate is divided by 10 after the given epochs.
func run(epochs int, start, end float64, drops ...int) history.History {
	random := rand.New(rand.NewPCG(uint64(epochs), 7))
	rate, floor := 0.01, 1.0
	h := make(history.History, epochs)
	for i := range h {
		for _, d := range drops {
			if i == d {
				rate, floor = rate/10, floor*0.45
			}
		}
		left := math.Exp(-6*float64(i)/float64(epochs))*0.8 + 0.2*floor
		noise := func() float64 { return 1 + 0.04*rate/0.01*random.NormFloat64() }
		h[i] = history.Epoch{
			Epoch: i + 1, Iteration: 313 * (i + 1), LearningRate: rate,
			TrainLoss: 2.2*left*noise() + 0.05, ValLoss: 2*left*noise() + 0.25,
			TrainTop1Error: end*0.7 + (start-end)*left*noise(), ValTop1Error: end + (start-end)*0.8*left*noise(),
			TrainTop5Error: nan, ValTop5Error: nan, ImagesPerSecond: 800, Seconds: 12,
		}
	}
	return h
}

// stuck is the history of a net that does not learn: the same values in each epoch.
func stuck(epochs int) history.History {
	h := run(epochs, 90, 90)
	for i := range h {
		h[i].TrainLoss, h[i].ValLoss = math.Log(10), math.Log(10)
		h[i].TrainTop1Error, h[i].ValTop1Error = 90, 90
	}
	return h
}

// broken is a history with gaps: missing values, infinite ones, single points between gaps.
func broken() history.History {
	h := run(20, 70, 20, 10)
	for _, i := range []int{3, 5, 6} {
		h[i].TrainLoss, h[i].ValLoss, h[i].ValTop1Error = nan, math.Inf(1), nan
	}
	h[12].TrainTop1Error = nan
	h[19].ValLoss = math.MaxFloat64
	return h
}

func filters(out, in, k int) weights.Tensor {
	random := rand.New(rand.NewPCG(1, 1))
	w := weights.Tensor{Name: "features.0.weight", Shape: []int{out, in, k, k}}
	for range out * in * k * k {
		w.Data = append(w.Data, float32(random.NormFloat64()))
	}
	return w
}

func TestGolden(t *testing.T) {
	curves := func(h history.History, title string) func() (*Figure, error) {
		return func() (*Figure, error) { return Curves(h, title) }
	}
	table3 := []Run{
		{"A", run(30, 80, 29.6, 12, 20, 26)}, {"A-LRN", run(28, 80, 29.7, 11, 20, 26)}, {"B", run(32, 80, 28.7, 12, 20, 26)},
		{"C", run(31, 80, 28.1, 12, 21, 26)}, {"D", run(26, 80, 27, 12, 18, 22)}, {"E", run(34, 80, 27.3, 15, 20, 26)},
	}
	golden(t, map[string]func() (*Figure, error){
		"curves_quick":  curves(run(12, 60, 12, 8), "A, width 0.25, Fashion-MNIST"),
		"curves_paper":  curves(run(74, 95, 27, 35, 52, 66), "VGG-16 (D), S = 256"),
		"curves_one":    curves(run(1, 60, 12), "one epoch"),
		"curves_stuck":  curves(stuck(5), "E, N(0, 0.01²): does not train"),
		"curves_broken": curves(broken(), ""),
		"compare":       func() (*Figure, error) { return Compare(table3, "The nets of Table 1") },
		"compare_names": func() (*Figure, error) { return Compare(long(), strings.Repeat("a long title ", 9)) },
		"filters_rgb":   func() (*Figure, error) { return Filters(filters(64, 3, 3)) },
		"filters_grey":  func() (*Figure, error) { return Filters(filters(16, 1, 3)) },
	})
}

// golden compares figures with the pictures of their names in testdata.
func golden(t *testing.T, figures map[string]func() (*Figure, error)) {
	for name, draw := range figures {
		t.Run(name, func(t *testing.T) {
			figure, err := draw()
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", name+".png")
			if *update {
				if err := figure.Save(golden); err != nil {
					t.Fatal(err)
				}
			}
			drawn := encode(t, figure, "png")
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatalf("%v (go test -update writes it)", err)
			}
			if err := compare(drawn, want); err != nil {
				t.Errorf("%s: %v (go test -update writes the new picture)", golden, err)
			}
		})
	}
}

// long are runs with names that do not fit.
func long() []Run {
	return []Run{
		{"runs/2026/vgg-16-width-0.25-from-a-with-a-very-long-name-indeed", run(10, 80, 12)},
		{"line\nbreak\x00\xff", run(4, 80, 20)},
		{"short", stuck(1)},
	}
}

// compare allows small differences at smoothed edges, whose last bits depend on whether the processor has fused
// multiply-add.
func compare(a, b []byte) error {
	const tolerance = 16
	x, err := png.Decode(bytes.NewReader(a))
	if err != nil {
		return err
	}
	y, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		return err
	}
	if x.Bounds() != y.Bounds() {
		return fmt.Errorf("size %v, want %v", x.Bounds(), y.Bounds())
	}
	bounds, differ, first := x.Bounds(), 0, image.Point{}
	for i := bounds.Min.Y; i < bounds.Max.Y; i++ {
		for j := bounds.Min.X; j < bounds.Max.X; j++ {
			r, g, b, _ := x.At(j, i).RGBA()
			u, v, w, _ := y.At(j, i).RGBA()
			for _, d := range []int{int(r) - int(u), int(g) - int(v), int(b) - int(w)} {
				if max(d, -d)>>8 > tolerance {
					if differ == 0 {
						first = image.Pt(j, i)
					}
					differ++
					break
				}
			}
		}
	}
	if differ > 0 {
		return fmt.Errorf("%d pixels differ, the first at %v", differ, first)
	}
	return nil
}
