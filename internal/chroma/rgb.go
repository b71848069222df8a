package chroma

import "math"

// The tables hold what the chroma of a pixel adds to its luminance, by JFIF's equations:
//
//	R = Y + 1.402 Cr
//	G = Y − 0.34414 Cb − 0.71414 Cr
//	B = Y + 1.772 Cb
//
// with Cb and Cr from −128 on and factors in 1/65536. Each entry has all three colours, so that one addition does for
// them: red from bit 54 on, green from bit 40 on with its fraction from bit 24 on, and blue from bit 0 on. The entries
// of Cb also have an offset, that the sums be positive, and the half that rounds green; red and blue are whole numbers.
var fromCb, fromCr [256]uint64

const (
	redBit   = 54
	greenBit = 40
	fraction = 16 // bits
	offset   = 256
	light    = 1<<redBit | 1<<greenBit | 1 // of luminance, to each colour
)

// clamped is min(max(i-offset, 0), 255).
var clamped [1024]uint8

func init() {
	fixed := func(factor float64, x int64) int64 { return int64(math.Round(factor*(1<<fraction))) * x }
	whole := func(v int64) int64 { return (v + 1<<(fraction-1)) >> fraction }
	for i := range int64(256) {
		x := i - 128
		fromCr[i] = uint64(whole(fixed(1.40200, x))<<redBit - fixed(0.71414, x)<<(greenBit-fraction))
		green := 1<<(fraction-1) - fixed(0.34414, x)
		fromCb[i] = uint64(offset*light + green<<(greenBit-fraction) + whole(fixed(1.77200, x)))
	}
	for i := range clamped {
		clamped[i] = uint8(min(max(i-offset, 0), 255))
	}
}

// RGB converts pixels of luminance and chroma: the first 3 of each step bytes of dst become those of a pixel.
func RGB(dst []uint8, step int, y, cb, cr []uint8) {
	cb, cr = cb[:len(y)], cr[:len(y)]
	at := 0
	for i, v := range y {
		sum := uint64(v)*light + fromCb[cb[i]] + fromCr[cr[i]]
		to := dst[at : at+3]
		to[0] = clamped[sum>>redBit]
		to[1] = clamped[sum>>greenBit%1024]
		to[2] = clamped[sum%1024]
		at += step
	}
}
