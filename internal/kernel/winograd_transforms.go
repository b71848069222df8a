package kernel

// winograd is F(m×m, r×r): its transforms, each of which is given as one dimension of the matrix that it applies to
// both.
type winograd struct {
	m, r, alpha int // outputs, weights and inputs on each side of a tile; alpha = m + r - 1
	pad         int // zeros on each side of a map

	input          transform // Bᵀ
	filter         transform // G
	output         transform // Aᵀ, without bias and floor
	outputGradient transform // A
	filterGradient transform // Gᵀ

	outputAssembly func(dst, src *float32, n, dstRow, dstColumn, srcRow, srcColumn int, bias *float32, floor float32)
}

// winogradAssembly is the assembly of the transforms of F(m×m, 3×3).
type winogradAssembly struct {
	input, filter, outputGradient, filterGradient func(dst, src *float32, n, dstRow, dstColumn, srcRow, srcColumn int)
	output                                        func(dst, src *float32, n, dstRow, dstColumn, srcRow, srcColumn int, bias *float32, floor float32)
}

// winogradF6 is F(6×6, 3×3), with the points 0, ±1, ±2, ±1/2 and infinity.
func winogradF6() *winograd {
	assembly := cpu.winograd6
	return &winograd{
		m: 6, r: 3, alpha: 8, pad: 1, outputAssembly: assembly.output,
		input: transform{in: 8, out: 8, line: func(x, y []float32) {
			a, b := x[2]+x[6]-4.25*x[4], x[1]+x[5]-4.25*x[3]
			c, d := x[6]+0.25*x[2]-1.25*x[4], 0.5*x[1]-2.5*x[3]+2*x[5]
			e, f := x[6]+4*(x[2]-1.25*x[4]), 2*x[1]-2.5*x[3]+0.5*x[5]
			y[0], y[7] = x[0]-x[6]+5.25*(x[4]-x[2]), x[7]-x[1]+5.25*(x[3]-x[5])
			y[1], y[2], y[3], y[4], y[5], y[6] = a+b, a-b, c+d, c-d, e+f, e-f
		}, assembly: assembly.input},
		filter: transform{in: 3, out: 8, line: func(x, y []float32) {
			a, b := -2*(x[0]+x[2])/9, -2*x[1]/9
			c, d, e, f := x[0]/90+2*x[2]/45, x[1]/45, x[0]/45+x[2]/180, x[1]/90
			y[0], y[1], y[2], y[3], y[4], y[5], y[6], y[7] = x[0], a+b, a-b, c+d, c-d, e+f, e-f, x[2]
		}, assembly: assembly.filter},
		output: transform{in: 8, out: 6, line: func(x, y []float32) {
			a, b, c, d, e, f := x[1]+x[2], x[1]-x[2], x[3]+x[4], x[3]-x[4], x[5]+x[6], x[5]-x[6]
			y[0], y[2], y[4] = x[0]+a+c+32*e, a+4*c+8*e, a+16*c+2*e
			y[1], y[3], y[5] = b+2*d+16*f, b+8*d+4*f, b+32*d+f+x[7]
		}},
		outputGradient: transform{in: 6, out: 8, line: func(x, y []float32) {
			a, b := x[0]+x[2]+x[4], x[1]+x[3]+x[5]
			c, d := x[0]+4*x[2]+16*x[4], 2*x[1]+8*x[3]+32*x[5]
			e, f := 32*x[0]+8*x[2]+2*x[4], 16*x[1]+4*x[3]+x[5]
			y[0], y[1], y[2], y[3], y[4], y[5], y[6], y[7] = x[0], a+b, a-b, c+d, c-d, e+f, e-f, x[5]
		}, assembly: assembly.outputGradient},
		filterGradient: transform{in: 8, out: 3, line: func(x, y []float32) {
			a, b, c, d, e, f := x[1]+x[2], x[1]-x[2], x[3]+x[4], x[3]-x[4], x[5]+x[6], x[5]-x[6]
			y[0], y[1], y[2] = x[0]-2*a/9+c/90+e/45, -2*b/9+d/45+f/90, x[7]-2*a/9+2*c/45+e/180
		}, assembly: assembly.filterGradient},
	}
}

// winogradF5 is F(5×5, 3×3), with the points ±3/8, ±7/8, ±7/4 and infinity.
func winogradF5() *winograd {
	const a, b, c = 3.0 / 8, 7.0 / 8, 7.0 / 4
	const a2, b2, c2 = a * a, b * b, c * c
	const na, nb, nc = 2 * a * (a2 - b2) * (a2 - c2), 2 * b * (b2 - a2) * (b2 - c2), 2 * c * (c2 - a2) * (c2 - b2)
	assembly := cpu.winograd5
	return &winograd{
		m: 5, r: 3, alpha: 7, pad: 1, outputAssembly: assembly.output,
		input: transform{in: 7, out: 7, line: func(x, y []float32) {
			pair := func(y []float32, p, product, sum float32) {
				even, odd := p*(product*x[0]-sum*x[2]+x[4]), product*x[1]-sum*x[3]+x[5]
				y[0], y[1] = odd+even, odd-even
			}
			pair(y, a, b2*c2, b2+c2)
			pair(y[2:], b, a2*c2, a2+c2)
			pair(y[4:], c, a2*b2, a2+b2)
			y[6] = x[6] - (a2+b2+c2)*x[4] + (a2*b2+a2*c2+b2*c2)*x[2] - a2*b2*c2*x[0]
		}, assembly: assembly.input},
		filter: transform{in: 3, out: 7, line: func(x, y []float32) {
			pair := func(y []float32, p, norm float32) {
				even, odd := (x[0]+p*p*x[2])/norm, p*x[1]/norm
				y[0], y[1] = odd+even, odd-even
			}
			pair(y, a, na)
			pair(y[2:], b, nb)
			pair(y[4:], c, nc)
			y[6] = x[2]
		}, assembly: assembly.filter},
		output: transform{in: 7, out: 5, line: func(x, y []float32) {
			s, t, u := x[0]+x[1], x[2]+x[3], x[4]+x[5]
			y[0], y[2], y[4] = s+t+u, a2*s+b2*t+c2*u, a2*a2*s+b2*b2*t+c2*c2*u+x[6]
			s, t, u = x[0]-x[1], x[2]-x[3], x[4]-x[5]
			y[1], y[3] = a*s+b*t+c*u, a*a2*s+b*b2*t+c*c2*u
		}},
		outputGradient: transform{in: 5, out: 7, line: func(x, y []float32) {
			pair := func(y []float32, p float32) {
				even, odd := x[0]+p*p*x[2]+p*p*p*p*x[4], p*x[1]+p*p*p*x[3]
				y[0], y[1] = even+odd, even-odd
			}
			pair(y, a)
			pair(y[2:], b)
			pair(y[4:], c)
			y[6] = x[4]
		}, assembly: assembly.outputGradient},
		filterGradient: transform{in: 7, out: 3, line: func(x, y []float32) {
			s, t, u := x[0]-x[1], x[2]-x[3], x[4]-x[5]
			y[0], y[2] = s/na+t/nb+u/nc, a2/na*s+b2/nb*t+c2/nc*u+x[6]
			y[1] = a/na*(x[0]+x[1]) + b/nb*(x[2]+x[3]) + c/nc*(x[4]+x[5])
		}, assembly: assembly.filterGradient},
	}
}

// winogradF4 is F(4×4, 3×3), with the points 0, ±1, ±2 and infinity.
func winogradF4() *winograd {
	assembly := cpu.winograd4
	return &winograd{
		m: 4, r: 3, alpha: 6, pad: 1, outputAssembly: assembly.output,
		input: transform{in: 6, out: 6, line: func(x, y []float32) {
			a, b, c, d := x[4]-4*x[2], x[3]-4*x[1], x[4]-x[2], 2*(x[3]-x[1])
			y[0], y[1], y[2], y[3], y[4], y[5] = 4*x[0]-5*x[2]+x[4], a+b, a-b, c+d, c-d, 4*x[1]-5*x[3]+x[5]
		}, assembly: assembly.input},
		filter: transform{in: 3, out: 6, line: func(x, y []float32) {
			a, b, c, d := -(x[0]+x[2])/6, -x[1]/6, x[0]/24+x[2]/6, x[1]/12
			y[0], y[1], y[2], y[3], y[4], y[5] = x[0]/4, a+b, a-b, c+d, c-d, x[2]
		}, assembly: assembly.filter},
		output: transform{in: 6, out: 4, line: func(x, y []float32) {
			a, b, c, d := x[1]+x[2], x[1]-x[2], x[3]+x[4], x[3]-x[4]
			y[0], y[1], y[2], y[3] = x[0]+a+c, b+2*d, a+4*c, b+8*d+x[5]
		}},
		outputGradient: transform{in: 4, out: 6, line: func(x, y []float32) {
			a, b, c, d := x[0]+x[2], x[1]+x[3], x[0]+4*x[2], 2*x[1]+8*x[3]
			y[0], y[1], y[2], y[3], y[4], y[5] = x[0], a+b, a-b, c+d, c-d, x[3]
		}, assembly: assembly.outputGradient},
		filterGradient: transform{in: 6, out: 3, line: func(x, y []float32) {
			a, b, c, d := x[1]+x[2], x[1]-x[2], x[3]+x[4], x[3]-x[4]
			y[0], y[1], y[2] = x[0]/4-a/6+c/24, -b/6+d/12, (c-a)/6+x[5]
		}, assembly: assembly.filterGradient},
	}
}

// winogradF2 is F(2×2, 3×3), with the points 0, ±1 and infinity.
func winogradF2() *winograd {
	assembly := cpu.winograd2
	return &winograd{
		m: 2, r: 3, alpha: 4, pad: 1, outputAssembly: assembly.output,
		input: transform{in: 4, out: 4, line: func(x, y []float32) {
			y[0], y[1], y[2], y[3] = x[0]-x[2], x[1]+x[2], x[2]-x[1], x[1]-x[3]
		}, assembly: assembly.input},
		filter: transform{in: 3, out: 4, line: func(x, y []float32) {
			a, b := (x[0]+x[2])/2, x[1]/2
			y[0], y[1], y[2], y[3] = x[0], a+b, a-b, x[2]
		}, assembly: assembly.filter},
		output: transform{in: 4, out: 2, line: func(x, y []float32) {
			y[0], y[1] = x[0]+x[1]+x[2], x[1]-x[2]-x[3]
		}},
		outputGradient: transform{in: 2, out: 4, line: func(x, y []float32) {
			y[0], y[1], y[2], y[3] = x[0], x[0]+x[1], x[0]-x[1], -x[1]
		}, assembly: assembly.outputGradient},
		filterGradient: transform{in: 4, out: 3, line: func(x, y []float32) {
			a, b := (x[1]+x[2])/2, (x[1]-x[2])/2
			y[0], y[1], y[2] = x[0]+a, b, a+x[3]
		}, assembly: assembly.filterGradient},
	}
}

// A transform computes T x Tᵀ, with T a matrix (out, in) and x one (in, in), for n channels side by side.
type transform struct {
	in, out  int
	line     func(x, y []float32)                                                 // y = T x
	assembly func(dst, src *float32, n, dstRow, dstColumn, srcRow, srcColumn int) // of T x Tᵀ; nil for none
	product  []float32                                                            // T⊗T (out², in²), if gemm multiplies by it instead
}

// A grid is a small matrix whose elements are vectors, one float for each of some channels.
type grid struct {
	data        []float32
	row, column int // floats from an element to the one below, and to the one on its right
}

// at is the offset of element (i, j).
func (g grid) at(i, j int) int { return i*g.row + j*g.column }

func (t transform) run(dst, src grid, n int) {
	if t.product != nil {
		t.multiply(dst, src, nil, n, noFloor)
		return
	}
	if t.assembly == nil {
		t.runGo(dst, src, n)
		return
	}
	// The assembly does not check lengths: these index expressions do.
	_, _ = dst.data[dst.at(t.out-1, t.out-1)+n-1], src.data[src.at(t.in-1, t.in-1)+n-1]
	t.assembly(&dst.data[0], &src.data[0], n, dst.row, dst.column, src.row, src.column)
}

// runGo is the pure-Go twin of the assembly.
func (t transform) runGo(dst, src grid, n int) {
	var half [8 * 8]float32 // (in columns, out rows)
	var x, y [8]float32
	for c := range n {
		for j := range t.in {
			for i := range t.in {
				x[i] = src.data[src.at(i, j)+c]
			}
			t.line(x[:], half[j*t.out:])
		}
		for i := range t.out {
			for j := range t.in {
				x[j] = half[j*t.out+i]
			}
			t.line(x[:], y[:])
			for j := range t.out {
				dst.data[dst.at(i, j)+c] = y[j]
			}
		}
	}
}

// transformOutput computes max(floor, Aᵀ M A + bias), the outputs of a tile.
func (f *winograd) transformOutput(dst, src grid, bias []float32, n int, floor float32) {
	if f.output.product != nil {
		f.output.multiply(dst, src, bias, n, floor)
		return
	}
	if f.outputAssembly == nil {
		f.transformOutputGo(dst, src, bias, n, floor)
		return
	}
	// The assembly does not check lengths: these index expressions do.
	_, _, _ = dst.data[dst.at(f.m-1, f.m-1)+n-1], src.data[src.at(f.alpha-1, f.alpha-1)+n-1], bias[n-1]
	f.outputAssembly(&dst.data[0], &src.data[0], n, dst.row, dst.column, src.row, src.column, &bias[0], floor)
}

// transformOutputGo is the pure-Go twin of the assembly.
func (f *winograd) transformOutputGo(dst, src grid, bias []float32, n int, floor float32) {
	f.output.runGo(dst, src, n)
	for i := range f.m {
		for j := range f.m {
			out := dst.data[dst.at(i, j):][:n]
			for c, b := range bias[:n] {
				if out[c] += b; out[c] < floor {
					out[c] = floor
				}
			}
		}
	}
}
