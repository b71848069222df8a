package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// lanes are the numbers of the lanes.
var lanes = table("lanes", []uint32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})

// dropout generates dropout, whose random numbers are those of the Go function scramble.
func dropout(s isa) {
	v := s.registers
	counter, key, threshold, scale, step := v[3], v[4], v[5], v[6], v[7]
	multipliers := []VecPhysical{v[8], v[9]}

	TEXT("dropout"+s.suffix, NOSPLIT, "func(y, x *float32, n int, counter, key, threshold uint32, scale float32)")
	Doc("dropout" + s.suffix + " does y[i] = x[i]*scale if scramble(scramble(counter+i)^key) >= threshold, else 0, for i < n.")
	Pragma("noescape")
	y, x := RDI, RSI
	Load(Param("y"), y)
	Load(Param("x"), x)
	Load(Param("n"), RDX)
	for i, name := range []string{"counter", "key", "threshold", "scale"} {
		VBROADCASTSS(address(Param(name)), v[3+i])
	}
	VPADDD(lanes, counter, counter)
	s.broadcast(uint32(s.width), step)
	s.broadcast(0x21f0aaad, multipliers[0])
	s.broadcast(0xd35a2d97, multipliers[1])
	// scramble leaves the scrambled lanes of from in v[0].
	scramble := func(from VecPhysical) {
		for i, shift := range []uint64{16, 15, 15} {
			VPSRLD(Imm(shift), from, v[1])
			VXORPS(v[1], from, v[0])
			if i < 2 {
				VPMULLD(multipliers[i], v[0], v[0])
			}
			from = v[0]
		}
	}
	s.loop("loop", RDX, []GPPhysical{y, x}, func(masked bool) {
		scramble(counter)
		VXORPS(key, v[0], v[0])
		scramble(v[0])
		VPADDD(step, counter, counter)
		VPMAXUD(threshold, v[0], v[1])
		if s.wide() {
			VPCMPEQD(v[1], v[0], K2)
		} else {
			VPCMPEQD(v[1], v[0], v[1])
		}
		s.load(Mem{Base: x}, masked, v[0])
		VMULPS(scale, v[0], v[0])
		s.keep(v[1], v[0], v[0])
		s.store(v[0], masked, Mem{Base: y})
	})
	VZEROUPPER()
	RET()
}

// broadcast sets each lane to the same bits. It clobbers AX.
func (s isa) broadcast(bits uint32, to VecPhysical) {
	MOVL(U32(bits), EAX)
	VMOVD(EAX, to.AsX())
	VBROADCASTSS(to.AsX(), to)
}

// table puts 32-bit words into the read-only data.
func table(name string, words []uint32) Mem {
	m := GLOBL(name, RODATA|NOPTR)
	for i, w := range words {
		DATA(4*i, U32(w))
	}
	return m
}
