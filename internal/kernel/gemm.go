package kernel

import (
	"math"
	"unsafe"
)

// A tile is the matrix product that the layers are made of, a sum over runs of products with the inner dimension k:
//
//	c[i*rsc+j] = max(floor, e[i*rse+j] + Σ over runs Σ over p < k of a[run[0]+i*rsa+p*csa] * b[run[1]+p*rsb+j])
//
// for m rows i and n columns j, of which there are no more than the isa has. Runs are what a convolution's taps see of a
// picture, or a gradient's sum over lines, without a copy for each. e is added last, and may be c.
//
// In the mode update it steps from weights e with velocities c, where Σ is the gradient times minus the learning rate:
//
//	c[i*rsc+j] = momentum*c[i*rsc+j] + Σ - decay*e[i*rse+j]
//	e[i*rse+j] += c[i*rsc+j]
type tile struct {
	m, n, k                 int
	rsc, rsa, csa, rsb, rse int
	floor                   float32
	ahead                   int // floats from b to what is going to be b, a hint
	mode                    int
	momentum, decay         float32
}

// The modes of a tile.
const (
	store  = iota
	stream // store, around the cache if c is aligned
	update
)

// noFloor is the floor of a tile without ReLU.
var noFloor = float32(math.Inf(-1))

// zeros is the e, with rse = 0, of a tile to which nothing is added.
var zeros = make([]float32, 64)

// single is the runs of a plain product.
var single = [][2]int{{0, 0}}

func (t *tile) compute(c, a, b, e []float32, runs [][2]int) {
	if cpu.gemm == nil || len(runs) == 0 {
		t.computeGo(c, a, b, e, runs)
		return
	}
	// The assembly does not look at lengths: these index expressions do.
	lastA, lastB := (t.m-1)*t.rsa+(t.k-1)*t.csa, (t.k-1)*t.rsb+t.n-1
	for _, run := range runs {
		_, _, _, _ = a[run[0]], a[run[0]+lastA], b[run[1]], b[run[1]+lastB]
	}
	_, _ = c[(t.m-1)*t.rsc+t.n-1], e[(t.m-1)*t.rse+t.n-1]
	mode := t.mode
	if mode == stream && (t.n != cpu.columns || !aligned(c) || t.rsc%lineFloats != 0) {
		mode = store
	}
	cpu.gemm(&c[0], &a[0], &b[0], &e[0], &runs[0], len(runs), t.k, t.rsc, t.rsa, t.csa, t.rsb, t.rse, t.m, t.n, evenly(t.m, cpu.rows), t.ahead, mode, t.floor, t.momentum, t.decay)
}

// product is compute of a plain product, without e; it adds to c if add.
func (t *tile) product(c, a, b []float32, add bool) {
	e := zeros
	if t.rse = 0; add {
		e, t.rse = c, t.rsc
	}
	t.compute(c, a, b, e, single)
}

// lineFloats are those of a cache line, which is written around the cache as a whole or not at all.
const lineFloats = 16

// aligned says whether a slice begins on a cache line.
func aligned(s []float32) bool { return uintptr(unsafe.Pointer(&s[0]))%(4*lineFloats) == 0 }

// streaming is the least number of floats that are written around the cache: more than it could keep for a reader. Such
// writes may come late; the locked instructions with which threads tell each other that they are done wait for them.
const streaming = 1 << 22

// computeGo is the pure-Go twin of the assembly. It sums two rows of four columns at a time in registers.
func (t *tile) computeGo(c, a, b, e []float32, runs [][2]int) {
	for i := 0; i < t.m; i += 2 {
		next := min(i+1, t.m-1) // the same row twice if it is the last
		j := 0
		for ; j+4 <= t.n; j += 4 {
			var s0, s1, s2, s3, u0, u1, u2, u3 float32
			for _, run := range runs {
				x, y := a[run[0]+i*t.rsa:], a[run[0]+next*t.rsa:]
				for p := range t.k {
					v, w, z := x[p*t.csa], y[p*t.csa], b[run[1]+p*t.rsb+j:][:4]
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
			t.finish(i, j, c, e, s0, s1, s2, s3)
			if next > i {
				t.finish(next, j, c, e, u0, u1, u2, u3)
			}
		}
		for ; j < t.n; j++ {
			var s, u float32
			for _, run := range runs {
				for p := range t.k {
					z := b[run[1]+p*t.rsb+j]
					s += a[run[0]+i*t.rsa+p*t.csa] * z
					u += a[run[0]+next*t.rsa+p*t.csa] * z
				}
			}
			t.finish(i, j, c, e, s)
			if next > i {
				t.finish(next, j, c, e, u)
			}
		}
	}
}

// finish takes the sums of some columns from j on of row i to c.
func (t *tile) finish(i, j int, c, e []float32, sums ...float32) {
	c, e = c[i*t.rsc+j:][:len(sums)], e[i*t.rse+j:][:len(sums)]
	for k, s := range sums {
		if t.mode == update {
			c[k] = t.momentum*c[k] + s - t.decay*e[k]
			e[k] += c[k]
			continue
		}
		c[k] = t.bound(e[k] + s)
	}
}

// bound is max(floor, v), which keeps a NaN.
func (t *tile) bound(v float32) float32 {
	if v < t.floor {
		return t.floor
	}
	return v
}
