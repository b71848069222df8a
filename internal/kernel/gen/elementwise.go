package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// greater and equal are predicates of VCMPPS, false for a NaN.
const equal, greater = 0x00, 0x1e

// elementwise generates the functions of n elements.
func elementwise(s isa) {
	v := s.registers

	TEXT("add"+s.suffix, NOSPLIT, "func(dst, src *float32, n int)")
	Doc("add" + s.suffix + " does dst[i] += src[i] for i < n.")
	Pragma("noescape")
	dst, src := RDI, RSI
	Load(Param("dst"), dst)
	Load(Param("src"), src)
	Load(Param("n"), RDX)
	s.loop("loop", RDX, []GPPhysical{dst, src}, func(masked bool) {
		s.load(Mem{Base: src}, masked, v[0])
		s.load(Mem{Base: dst}, masked, v[1])
		VADDPS(v[0], v[1], v[0])
		s.store(v[0], masked, Mem{Base: dst})
	})
	VZEROUPPER()
	RET()

	TEXT("addScaled"+s.suffix, NOSPLIT, "func(dst, src *float32, n int, factor float32)")
	Doc("addScaled" + s.suffix + " does dst[i] += factor * src[i] for i < n.")
	Pragma("noescape")
	Load(Param("dst"), dst)
	Load(Param("src"), src)
	Load(Param("n"), RDX)
	VBROADCASTSS(address(Param("factor")), v[2])
	s.loop("loop", RDX, []GPPhysical{dst, src}, func(masked bool) {
		s.load(Mem{Base: src}, masked, v[0])
		s.load(Mem{Base: dst}, masked, v[1])
		VFMADD231PS(v[0], v[2], v[1])
		s.store(v[1], masked, Mem{Base: dst})
	})
	VZEROUPPER()
	RET()

	TEXT("reluGradient"+s.suffix, NOSPLIT, "func(dx, dy, y *float32, n int)")
	Doc("reluGradient" + s.suffix + " does dx[i] = dy[i] if y[i] > 0, else 0, for i < n.")
	Pragma("noescape")
	dx, dy, y := RDI, RSI, RBX
	Load(Param("dx"), dx)
	Load(Param("dy"), dy)
	Load(Param("y"), y)
	Load(Param("n"), RDX)
	VXORPS(v[2], v[2], v[2])
	s.loop("loop", RDX, []GPPhysical{dx, dy, y}, func(masked bool) {
		s.load(Mem{Base: y}, masked, v[0])
		s.load(Mem{Base: dy}, masked, v[1])
		s.where(greater, v[2], v[0], v[3])
		s.keep(v[3], v[1], v[1])
		s.store(v[1], masked, Mem{Base: dx})
	})
	VZEROUPPER()
	RET()

	TEXT("largest"+s.suffix, NOSPLIT, "func(x *float32, n int) uint32")
	Doc("largest" + s.suffix + " is largestGo.")
	Pragma("noescape")
	x := RSI
	Load(Param("x"), x)
	Load(Param("n"), RDX)
	s.broadcast(1<<31-1, v[1])
	VXORPS(v[2], v[2], v[2])
	maxima := func(ops ...Op) { VPMAXUD(ops[0], ops[1], ops[2]) }
	s.loop("loop", RDX, []GPPhysical{x}, func(masked bool) {
		s.load(Mem{Base: x}, masked, v[0])
		VANDPS(v[0], v[1], v[0])
		maxima(v[0], v[2], v[2])
	})
	s.reduce(maxima, v[2], v[0], 4)
	VMOVD(v[2].AsX(), EAX)
	Store(EAX, ReturnIndex(0))
	VZEROUPPER()
	RET()

	for _, clears := range []bool{true, false} {
		name, doc := "sgd"+s.suffix, " does the step of SGD for i < n, and clears the gradient."
		if !clears {
			name, doc = "sgdKeep"+s.suffix, " does the step of SGD for i < n."
		}
		TEXT(name, NOSPLIT, "func(w, v, gradient *float32, n int, learningRate, momentum, weightDecay, scale float32)")
		Doc(name + doc)
		Pragma("noescape")
		w, velocity, g := RDI, RSI, RBX
		Load(Param("w"), w)
		Load(Param("v"), velocity)
		Load(Param("gradient"), g)
		Load(Param("n"), RDX)
		for i, name := range []string{"learningRate", "momentum", "weightDecay", "scale"} {
			VBROADCASTSS(address(Param(name)), v[8+i])
		}
		VXORPS(v[12], v[12], v[12])
		s.loop("loop", RDX, []GPPhysical{w, velocity, g}, func(masked bool) {
			s.load(Mem{Base: g}, masked, v[0])
			s.load(Mem{Base: w}, masked, v[1])
			s.load(Mem{Base: velocity}, masked, v[2])
			VMULPS(v[0], v[11], v[0])
			VFMADD231PS(v[1], v[10], v[0])
			VMULPS(v[2], v[9], v[2])
			VFNMADD231PS(v[0], v[8], v[2])
			VADDPS(v[2], v[1], v[1])
			s.store(v[2], masked, Mem{Base: velocity})
			s.store(v[1], masked, Mem{Base: w})
			if clears {
				s.store(v[12], masked, Mem{Base: g})
			}
		})
		VZEROUPPER()
		RET()
	}
}

// loop generates the body for each vector of n elements, the last one masked where it is not whole, and moves the
// pointers.
func (s isa) loop(name string, n GPPhysical, pointers []GPPhysical, body func(masked bool)) {
	SUBQ(Imm(uint64(s.width)), n)
	JLT(LabelRef(name + "tail"))
	Label(name + "vector")
	body(false)
	for _, p := range pointers {
		ADDQ(Imm(uint64(4*s.width)), p)
	}
	SUBQ(Imm(uint64(s.width)), n)
	JGE(LabelRef(name + "vector"))
	Label(name + "tail")
	ADDQ(Imm(uint64(s.width)), n)
	JZ(LabelRef(name + "done"))
	MOVQ(n, RCX)
	s.mask()
	body(true)
	Label(name + "done")
}

// where finds the lanes in which b is in the given relation to a: in K2 for AVX-512, in to for AVX2.
func (s isa) where(predicate uint64, a, b, to VecPhysical) {
	if s.wide() {
		VCMPPS(Imm(predicate), a, b, K2)
		return
	}
	VCMPPS(Imm(predicate), a, b, to)
}

// keep copies the lanes that where found and clears the others.
func (s isa) keep(found, from, to VecPhysical) {
	if s.wide() {
		VMOVAPS_Z(from, K2, to)
		return
	}
	VANDPS(from, found, to)
}
