package kernel

// winogradOf is the forward pass of F(m×m, r×r) without padding, m + r at most 9: the algorithm of Toom and Cook with
// as many of the points 0, ±1, ±2, ±1/2 as it needs, and infinity. Its transforms are products by gemm: they are a small
// part of the work where there are many channels.
func winogradOf(m, r int) *winograd {
	points := []float64{0, 1, -1, 2, -2, 0.5, -0.5}[:m+r-2]
	input, filter, output := toomCook(m, r, points)
	return &winograd{m: m, r: r, alpha: m + r - 1, sum: sumBlock, input: newProduct(input), filter: newProduct(filter), output: newProduct(output)}
}

// newProduct is the transform with T by gemm, which takes the Kronecker product T⊗T.
func newProduct(t [][]float64) transform {
	p := transform{in: len(t[0]), out: len(t)}
	for _, a := range t {
		for _, b := range t {
			for _, v := range a {
				for _, w := range b {
					p.product = append(p.product, float32(v*w))
				}
			}
		}
	}
	return p
}

// multiply computes max(floor, T x Tᵀ + bias) by gemm, the rows of x being its runs. A nil bias is zero.
func (t transform) multiply(dst, src grid, bias []float32, n int, floor float32) {
	var lines [8][2]int
	for i := range t.in {
		lines[i] = [2]int{i * t.in, i * src.row}
	}
	g := gemm{m: t.out, k: t.in, rsc: dst.column, rsa: t.in * t.in, csa: 1, rsb: src.column, floor: floor, ahead: cpu.nr}
	if dst.row == t.out*dst.column {
		g.m *= t.out // all rows at once
	}
	for c := 0; c < n; c += cpu.nr {
		g.n = min(cpu.nr, n-c)
		e := zeros
		if bias != nil {
			e = bias[c:]
		}
		for i := 0; i*g.m < t.out*t.out; i++ {
			g.compute(dst.data[i*dst.row+c:], t.product[i*g.m*g.rsa:], src.data[c:], e, lines[:t.in])
		}
	}
}
