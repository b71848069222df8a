package main

import (
	"math"
	"slices"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// exponential is the polynomial of degree 6 that is nearest to exp in |r| <= ln(2)/2 (relative error 3e-9) among those
// that begin with 1 + r: its coefficients from that of r^6 down, each in 16 lanes.
var exponential = constants("exponential", 0.001381459845, 0.008368716887, 0.041668388049, 0.166665206316, 0.499999934478, 1, 1)

// reduction takes x to n and r with x = n*ln(2) + r: 1/ln(2), the number to add for rounding, and ln(2) in two parts.
var reduction = constants("reduction", math.Log2E, rounder, ln2, math.Ln2-ln2)

const (
	// rounder has the integers as its last place, so that a sum with it ends in the bits of the exponent field of 2^n.
	rounder = 1<<23 + 1<<22 + 127
	ln2     = 0x1.62e43p-01 // the nearest float32
	// lowest is where n is -127, whose 2^n comes out as zero.
	lowest = -127 * math.Ln2
)

// softmax generates the exponentials of a row and the multiplication of a row by a number.
func softmax(s isa) {
	v := s.registers
	e, x, n := RDI, RSI, RDX
	sum, largest, nothing, floor := v[4], v[5], v[6], v[7]

	// load loads a vector of x, with minus infinity in the lanes that are masked off.
	load := func(masked bool) {
		switch {
		case !masked:
			VMOVUPS(Mem{Base: x}, v[0])
		case s.wide():
			VMOVAPS(nothing, v[0])
			VMOVUPS(Mem{Base: x}, K1, v[0])
		default:
			VMASKMOVPS(Mem{Base: x}, v[15], v[0])
			VBLENDVPS(v[15], v[0], nothing, v[0])
		}
	}

	TEXT("softmax"+s.suffix, NOSPLIT, "func(e, x *float32, n int) (largest float32, sum float64)")
	Doc("softmax" + s.suffix + " writes exp(x[i] - largest) for i < n to e, which may be x, and returns their sum.")
	Pragma("noescape")
	s.broadcast(math.Float32bits(float32(math.Inf(-1))), nothing)
	s.broadcast(math.Float32bits(lowest), floor)
	VMOVAPS(nothing, largest)
	VXORPS(sum, sum, sum)
	Load(Param("x"), x)
	Load(Param("n"), n)
	s.loop("largest", n, []GPPhysical{x}, func(masked bool) {
		load(masked)
		VMAXPS(largest, v[0], largest) // skips a NaN, which the sum then has
	})
	s.reduce(VMAXPS, largest, v[0], 4)
	Load(Param("e"), e)
	Load(Param("x"), x)
	Load(Param("n"), n)
	s.loop("exponential", n, []GPPhysical{e, x}, func(masked bool) {
		load(masked)
		VSUBPS(largest, v[0], v[0])
		VMAXPS(v[0], floor, v[0]) // keeps a NaN
		VMOVUPS(reduction.Offset(64), v[1])
		VFMADD231PS(reduction, v[0], v[1])
		VSUBPS(reduction.Offset(64), v[1], v[2])
		VFNMADD231PS(reduction.Offset(128), v[2], v[0])
		VFNMADD231PS(reduction.Offset(192), v[2], v[0])
		VMOVUPS(exponential, v[2])
		for i := range 6 {
			VFMADD213PS(exponential.Offset(64*(i+1)), v[0], v[2])
		}
		VPSLLD(Imm(23), v[1], v[1])
		VMULPS(v[1], v[2], v[0])
		s.store(v[0], masked, Mem{Base: e})
		low, high := Register(v[0].AsX()), Register(v[1].AsX())
		if s.wide() {
			low, high = v[0].AsY(), v[1].AsY()
			VEXTRACTF64X4(Imm(1), v[0], high)
		} else {
			VEXTRACTF128(Imm(1), v[0], high)
		}
		VCVTPS2PD(low, v[0])
		VCVTPS2PD(high, v[1])
		VADDPD(v[0], sum, sum)
		VADDPD(v[1], sum, sum)
	})
	s.reduce(VADDPD, sum, v[0], 8)
	Store(largest.AsX(), Return("largest"))
	Store(sum.AsX(), Return("sum"))
	VZEROUPPER()
	RET()

	TEXT("scale"+s.suffix, NOSPLIT, "func(dst *float32, n int, factor float32)")
	Doc("scale" + s.suffix + " does dst[i] *= factor for i < n.")
	Pragma("noescape")
	Load(Param("dst"), e)
	Load(Param("n"), n)
	VBROADCASTSS(address(Param("factor")), v[1])
	s.loop("loop", n, []GPPhysical{e}, func(masked bool) {
		s.load(Mem{Base: e}, masked, v[0])
		VMULPS(v[1], v[0], v[0])
		s.store(v[0], masked, Mem{Base: e})
	})
	VZEROUPPER()
	RET()
}

// reduce combines the lanes of v, of the given bytes each, into every lane, with the help of t.
func (s isa) reduce(combine func(...Op), v, t VecPhysical, size int) {
	if s.wide() {
		VSHUFF32X4(Imm(0x4e), v, v, t)
		combine(t, v, v)
		VSHUFF32X4(Imm(0xb1), v, v, t)
	} else {
		VPERM2F128(Imm(1), v, v, t)
	}
	combine(t, v, v)
	VPERMILPS(Imm(0x4e), v, t)
	combine(t, v, v)
	if size == 4 {
		VPERMILPS(Imm(0xb1), v, t)
		combine(t, v, v)
	}
}

// constants puts numbers into the read-only data, each in 16 lanes.
func constants(name string, numbers ...float64) Mem {
	var words []uint32
	for _, x := range numbers {
		words = append(words, slices.Repeat([]uint32{math.Float32bits(float32(x))}, 16)...)
	}
	return table(name, words)
}
