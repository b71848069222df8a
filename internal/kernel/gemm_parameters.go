package kernel

// A gemm is a product of matrices that the layers are made of, a sum over runs of products with the inner dimension k:
//
//	c[i*rsc+j] = max(floor, e[i*rse+j] + Σ over runs Σ over p < k of a[run[0]+i*rsa+p*csa] * b[run[1]+p*rsb+j])
//
// for m rows i and n columns j, n at most the isa's nr. Runs are the taps of a convolution, or the lines that a
// gradient sums over, read in place. e is added last, and may be c.
//
// With update it steps from weights e with velocities c, where Σ is the gradient times minus the learning rate:
//
//	c[i*rsc+j] = momentum*c[i*rsc+j] + Σ - decay*e[i*rse+j]
//	e[i*rse+j] += c[i*rsc+j]
//
// The generator of the micro-kernel, gen/gemm.go, takes the offsets of the fields from this file, which therefore
// imports nothing.
type gemm struct {
	c, a, b, e []float32
	runs       [][2]int // at least one for the assembly

	m, n, k                 int
	rsc, rsa, csa, rsb, rse int // strides of rows and columns, in floats, named as in BLIS
	ahead                   int // floats from b to the next call's b, a hint
	height                  int // rows that the micro-kernel takes at a time, at most rowsOf(n)

	// block is the number of products after which the sums are added to e, and then to c, and begin anew. With 0, or more
	// than k, there is one block. Others are for a single run, without update.
	block int

	stream bool // write around the cache, if c is aligned
	update bool

	floor           float32
	momentum, decay float32
}
