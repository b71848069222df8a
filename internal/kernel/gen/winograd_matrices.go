package main

import (
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The matrices of F(4×4, 3×3), with the points 0, ±1, ±2, ∞, and of F(2×2, 3×3), with 0, ±1, ∞.
var transforms = []transform{
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
