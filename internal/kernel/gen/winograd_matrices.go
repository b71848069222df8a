package main

import (
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The matrices of F(6×6, 3×3), with the points 0, ±1, ±2, ±1/2, ∞, of F(4×4, 3×3), with 0, ±1, ±2, ∞, and of F(2×2, 3×3),
// with 0, ±1, ∞.
var transforms = []transform{
	{name: "winograd6Input", in: 8, out: 8, factors: []float64{21.0 / 4, 17.0 / 4, 5.0 / 4, 5.0 / 2, 1.0 / 4, 4, 1.0 / 2, 2}, tile: 6, doc: "Bᵀ x B: a tile's 8×8 inputs become 8×8 values",
		groups: []group{
			{[]int{0}, []int{0, 2, 4, 6}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
				return []VecVirtual{v.addMul(v.sub(x[0], x[6]), f[0], v.sub(x[4], x[2]))}
			}},
			{[]int{1, 2}, []int{1, 2, 3, 4, 5, 6}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
				a, b := v.subMul(v.add(x[2], x[6]), f[1], x[4]), v.subMul(v.add(x[1], x[5]), f[1], x[3])
				return []VecVirtual{v.add(a, b), v.sub(a, b)}
			}},
			{[]int{3, 4}, []int{1, 2, 3, 4, 5, 6}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
				c := v.subMul(v.addMul(x[6], f[4], x[2]), f[2], x[4])
				d := v.addMul(v.subMul(v.mul(f[6], x[1]), f[3], x[3]), f[7], x[5])
				return []VecVirtual{v.add(c, d), v.sub(c, d)}
			}},
			{[]int{5, 6}, []int{1, 2, 3, 4, 5, 6}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
				c := v.addMul(x[6], f[5], v.subMul(x[2], f[2], x[4]))
				d := v.addMul(v.subMul(v.mul(f[7], x[1]), f[3], x[3]), f[6], x[5])
				return []VecVirtual{v.add(c, d), v.sub(c, d)}
			}},
			{[]int{7}, []int{1, 3, 5, 7}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
				return []VecVirtual{v.addMul(v.sub(x[7], x[1]), f[0], v.sub(x[3], x[5]))}
			}},
		}},
	{name: "winograd6Output", in: 8, out: 6, factors: []float64{2, 4, 8, 16, 32}, output: true, tile: 6, doc: "Aᵀ x A: 8×8 products become a tile's 6×6 outputs, plus the bias, but at least floor",
		groups: []group{
			{[]int{0}, []int{0, 1, 2, 3, 4, 5, 6}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
				return []VecVirtual{v.addMul(v.add(v.add(x[0], v.add(x[1], x[2])), v.add(x[3], x[4])), f[4], v.add(x[5], x[6]))}
			}},
			{[]int{2, 4}, []int{1, 2, 3, 4, 5, 6}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
				a, c, e := v.add(x[1], x[2]), v.add(x[3], x[4]), v.add(x[5], x[6])
				return []VecVirtual{v.addMul(v.addMul(a, f[1], c), f[2], e), v.addMul(v.addMul(a, f[3], c), f[0], e)}
			}},
			{[]int{1, 3}, []int{1, 2, 3, 4, 5, 6}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
				b, d, e := v.sub(x[1], x[2]), v.sub(x[3], x[4]), v.sub(x[5], x[6])
				return []VecVirtual{v.addMul(v.addMul(b, f[0], d), f[3], e), v.addMul(v.addMul(b, f[2], d), f[1], e)}
			}},
			{[]int{5}, []int{1, 2, 3, 4, 5, 6, 7}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
				return []VecVirtual{v.add(v.add(v.addMul(v.sub(x[1], x[2]), f[4], v.sub(x[3], x[4])), v.sub(x[5], x[6])), x[7])}
			}},
		}},
	{name: "winograd6OutputGradient", in: 6, out: 8, factors: []float64{2, 4, 8, 16, 32}, tile: 6, doc: "A x Aᵀ, the adjoint of the output's: a tile's 6×6 output gradients become 8×8 values",
		groups: []group{
			{[]int{0}, []int{0}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual { return x[:1] }},
			{[]int{1, 2}, []int{0, 1, 2, 3, 4, 5}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
				a, b := v.add(v.add(x[0], x[2]), x[4]), v.add(v.add(x[1], x[3]), x[5])
				return []VecVirtual{v.add(a, b), v.sub(a, b)}
			}},
			{[]int{3, 4}, []int{0, 1, 2, 3, 4, 5}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
				c := v.addMul(v.addMul(x[0], f[1], x[2]), f[3], x[4])
				d := v.addMul(v.addMul(v.mul(f[0], x[1]), f[2], x[3]), f[4], x[5])
				return []VecVirtual{v.add(c, d), v.sub(c, d)}
			}},
			{[]int{5, 6}, []int{0, 1, 2, 3, 4, 5}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
				c := v.addMul(v.addMul(v.mul(f[4], x[0]), f[2], x[2]), f[0], x[4])
				d := v.addMul(v.addMul(x[5], f[3], x[1]), f[1], x[3])
				return []VecVirtual{v.add(c, d), v.sub(c, d)}
			}},
			{[]int{7}, []int{5}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual { return x[5:] }},
		}},
	{name: "winograd6Filter", in: 3, out: 8, factors: []float64{-2.0 / 9, 1.0 / 90, 2.0 / 45, 1.0 / 45, 1.0 / 180}, doc: "G x Gᵀ: a filter's 3×3 weights become 8×8",
		groups: []group{
			{[]int{0}, []int{0}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual { return x[:1] }},
			{[]int{1, 2}, []int{0, 1, 2}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
				a, b := v.mul(f[0], v.add(x[0], x[2])), v.mul(f[0], x[1])
				return []VecVirtual{v.add(a, b), v.sub(a, b)}
			}},
			{[]int{3, 4}, []int{0, 1, 2}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
				c, d := v.addMul(v.mul(f[1], x[0]), f[2], x[2]), v.mul(f[3], x[1])
				return []VecVirtual{v.add(c, d), v.sub(c, d)}
			}},
			{[]int{5, 6}, []int{0, 1, 2}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
				c, d := v.addMul(v.mul(f[3], x[0]), f[4], x[2]), v.mul(f[1], x[1])
				return []VecVirtual{v.add(c, d), v.sub(c, d)}
			}},
			{[]int{7}, []int{2}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual { return x[2:] }},
		}},
	{name: "winograd6FilterGradient", in: 8, out: 3, factors: []float64{-2.0 / 9, 1.0 / 90, 2.0 / 45, 1.0 / 45, 1.0 / 180}, doc: "Gᵀ x G, the adjoint of the filter's: 8×8 gradients become 3×3",
		groups: []group{
			{[]int{0, 2}, []int{0, 1, 2, 3, 4, 5, 6, 7}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
				a, c, e := v.add(x[1], x[2]), v.add(x[3], x[4]), v.add(x[5], x[6])
				return []VecVirtual{
					v.addMul(v.addMul(v.addMul(x[0], f[0], a), f[1], c), f[3], e),
					v.addMul(v.addMul(v.addMul(x[7], f[0], a), f[2], c), f[4], e),
				}
			}},
			{[]int{1}, []int{1, 2, 3, 4, 5, 6}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
				return []VecVirtual{v.addMul(v.addMul(v.mul(f[0], v.sub(x[1], x[2])), f[3], v.sub(x[3], x[4])), f[1], v.sub(x[5], x[6]))}
			}},
		}},
	{name: "winograd4Input", in: 6, out: 6, factors: []float64{4, 5, 2}, tile: 4, doc: "Bᵀ x B: a tile's 6×6 inputs become 6×6 values",
		groups: []group{
			{[]int{0}, []int{0, 2, 4}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
				return []VecVirtual{v.addMul(v.subMul(x[4], f[1], x[2]), f[0], x[0])}
			}},
			{[]int{1, 2}, []int{1, 2, 3, 4}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
				a, b := v.subMul(x[4], f[0], x[2]), v.subMul(x[3], f[0], x[1])
				return []VecVirtual{v.add(a, b), v.sub(a, b)}
			}},
			{[]int{3, 4}, []int{1, 2, 3, 4}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
				c, d := v.sub(x[4], x[2]), v.mul(f[2], v.sub(x[3], x[1]))
				return []VecVirtual{v.add(c, d), v.sub(c, d)}
			}},
			{[]int{5}, []int{1, 3, 5}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
				return []VecVirtual{v.addMul(v.subMul(x[5], f[1], x[3]), f[0], x[1])}
			}},
		}},
	{name: "winograd4Output", in: 6, out: 4, factors: []float64{2, 4, 8}, output: true, tile: 4, doc: "Aᵀ x A: 6×6 products become a tile's 4×4 outputs, plus the bias, but at least floor",
		groups: []group{
			{[]int{0, 2}, []int{0, 1, 2, 3, 4}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
				a, c := v.add(x[1], x[2]), v.add(x[3], x[4])
				return []VecVirtual{v.add(v.add(x[0], a), c), v.addMul(a, f[1], c)}
			}},
			{[]int{1, 3}, []int{1, 2, 3, 4, 5}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
				b, d := v.sub(x[1], x[2]), v.sub(x[3], x[4])
				return []VecVirtual{v.addMul(b, f[0], d), v.add(v.addMul(b, f[2], d), x[5])}
			}},
		}},
	{name: "winograd4OutputGradient", in: 4, out: 6, factors: []float64{2, 4, 8}, tile: 4, doc: "A x Aᵀ, the adjoint of the output's: a tile's 4×4 output gradients become 6×6 values",
		groups: []group{
			{[]int{0}, []int{0}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual { return x[:1] }},
			{[]int{1, 2}, []int{0, 1, 2, 3}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
				a, b := v.add(x[0], x[2]), v.add(x[1], x[3])
				return []VecVirtual{v.add(a, b), v.sub(a, b)}
			}},
			{[]int{3, 4}, []int{0, 1, 2, 3}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
				c, d := v.addMul(x[0], f[1], x[2]), v.addMul(v.mul(f[0], x[1]), f[2], x[3])
				return []VecVirtual{v.add(c, d), v.sub(c, d)}
			}},
			{[]int{5}, []int{3}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual { return x[3:] }},
		}},
	{name: "winograd4Filter", in: 3, out: 6, factors: []float64{1.0 / 4, -1.0 / 6, 1.0 / 24, 1.0 / 12}, doc: "G x Gᵀ: a filter's 3×3 weights become 6×6",
		groups: []group{{[]int{0, 1, 2, 3, 4, 5}, []int{0, 1, 2}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
			a, b := v.mul(f[1], v.add(x[0], x[2])), v.mul(f[1], x[1])
			c, d := v.subMul(v.mul(f[2], x[0]), f[1], x[2]), v.mul(f[3], x[1])
			return []VecVirtual{v.mul(f[0], x[0]), v.add(a, b), v.sub(a, b), v.add(c, d), v.sub(c, d), x[2]}
		}}}},
	{name: "winograd4FilterGradient", in: 6, out: 3, factors: []float64{1.0 / 4, -1.0 / 6, 1.0 / 24, 1.0 / 12}, doc: "Gᵀ x G, the adjoint of the filter's: 6×6 gradients become 3×3",
		groups: []group{{[]int{0, 1, 2}, []int{0, 1, 2, 3, 4, 5}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
			a, b, c, d := v.add(x[1], x[2]), v.sub(x[1], x[2]), v.add(x[3], x[4]), v.sub(x[3], x[4])
			return []VecVirtual{
				v.addMul(v.addMul(v.mul(f[0], x[0]), f[1], a), f[2], c),
				v.addMul(v.mul(f[1], b), f[3], d),
				v.add(v.subMul(v.mul(f[1], a), f[1], c), x[5]),
			}
		}}}},
	{name: "winograd2Input", in: 4, out: 4, tile: 2, doc: "Bᵀ x B: a tile's 4×4 inputs become 4×4 values",
		groups: []group{{[]int{0, 1, 2, 3}, []int{0, 1, 2, 3}, func(v vectors, x []VecVirtual, _ []Op) []VecVirtual {
			return []VecVirtual{v.sub(x[0], x[2]), v.add(x[1], x[2]), v.sub(x[2], x[1]), v.sub(x[1], x[3])}
		}}}},
	{name: "winograd2Output", in: 4, out: 2, output: true, tile: 2, doc: "Aᵀ x A: 4×4 products become a tile's 2×2 outputs, plus the bias, but at least floor",
		groups: []group{{[]int{0, 1}, []int{0, 1, 2, 3}, func(v vectors, x []VecVirtual, _ []Op) []VecVirtual {
			return []VecVirtual{v.add(v.add(x[0], x[1]), x[2]), v.sub(v.sub(x[1], x[2]), x[3])}
		}}}},
	{name: "winograd2OutputGradient", in: 2, out: 4, factors: []float64{-1}, tile: 2, doc: "A x Aᵀ, the adjoint of the output's: a tile's 2×2 output gradients become 4×4 values",
		groups: []group{{[]int{0, 1, 2, 3}, []int{0, 1}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
			return []VecVirtual{x[0], v.add(x[0], x[1]), v.sub(x[0], x[1]), v.mul(f[0], x[1])}
		}}}},
	{name: "winograd2Filter", in: 3, out: 4, factors: []float64{1.0 / 2}, doc: "G x Gᵀ: a filter's 3×3 weights become 4×4",
		groups: []group{{[]int{0, 1, 2, 3}, []int{0, 1, 2}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
			a, b := v.mul(f[0], v.add(x[0], x[2])), v.mul(f[0], x[1])
			return []VecVirtual{x[0], v.add(a, b), v.sub(a, b), x[2]}
		}}}},
	{name: "winograd2FilterGradient", in: 4, out: 3, factors: []float64{1.0 / 2}, doc: "Gᵀ x G, the adjoint of the filter's: 4×4 gradients become 3×3",
		groups: []group{{[]int{0, 1, 2}, []int{0, 1, 2, 3}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
			a, b := v.mul(f[0], v.add(x[1], x[2])), v.mul(f[0], v.sub(x[1], x[2]))
			return []VecVirtual{v.add(x[0], a), b, v.add(a, x[3])}
		}}}},
}

// transforms5 are the matrices of F(5×5, 3×3), with the points ±3/8, ±7/8, ±7/4, ∞: without 0, and not powers of two alone,
// they have rounding errors as small as those of F(4×4, 3×3).
func transforms5() []transform {
	const a, b, c = 3.0 / 8, 7.0 / 8, 7.0 / 4
	const a2, b2, c2 = a * a, b * b, c * c
	inputs := []float64{
		b2 * c2, b2 + c2, a,
		a2 * c2, a2 + c2, b,
		a2 * b2, a2 + b2, c,
		a2 * b2 * c2, a2*b2 + a2*c2 + b2*c2, a2 + b2 + c2,
	}
	powers := []float64{a, a2, a * a2, a2 * a2, b, b2, b * b2, b2 * b2, c, c2, c * c2, c2 * c2}
	const na, nb, nc = 2 * a * (a2 - b2) * (a2 - c2), 2 * b * (b2 - a2) * (b2 - c2), 2 * c * (c2 - a2) * (c2 - b2)
	filters := []float64{1 / na, a / na, a2 / na, 1 / nb, b / nb, b2 / nb, 1 / nc, c / nc, c2 / nc}

	// part computes one of the two terms of a pair of outputs.
	type part func(v vectors, x []VecVirtual, f []Op, pair int) VecVirtual
	// pairs gives a group for each pair of points, whose outputs are first + second and first - second, and one for
	// infinity.
	pairs := func(inputs []int, first, second part, infinity []int, last func(v vectors, x []VecVirtual, f []Op) VecVirtual) []group {
		var groups []group
		for pair := range 3 {
			groups = append(groups, group{[]int{2 * pair, 2*pair + 1}, inputs, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
				a, b := first(v, x, f, pair), second(v, x, f, pair)
				return []VecVirtual{v.add(a, b), v.sub(a, b)}
			}})
		}
		return append(groups, group{[]int{6}, infinity, func(v vectors, x []VecVirtual, f []Op) []VecVirtual { return []VecVirtual{last(v, x, f)} }})
	}
	// sums gives the sum, or the difference, of each pair.
	sums := func(v vectors, x []VecVirtual, combine func(x, y VecVirtual) VecVirtual) [3]VecVirtual {
		return [3]VecVirtual{combine(x[0], x[1]), combine(x[2], x[3]), combine(x[4], x[5])}
	}
	// weighted is the sum of the pairs with the factors f[k], f[k+step], f[k+2·step].
	weighted := func(v vectors, s [3]VecVirtual, f []Op, k, step int) VecVirtual {
		return v.addMul(v.addMul(v.mul(f[k], s[0]), f[k+step], s[1]), f[k+2*step], s[2])
	}
	all := []int{0, 1, 2, 3, 4, 5}
	return []transform{
		{name: "winograd5Input", in: 7, out: 7, factors: inputs, tile: 5, doc: "Bᵀ x B: a tile's 7×7 inputs become 7×7 values",
			groups: pairs(all,
				func(v vectors, x []VecVirtual, f []Op, pair int) VecVirtual {
					return v.addMul(v.subMul(x[5], f[3*pair+1], x[3]), f[3*pair], x[1])
				},
				func(v vectors, x []VecVirtual, f []Op, pair int) VecVirtual {
					return v.mul(f[3*pair+2], v.addMul(v.subMul(x[4], f[3*pair+1], x[2]), f[3*pair], x[0]))
				},
				[]int{0, 2, 4, 6},
				func(v vectors, x []VecVirtual, f []Op) VecVirtual {
					return v.subMul(v.addMul(v.subMul(x[6], f[11], x[4]), f[10], x[2]), f[9], x[0])
				})},
		{name: "winograd5Output", in: 7, out: 5, factors: powers, output: true, tile: 5, doc: "Aᵀ x A: 7×7 products become a tile's 5×5 outputs, plus the bias, but at least floor",
			groups: []group{
				{[]int{0, 2}, all, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
					s := sums(v, x, v.add)
					return []VecVirtual{v.add(v.add(s[0], s[1]), s[2]), weighted(v, s, f, 1, 4)}
				}},
				{[]int{1, 3}, all, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
					s := sums(v, x, v.sub)
					return []VecVirtual{weighted(v, s, f, 0, 4), weighted(v, s, f, 2, 4)}
				}},
				{[]int{4}, []int{0, 1, 2, 3, 4, 5, 6}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
					return []VecVirtual{v.add(weighted(v, sums(v, x, v.add), f, 3, 4), x[6])}
				}},
			}},
		{name: "winograd5OutputGradient", in: 5, out: 7, factors: powers, tile: 5, doc: "A x Aᵀ, the adjoint of the output's: a tile's 5×5 output gradients become 7×7 values",
			groups: pairs([]int{0, 1, 2, 3, 4},
				func(v vectors, x []VecVirtual, f []Op, pair int) VecVirtual {
					return v.addMul(v.addMul(x[0], f[4*pair+1], x[2]), f[4*pair+3], x[4])
				},
				func(v vectors, x []VecVirtual, f []Op, pair int) VecVirtual {
					return v.addMul(v.mul(f[4*pair], x[1]), f[4*pair+2], x[3])
				},
				[]int{4}, func(v vectors, x []VecVirtual, f []Op) VecVirtual { return x[4] })},
		{name: "winograd5Filter", in: 3, out: 7, factors: filters, doc: "G x Gᵀ: a filter's 3×3 weights become 7×7",
			groups: pairs([]int{0, 1, 2},
				func(v vectors, x []VecVirtual, f []Op, pair int) VecVirtual { return v.mul(f[3*pair+1], x[1]) },
				func(v vectors, x []VecVirtual, f []Op, pair int) VecVirtual {
					return v.addMul(v.mul(f[3*pair], x[0]), f[3*pair+2], x[2])
				},
				[]int{2}, func(v vectors, x []VecVirtual, f []Op) VecVirtual { return x[2] })},
		{name: "winograd5FilterGradient", in: 7, out: 3, factors: filters, doc: "Gᵀ x G, the adjoint of the filter's: 7×7 gradients become 3×3",
			groups: []group{
				{[]int{0, 2}, []int{0, 1, 2, 3, 4, 5, 6}, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
					s := sums(v, x, v.sub)
					return []VecVirtual{weighted(v, s, f, 0, 3), v.add(weighted(v, s, f, 2, 3), x[6])}
				}},
				{[]int{1}, all, func(v vectors, x []VecVirtual, f []Op) []VecVirtual {
					return []VecVirtual{weighted(v, sums(v, x, v.add), f, 1, 3)}
				}},
			}},
	}
}
