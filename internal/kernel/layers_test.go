package kernel

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// lengths has the edges of the vectors and a length that goes to several threads.
var lengths = []int{1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 5*elementwiseGrain + 13}

func exactly(t *testing.T, name string, got []float32, want func(i int) float32) {
	t.Helper()
	for i, v := range got {
		if w := want(i); math.Float32bits(v) != math.Float32bits(w) {
			t.Fatalf("%s: element %d of %d is %g, want %g", name, i, len(got), v, w)
		}
	}
}

func TestReLUGradient(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		for _, n := range lengths {
			r := generator(n)
			dy, y := random(r, n), random(r, n)
			y[n/2], y[n/3] = 0, float32(math.NaN())
			want := func(i int) float32 {
				if y[i] > 0 {
					return dy[i]
				}
				return 0
			}
			dx := random(r, n+1)
			guard := dx[n]
			exactly(t, "ReLU gradient", setThreads(t, func() []float32 { ReLUGradient(dx[:n], dy, y); return slices.Clone(dx[:n]) }), want)
			if dx[n] != guard {
				t.Fatalf("ReLU gradient of %d elements wrote beyond", n)
			}
			alias := slices.Clone(dy)
			ReLUGradient(alias, alias, y)
			exactly(t, "ReLU gradient in place", alias, want)
		}
	})
}

func TestAdd(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		for _, n := range lengths {
			r := generator(n)
			a, b := random(r, n), random(r, n)
			exactly(t, "sum", setThreads(t, func() []float32 { c := slices.Clone(a); Add(c, b); return c }), func(i int) float32 { return a[i] + b[i] })
		}
	})
}

// TestAddScaled: one rounding or two of each element, and nothing beyond.
func TestAddScaled(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		AddScaled(nil, nil, 2)
		for _, n := range lengths {
			r := generator(n)
			dst, src, factor := random(r, n+1), random(r, n), float32(r.NormFloat64())
			want := make([]float64, n)
			for i, v := range src {
				want[i] = float64(dst[i]) + float64(factor)*float64(v)
			}
			guard := dst[n]
			AddScaled(dst[:n], src, factor)
			near(t, "sum with a factor", dst[:n], want, 1e-6)
			if dst[n] != guard {
				t.Fatalf("AddScaled of %d elements wrote beyond", n)
			}
		}
	})
}

func TestBiasGradient(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		for _, shape := range [][2]int{{1, 1}, {5, 3}, {100, 64}, {1, 2000}, {7, 1025}, {300000, 3}, {5000, 130}} {
			rows, columns := shape[0], shape[1]
			r := generator(rows)
			dy, db := random(r, rows*columns), random(r, columns)
			want := make([]float64, columns)
			for i, v := range dy {
				want[i%columns] += float64(v)
			}
			near(t, "bias gradient", setThreads(t, func() []float32 { BiasGradient(db, dy, false); return slices.Clone(db) }), want, 1e-5)
			BiasGradient(db, dy, true)
			for i := range want {
				want[i] *= 2
			}
			near(t, "accumulated bias gradient", db, want, 1e-5)
		}
	})
}

func TestSGD(t *testing.T) {
	s := SGD{LearningRate: 0.1, Momentum: 0.9, WeightDecay: 0.05, Scale: 0.25}
	everywhere(t, func(t *testing.T) {
		for _, n := range lengths {
			r := generator(n)
			w, v, g := random(r, n), random(r, n), random(r, n)
			wantW, wantV := make([]float64, n), make([]float64, n)
			for i := range n {
				wantV[i] = 0.9*float64(v[i]) - 0.1*(0.25*float64(g[i])+0.05*float64(w[i]))
				wantW[i] = float64(w[i]) + wantV[i]
			}
			for _, s.Keep = range []bool{false, true} {
				result := setThreads(t, func() []float32 {
					w, v, g := slices.Clone(w), slices.Clone(v), slices.Clone(g)
					s.Step(w, v, g)
					return slices.Concat(w, v, g)
				})
				near(t, "weights", result[:n], wantW, 1e-6)
				near(t, "velocity", result[n:2*n], wantV, 1e-6)
				exactly(t, "gradient", result[2*n:], func(i int) float32 {
					if s.Keep {
						return g[i]
					}
					return 0
				})
			}
		}
	})
}

func TestPool(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		shapes := []Pool{
			{1, 2, 2, 1}, {2, 4, 6, 3}, {1, 2, 8, 16}, {3, 6, 2, 37}, {5, 32, 34, 20},
			{1, 1, 1, 1}, {3, 1, 1, 17}, {2, 1, 9, 5}, {2, 7, 1, 33}, {1, 2, 1, 8}, {1, 1, 2, 8}, {2, 3, 3, 16}, {5, 31, 33, 20},
		}
		sizes := generator(0)
		for range 30 {
			shapes = append(shapes, Pool{1 + sizes.IntN(3), 1 + sizes.IntN(12), 1 + sizes.IntN(12), 1 + sizes.IntN(40)})
		}
		for seed, p := range shapes {
			if err := p.Validate(); err != nil {
				t.Fatal(err)
			}
			r := generator(seed)
			nx, ny := p.sizes()
			x, dy := random(r, nx), random(r, ny)
			for i := range x {
				x[i] = float32(math.Round(float64(2 * x[i]))) // many equal maxima
			}
			first := make([]int, ny) // maximum of each window
			wantX := make([]float32, nx)
			for i := range first {
				c, pixel := i%p.C, i/p.C
				height, width := p.Pooled()
				column, row, n := pixel%width, pixel/width%height, pixel/width/height
				first[i] = -1
				for _, at := range [][2]int{{0, 0}, {0, 1}, {1, 0}, {1, 1}} {
					h, w := 2*row+at[0], 2*column+at[1]
					if h >= p.H || w >= p.W {
						continue
					}
					j := ((n*p.H+h)*p.W+w)*p.C + c
					if first[i] < 0 || x[j] > x[first[i]] {
						first[i] = j
					}
				}
				wantX[first[i]] = dy[i]
			}
			y, dx := make([]float32, ny), random(r, nx)
			near64 := make([]float64, ny)
			for i, j := range first {
				near64[i] = float64(x[j])
			}
			near(t, "maxima", setThreads(t, func() []float32 { p.Forward(y, x); return slices.Clone(y) }), near64, 0)
			exactly(t, "gradient", setThreads(t, func() []float32 { p.Gradient(dx, dy, x, y); return slices.Clone(dx) }), func(i int) float32 { return wantX[i] })
			for i, j := range first {
				window := x[j]
				x[j] = float32(math.NaN())
				p.Forward(y, x)
				if y[i] == y[i] {
					t.Fatalf("%+v: the maximum of window %d is %g, want the NaN in it", p, i, y[i])
				}
				x[j] = window
				if i > 10 {
					break
				}
			}
		}
	})
}

func TestLRN(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		for seed, l := range []LRN{
			{1, 1, 5, 1e-4, 0.75, 2}, {7, 64, 5, 1e-4, 0.75, 2}, {300, 37, 5, 0.1, 0.75, 1}, {3, 4, 9, 0.2, 0.5, 2}, {5, 20, 4, 0.2, 0.75, 2}, {9, 16, 1, 0.3, 1, 1},
		} {
			if err := l.Validate(); err != nil {
				t.Fatal(err)
			}
			r := generator(seed)
			n := l.Rows * l.Channels
			x, dy := random(r, n), random(r, n)
			wantY, wantX := make([]float64, n), make([]float64, n)
			for row := range l.Rows {
				a, up := x[row*l.Channels:][:l.Channels], dy[row*l.Channels:][:l.Channels]
				for i := range a {
					lo, hi := max(0, i-l.Size/2), min(l.Channels, i-l.Size/2+l.Size)
					s := float64(l.K)
					for j := lo; j < hi; j++ {
						s += float64(l.Alpha) * float64(a[j]) * float64(a[j])
					}
					p := math.Pow(s, -float64(l.Beta))
					wantY[row*l.Channels+i] = float64(a[i]) * p
					wantX[row*l.Channels+i] += float64(up[i]) * p
					for j := lo; j < hi; j++ {
						wantX[row*l.Channels+j] -= float64(up[i]) * float64(a[i]) * float64(l.Beta) * p / s * 2 * float64(l.Alpha) * float64(a[j])
					}
				}
			}
			y, dx := make([]float32, n), make([]float32, n)
			near(t, "normalised", setThreads(t, func() []float32 { l.Forward(y, x); return slices.Clone(y) }), wantY, 2e-6)
			near(t, "gradient", setThreads(t, func() []float32 { l.Gradient(dx, dy, x); return slices.Clone(dx) }), wantX, 2e-6)
		}
	})
}

func TestLayout(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		for seed, s := range [][4]int{{1, 1, 1, 1}, {2, 3, 5, 7}, {1, 17, 4, 8}, {3, 64, 9, 9}, {1, 3, 100, 90}, {2, 130, 2, 2}} {
			n, c, h, w := s[0], s[1], s[2], s[3]
			x := random(generator(seed), n*c*h*w)
			want := make([]float32, len(x))
			for i := range n {
				for j := range c {
					for k := range h * w {
						want[(i*h*w+k)*c+j] = x[(i*c+j)*h*w+k]
					}
				}
			}
			y, z := make([]float32, len(x)), make([]float32, len(x))
			exactly(t, "NHWC", setThreads(t, func() []float32 { ToNHWC(y, x, n, c, h, w); return y }), func(i int) float32 { return want[i] })
			exactly(t, "NCHW", setThreads(t, func() []float32 { ToNCHW(z, y, n, c, h, w); return z }), func(i int) float32 { return x[i] })
		}
	})
}

func TestValidate(t *testing.T) {
	for _, bad := range []interface{ Validate() error }{
		Conv{0, 1, 1, 1, 1, 3}, Conv{1, 1, 1, 1, 1, 2}, Conv{1, 1, 1, 1, 1, 0}, Conv{1, 1, 1, 1, 1, -3}, Conv{1, 1, 1, -1, 1, 3},
		Linear{1, 0, 1}, Pool{0, 3, 2, 1}, Pool{1, 0, 5, 1}, Pool{1, 2, 0, 1}, Pool{1, 2, 2, 0},
		LRN{1, 1, 0, 1, 1, 1}, LRN{1, 1, 5, 1e-4, 0.75, 0}, LRN{1, 1, 5, -1, 0.75, 1},
	} {
		if bad.Validate() == nil {
			t.Errorf("%+v is accepted", bad)
		}
	}
}

func TestPeak(t *testing.T) {
	if rate := Peak(0.01); !(rate > 1e8) {
		t.Errorf("peak of %g FLOP/s", rate)
	}
}

// TestTransposition compares with the pure-Go twin, on rows and columns in any order with gaps between them.
func TestTransposition(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		r := generator(1)
		for range 300 {
			rows, columns, add := 1+r.IntN(40), 1+r.IntN(40), r.IntN(2) == 0
			x := transposition{from: r.Perm(rows), to: r.Perm(columns), add: add}
			for i := range x.from {
				x.from[i] *= columns + 3
			}
			for j := range x.to {
				x.to[j] *= rows + 5
			}
			src, got := random(r, rows*(columns+3)), random(r, columns*(rows+5))
			want := slices.Clone(got)
			x.run(got, src)
			x.runGo(want, src)
			exactly(t, fmt.Sprintf("%d×%d, add %t", rows, columns, add), got, func(i int) float32 { return want[i] })
		}
	})
}
