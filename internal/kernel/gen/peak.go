package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// peakSums is the number of independent sums of peak, enough to hide the latency of two units.
const peakSums = 12

// peak generates a loop of multiply-adds on registers.
func peak(s isa) {
	TEXT("peak"+s.suffix, NOSPLIT, "func(steps int)")
	Doc("peak" + s.suffix + " does 12 vector multiply-adds in each of at least 1 steps.")
	Load(Param("steps"), RAX)
	for _, v := range s.registers[:peakSums+1] {
		VXORPS(v, v, v)
	}
	Label("step")
	for _, v := range s.registers[:peakSums] {
		VFMADD231PS(s.registers[peakSums], s.registers[peakSums], v)
	}
	DECQ(RAX)
	JNZ(LabelRef("step"))
	VZEROUPPER()
	RET()
}
