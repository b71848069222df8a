package kernel

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// at is element i of y without bias and ReLU, in float64.
func (d Dense) at(i int, x, w []float32) (sum float64) {
	c, o, place := d.conv(), i%d.Out, i/d.Out
	n, row, column := place/d.Count(), place%d.Count()/c.W, place%c.W
	for channel := range d.C {
		for k := range d.Size * d.Size {
			pixel := (n*d.H+row+k/d.Size)*d.W + column + k%d.Size
			sum += float64(x[pixel*d.C+channel]) * float64(w[(o*d.C+channel)*d.Size*d.Size+k])
		}
	}
	return sum
}

// TestDense compares minimal filtering with its definition, on maps with one window, with one row of them, and with
// tiles that are not whole.
func TestDense(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		r := generator(1)
		shapes := []Dense{{Windows{1, 7, 7, 1, 7}, 1}, {Windows{2, 7, 12, 3, 7}, 5}, {Windows{1, 13, 14, 130, 7}, 600}}
		for range 20 {
			size := denseLeast + r.IntN(denseMost-denseLeast+1)
			shapes = append(shapes, Dense{Windows{1 + r.IntN(3), size + r.IntN(6), size + r.IntN(6), 1 + r.IntN(70), size}, 1 + r.IntN(70)})
		}
		for _, d := range shapes {
			if testing.Short() && d.C*d.Out > 5000 {
				continue
			}
			nx, ny, nw := d.N*d.H*d.W*d.C, d.N*d.Count()*d.Out, d.Out*d.C*d.Size*d.Size
			x, w, bias := random(r, nx), random(r, nw), random(r, d.Out)
			want := make([]float64, ny)
			for i := range want {
				want[i] = max(0, d.at(i, x, w)+float64(bias[i%d.Out]))
			}
			y, prepared := make([]float32, ny), make([]float32, d.Filters().Size())
			got := setThreads(t, func() []float32 {
				d.Filters().Prepare(prepared, w)
				d.ForwardPrepared(y, x, prepared, bias, true)
				return slices.Clone(y)
			})
			near(t, fmt.Sprintf("%+v", d), got, want, 1e-4)
		}
	})
}

// TestDenseAccuracy measures the error of fc6 on data of variance 1, as TestAccuracy does.
func TestDenseAccuracy(t *testing.T) {
	d := Dense{Windows{1, 12, 13, 512, 7}, 64}
	r := generator(1)
	x, w := random(r, d.N*d.H*d.W*d.C), random(r, d.Out*d.C*d.Size*d.Size)
	y, prepared := make([]float32, d.N*d.Count()*d.Out), make([]float32, d.Filters().Size())
	d.Filters().Prepare(prepared, w)
	d.ForwardPrepared(y, x, prepared, nil, false)
	worst, squares := 0.0, 0.0
	for range 500 {
		i := r.IntN(len(y))
		e := d.at(i, x, w)
		worst = max(worst, math.Abs(float64(y[i])-e))
		squares += e * e / 500
	}
	worst /= math.Sqrt(squares)
	if t.Logf("%+v: %.1e", d, worst); worst > 1e-4 {
		t.Errorf("relative error %.1e, want at most 1e-4", worst)
	}
}

// TestDensePays: minimal filtering is for windows that share products, and not for VGG_CONV=direct.
func TestDensePays(t *testing.T) {
	defer func(saved string) { algorithm = saved }(algorithm)
	for _, c := range []struct {
		algorithm string
		d         Dense
		want      bool
	}{
		{fastest, Dense{Windows{16, 7, 7, 512, 7}, 4096}, false}, // a window a picture
		{fastest, Dense{Windows{2, 24, 32, 512, 7}, 4096}, true},
		{winograd2, Dense{Windows{2, 24, 32, 512, 7}, 4096}, true},
		{direct, Dense{Windows{2, 24, 32, 512, 7}, 4096}, false},
		{fastest, Dense{Windows{2, 24, 32, 4, 7}, 4096}, false}, // few channels
		{fastest, Dense{Windows{2, 24, 32, 512, 3}, 4096}, false},
		{fastest, Dense{Windows{2, 24, 32, 512, 8}, 4096}, false},
	} {
		if algorithm = c.algorithm; c.d.Pays() != c.want {
			t.Errorf("%q, %+v: %t, want %t", c.algorithm, c.d, !c.want, c.want)
		}
	}
}
