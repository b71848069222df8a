package kernel

import (
	"math"
	"slices"
)

// Largest is the largest absolute value of x, 0 if it is empty, and NaN if one of them is.
func Largest(x []float32) float32 {
	const block = 1 << 15
	found := make([]uint32, ceilDiv(len(x), block))
	parallel(len(found), 1, func(lo, hi int) {
		for i := range found[lo:hi] {
			i += lo
			found[i] = largest(x[i*block : min((i+1)*block, len(x))])
		}
	})
	if len(found) == 0 {
		return 0
	}
	return math.Float32frombits(slices.Max(found))
}

// largest finds it by its bits without the sign, of which those of a NaN are the largest.
func largest(x []float32) uint32 {
	const magnitude = 1<<31 - 1
	var a, b, c, d uint32
	for ; len(x) >= 4; x = x[4:] {
		a = max(a, math.Float32bits(x[0])&magnitude)
		b = max(b, math.Float32bits(x[1])&magnitude)
		c = max(c, math.Float32bits(x[2])&magnitude)
		d = max(d, math.Float32bits(x[3])&magnitude)
	}
	for _, v := range x {
		a = max(a, math.Float32bits(v)&magnitude)
	}
	return max(a, b, c, d)
}

// Finite tells whether no value is infinite or not a number.
func Finite(x []float32) bool { return Largest(x) <= math.MaxFloat32 }
