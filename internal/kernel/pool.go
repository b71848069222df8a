package kernel

import "github.com/pkg/errors"

// A Pool is max-pooling over windows of 2×2 pixels with stride 2: x is (N, H, W, C), y (N, ⌈H/2⌉, ⌈W/2⌉, C). Where a
// side is odd, the last windows have only the pixels that are in the map, as in Caffe.
type Pool struct{ N, H, W, C int }

// Validate reports a shape that the methods cannot work on.
func (p Pool) Validate() error {
	if p.N < 1 || p.H < 1 || p.W < 1 || p.C < 1 {
		return errors.Errorf("max-pooling of %d maps of %d×%d pixels, %d channels: every size must be at least 1", p.N, p.H, p.W, p.C)
	}
	return nil
}

// Pooled gives the sides of the maps of y.
func (p Pool) Pooled() (height, width int) { return ceilDiv(p.H, 2), ceilDiv(p.W, 2) }

func (p Pool) sizes() (x, y int) {
	height, width := p.Pooled()
	return p.N * p.H * p.W * p.C, p.N * height * width * p.C
}

// Forward writes the maximum of each window to y, a NaN if there is one.
func (p Pool) Forward(y, x []float32) {
	nx, ny := p.sizes()
	x, y = x[:nx:nx], y[:ny:ny]
	p.rows(func(out, in, below int) {
		whole := 0
		if below > 0 && p.W > 1 && cpu.poolForward != nil {
			whole = p.W / 2
			cpu.poolForward(&y[out], &x[in], whole, p.C, below)
		}
		p.windows(whole, func(i, j, right int) {
			i, j = out+i, in+j
			y[i] = max(x[j], x[j+right], x[j+below], x[j+below+right])
		})
	})
}

// Gradient sends each window's gradient to its first maximum in row-major order and writes zero to the rest of dx.
func (p Pool) Gradient(dx, dy, x, y []float32) {
	nx, ny := p.sizes()
	dx, dy, x, y = dx[:nx:nx], dy[:ny:ny], x[:nx:nx], y[:ny:ny]
	p.rows(func(out, in, below int) {
		whole := 0
		if below > 0 && p.W > 1 && cpu.poolGradient != nil {
			whole = p.W / 2
			cpu.poolGradient(&dx[in], &dy[out], &x[in], &y[out], whole, p.C, below)
		}
		p.windows(whole, func(i, j, right int) {
			i, j = out+i, in+j
			window := [4]int{j, j + right, j + below, j + below + right}
			for _, at := range window {
				dx[at] = 0
			}
			for _, at := range window {
				if x[at] == y[i] {
					dx[at] = dy[i]
					break
				}
			}
		})
	})
}

// rows calls f for each row of windows with its offset in the output, that of its pixels in the input, and the distance
// to the pixels below them: 0 if these are outside the map, so that the pixels stand for them too.
func (p Pool) rows(f func(out, in, below int)) {
	height, width := p.Pooled()
	line := p.W * p.C
	parallel(p.N*height, 1+elementwiseGrain/line, func(lo, hi int) {
		for row := lo; row < hi; row++ {
			top, below := row%height*2, line
			if top == p.H-1 {
				below = 0
			}
			f(row*width*p.C, (row/height*p.H+top)*line, below)
		}
	})
}

// windows calls f for each element of a row of the output, from the given window on, with its offset in the row, that
// of its window's first element in a row of the input, and the distance to the pixel on the right: 0 if that is
// outside.
func (p Pool) windows(from int, f func(out, in, right int)) {
	_, width := p.Pooled()
	for i := from * p.C; i < width*p.C; i++ {
		window, right := i/p.C, p.C
		if 2*window == p.W-1 {
			right = 0
		}
		f(i, i+window*p.C, right)
	}
}
