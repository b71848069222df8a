package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// pool generates the max-pooling of a row of pixels and its gradient. A window's pixels are at x, x + c, and the same
// one line below.
func pool(s isa) {
	v := s.registers
	byte4 := func(registers ...GPPhysical) {
		for _, r := range registers {
			SHLQ(Imm(2), r)
		}
	}

	TEXT("poolForward"+s.suffix, NOSPLIT, "func(y, x *float32, pixels, c, line int)")
	Doc("poolForward" + s.suffix + " writes the maxima of a row of windows to y (pixels, c), a NaN if there is one; the rows of x are line floats apart.")
	Pragma("noescape")
	y, x, pixels, c, line, below := RDI, RSI, R8, R9, R10, R11
	Load(Param("y"), y)
	Load(Param("x"), x)
	Load(Param("pixels"), pixels)
	Load(Param("c"), c)
	Load(Param("line"), line)
	byte4(c, line)
	Label("pixel")
	LEAQ(Mem{Base: x, Index: line, Scale: 1}, below)
	MOVQ(c, RDX)
	SHRQ(Imm(2), RDX)
	s.loop("channel", RDX, []GPPhysical{y, x, below}, func(masked bool) {
		for i, from := range []Mem{{Base: x}, {Base: x, Index: c, Scale: 1}, {Base: below}, {Base: below, Index: c, Scale: 1}} {
			s.load(from, masked, v[i])
		}
		for _, pair := range [][2]int{{0, 1}, {2, 3}, {0, 2}} {
			// VMAXPS returns its second source if either is a NaN: both orders together keep any NaN.
			a, b := v[pair[0]], v[pair[1]]
			VMAXPS(a, b, v[4])
			VMAXPS(b, a, a)
			VORPS(v[4], a, a)
		}
		s.store(v[0], masked, Mem{Base: y})
	})
	// The loop moved the pointers by its whole vectors, RDX elements short of c.
	LEAQ(Mem{Base: y, Index: RDX, Scale: 4}, y)
	LEAQ(Mem{Base: x, Index: RDX, Scale: 4}, x)
	ADDQ(c, x)
	DECQ(pixels)
	JNZ(LabelRef("pixel"))
	VZEROUPPER()
	RET()

	TEXT("poolGradient"+s.suffix, NOSPLIT, "func(dx, dy, x, y *float32, pixels, c, line int)")
	Doc("poolGradient" + s.suffix + " writes each window's gradient to its first maximum and zero to the rest of dx.")
	Pragma("noescape")
	dx, dy, dxBelow := RBX, R12, R13
	Load(Param("dx"), dx)
	Load(Param("dy"), dy)
	Load(Param("x"), x)
	Load(Param("y"), y)
	Load(Param("pixels"), pixels)
	Load(Param("c"), c)
	Load(Param("line"), line)
	byte4(c, line)
	Label("pixel")
	LEAQ(Mem{Base: x, Index: line, Scale: 1}, below)
	LEAQ(Mem{Base: dx, Index: line, Scale: 1}, dxBelow)
	MOVQ(c, RDX)
	SHRQ(Imm(2), RDX)
	s.loop("channel", RDX, []GPPhysical{y, dy, x, below, dx, dxBelow}, func(masked bool) {
		s.load(Mem{Base: y}, masked, v[0])
		s.load(Mem{Base: dy}, masked, v[1])
		for i, pair := range [][2]GPPhysical{{x, dx}, {x, dx}, {below, dxBelow}, {below, dxBelow}} {
			from, to := Mem{Base: pair[0]}, Mem{Base: pair[1]}
			if i%2 == 1 {
				from.Index, from.Scale, to.Index, to.Scale = c, 1, c, 1
			}
			// What is left of the gradient goes to the maximum and becomes zero.
			s.load(from, masked, v[2])
			s.where(equal, v[2], v[0], v[3])
			s.keep(v[3], v[1], v[4])
			if i < 3 {
				VXORPS(v[4], v[1], v[1])
			}
			s.store(v[4], masked, to)
		}
	})
	LEAQ(Mem{Base: y, Index: RDX, Scale: 4}, y)
	LEAQ(Mem{Base: dy, Index: RDX, Scale: 4}, dy)
	LEAQ(Mem{Base: x, Index: RDX, Scale: 4}, x)
	LEAQ(Mem{Base: dx, Index: RDX, Scale: 4}, dx)
	ADDQ(c, x)
	ADDQ(c, dx)
	DECQ(pixels)
	JNZ(LabelRef("pixel"))
	VZEROUPPER()
	RET()
}
