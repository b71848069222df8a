package kernel

import (
	"math"
	"sync/atomic"
)

// Finite tells whether no value is infinite or not a number.
func Finite(x []float32) bool {
	var found atomic.Bool
	parallel(len(x), 1<<15, func(lo, hi int) {
		// Adding one to an exponent that is all ones, as in both, carries into the sign.
		const exponent, one, sign = 0x7fffffff, 0x00800000, 0x80000000
		var a, b, c, d uint32
		part := x[lo:hi]
		for ; len(part) >= 4; part = part[4:] {
			a |= math.Float32bits(part[0])&exponent + one
			b |= math.Float32bits(part[1])&exponent + one
			c |= math.Float32bits(part[2])&exponent + one
			d |= math.Float32bits(part[3])&exponent + one
		}
		for _, v := range part {
			a |= math.Float32bits(v)&exponent + one
		}
		if (a|b|c|d)&sign != 0 {
			found.Store(true)
		}
	})
	return !found.Load()
}
