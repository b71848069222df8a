package graph

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/configs"
	"vgg/graph/machine"
)

// logits are those of pictures (N, 3, height, width).
func logits(t *testing.T, config configs.Config, o Options, n, height, width int, pictures []float32) []float32 {
	t.Helper()
	g := gorgonia.NewGraph()
	x := NewInput(g, n, 3, height, width)
	let(t, x, tensor.New(tensor.WithShape(n, 3, height, width), tensor.WithBacking(pictures)))
	net, err := Build(x, config, o)
	if err != nil {
		t.Fatal(err)
	}
	vm, err := machine.New(g, machine.Outputs(net.Logits))
	if err != nil {
		t.Fatal(err)
	}
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	return net.Logits.Value().Data().([]float32)
}

// part cuts a square out of a picture (3, height, width).
func part(picture []float32, height, width, top, left, side int) (out []float32) {
	for c := range 3 {
		for y := range side {
			out = append(out, picture[(c*height+top+y)*width+left:][:side]...)
		}
	}
	return out
}

func largestDifference(a, b []float32) float64 {
	d := 0.0
	for i := range a {
		d = math.Max(d, math.Abs(float64(a[i]-b[i])))
	}
	return d
}

// TestDense: on pictures of the size that the weights are for, the dense net is the plain one, for every config.
func TestDense(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pictures := make([]float32, 2*3*64*64)
	for i := range pictures {
		pictures[i] = float32(r.NormFloat64())
	}
	for _, config := range configs.All() {
		plain := logits(t, config, mini64(), 2, 64, 64, pictures)
		o := mini64()
		o.Dense = 64
		if d := largestDifference(plain, logits(t, config, o, 2, 64, 64, pictures)); d > 1e-4 {
			t.Errorf("config %s: dense and plain logits differ by %v", config.Name, d)
		}
	}
}

func mini64() Options {
	o := mini
	o.Dropout = 0
	return o
}

// TestSlidingWindow: a dense net sees what the plain one sees of every window, but where the two have borders: at the
// edge of a window the plain net's convolutions see zeros, the dense net's the picture around it. So the weights that
// look at the outermost places of a window are zero here; with them the scores differ.
func TestSlidingWindow(t *testing.T) {
	config := configs.Config{Name: "one stage", Stages: [][]configs.Row{{{Kind: configs.Convolution, Kernel: 3, Channels: 64}}}}
	const side, height, width = 12, 18, 16
	const places = side / 2
	o := Options{Classes: 5, Width: 1.0 / 16, FC: 9, Seed: 3, Dense: side}
	g := gorgonia.NewGraph()
	x := NewInput(g, 1, 3, side, side)
	net, err := Build(x, config, Options{Classes: 5, Width: 1.0 / 16, FC: 9, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	picture := make([]float32, 3*height*width)
	for i := range picture {
		picture[i] = float32(r.NormFloat64())
	}
	plain := Options{Classes: 5, Width: 1.0 / 16, FC: 9, Seed: 3, Weights: net}
	o.Weights = net
	mean := func() []float32 {
		sum := make([]float32, 5)
		windows := 0
		for top := 0; top <= height-side; top += 2 {
			for left := 0; left <= width-side; left += 2 {
				for i, v := range logits(t, config, plain, 1, side, side, part(picture, height, width, top, left, side)) {
					sum[i] += v
				}
				windows++
			}
		}
		for i := range sum {
			sum[i] /= float32(windows)
		}
		return sum
	}
	if d := largestDifference(mean(), logits(t, config, o, 1, height, width, picture)); d < 1e-3 {
		t.Errorf("with borders the scores differ by %v only: the test tests nothing", d)
	}
	for _, p := range net.Parameters() {
		if p.Name != "classifier.0.weight" {
			continue
		}
		w := p.Node.Value().Data().([]float32)
		for i := range w {
			if y, x := i/places%places, i%places; y == 0 || x == 0 || y == places-1 || x == places-1 {
				w[i] = 0
			}
		}
	}
	if d := largestDifference(mean(), logits(t, config, o, 1, height, width, picture)); d > 1e-5 {
		t.Errorf("the mean over sliding windows and the dense net differ by %v", d)
	}
}

// TestDenseErrors: pictures that are too small, and sizes that no net is for.
func TestDenseErrors(t *testing.T) {
	for want, dense := range map[string]int{"64×96 pixels, smaller than those that the net is for, 96×96": 96, "multiple of 32": 40, "want 0 or the side": -32} {
		o := mini
		o.Dense = dense
		x := NewInput(gorgonia.NewGraph(), 1, 3, 64, 96)
		if _, err := Build(x, configs.A, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

// TestDenseInference: in a graph for inference the first fully connected layer gives the same scores, computed
// otherwise where there are many windows.
func TestDenseInference(t *testing.T) {
	config := configs.Config{Name: "one stage", Stages: [][]configs.Row{{{Kind: configs.Convolution, Kernel: 3, Channels: 64}}}}
	r := rand.New(rand.NewPCG(5, 6))
	for _, c := range []struct {
		height, width int
		minimal       bool
	}{{12, 12, false}, {40, 41, os.Getenv("VGG_CONV") != "direct"}} {
		o := Options{Classes: 5, FC: 256, Seed: 3, Dense: 12}
		pictures := make([]float32, 2*3*c.height*c.width)
		for i := range pictures {
			pictures[i] = float32(r.NormFloat64())
		}
		want := logits(t, config, o, 2, c.height, c.width, pictures)
		o.Inference = true
		if d := largestDifference(want, logits(t, config, o, 2, c.height, c.width, pictures)); d > 1e-5 {
			t.Errorf("%d×%d: logits differ by %v", c.height, c.width, d)
		}
		g := gorgonia.NewGraph()
		if _, err := Build(NewInput(g, 2, 3, c.height, c.width), config, o); err != nil {
			t.Fatal(err)
		}
		if got := slices.ContainsFunc(g.AllNodes(), func(n *gorgonia.Node) bool {
			return n.Op() != nil && strings.HasPrefix(n.Op().String(), "densePrepared")
		}); got != c.minimal {
			t.Errorf("%d×%d: minimal filtering: %t, want %t", c.height, c.width, got, c.minimal)
		}
	}
}
