package jpeg

// block has the coefficients of 8×8 samples, multiplied by their quantization, row by row, and where they are not 0.
type block struct {
	values [64]int32
	mask   uint64 // bit i: values[i] was set
}

// set sets the coefficient of a place in the order of a file.
func (b *block) set(i int, v int32) {
	at := natural[i&63]
	b.values[at] = v
	b.mask |= 1 << (at & 63)
}

// Numbers of the transform have 13 bits of fraction where they were multiplied by a constant. What the first pass gives
// has 2 bits, and is larger by √8, as is what the second gives. So libjpeg divides, and rounds halves up.
const (
	constBits = 13
	passBits  = 2
	first     = constBits - passBits
	second    = constBits + passBits + 3
	rows      = 0x0101010101010100 // bits of a mask: of a column, but for its first row
)

// inverse writes the samples of a block (the inverse transform of section A.3.3), and makes the block all zeros.
func (b *block) inverse(dst []uint8, stride int) {
	v := &b.values
	if b.mask <= 1 {
		flat(dst, stride, sample((v[0]+1<<2)>>3))
		v[0], b.mask = 0, 0
		return
	}
	for c := range 8 {
		if b.mask>>c&rows == 0 {
			dc := v[c] << passBits
			for r := 0; r < 64; r += 8 {
				v[r+c] = dc
			}
			continue
		}
		v := v[c : c+57 : c+57]
		e0, e1, e2, e3 := even(v[0], v[16], v[32], v[48], 1<<(first-1))
		o0, o1, o2, o3 := odd(v[8], v[24], v[40], v[56])
		v[0], v[56] = (e0+o0)>>first, (e0-o0)>>first
		v[8], v[48] = (e1+o1)>>first, (e1-o1)>>first
		v[16], v[40] = (e2+o2)>>first, (e2-o2)>>first
		v[24], v[32] = (e3+o3)>>first, (e3-o3)>>first
	}
	for r := range 8 {
		v := v[8*r : 8*r+8 : 8*r+8]
		to := dst[r*stride:][:8:8]
		e0, e1, e2, e3 := even(v[0], v[2], v[4], v[6], 1<<(second-1))
		o0, o1, o2, o3 := odd(v[1], v[3], v[5], v[7])
		to[0], to[7] = sample((e0+o0)>>second), sample((e0-o0)>>second)
		to[1], to[6] = sample((e1+o1)>>second), sample((e1-o1)>>second)
		to[2], to[5] = sample((e2+o2)>>second), sample((e2-o2)>>second)
		to[3], to[4] = sample((e3+o3)>>second), sample((e3-o3)>>second)
	}
	*b = block{}
}

// flat makes all samples of a block equal.
func flat(dst []uint8, stride int, v uint8) {
	for r := range 8 {
		to := dst[r*stride:][:8:8]
		for i := range to {
			to[i] = v
		}
	}
}

// sample is a number from -128 on as a sample, cut to their range.
func sample(v int32) uint8 {
	v += 128
	if uint32(v) > 255 {
		v = ^(v >> 31)
	}
	return uint8(v)
}

// even is the half of a transform of 8 numbers that the even ones of them make: the sums of outputs 0 and 7, 1 and 6, 2
// and 5, 3 and 4, halved. The half of a unit is added to each, for rounding.
func even(x0, x2, x4, x6, half int32) (y0, y1, y2, y3 int32) {
	const (
		c6        = 4433  // √2·cos 6π/16
		c2MinusC6 = 6270  // √2·(cos 2π/16 − cos 6π/16)
		c2PlusC6  = 15137 // √2·(cos 2π/16 + cos 6π/16)
	)
	turn := (x2 + x6) * c6
	low, high := turn-x6*c2PlusC6, turn+x2*c2MinusC6
	sum, difference := (x0+x4)<<constBits+half, (x0-x4)<<constBits+half
	return sum + high, difference + low, difference - low, sum - high
}

// odd is the half that the odd ones make: the differences of the same outputs, halved.
func odd(x1, x3, x5, x7 int32) (y0, y1, y2, y3 int32) {
	const (
		c3        = 9633 // √2·cos 3π/16, and so on
		c3MinusC5 = 3196
		c3PlusC5  = 16069
		c3MinusC7 = 7373
		c1PlusC3  = 20995
		forX7     = 2446  // −c1 + c3 + c5 − c7
		forX5     = 16819 // c1 + c3 − c5 + c7
		forX3     = 25172 // c1 + c3 + c5 − c7
		forX1     = 12299 // c1 + c3 − c5 − c7
	)
	turn := (x1 + x3 + x5 + x7) * c3
	z3, z4 := turn-(x3+x7)*c3PlusC5, turn-(x1+x5)*c3MinusC5
	z1, z2 := (x1+x7)*c3MinusC7, (x3+x5)*c1PlusC3
	return x1*forX1 - z1 + z4, x3*forX3 - z2 + z3, x5*forX5 - z2 + z4, x7*forX7 - z1 + z3
}
