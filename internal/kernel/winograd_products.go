package kernel

import (
	"math"
	"slices"
)

// winogradOf is the forward pass of F(m×m, r×r) without padding, m + r at most 9: the algorithm of Toom and Cook with
// as many of the points 0, ±1, ±2, ±1/2 as it needs, and infinity. Its transforms are products by gemm: they are a small
// part of the work where there are many channels.
func winogradOf(m, r int) *winograd {
	points := []float64{0, 1, -1, 2, -2, 0.5, -0.5}[:m+r-2]
	input, filter, output := toomCook(m, r, points)
	return &winograd{m: m, r: r, alpha: m + r - 1, sum: sumBlock, input: newProduct(input), filter: newProduct(filter), output: newProduct(output)}
}

// toomCook gives the matrices Bᵀ, G and Aᵀ of F(m×m, r×r) with some points and infinity.
func toomCook(m, r int, points []float64) (input, filter, output [][]float64) {
	alpha := m + r - 1
	input, filter, output = newMatrix(alpha, alpha), newMatrix(alpha, r), newMatrix(m, alpha)
	for i, p := range points {
		others := slices.Delete(slices.Clone(points), i, i+1)
		input[i] = polynomial(others, alpha)
		norm := 1.0
		for _, q := range others {
			norm *= p - q
		}
		for k := range r {
			filter[i][k] = math.Pow(p, float64(k)) / norm
		}
		for k := range m {
			output[k][i] = math.Pow(p, float64(k))
		}
	}
	input[alpha-1] = polynomial(points, alpha)
	filter[alpha-1][r-1], output[m-1][alpha-1] = 1, 1
	return input, filter, output
}

// winogradPairs is F(m×m, 3×3), with infinity and the points ±p for each p of points, m = 2·len(points) - 1. Without 0,
// and not powers of two alone, they have smaller rounding errors (TestAccuracy).
func winogradPairs(assembly winogradAssembly, sum int, points ...float64) *winograd {
	m, signed := 2*len(points)-1, []float64{}
	for _, p := range points {
		signed = append(signed, p, -p)
	}
	input, filter, output := toomCook(m, 3, signed)
	return &winograd{
		m: m, r: 3, alpha: m + 2, pad: 1, sum: sum, outputAssembly: assembly.output,
		input:          newMultiplication(input, assembly.input),
		filter:         newMultiplication(filter, assembly.filter),
		filterStream:   newMultiplication(filter, assembly.filterStream),
		output:         newMultiplication(output, nil),
		outputGradient: newMultiplication(transposed(output), assembly.outputGradient),
		filterGradient: newMultiplication(transposed(filter), assembly.filterGradient),
	}
}

// polynomial gives n coefficients, the constant first, of the polynomial with those roots.
func polynomial(roots []float64, n int) []float64 {
	c := make([]float64, n)
	c[0] = 1
	for _, root := range roots {
		for k := n - 1; k > 0; k-- {
			c[k] = c[k-1] - root*c[k]
		}
		c[0] *= -root
	}
	return c
}

func newMatrix(rows, columns int) [][]float64 {
	m := make([][]float64, rows)
	for i := range m {
		m[i] = make([]float64, columns)
	}
	return m
}

func transposed(t [][]float64) [][]float64 {
	u := newMatrix(len(t[0]), len(t))
	for i, row := range t {
		for j, v := range row {
			u[j][i] = v
		}
	}
	return u
}

// newMultiplication is the transform with T, whose assembly may be nil.
func newMultiplication(t [][]float64, assembly func(dst, src *float32, n, dstRow, dstColumn, srcRow, srcColumn int)) transform {
	return transform{in: len(t[0]), out: len(t), assembly: assembly, line: func(x, y []float32) {
		for i, row := range t {
			sum := float32(0)
			for j, v := range row {
				sum += float32(v) * x[j]
			}
			y[i] = sum
		}
	}}
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
