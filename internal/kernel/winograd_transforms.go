package kernel

// winograd is F(m×m, r×r): its transforms, each of which is given as one dimension of the matrix that it applies to
// both.
type winograd struct {
	m, r, alpha int // outputs, weights and inputs on each side of a tile; alpha = m + r - 1
	pad         int // zeros on each side of a map
	sum         int // the most products that are summed up before they are added to the rest

	input          transform // Bᵀ
	filter         transform // G
	filterStream   transform // G, for a dst on a cache line, written around the cache if there is assembly for it
	output         transform // Aᵀ, without bias and floor
	outputGradient transform // A
	filterGradient transform // Gᵀ

	outputAssembly func(dst, src *float32, n, dstRow, dstColumn, srcRow, srcColumn int, bias *float32, floor float32)
}

// winogradAssembly is the assembly of the transforms of F(m×m, 3×3).
type winogradAssembly struct {
	input, filter, outputGradient, filterGradient func(dst, src *float32, n, dstRow, dstColumn, srcRow, srcColumn int)
	filterStream                                  func(dst, src *float32, n, dstRow, dstColumn, srcRow, srcColumn int) // nil for none
	output                                        func(dst, src *float32, n, dstRow, dstColumn, srcRow, srcColumn int, bias *float32, floor float32)
}

// winogradAt is F(m×m, 3×3) with some points and infinity. It adds up at most sum products before it adds them to the
// rest.
func winogradAt(m, sum int, points ...float64) winograd {
	input, filter, output := toomCook(m, 3, points)
	return winograd{
		m: m, r: 3, alpha: m + 2, pad: 1, sum: sum,
		input: newMultiplication(input), filter: newMultiplication(filter), output: newMultiplication(output),
		outputGradient: newMultiplication(transposed(output)), filterGradient: newMultiplication(transposed(filter)),
	}
}

// with gives f the assembly of its transforms.
func (f winograd) with(assembly winogradAssembly) *winograd {
	f.outputAssembly = assembly.output
	f.input.assembly, f.filter.assembly = assembly.input, assembly.filter
	f.outputGradient.assembly, f.filterGradient.assembly = assembly.outputGradient, assembly.filterGradient
	f.filterStream = f.filter
	f.filterStream.assembly = assembly.filterStream
	return &f
}

var (
	matrices7 = winogradAt(7, sumBlock/2, 1.0/4, -1.0/4, 23.0/32, -23.0/32, 35.0/32, -35.0/32, 2, -2)
	matrices5 = winogradAt(5, sumBlock, 3.0/8, -3.0/8, 7.0/8, -7.0/8, 7.0/4, -7.0/4)
	matrices4 = winogradAt(4, sumBlock, 0, 1, -1, 2, -2)
)

// winogradF7 is F(7×7, 3×3), with the points ±1/4, ±23/32, ±35/32, ±2 and infinity.
func winogradF7() *winograd { return matrices7.with(cpu.winograd7) }

// winogradF5 is F(5×5, 3×3), with the points ±3/8, ±7/8, ±7/4 and infinity. Without 0, and not powers of two alone, they
// have smaller rounding errors (TestAccuracy).
func winogradF5() *winograd { return matrices5.with(cpu.winograd5) }

// winogradF4 is F(4×4, 3×3), with the points 0, ±1, ±2 and infinity.
func winogradF4() *winograd { return matrices4.with(cpu.winograd4) }

// winogradF2 is F(2×2, 3×3), with the points 0, ±1 and infinity.
func winogradF2() *winograd {
	f := winograd{
		m: 2, r: 3, alpha: 4, pad: 1, sum: sumBlock,
		input: transform{in: 4, out: 4, line: func(x, y []float64) {
			y[0], y[1], y[2], y[3] = x[0]-x[2], x[1]+x[2], x[2]-x[1], x[1]-x[3]
		}},
		filter: transform{in: 3, out: 4, line: func(x, y []float64) {
			a, b := (x[0]+x[2])/2, x[1]/2
			y[0], y[1], y[2], y[3] = x[0], a+b, a-b, x[2]
		}},
		output: transform{in: 4, out: 2, line: func(x, y []float64) {
			y[0], y[1] = x[0]+x[1]+x[2], x[1]-x[2]-x[3]
		}},
		outputGradient: transform{in: 2, out: 4, line: func(x, y []float64) {
			y[0], y[1], y[2], y[3] = x[0], x[0]+x[1], x[0]-x[1], -x[1]
		}},
		filterGradient: transform{in: 4, out: 3, line: func(x, y []float64) {
			a, b := (x[1]+x[2])/2, (x[1]-x[2])/2
			y[0], y[1], y[2] = x[0]+a, b, a+x[3]
		}},
	}
	return f.with(cpu.winograd2)
}

// A transform computes T x Tᵀ, with T a matrix (out, in) and x one (in, in), for n channels side by side.
type transform struct {
	in, out  int
	line     func(x, y []float64)                                                 // y = T x
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

// newMultiplication is the transform with T.
func newMultiplication(t [][]float64) transform {
	return transform{in: len(t[0]), out: len(t), line: func(x, y []float64) {
		for i, row := range t {
			sum := 0.0
			for j, v := range row {
				sum += v * x[j]
			}
			y[i] = sum
		}
	}}
}

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

// runGo is the pure-Go twin of the assembly, which it rounds less often than.
func (t transform) runGo(dst, src grid, n int) {
	var half [9 * 9]float64 // (in columns, out rows)
	var x, y [9]float64
	for c := range n {
		for j := range t.in {
			for i := range t.in {
				x[i] = float64(src.data[src.at(i, j)+c])
			}
			t.line(x[:], half[j*t.out:])
		}
		for i := range t.out {
			for j := range t.in {
				x[j] = half[j*t.out+i]
			}
			t.line(x[:], y[:])
			for j := range t.out {
				dst.data[dst.at(i, j)+c] = float32(y[j])
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
