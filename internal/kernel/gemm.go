package kernel

import (
	"math"
	"unsafe"
)

// noFloor is the floor of a product without ReLU.
var noFloor = float32(math.Inf(-1))

// zeros is the e, with rse = 0, of a product to which nothing is added.
var zeros = make([]float32, 64)

// single is the runs of a plain product.
var single = [][2]int{{0, 0}}

// compute sets the operands and computes the product.
func (g *gemm) compute(c, a, b, e []float32, runs [][2]int) {
	g.c, g.a, g.b, g.e, g.runs = c, a, b, e, runs
	block, stream := g.block, g.stream
	if block == 0 {
		g.block = g.k
	}
	if cpu.set == pureGo || len(runs) == 0 {
		g.computeGo()
		g.block = block
		return
	}
	// The assembly does not check lengths: these index expressions do.
	lastA, lastB := (g.m-1)*g.rsa+(g.k-1)*g.csa, (g.k-1)*g.rsb+g.n-1
	for _, run := range runs {
		_, _, _, _ = a[run[0]], a[run[0]+lastA], b[run[1]], b[run[1]+lastB]
	}
	_, _ = c[(g.m-1)*g.rsc+g.n-1], e[(g.m-1)*g.rse+g.n-1]
	g.height = evenly(g.m, rowsOf(g.n))
	g.stream = stream && g.n == cpu.nr && aligned(c) && g.rsc%lineFloats == 0
	g.assembly()
	g.block, g.stream = block, stream
}

// rowsOf is the number of rows of the largest micro-tile of n columns.
func rowsOf(n int) int {
	if n <= cpu.nr/2 {
		return cpu.tallMR
	}
	return cpu.mr
}

// plain computes a plain product, without runs and e; it adds to c if add.
func (g *gemm) plain(c, a, b []float32, add bool) {
	e := zeros
	if g.rse = 0; add {
		e, g.rse = c, g.rsc
	}
	g.compute(c, a, b, e, single)
}

// lineFloats is the number of floats in a cache line, which is written around the cache as a whole or not at all.
const lineFloats = 16

// aligned reports whether a slice begins on a cache line.
func aligned(s []float32) bool { return uintptr(unsafe.Pointer(&s[0]))%(4*lineFloats) == 0 }

// computeGo is the pure-Go twin of the assembly. It sums two rows of four columns at a time in registers.
func (g *gemm) computeGo() {
	if g.block < g.k {
		g.computeBlocks()
		return
	}
	a, b := g.a, g.b
	for i := 0; i < g.m; i += 2 {
		next := min(i+1, g.m-1) // the same row twice if it is the last
		j := 0
		for ; j+4 <= g.n; j += 4 {
			var s0, s1, s2, s3, u0, u1, u2, u3 float32
			for _, run := range g.runs {
				x, y := a[run[0]+i*g.rsa:], a[run[0]+next*g.rsa:]
				for p := range g.k {
					v, w, z := x[p*g.csa], y[p*g.csa], b[run[1]+p*g.rsb+j:][:4]
					s0 += v * z[0]
					s1 += v * z[1]
					s2 += v * z[2]
					s3 += v * z[3]
					u0 += w * z[0]
					u1 += w * z[1]
					u2 += w * z[2]
					u3 += w * z[3]
				}
			}
			g.finish(i, j, s0, s1, s2, s3)
			if next > i {
				g.finish(next, j, u0, u1, u2, u3)
			}
		}
		for ; j < g.n; j++ {
			var s, u float32
			for _, run := range g.runs {
				for p := range g.k {
					z := b[run[1]+p*g.rsb+j]
					s += a[run[0]+i*g.rsa+p*g.csa] * z
					u += a[run[0]+next*g.rsa+p*g.csa] * z
				}
			}
			g.finish(i, j, s)
			if next > i {
				g.finish(next, j, u)
			}
		}
	}
}

func (g *gemm) computeBlocks() {
	part := *g
	for begin := 0; begin < g.k; begin += g.block {
		part.k, part.a, part.b, part.floor = min(g.block, g.k-begin), g.a[begin*g.csa:], g.b[begin*g.rsb:], noFloor
		if begin+part.k == g.k {
			part.floor = g.floor
		}
		part.computeGo()
		part.e, part.rse = g.c, g.rsc
	}
}

// finish takes the sums of some columns from j on of row i to c.
func (g *gemm) finish(i, j int, sums ...float32) {
	c, e := g.c[i*g.rsc+j:][:len(sums)], g.e[i*g.rse+j:][:len(sums)]
	for k, s := range sums {
		if g.update {
			c[k] = g.momentum*c[k] + s - g.decay*e[k]
			e[k] += c[k]
			continue
		}
		c[k] = g.bound(e[k] + s)
	}
}

// bound is max(floor, v), which keeps a NaN.
func (g *gemm) bound(v float32) float32 {
	if v < g.floor {
		return g.floor
	}
	return v
}
