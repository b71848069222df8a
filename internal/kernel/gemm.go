package kernel

import "math"

// A tile is the matrix product that the layers are made of, a sum over runs of products with the inner dimension k:
//
//	c[i*rsc+j] = max(floor, e[i*rse+j] + Σ over runs Σ over p < k of a[run[0]+i*rsa+p*csa] * b[run[1]+p*rsb+j])
//
// for m rows i and n columns j, no more than the isa has. Runs are what a convolution's taps see of a picture,
// or a gradient's sum over lines, without a copy for each. e is added last, and may be c.
type tile struct {
	m, n, k                 int
	rsc, rsa, csa, rsb, rse int
	floor                   float32
}

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
	cpu.gemm(&c[0], &a[0], &b[0], &e[0], &runs[0], len(runs), t.k, t.rsc, t.rsa, t.csa, t.rsb, t.rse, t.m, t.n, t.floor)
}

// computeGo is the pure-Go twin of the assembly.
func (t *tile) computeGo(c, a, b, e []float32, runs [][2]int) {
	for i := range t.m {
		to, from := c[i*t.rsc:][:t.n], e[i*t.rse:][:t.n]
		j := 0
		for ; j+4 <= t.n; j += 4 {
			var s0, s1, s2, s3 float32
			for _, run := range runs {
				x := a[run[0]+i*t.rsa:]
				for p := range t.k {
					v, w := x[p*t.csa], b[run[1]+p*t.rsb+j:][:4]
					s0 += v * w[0]
					s1 += v * w[1]
					s2 += v * w[2]
					s3 += v * w[3]
				}
			}
			to[j] = t.bound(from[j] + s0)
			to[j+1] = t.bound(from[j+1] + s1)
			to[j+2] = t.bound(from[j+2] + s2)
			to[j+3] = t.bound(from[j+3] + s3)
		}
		for ; j < t.n; j++ {
			var s float32
			for _, run := range runs {
				for p := range t.k {
					s += a[run[0]+i*t.rsa+p*t.csa] * b[run[1]+p*t.rsb+j]
				}
			}
			to[j] = t.bound(from[j] + s)
		}
	}
}

// bound is max(floor, v), which keeps a NaN.
func (t *tile) bound(v float32) float32 {
	if v < t.floor {
		return t.floor
	}
	return v
}
