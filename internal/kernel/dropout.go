package kernel

// Dropout writes x/(1-probability) to y where an element is kept and zero where it is dropped, which happens with the
// given probability in [0, 1). Whether element i is kept is a function of key and i alone. y may be x.
func Dropout(y, x []float32, probability float32, key uint64) {
	x = x[:len(y):len(y)]
	const golden = 0x9e3779b97f4a7c15
	scale := 1 / (1 - probability)
	threshold := uint64(float64(probability) * (1 << 32))
	// Mixed, so that keys that differ by multiples of the constant don't give shifted copies of one sequence.
	base := mix(key)
	parallel(len(y), 1<<14, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			var v float32
			if mix(base+uint64(i)*golden)>>32 >= threshold {
				v = x[i] * scale
			}
			y[i] = v
		}
	})
}

// mix is the output function of SplitMix64: a bijection whose every output bit depends on every input bit.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
