package kernel

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// TestTransforms compares the assembly of each transform with its twin.
func TestTransforms(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		const n = 48
		for _, f := range []*winograd{winogradF7(), winogradF5(), winogradF4(), winogradF2()} {
			r := generator(f.m)
			tolerance := 1e-5
			if f.m == 7 {
				tolerance = 2e-5 // the sixth power of its largest point is 64, and terms of that size cancel
			}
			src, bias := grid{random(r, 9*540), 540, 60}, random(r, n)
			for i, s := range []transform{f.input, f.filter, f.outputGradient, f.filterGradient} {
				dst := grid{random(r, 9*495), 495, 55}
				twin := grid{slices.Clone(dst.data), 495, 55}
				s.run(dst, src, n)
				s.runGo(twin, src, n)
				same(t, fmt.Sprintf("F(%d×%[1]d), transform %d", f.m, i), dst.data, twin.data, tolerance)
			}
			dst := grid{random(r, 9*495), 495, 55}
			twin := grid{slices.Clone(dst.data), 495, 55}
			f.transformOutput(dst, src, bias, n, 0.25)
			f.transformOutputGo(twin, src, bias, n, 0.25)
			same(t, fmt.Sprintf("F(%d×%[1]d), output", f.m), dst.data, twin.data, tolerance)
			if f.filterStream.assembly != nil {
				to := func() grid { return grid{make([]float32, 1<<16)[:9*9*64], 9 * 64, 64} } // on a page
				dst, cached := to(), to()
				f.filterStream.run(dst, src, n)
				f.filter.run(cached, src, n)
				exactly(t, fmt.Sprintf("F(%d×%[1]d), filter around the cache", f.m), dst.data, func(i int) float32 { return cached.data[i] })
			}
			src.data[0] = float32(math.NaN())
			if f.transformOutput(dst, src, bias, n, 0.25); dst.data[0] == dst.data[0] {
				t.Errorf("F(%d×%[1]d): a NaN becomes %g", f.m, dst.data[0])
			}
		}
	})
}

// same compares with what the twin computes, which rounds less often.
func same(t *testing.T, name string, got, want []float32, tolerance float64) {
	t.Helper()
	for i, w := range want {
		if !(math.Abs(float64(got[i]-w)) <= tolerance*(1+math.Abs(float64(w)))) {
			t.Fatalf("%s: element %d is %g, the twin has %g", name, i, got[i], w)
		}
	}
}

// TestAccuracy measures the error of all three passes over the channel counts of all layers of the paper's nets, on
// data of variance 1: the largest difference from a convolution in float64, relative to the root mean square.
func TestAccuracy(t *testing.T) {
	defer func(saved string) { algorithm = saved }(algorithm)
	for _, c := range []Conv{
		{2, 8, 8, 3, 64, 3}, {2, 8, 8, 64, 64, 3}, {2, 8, 8, 64, 128, 3}, {2, 8, 8, 128, 128, 3}, {2, 8, 8, 128, 256, 3},
		{2, 8, 8, 256, 256, 3}, {2, 8, 8, 256, 512, 3}, {2, 8, 8, 512, 512, 3}, {2, 8, 8, 256, 256, 1}, {2, 8, 8, 512, 512, 1},
	} {
		if testing.Short() && c.In*c.Out > 64*64 {
			continue
		}
		r := generator(c.In)
		nx, ny, nw := c.sizes()
		x, w, dy := random(r, nx), random(r, nw), random(r, ny)
		for _, way := range []struct {
			algorithm string
			tolerance float64
		}{{direct, 1e-5}, {winograd2, 1e-4}, {winograd4, 1e-4}, {winograd5, 1e-4}, {winograd7, 1e-4}} {
			algorithm = way.algorithm
			if algorithm != direct && c.winograd(false) == nil {
				continue
			}
			y, dx, dw := make([]float32, ny), make([]float32, nx), make([]float32, nw)
			c.Forward(y, x, w, nil, false)
			c.DataGradient(dx, dy, w, nil)
			c.WeightGradient(dw, x, dy, false)
			forward, data, weight := c.worst(y, x, w, dy, dx, dw)
			t.Logf("%d to %d channels, %d×%[3]d, %s: forward %.1e, data gradient %.1e, weight gradient %.1e", c.In, c.Out, c.Kernel, algorithm, forward, data, weight)
			if worst := max(forward, data, weight); worst > way.tolerance {
				t.Errorf("relative error %.1e, want at most %.0e", worst, way.tolerance)
			}
		}
	}
}

// TestFiltering: a layer has the tiles that suit its maps, but narrow layers and small maps have those that they had before,
// whose bits are to stay.
func TestFiltering(t *testing.T) {
	defer func(saved string) { algorithm = saved }(algorithm)
	algorithm = fastest
	everywhere(t, func(t *testing.T) {
		if cpu.set == pureGo {
			return
		}
		for _, c := range []struct {
			Conv
			want int
		}{
			{Conv{8, 224, 224, 64, 64, 3}, 7}, {Conv{8, 112, 112, 64, 128, 3}, 7}, {Conv{1, 112, 112, 128, 128, 3}, 7},
			{Conv{8, 56, 56, 256, 256, 3}, 7}, {Conv{8, 28, 28, 512, 512, 3}, 7}, {Conv{8, 14, 14, 512, 512, 3}, 7},
			{Conv{1, 14, 14, 512, 512, 3}, 5}, {Conv{8, 12, 12, 512, 512, 3}, 4}, {Conv{8, 10, 10, 512, 512, 3}, 5}, {Conv{8, 24, 24, 128, 128, 3}, 4}, {Conv{8, 32, 32, 64, 64, 3}, 4},
			{Conv{8, 224, 224, 32, 64, 3}, 4}, {Conv{8, 64, 64, 16, 16, 3}, 4}, {Conv{8, 224, 224, 3, 64, 3}, 0}, {Conv{8, 56, 56, 128, 128, 1}, 0},
		} {
			if got := c.Filters().Minimal; got != c.want {
				t.Errorf("%+v: F(%d×%[2]d), want F(%d×%[3]d)", c.Conv, got, c.want)
			}
		}
	})
}

// worst gives the largest relative error of each pass, over a sample of the elements.
func (c Conv) worst(y, x, w, dy, dx, dw []float32) (forward, data, weight float64) {
	const samples = 1500
	compare := func(got []float32, exact func(i int) float64) float64 {
		r := generator(len(got))
		worst, squares := 0.0, 0.0
		for range samples {
			i := r.IntN(len(got))
			e := exact(i)
			worst = max(worst, math.Abs(float64(got[i])-e))
			squares += e * e / samples
		}
		return worst / math.Sqrt(squares)
	}
	pad := c.Kernel / 2
	// tap calls f with the pixel that tap k of a pixel sees.
	tap := func(pixel, sign int, f func(k, other int)) {
		n, h, v := pixel/(c.H*c.W), pixel/c.W%c.H, pixel%c.W
		for k := range c.Kernel * c.Kernel {
			hh, vv := h+sign*(k/c.Kernel-pad), v+sign*(k%c.Kernel-pad)
			if hh >= 0 && hh < c.H && vv >= 0 && vv < c.W {
				f(k, (n*c.H+hh)*c.W+vv)
			}
		}
	}
	area := c.Kernel * c.Kernel
	forward = compare(y, func(i int) (sum float64) {
		o := i % c.Out
		tap(i/c.Out, 1, func(k, other int) {
			for in := range c.In {
				sum += float64(x[other*c.In+in]) * float64(w[(o*c.In+in)*area+k])
			}
		})
		return sum
	})
	data = compare(dx, func(i int) (sum float64) {
		in := i % c.In
		tap(i/c.In, -1, func(k, other int) {
			for o := range c.Out {
				sum += float64(dy[other*c.Out+o]) * float64(w[(o*c.In+in)*area+k])
			}
		})
		return sum
	})
	weight = compare(dw, func(i int) (sum float64) {
		o, in, k := i/area/c.In, i/area%c.In, i%area
		for pixel := range c.N * c.H * c.W {
			tap(pixel, 1, func(seen, other int) {
				if seen == k {
					sum += float64(dy[pixel*c.Out+o]) * float64(x[other*c.In+in])
				}
			})
		}
		return sum
	})
	return forward, data, weight
}

// TestPoints: no other choice of the points of F(7×7, 3×3), each with its negative and without 0, errs much less.
func TestPoints(t *testing.T) {
	paired := func(p ...float64) (points []float64) {
		for _, v := range p {
			points = append(points, v, -v)
		}
		return points
	}
	for m, points := range map[int][]float64{4: {0, 1, -1, 2, -2}, 5: paired(3.0/8, 7.0/8, 7.0/4), 6: {0, 1, -1, 2, -2, 0.5, -0.5}} {
		t.Logf("F(%d×%[1]d, 3×3): %.0f", m, growth(m, points))
	}
	chosen := []float64{1.0 / 4, 23.0 / 32, 35.0 / 32, 2}
	least := growth(7, paired(chosen...))
	t.Logf("F(7×7, 3×3): %.0f", least)
	r := generator(7)
	for range 20000 {
		other := slices.Clone(chosen)
		for i := range other {
			other[i] *= math.Exp(r.NormFloat64() / 4)
		}
		if g := growth(7, paired(other...)); g < 0.98*least {
			t.Errorf("with ±%.4f errors grow %.0f times, with ±%.4f %.0f times", other, g, chosen, least)
		}
	}
}

// growth is how much F(m×m, 3×3) multiplies the rounding errors of its products, relative to those of a direct
// convolution: for random data, the root mean square of the worst output of a tile, or weight of a filter's gradient.
func growth(m int, points []float64) float64 {
	input, filter, output := toomCook(m, 3, points)
	square := func(row []float64) (sum float64) {
		for _, v := range row {
			sum += v * v
		}
		return sum
	}
	// worst is that of results by the matrix to, from products of V with what the matrix from makes of the other data.
	worst := func(to, from [][]float64, terms int) (worst float64) {
		for _, row := range to {
			sum := 0.0
			for i, v := range row {
				sum += v * v * square(input[i]) * square(from[i])
			}
			worst = max(worst, sum/float64(terms))
		}
		return worst
	}
	return max(worst(output, filter, 3), worst(transposed(filter), transposed(output), m))
}
