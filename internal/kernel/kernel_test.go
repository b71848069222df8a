package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"testing"
)

// everywhere runs a test with each isa that the processor has, or only with the one that VGG_CPU names.
func everywhere(t *testing.T, f func(t *testing.T)) {
	saved := cpu
	defer func() { cpu = saved }()
	all := append(detected(), portable)
	if os.Getenv("VGG_CPU") != "" {
		all = []isa{cpu}
	}
	for _, s := range all {
		cpu = s
		t.Run(s.set.String(), f)
	}
}

// setThreads checks that f, which returns what it computed, gives the same bits on 1, 2 and 5 threads, and returns them.
func setThreads(t *testing.T, f func() []float32) []float32 {
	t.Helper()
	saved := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(saved)
	want := f()
	for _, n := range []int{2, 5} {
		runtime.GOMAXPROCS(n)
		for i, v := range f() {
			if math.Float32bits(v) != math.Float32bits(want[i]) {
				t.Fatalf("element %d is %g on 1 thread and %g on %d", i, want[i], v, n)
			}
		}
	}
	return want
}

// random returns n numbers of mean 0 and variance 1.
func random(r *rand.Rand, n int) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = float32(r.NormFloat64())
	}
	return s
}

// near checks got against a float64 reference, with a tolerance relative to the root mean square of want.
func near(t *testing.T, name string, got []float32, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, want %d", name, len(got), len(want))
	}
	var squares float64
	for _, v := range want {
		squares += v * v
	}
	scale := max(math.Sqrt(squares/float64(len(want))), 1e-3)
	for i, v := range want {
		if !(math.Abs(float64(got[i])-v) <= tolerance*scale) {
			t.Fatalf("%s: element %d is %g, want %g (root mean square %g)", name, i, got[i], v, scale)
		}
	}
}

func generator(seed int) *rand.Rand { return rand.New(rand.NewPCG(uint64(seed), 1)) }

// products calls f with the offsets in x, y and w of each product of the convolution.
func (c Conv) products(f func(x, y, w int)) {
	for n := range c.N {
		for h := range c.H {
			for w := range c.W {
				for r := range c.Kernel {
					for s := range c.Kernel {
						hh, ww := h+r-c.Kernel/2, w+s-c.Kernel/2
						if hh < 0 || hh >= c.H || ww < 0 || ww >= c.W {
							continue
						}
						for o := range c.Out {
							for i := range c.In {
								f(((n*c.H+hh)*c.W+ww)*c.In+i, ((n*c.H+h)*c.W+w)*c.Out+o, ((o*c.In+i)*c.Kernel+r)*c.Kernel+s)
							}
						}
					}
				}
			}
		}
	}
}

// work is the number of multiply-adds of a pass, all taps counted.
func (c Conv) work() int { return c.N * c.H * c.W * c.In * c.Out * c.Kernel * c.Kernel }

// A convCase is a convolution's inputs and what its passes should compute from them.
type convCase struct {
	Conv
	x, w, bias, dy []float32
	y, dx, dw      []float64 // y without bias and ReLU
}

func newConvCase(c Conv, seed int) convCase {
	r := generator(seed)
	nx, ny, nw := c.sizes()
	v := convCase{c, random(r, nx), random(r, nw), random(r, c.Out), random(r, ny), make([]float64, ny), make([]float64, nx), make([]float64, nw)}
	c.products(func(x, y, w int) {
		v.y[y] += float64(v.x[x]) * float64(v.w[w])
		v.dx[x] += float64(v.dy[y]) * float64(v.w[w])
		v.dw[w] += float64(v.dy[y]) * float64(v.x[x])
	})
	return v
}

// checkConv compares the three passes with their definition, computed directly and, where it is possible, by minimal
// filtering.
func checkConv(t *testing.T, c Conv, seed int) {
	t.Helper()
	defer func(saved string) { algorithm = saved }(algorithm)
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	v := newConvCase(c, seed)
	algorithm = direct
	v.check(t, 1e-5)
	for _, algorithm = range []string{winograd2, winograd4, winograd5, winograd7} {
		if c.winograd(false) != nil {
			v.check(t, 1e-4)
		}
	}
}

func (v convCase) check(t *testing.T, tolerance float64) {
	t.Helper()
	c := v.Conv
	y, want := make([]float32, len(v.y)), make([]float64, len(v.y))
	for i := range want {
		want[i] = max(0, v.y[i]+float64(v.bias[i%c.Out]))
	}
	got := setThreads(t, func() []float32 { c.Forward(y, v.x, v.w, v.bias, true); return slices.Clone(y) })
	near(t, fmt.Sprintf("%+v forward, bias, ReLU", c), got, want, tolerance)
	c.Forward(y, v.x, v.w, nil, false)
	near(t, fmt.Sprintf("%+v forward", c), y, v.y, tolerance)
	prepared := make([]float32, c.Filters().Size())
	c.Filters().Prepare(prepared, v.w)
	clear(y)
	c.ForwardPrepared(y, v.x, prepared, v.bias, true)
	for i, v := range y {
		if v != got[i] {
			t.Fatalf("%+v forward, weights prepared: element %d is %g, otherwise %g", c, i, v, got[i])
		}
	}

	dx := make([]float32, len(v.dx))
	got = setThreads(t, func() []float32 { c.DataGradient(dx, v.dy, v.w, nil); return slices.Clone(dx) })
	near(t, fmt.Sprintf("%+v data gradient", c), got, v.dx, tolerance)
	c.DataGradient(dx, v.dy, v.w, v.x)
	for i, v := range v.x {
		if want := got[i]; v > 0 && dx[i] != want || !(v > 0) && dx[i] != 0 {
			t.Fatalf("%+v data gradient, masked by %g: element %d is %g, without the mask %g", c, v, i, dx[i], want)
		}
	}

	dw := make([]float32, len(v.dw))
	got = setThreads(t, func() []float32 { c.WeightGradient(dw, v.x, v.dy, false); return slices.Clone(dw) })
	near(t, fmt.Sprintf("%+v weight gradient", c), got, v.dw, tolerance)
	c.WeightGradient(dw, v.x, v.dy, true)
	twice := make([]float64, len(v.dw))
	for i := range twice {
		twice[i] = 2 * v.dw[i]
	}
	near(t, fmt.Sprintf("%+v accumulated weight gradient", c), dw, twice, tolerance)
}

func TestConv(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		for i, c := range []Conv{
			{1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 3}, {1, 2, 1, 3, 5, 5}, {2, 1, 7, 2, 33, 3}, {3, 5, 4, 17, 16, 3},
			{2, 15, 17, 3, 20, 3}, {1, 14, 14, 64, 32, 3}, {1, 5, 29, 7, 65, 5}, {40, 2, 2, 19, 40, 3}, {43, 4, 4, 3, 8, 3},
			{9, 3, 5, 4, 31, 5}, {45, 1, 1, 6, 10, 3}, {1, 3, 15, 256, 12, 3}, {15, 2, 3, 256, 9, 3}, {1, 2, 14, 300, 4, 3},
			{2, 6, 6, 40, 100, 1}, {7, 16, 2, 5, 3, 3}, {2, 3, 230, 2, 34, 3},
			{2, 5, 30, 8, 8, 3}, {1, 3, 16, 3, 7, 3}, {1, 2, 2, 4, 1, 3}, {2, 4, 6, 5, 4, 5}, {3, 7, 64, 16, 8, 3}, // joined
			{1, 1, 1, 16, 16, 3}, {2, 4, 4, 16, 32, 3}, {1, 6, 9, 32, 48, 3}, {3, 13, 7, 48, 16, 3}, {5, 3, 5, 64, 64, 3}, {1, 8, 8, 256, 272, 3}, {1, 6, 9, 272, 32, 3},
			{2, 33, 34, 16, 48, 3}, {3, 30, 19, 32, 16, 3}, {1, 46, 46, 16, 16, 3}, // more than few tiles
			{2, 9, 10, 3, 8, 7}, {1, 3, 4, 16, 16, 7}, {2, 13, 12, 2, 3, 11}, // section 2.3 compares with 7×7
		} {
			if testing.Short() && c.work() > 5e6 {
				continue
			}
			checkConv(t, c, i)
		}
	})
}

func FuzzConv(f *testing.F) {
	f.Add(1, 4, 4, 3, 8, 3)
	f.Add(33, 2, 2, 16, 17, 3)
	f.Add(2, 3, 20, 5, 40, 5)
	f.Add(3, 6, 7, 31, 47, 1)
	f.Fuzz(func(t *testing.T, n, h, w, in, out, kernel int) {
		within := func(v, most int) int { return 1 + int(uint(v)%uint(most)) }
		c := Conv{within(n, 45), within(h, 9), within(w, 33), within(in, 40), within(out, 70), 1 + 2*(within(kernel, 5)-1)}
		if n%2 == 0 { // channels that minimal filtering takes
			c.In, c.Out, c.Kernel = (c.In+15)/16*16, (c.Out+15)/16*16, 3
		}
		if c.work() > 1<<21 {
			return
		}
		everywhere(t, func(t *testing.T) { checkConv(t, c, n) })
	})
}

func TestLinear(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		for i, l := range []Linear{
			{1, 1, 1}, {1, 100, 10}, {2, 1, 33}, {3, 33, 1}, {32, 1100, 29}, {40, 70, 530}, {33, 15, 16}, {8, 2100, 20}, {70, 300, 300},
			{linearMany - 1, 530, 40}, {linearMany, 530, 40}, {linearMany, 1, 1}, {100, 2*linearManyBlock + 1, 29}, {97, 70, 530},
		} {
			if testing.Short() && l.N*l.In*l.Out > 1<<20 {
				continue
			}
			r := generator(i)
			nx, ny, nw := l.sizes()
			x, w, bias, dy := random(r, nx), random(r, nw), random(r, l.Out), random(r, ny)
			const tolerance = 1e-5
			reference := func(b []float32, relu bool) []float64 {
				y := make([]float64, ny)
				for i := range y {
					n, o := i/l.Out, i%l.Out
					for k := range l.In {
						y[i] += float64(x[n*l.In+k]) * float64(w[o*l.In+k])
					}
					if b != nil {
						y[i] += float64(b[o])
					}
					if relu {
						y[i] = max(y[i], 0)
					}
				}
				return y
			}
			y := make([]float32, ny)
			got := setThreads(t, func() []float32 { l.Forward(y, x, w, bias, true); return slices.Clone(y) })
			near(t, fmt.Sprintf("%+v forward, bias, ReLU", l), got, reference(bias, true), tolerance)
			l.Forward(y, x, w, nil, false)
			near(t, fmt.Sprintf("%+v forward", l), y, reference(nil, false), tolerance)

			dx, dw := make([]float32, nx), make([]float32, nw)
			wantX, wantW := make([]float64, nx), make([]float64, nw)
			for n := range l.N {
				for o := range l.Out {
					for k := range l.In {
						wantX[n*l.In+k] += float64(dy[n*l.Out+o]) * float64(w[o*l.In+k])
						wantW[o*l.In+k] += float64(dy[n*l.Out+o]) * float64(x[n*l.In+k])
					}
				}
			}
			got = setThreads(t, func() []float32 { l.DataGradient(dx, dy, w); return slices.Clone(dx) })
			near(t, fmt.Sprintf("%+v data gradient", l), got, wantX, tolerance)
			got = setThreads(t, func() []float32 { l.WeightGradient(dw, x, dy, false); return slices.Clone(dw) })
			near(t, fmt.Sprintf("%+v weight gradient", l), got, wantW, tolerance)
			l.WeightGradient(dw, x, dy, true)
			for i := range wantW {
				wantW[i] *= 2
			}
			near(t, fmt.Sprintf("%+v accumulated weight gradient", l), dw, wantW, tolerance)

			step := SGD{LearningRate: 0.1, Momentum: 0.9, WeightDecay: 0.05, Scale: 0.25}
			v := random(r, nw)
			wantV := make([]float64, nw)
			for i := range wantV {
				wantV[i] = 0.9*float64(v[i]) - 0.1*(0.25*wantW[i]/2+0.05*float64(w[i]))
				wantW[i] = float64(w[i]) + wantV[i]
			}
			got = setThreads(t, func() []float32 {
				w, v := slices.Clone(w), slices.Clone(v)
				step.StepLinear(l, w, v, x, dy)
				return slices.Concat(w, v)
			})
			near(t, fmt.Sprintf("%+v weights after a step", l), got[:nw], wantW, tolerance)
			near(t, fmt.Sprintf("%+v velocities after a step", l), got[nw:], wantV, tolerance)
		}
	})
}
