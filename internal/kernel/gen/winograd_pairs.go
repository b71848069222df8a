package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// pairs5 and pairs7 are the points, each with its negative, of F(5×5, 3×3) and F(7×7, 3×3): without 0, and not powers of
// two alone, they have smaller rounding errors.
var pairs5, pairs7 = []float64{3.0 / 8, 7.0 / 8, 7.0 / 4}, []float64{1.0 / 4, 23.0 / 32, 35.0 / 32, 2}

// pairTransforms are the matrices of F(m×m, 3×3), with infinity and the points ±p for each p of points.
func pairTransforms(points []float64) []transform {
	n := len(points)
	m, alpha := 2*n-1, 2*n+1
	var inputs, powers, filters []float64
	for i, p := range points {
		norm, others := 2*p, []float64{}
		for k, q := range points {
			if k != i {
				norm *= p*p - q*q
				others = append(others, q*q)
			}
		}
		inputs = append(append(inputs, polynomial(others)...), p)
		filters = append(filters, 1/norm, p/norm, p*p/norm)
		for k := 1; k < m; k++ {
			powers = append(powers, math.Pow(p, float64(k)))
		}
	}
	squares := []float64{}
	for _, p := range points {
		squares = append(squares, p*p)
	}
	inputs = append(inputs, polynomial(squares)...)

	// even and odd are the inputs with even and odd numbers, both without the last one.
	var even, odd, all []int
	for i := range alpha - 1 {
		all = append(all, i)
		if i%2 == 0 {
			even = append(even, i)
		} else {
			odd = append(odd, i)
		}
	}
	last := alpha - 1
	name := func(of string) string { return fmt.Sprintf("winograd%d%s", m, of) }
	return []transform{
		{name: name("Input"), in: alpha, out: alpha, factors: inputs, tile: m, doc: fmt.Sprintf("Bᵀ x B: a tile's %[1]d×%[1]d inputs become %[1]d×%[1]d values", alpha),
			groups: eachPair(n, all, func(v vectors, x []VecVirtual, f []Op, pair int) (VecVirtual, VecVirtual) {
				f = f[pair*n:]
				return horner(v, x, odd, f), v.mul(f[n-1], horner(v, x, even, f))
			}, append(even, last), func(v vectors, x []VecVirtual, f []Op) VecVirtual {
				return horner(v, x, append(even, last), f[n*n:])
			})},
		{name: name("Output"), in: alpha, out: m, factors: powers, output: true, tile: m, doc: fmt.Sprintf("Aᵀ x A: %[1]d×%[1]d products become a tile's %[2]d×%[2]d outputs, plus the bias, but at least floor", alpha, m),
			groups: outputGroups(n, all)},
		{name: name("OutputGradient"), in: m, out: alpha, factors: powers, tile: m, doc: fmt.Sprintf("A x Aᵀ, the adjoint of the output's: a tile's %[2]d×%[2]d output gradients become %[1]d×%[1]d values", alpha, m),
			groups: eachPair(n, all[:m], func(v vectors, x []VecVirtual, f []Op, pair int) (VecVirtual, VecVirtual) {
				f = f[pair*(m-1):]
				a, b := x[0], v.mul(f[0], x[1])
				for i := 2; i < m; i++ {
					if i%2 == 0 {
						a = v.addMul(a, f[i-1], x[i])
					} else {
						b = v.addMul(b, f[i-1], x[i])
					}
				}
				return a, b
			}, []int{m - 1}, func(v vectors, x []VecVirtual, f []Op) VecVirtual { return x[m-1] })},
		{name: name("Filter"), in: 3, out: alpha, factors: filters, doc: fmt.Sprintf("G x Gᵀ: a filter's 3×3 weights become %[1]d×%[1]d", alpha),
			groups: eachPair(n, []int{0, 1, 2}, func(v vectors, x []VecVirtual, f []Op, pair int) (VecVirtual, VecVirtual) {
				f = f[3*pair:]
				return v.mul(f[1], x[1]), v.addMul(v.mul(f[0], x[0]), f[2], x[2])
			}, []int{2}, func(v vectors, x []VecVirtual, f []Op) VecVirtual { return x[2] })},
		{name: name("FilterGradient"), in: alpha, out: 3, factors: filters, doc: fmt.Sprintf("Gᵀ x G, the adjoint of the filter's: %[1]d×%[1]d gradients become 3×3", alpha),
			groups: []group{
				{[]int{0, 2}, append(all, last), func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
					s := pairSums(v, x[:last], vectors.sub)
					return []VecVirtual{weighted(v, s, f, 3), v.add(weighted(v, s, f[2:], 3), x[last])}
				}},
				{[]int{1}, all, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
					return []VecVirtual{weighted(v, pairSums(v, x[:last], vectors.add), f[1:], 3)}
				}},
			}},
	}
}

// polynomial gives the coefficients of the product of x - root, the highest first, without that of the highest power.
func polynomial(roots []float64) []float64 {
	c := []float64{1}
	for _, root := range roots {
		c = append(c, 0)
		for i := len(c) - 1; i > 0; i-- {
			c[i] -= root * c[i-1]
		}
	}
	return c[1:]
}

// horner is the last of some inputs plus the products of the others, from the last to the first, with the factors.
func horner(v vectors, x []VecVirtual, inputs []int, f []Op) VecVirtual {
	last := len(inputs) - 1
	sum := x[inputs[last]]
	for i := range last {
		sum = v.addMul(sum, f[i], x[inputs[last-1-i]])
	}
	return sum
}

// eachPair gives a group for each pair of points, whose outputs are the sum and the difference of what terms gives, and
// one for infinity.
func eachPair(n int, inputs []int, terms func(v vectors, x []VecVirtual, f []Op, pair int) (VecVirtual, VecVirtual), infinity []int, last func(v vectors, x []VecVirtual, f []Op) VecVirtual) []group {
	var groups []group
	for pair := range n {
		groups = append(groups, group{[]int{2 * pair, 2*pair + 1}, inputs, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
			a, b := terms(v, x, f, pair)
			return []VecVirtual{v.add(a, b), v.sub(a, b)}
		}})
	}
	return append(groups, group{[]int{2 * n}, infinity, func(v vectors, x []VecVirtual, f []Op) []VecVirtual { return []VecVirtual{last(v, x, f)} }})
}

// outputGroups are those of Aᵀ: output k is the sum of the k-th powers of the points, times their inputs. The factors are
// the powers from the first one on, of each pair.
func outputGroups(n int, all []int) []group {
	m := 2*n - 1
	power := func(v vectors, sums []VecVirtual, f []Op, k int) VecVirtual {
		if k > 0 {
			return weighted(v, sums, f[k-1:], m-1)
		}
		sum := sums[0]
		for _, s := range sums[1:] {
			sum = v.add(sum, s)
		}
		return sum
	}
	outputs := func(first int, inputs []int, combine func(v vectors, x, y VecVirtual) VecVirtual) group {
		var rows []int
		for k := first; k < m; k += 2 {
			rows = append(rows, k)
		}
		return group{rows, inputs, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
			sums, y := pairSums(v, x[:2*n], combine), []VecVirtual{}
			for _, k := range rows {
				y = append(y, power(v, sums, f, k))
			}
			if first == 0 {
				y[n-1] = v.add(y[n-1], x[2*n])
			}
			return y
		}}
	}
	return []group{outputs(0, append(all, 2*n), vectors.add), outputs(1, all, vectors.sub)}
}

// pairSums combines the inputs of each pair.
func pairSums(v vectors, x []VecVirtual, combine func(v vectors, x, y VecVirtual) VecVirtual) []VecVirtual {
	var sums []VecVirtual
	for i := 0; i < len(x); i += 2 {
		sums = append(sums, combine(v, x[i], x[i+1]))
	}
	return sums
}

// weighted is the sum of x times every step-th factor.
func weighted(v vectors, x []VecVirtual, f []Op, step int) VecVirtual {
	sum := v.mul(f[0], x[0])
	for i := 1; i < len(x); i++ {
		sum = v.addMul(sum, f[i*step], x[i])
	}
	return sum
}
