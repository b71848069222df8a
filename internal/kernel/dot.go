package kernel

// A dot is the products of m rows of a and n rows of b, at most the isa's dotM and dotN:
//
//	c[i*rsc+j*csc] += Σ over p < k of a[i*rsa+p] * b[j*rsb+p]
type dot struct{ m, n, k, rsc, csc, rsa, rsb int }

func (d dot) compute(c, a, b []float32) {
	if cpu.dot == nil {
		d.computeGo(c, a, b)
		return
	}
	// The assembly does not check lengths: these index expressions do.
	_, _, _ = c[(d.m-1)*d.rsc+(d.n-1)*d.csc], a[(d.m-1)*d.rsa+d.k-1], b[(d.n-1)*d.rsb+d.k-1]
	cpu.dot(&c[0], &a[0], &b[0], d.k, d.rsc, d.csc, d.rsa, d.rsb, d.m, d.n)
}

// computeGo is the pure-Go twin of the assembly.
func (d dot) computeGo(c, a, b []float32) {
	for i := range d.m {
		for j := range d.n {
			u, v := a[i*d.rsa:][:d.k], b[j*d.rsb:][:d.k]
			var s float32
			for q := range u {
				s += u[q] * v[q]
			}
			c[i*d.rsc+j*d.csc] += s
		}
	}
}
