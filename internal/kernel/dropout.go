package kernel

import "vgg/internal/splitmix"

// Dropout writes x/(1-probability) to y where an element is kept and zero where it is dropped, which happens with the
// given probability in [0, 1). Whether element i is kept is a function of key and i modulo 2³² alone. y may be x.
func Dropout(y, x []float32, probability float32, key uint64) {
	x = x[:len(y):len(y)]
	scale := 1 / (1 - probability)
	threshold := uint32(float64(probability) * (1 << 32))
	// The low half of the key chooses where in the sequence to begin, the high half which sequence. Mixed, so that keys
	// that differ by little differ in both.
	key = splitmix.Mix(key)
	first, sequence := uint32(key), uint32(key>>32)
	parallel(len(y), elementwiseGrain, func(lo, hi int) {
		if cpu.dropout != nil {
			cpu.dropout(&y[lo], &x[lo], hi-lo, first+uint32(lo), sequence, threshold, scale)
			return
		}
		for i := lo; i < hi; i++ {
			var v float32
			if scramble(scramble(first+uint32(i))^sequence) >= threshold {
				v = x[i] * scale
			}
			y[i] = v
		}
	})
}

// scramble is a bijection of which every output bit depends on every input bit, with the shifts and multipliers that
// Hash Prospector (C. Wellons, T. Müller and others) found to have little bias.
func scramble(h uint32) uint32 {
	h = (h ^ h>>16) * 0x21f0aaad
	h = (h ^ h>>15) * 0xd35a2d97
	return h ^ h>>15
}
