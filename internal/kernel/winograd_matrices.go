package kernel

import (
	"math"
	"slices"
)

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
