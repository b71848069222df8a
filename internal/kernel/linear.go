package kernel

import "github.com/pkg/errors"

// A Linear is a fully connected layer: x is (N, In), y (N, Out), w (Out, In), bias (Out).
type Linear struct{ N, In, Out int }

// Validate reports a shape that the methods cannot work on.
func (l Linear) Validate() error {
	if l.N < 1 || l.In < 1 || l.Out < 1 {
		return errors.Errorf("linear layer of %d rows, %d to %d features: every size must be at least 1", l.N, l.In, l.Out)
	}
	return nil
}

func (l Linear) sizes() (x, y, w int) { return l.N * l.In, l.N * l.Out, l.Out * l.In }

// Forward computes y = x wᵀ + bias, and max(0, y) if relu. A nil bias is zero. The weights are read once, in place.
func (l Linear) Forward(y, x, w, bias []float32, relu bool) {
	nx, ny, nw := l.sizes()
	x, y, w = x[:nx:nx], y[:ny:ny], w[:nw:nw]
	block := max(256, cacheFloats/2/l.N)
	parallel(ceilDiv(l.Out, cpu.dotM), 1, func(lo, hi int) {
		lo, hi = lo*cpu.dotM, min(hi*cpu.dotM, l.Out)
		for n := range l.N {
			if row := y[n*l.Out:][lo:hi]; bias != nil {
				copy(row, bias[lo:hi])
			} else {
				clear(row)
			}
		}
		for k, size := range blocks(l.In, block) {
			for o := lo; o < hi; o += cpu.dotM {
				p := products{m: min(cpu.dotM, hi-o), k: size, rsc: 1, csc: l.Out, rsa: l.In, rsb: l.In}
				for n, rows := range blocks(l.N, cpu.dotN) {
					p.n = rows
					p.compute(y[n*l.Out+o:], w[o*l.In+k:], x[n*l.In+k:])
				}
			}
		}
		if relu {
			for n := range l.N {
				clamp(y[n*l.Out:][lo:hi])
			}
		}
	})
}

// clamp is max(0, y), which keeps a NaN.
func clamp(y []float32) {
	for i, v := range y {
		if v < 0 {
			y[i] = 0
		}
	}
}

// products are those of m rows of a with n rows of b, no more than the isa has:
//
//	c[i*rsc+j*csc] += Σ over p < k of a[i*rsa+p] * b[j*rsb+p]
type products struct{ m, n, k, rsc, csc, rsa, rsb int }

func (p products) compute(c, a, b []float32) {
	if cpu.dot == nil {
		p.computeGo(c, a, b)
		return
	}
	// The assembly does not look at lengths: these index expressions do.
	_, _, _ = c[(p.m-1)*p.rsc+(p.n-1)*p.csc], a[(p.m-1)*p.rsa+p.k-1], b[(p.n-1)*p.rsb+p.k-1]
	cpu.dot(&c[0], &a[0], &b[0], p.k, p.rsc, p.csc, p.rsa, p.rsb, p.m, p.n)
}

// computeGo is the pure-Go twin of the assembly.
func (p products) computeGo(c, a, b []float32) {
	for i := range p.m {
		for j := range p.n {
			u, v := a[i*p.rsa:][:p.k], b[j*p.rsb:][:p.k]
			var s float32
			for q := range u {
				s += u[q] * v[q]
			}
			c[i*p.rsc+j*p.csc] += s
		}
	}
}

// DataGradient computes dx, the gradient of the input, from dy, that of the output.
// The weights are read once, in place, as the right factor of dx = dy w.
func (l Linear) DataGradient(dx, dy, w []float32) {
	// Few products a weight: what counts is to read a few rows from end to end. With more, dx is written less often.
	block, ahead := 256, 256
	if l.N < 4 {
		block = 8
	}
	nx, ny, nw := l.sizes()
	dx, dy, w = dx[:nx:nx], dy[:ny:ny], w[:nw:nw]
	parallel(ceilDiv(l.In, cpu.nr), 1, func(lo, hi int) {
		for o, size := range blocks(l.Out, block) {
			t := gemm{m: l.N, k: size, rsc: l.In, rsa: l.Out, csa: 1, rsb: l.In, floor: noFloor, ahead: ahead}
			for column := lo * cpu.nr; column < min(hi*cpu.nr, l.In); column += cpu.nr {
				t.n = min(cpu.nr, l.In-column)
				t.plain(dx[column:], dy[o:], w[o*l.In+column:], o > 0)
			}
		}
	})
}

// WeightGradient computes dw, the gradient of the weights, or adds it to dw if accumulate: dw = dyᵀ x, written in place.
func (l Linear) WeightGradient(dw, x, dy []float32, accumulate bool) {
	_, _, nw := l.sizes()
	dw = dw[:nw:nw]
	t := gemm{m: cpu.mr}
	if !accumulate && nw >= streaming {
		t.stream = true
	}
	l.weightTiles(t, x, dy, 1, func(t *gemm, at int, a, b []float32) { t.plain(dw[at:], a, b, accumulate) })
}

// StepLinear is Step for the weights w (Out, In) of a linear layer, whose gradient is computed from x and dy on the way and
// written nowhere.
func (s SGD) StepLinear(l Linear, w, v, x, dy []float32) {
	_, _, nw := l.sizes()
	w, v = w[:nw:nw], v[:nw:nw]
	rows := cpu.mr
	if l.N < 32 {
		rows = min(rows, 7) // what counts is to go on with few rows of weights and velocities at a time
	}
	t := gemm{m: rows, update: true, rse: l.In, momentum: s.Momentum, decay: s.LearningRate * s.WeightDecay}
	l.weightTiles(t, x, dy, -s.LearningRate*s.Scale, func(t *gemm, at int, a, b []float32) {
		t.compute(v[at:], a, b, w[at:], single)
	})
}

// weightTiles gives f the tiles of the weight gradient times factor, and where each begins in the weights.
func (l Linear) weightTiles(t gemm, x, dy []float32, factor float32, f func(t *gemm, at int, a, b []float32)) {
	nx, ny, _ := l.sizes()
	x, dy = x[:nx:nx], dy[:ny:ny]
	right := newPanels(l.N, l.In)
	defer right.release()
	parallel(right.count, 1+elementwiseGrain/(l.N*right.width), func(lo, hi int) {
		for p := lo; p < hi; p++ {
			column, n, data := right.panel(p)
			copyRows(data, right.width, x[column:], l.In, l.N, n)
			if factor != 1 {
				multiply(data, factor)
			}
		}
	})
	block := max(1, cacheFloats/2/(l.N*right.width)) // of panels
	t.k, t.rsc, t.rsa, t.csa, t.rsb, t.floor = l.N, l.In, 1, l.Out, right.width, noFloor
	rows := t.m
	parallel(ceilDiv(l.Out, rows), 1, func(lo, hi int) {
		t := t
		for first := 0; first < right.count; first += block {
			for o := lo * rows; o < min(hi*rows, l.Out); o += rows {
				t.m = min(rows, l.Out-o)
				for p := first; p < min(first+block, right.count); p++ {
					column, n, b := right.panel(p)
					t.n = n
					f(&t, o*l.In+column, dy[o:], b)
				}
			}
		}
	})
}
