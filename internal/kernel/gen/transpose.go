package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// transpose generates the transposition of a square of vectors in registers.
func transpose(s isa) {
	TEXT("transpose"+s.suffix, NOSPLIT, "func(dst, src *float32, to, from *int, rows, columns int, add bool)")
	Doc(fmt.Sprintf("transpose%s is a block of transposition of 1 to %d rows and columns.", s.suffix, s.width))
	Pragma("noescape")
	dst, src, to, from, last, columns := RDI, RSI, RBX, RDX, R8, R9
	Load(Param("dst"), dst)
	Load(Param("src"), src)
	Load(Param("to"), to)
	Load(Param("from"), from)
	Load(Param("rows"), last)
	Load(Param("columns"), columns)

	s.wholeSquare(dst, src, to, from, last, columns)
	// A missing row is read as a copy of the last and not stored.
	DECQ(last)
	MOVQ(columns, RCX)
	s.mask()
	XORQ(RAX, RAX)
	v := s.registers[:s.width]
	for i := range v {
		MOVQ(Mem{Base: from, Index: RAX, Scale: 8}, R10)
		s.load(Mem{Base: src, Index: R10, Scale: 4}, true, v[i])
		CMPQ(RAX, last)
		ADCQ(Imm(0), RAX)
	}
	v = s.transposed()
	MOVQ(last, RCX)
	INCQ(RCX)
	s.mask()
	add := Load(Param("add"), R10B)
	TESTB(add, add)
	JNZ(LabelRef("add"))
	for _, add := range []bool{false, true} {
		if add {
			Label("add")
		}
		for j, x := range v {
			s.storeColumn(x, dst, to, j, true, add)
			if j < len(v)-1 {
				CMPQ(columns, Imm(uint64(j+1)))
				JEQ(LabelRef("done"))
			} else if !add {
				JMP(LabelRef("done"))
			}
		}
	}
	Label("done")
	VZEROUPPER()
	RET()
}

// wholeSquare generates the transposition of a square without missing rows and columns, which needs no masks: those of
// AVX2 are slow, on some processors very.
func (s isa) wholeSquare(dst, src, to, from, rows, columns Register) {
	CMPQ(rows, Imm(uint64(s.width)))
	JNE(LabelRef("part"))
	CMPQ(columns, Imm(uint64(s.width)))
	JNE(LabelRef("part"))
	for i, x := range s.registers[:s.width] {
		MOVQ(Mem{Base: from, Disp: 8 * i}, R10)
		s.load(Mem{Base: src, Index: R10, Scale: 4}, false, x)
	}
	v := s.transposed()
	add := Load(Param("add"), R10B)
	TESTB(add, add)
	JNZ(LabelRef("wholeAdd"))
	for _, add := range []bool{false, true} {
		if add {
			Label("wholeAdd")
		}
		for j, x := range v {
			s.storeColumn(x, dst, to, j, false, add)
		}
		JMP(LabelRef("done"))
	}
	Label("part")
}

// transposed generates the transposition of the rows in the first registers, and returns the columns.
func (s isa) transposed() []VecPhysical {
	if s.wide() {
		return transpose16(s.registers[:16], s.registers[16:])
	}
	return transpose8(s.registers[:8], s.registers[8:])
}

// storeColumn generates the store of column j, or its addition. It clobbers R10.
func (s isa) storeColumn(x VecPhysical, dst, to Register, j int, masked, add bool) {
	MOVQ(Mem{Base: to, Disp: 8 * j}, R10)
	at := Mem{Base: dst, Index: R10, Scale: 4}
	if add {
		spare := s.registers[len(s.registers)-2]
		s.load(at, masked, spare)
		VADDPS(spare, x, x)
	}
	s.store(x, masked, at)
}

// transpose16 transposes the rows v, using as many registers t, and returns the columns.
func transpose16(v, t []VecPhysical) []VecPhysical {
	for i := 0; i < 16; i += 2 {
		VUNPCKLPS(v[i+1], v[i], t[i])
		VUNPCKHPS(v[i+1], v[i], t[i+1])
	}
	// v[4q+c], lane l: column 4l+c of the rows 4q to 4q+3.
	for q := 0; q < 16; q += 4 {
		for h := range 2 {
			VUNPCKLPD(t[q+2+h], t[q+h], v[q+2*h])
			VUNPCKHPD(t[q+2+h], t[q+h], v[q+2*h+1])
		}
	}
	const even, odd = 0x88, 0xdd
	columns := make([]VecPhysical, 16)
	for c := range 4 {
		for h, lanes := range []uint64{even, odd} {
			low, high := t[4*c+2*h], t[4*c+2*h+1]
			VSHUFF32X4(Imm(lanes), v[4+c], v[c], low)
			VSHUFF32X4(Imm(lanes), v[12+c], v[8+c], high)
		}
	}
	for c := range 4 {
		for h := range 2 {
			low, high := t[4*c+2*h], t[4*c+2*h+1]
			first, second := v[4*c+2*h], v[4*c+2*h+1]
			VSHUFF32X4(Imm(even), high, low, first)
			VSHUFF32X4(Imm(odd), high, low, second)
			columns[4*h+c], columns[8+4*h+c] = first, second
		}
	}
	return columns
}

// transpose8 transposes the rows v, using as many registers t, and returns the columns.
func transpose8(v, t []VecPhysical) []VecPhysical {
	for i := 0; i < 8; i += 2 {
		VUNPCKLPS(v[i+1], v[i], t[i])
		VUNPCKHPS(v[i+1], v[i], t[i+1])
	}
	for q := 0; q < 8; q += 4 {
		for h := range 2 {
			VUNPCKLPD(t[q+2+h], t[q+h], v[q+2*h])
			VUNPCKHPD(t[q+2+h], t[q+h], v[q+2*h+1])
		}
	}
	const low, high = 0x20, 0x31
	for c := range 4 {
		VPERM2F128(Imm(low), v[4+c], v[c], t[c])
		VPERM2F128(Imm(high), v[4+c], v[c], v[c])
	}
	return append(append([]VecPhysical{}, t[:4]...), v[:4]...)
}
