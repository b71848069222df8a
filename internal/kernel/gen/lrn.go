package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// lrn generates local response normalisation of a pixel and its gradient for the exponent 3/4, which two square roots
// make.
func lrn(s isa) {
	v := s.registers
	one, alpha, k := v[13], v[12], v[11]
	x, y, window, n := RSI, RDI, RBX, RDX
	p, terms, dy := R8, R9, R10

	// squares generates the squares of x between the zeros before and after them.
	squares := func() {
		Load(Param("x"), x)
		Load(Param("squares"), R11)
		Load(Param("lead"), RAX)
		LEAQ(Mem{Base: R11, Index: RAX, Scale: 4}, R11)
		Load(Param("n"), n)
		s.loop("square", n, []GPPhysical{x, R11}, func(masked bool) {
			s.load(Mem{Base: x}, masked, v[0])
			VMULPS(v[0], v[0], v[0])
			s.store(v[0], masked, Mem{Base: R11})
		})
		Load(Param("x"), x)
		Load(Param("n"), n)
		Load(Param("squares"), window)
		MOVL(U32(0x3f800000), EAX)
		VMOVD(EAX, one.AsX())
		VBROADCASTSS(one.AsX(), one)
	}
	// sum leaves the sum of the window's terms in v[0].
	sum := func(masked bool) {
		VXORPS(v[0], v[0], v[0])
		MOVQ(window, R11)
		Load(Param("size"), R12)
		label := fmt.Sprintf("term%v", masked)
		Label(label)
		s.load(Mem{Base: R11}, masked, v[1])
		VADDPS(v[1], v[0], v[0])
		ADDQ(Imm(4), R11)
		DECQ(R12)
		JNZ(LabelRef(label))
	}
	// scale leaves s = k + alpha*sum in v[0] and s^(3/4) in v[1].
	scale := func(masked bool) {
		sum(masked)
		VFMADD213PS(k, alpha, v[0])
		VSQRTPS(v[0], v[1])
		VSQRTPS(v[1], v[2])
		VMULPS(v[2], v[1], v[1])
	}

	TEXT("lrnForward"+s.suffix, NOSPLIT, "func(y, x, squares *float32, n, lead, size int, alpha, k float32)")
	Doc("lrnForward" + s.suffix + " normalises the n channels of a pixel; squares has zeros for lead elements, room for n, and zeros for size-lead.")
	Pragma("noescape")
	VBROADCASTSS(address(Param("alpha")), alpha)
	VBROADCASTSS(address(Param("k")), k)
	squares()
	Load(Param("y"), y)
	s.loop("channel", n, []GPPhysical{x, y, window}, func(masked bool) {
		scale(masked)
		VDIVPS(v[1], one, v[1])
		s.load(Mem{Base: x}, masked, v[3])
		VMULPS(v[3], v[1], v[1])
		s.store(v[1], masked, Mem{Base: y})
	})
	VZEROUPPER()
	RET()

	TEXT("lrnTerms"+s.suffix, NOSPLIT, "func(p, terms, dy, x, squares *float32, n, lead, size int, alpha, k float32)")
	Doc("lrnTerms" + s.suffix + " writes each channel's factor, s^(-3/4), and what its output's gradient sends to its window, dy*x*s^(-7/4).")
	Pragma("noescape")
	VBROADCASTSS(address(Param("alpha")), alpha)
	VBROADCASTSS(address(Param("k")), k)
	squares()
	Load(Param("p"), p)
	Load(Param("terms"), terms)
	Load(Param("dy"), dy)
	s.loop("channel", n, []GPPhysical{x, window, p, terms, dy}, func(masked bool) {
		scale(masked)
		VDIVPS(v[1], one, v[1])
		s.store(v[1], masked, Mem{Base: p})
		s.load(Mem{Base: x}, masked, v[3])
		s.load(Mem{Base: dy}, masked, v[4])
		VMULPS(v[4], v[3], v[3])
		VMULPS(v[1], v[3], v[3])
		VDIVPS(v[0], v[3], v[3])
		s.store(v[3], masked, Mem{Base: terms})
	})
	VZEROUPPER()
	RET()

	TEXT("lrnGradient"+s.suffix, NOSPLIT, "func(dx, dy, x, p, terms *float32, n, size int, factor float32)")
	Doc("lrnGradient" + s.suffix + " writes dy*p + factor*x*(sum of the size terms from each channel's on).")
	Pragma("noescape")
	VBROADCASTSS(address(Param("factor")), alpha)
	Load(Param("dx"), y)
	Load(Param("dy"), dy)
	Load(Param("x"), x)
	Load(Param("p"), p)
	Load(Param("terms"), window)
	Load(Param("n"), n)
	s.loop("channel", n, []GPPhysical{y, dy, x, p, window}, func(masked bool) {
		sum(masked)
		VMULPS(alpha, v[0], v[0])
		s.load(Mem{Base: dy}, masked, v[1])
		s.load(Mem{Base: p}, masked, v[2])
		VMULPS(v[2], v[1], v[1])
		s.load(Mem{Base: x}, masked, v[2])
		VFMADD231PS(v[2], v[0], v[1])
		s.store(v[1], masked, Mem{Base: y})
	})
	VZEROUPPER()
	RET()
}
