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
	if l.N >= linearMany {
		l.forwardMany(y, x, w, bias, relu)
		return
	}
	block := max(linearForwardLeast, cacheFloats/2/l.N)
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
				d := dot{m: min(cpu.dotM, hi-o), k: size, rsc: 1, csc: l.Out, rsa: l.In, rsb: l.In}
				for n, rows := range blocks(l.N, cpu.dotN) {
					d.n = rows
					d.compute(y[n*l.Out+o:], w[o*l.In+k:], x[n*l.In+k:])
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

// forwardMany is Forward by gemm, as yᵀ = w xᵀ + bias, which has the weights on the left and so needs no copy of them.
func (l Linear) forwardMany(y, x, w, bias []float32, relu bool) {
	right := newPanels(l.In, l.N)
	defer right.release()
	for p := range right.count {
		row, n, data := right.panel(p)
		transpose(data, right.width, x[row*l.In:], l.In, n, l.In)
	}
	turned := scratch.get(l.Out * l.N)
	defer scratch.put(turned)
	parallelPieces(ceilDiv(l.Out, cpu.mr), 1, linearManyTiles, func(lo, hi int) {
		lo, hi = lo*cpu.mr, min(hi*cpu.mr, l.Out)
		for o := lo; o < hi; o++ {
			repeat(turned[o*l.N:][:l.N], bias, o)
		}
		for k, size := range blocks(l.In, linearManyBlock) {
			g := gemm{k: size, rsc: l.N, rsa: l.In, csa: 1, rsb: right.width, floor: noFloor}
			if relu && k+size == l.In {
				g.floor = 0
			}
			for o := lo; o < hi; o += cpu.mr {
				g.m = min(cpu.mr, hi-o)
				for p := range right.count {
					column, n, b := right.panel(p)
					g.n = n
					g.plain(turned[o*l.N+column:], w[o*l.In+k:], b[k*right.width:], true)
				}
			}
		}
	})
	transpose(y, l.Out, turned, l.N, l.Out, l.N)
}

// repeat sets all of a slice to element i of bias, to zero without one.
func repeat(s, bias []float32, i int) {
	if bias == nil {
		clear(s)
		return
	}
	for k := range s {
		s[k] = bias[i]
	}
}

// clamp is max(0, y), which keeps a NaN.
func clamp(y []float32) {
	for i, v := range y {
		if v < 0 {
			y[i] = 0
		}
	}
}

// DataGradient computes dx, the gradient of the input, from dy, that of the output.
// The weights are read once, in place, as the right factor of dx = dy w.
func (l Linear) DataGradient(dx, dy, w []float32) {
	block := linearDataRows
	if l.N < linearDataFew {
		block = linearDataRowsFew
	}
	nx, ny, nw := l.sizes()
	dx, dy, w = dx[:nx:nx], dy[:ny:ny], w[:nw:nw]
	parallel(ceilDiv(l.In, cpu.nr), 1, func(lo, hi int) {
		for o, size := range blocks(l.Out, block) {
			g := gemm{m: l.N, k: size, rsc: l.In, rsa: l.Out, csa: 1, rsb: l.In, floor: noFloor, ahead: linearAhead}
			for column := lo * cpu.nr; column < min(hi*cpu.nr, l.In); column += cpu.nr {
				g.n = min(cpu.nr, l.In-column)
				g.plain(dx[column:], dy[o:], w[o*l.In+column:], o > 0)
			}
		}
	})
}

// WeightGradient computes dw, the gradient of the weights, or adds it to dw if accumulate: dw = dyᵀ x, written in
// place.
func (l Linear) WeightGradient(dw, x, dy []float32, accumulate bool) {
	_, _, nw := l.sizes()
	dw = dw[:nw:nw]
	g := gemm{m: cpu.mr}
	if !accumulate && nw >= streaming {
		g.stream = true
	}
	l.weightTiles(g, x, dy, 1, func(g *gemm, at int, a, b []float32) { g.plain(dw[at:], a, b, accumulate) })
}

// StepLinear is Step for the weights w (Out, In) of a linear layer, whose gradient is computed from x and dy on the
// way, without being written to memory.
func (s SGD) StepLinear(l Linear, w, v, x, dy []float32) {
	_, _, nw := l.sizes()
	w, v = w[:nw:nw], v[:nw:nw]
	rows := cpu.mr
	if l.N < stepFew {
		rows = min(rows, stepRowsFew)
	}
	g := gemm{m: rows, update: true, rse: l.In, momentum: s.Momentum, decay: s.LearningRate * s.WeightDecay}
	l.weightTiles(g, x, dy, -s.LearningRate*s.Scale, func(g *gemm, at int, a, b []float32) {
		g.compute(v[at:], a, b, w[at:], single)
	})
}

// weightTiles calls f for blocks of the weight gradient times factor, g.m rows and a panel wide, with where each begins
// in the weights and with its operands.
func (l Linear) weightTiles(g gemm, x, dy []float32, factor float32, f func(g *gemm, at int, a, b []float32)) {
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
	g.k, g.rsc, g.rsa, g.csa, g.rsb, g.floor = l.N, l.In, 1, l.Out, right.width, noFloor
	rows := g.m
	parallel(ceilDiv(l.Out, rows), 1, func(lo, hi int) {
		g := g
		for first := 0; first < right.count; first += block {
			for o := lo * rows; o < min(hi*rows, l.Out); o += rows {
				g.m = min(rows, l.Out-o)
				for p := first; p < min(first+block, right.count); p++ {
					column, n, b := right.panel(p)
					g.n = n
					f(&g, o*l.In+column, dy[o:], b)
				}
			}
		}
	})
}
