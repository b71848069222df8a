package kernel

import (
	"math"
	"slices"
)

// Largest is the largest absolute value in x: 0 if x is empty, NaN if it has a NaN.
func Largest(x []float32) float32 {
	found := make([]uint32, ceilDiv(len(x), largestBlock))
	parallel(len(found), 1, func(lo, hi int) {
		for i := range found[lo:hi] {
			i += lo
			found[i] = largest(x[i*largestBlock : min((i+1)*largestBlock, len(x))])
		}
	})
	if len(found) == 0 {
		return 0
	}
	return math.Float32frombits(slices.Max(found))
}

// largest returns the bits of the largest absolute value. As integers, the bits of a NaN are larger than all others.
func largest(x []float32) uint32 {
	if cpu.largest == nil || len(x) == 0 {
		return largestGo(x)
	}
	return cpu.largest(&x[0], len(x))
}

// largestGo is the pure-Go twin of the assembly.
func largestGo(x []float32) uint32 {
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

// Finite reports whether no value is infinite or NaN.
func Finite(x []float32) bool { return Largest(x) <= math.MaxFloat32 }
