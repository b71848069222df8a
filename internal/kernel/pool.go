package kernel

import "github.com/pkg/errors"

// A Pool is max-pooling over windows of 2×2 pixels with stride 2: x is (N, H, W, C), y (N, H/2, W/2, C).
type Pool struct{ N, H, W, C int }

// Validate reports a shape that the methods cannot work on.
func (p Pool) Validate() error {
	if p.N < 1 || p.H < 1 || p.W < 1 || p.C < 1 {
		return errors.Errorf("max-pooling of %d maps of %d×%d pixels, %d channels: every size must be at least 1", p.N, p.H, p.W, p.C)
	}
	if p.H%2 != 0 || p.W%2 != 0 {
		return errors.Errorf("max-pooling of a map of %d×%d pixels: both sides must be even", p.H, p.W)
	}
	return nil
}

func (p Pool) sizes() (x, y int) {
	n := p.N * p.H * p.W * p.C
	return n, n / 4
}

// Forward writes the maximum of each window to y, a NaN if there is one.
func (p Pool) Forward(y, x []float32) {
	nx, ny := p.sizes()
	x, y = x[:nx:nx], y[:ny:ny]
	line := p.W * p.C
	p.rows(func(out, in int) {
		if cpu.poolForward != nil {
			cpu.poolForward(&y[out], &x[in], p.W/2, p.C, line)
			return
		}
		p.window(func(i, j int) {
			i, j = out+i, in+j
			y[i] = max(x[j], x[j+p.C], x[j+line], x[j+line+p.C])
		})
	})
}

// Gradient sends each window's gradient to its first maximum in row-major order and writes zero to the rest of dx.
func (p Pool) Gradient(dx, dy, x, y []float32) {
	nx, ny := p.sizes()
	dx, dy, x, y = dx[:nx:nx], dy[:ny:ny], x[:nx:nx], y[:ny:ny]
	line := p.W * p.C
	p.rows(func(out, in int) {
		if cpu.poolGradient != nil {
			cpu.poolGradient(&dx[in], &dy[out], &x[in], &y[out], p.W/2, p.C, line)
			return
		}
		p.window(func(i, j int) {
			i, j = out+i, in+j
			left := dy[i]
			for _, at := range [4]int{j, j + p.C, j + line, j + line + p.C} {
				dx[at] = 0
				if x[at] == y[i] {
					dx[at], left = left, 0
				}
			}
		})
	})
}

// rows calls f with the offset of each row of the output and that of the two rows of the input that it covers.
func (p Pool) rows(f func(out, in int)) {
	line := p.W * p.C
	parallel(p.N*p.H/2, 1+elementwiseGrain/line, func(lo, hi int) {
		for row := lo; row < hi; row++ {
			f(row*line/2, row*line*2)
		}
	})
}

// window calls f for each element of an output row with its offset and that of its window's first element.
func (p Pool) window(f func(out, in int)) {
	for i := range p.W / 2 * p.C {
		f(i, i+i/p.C*p.C)
	}
}
