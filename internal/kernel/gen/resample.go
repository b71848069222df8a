package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// resample generates sums of rows, each times its weight: of bytes, and of floats, whose sums are then clamped, scaled and moved.
func resample(s isa, bytes bool) {
	name, signature, doc := "resampleFloats", "func(dst, src *float32, first *int, weights *float32, count, n, length, pitch int, most, factor, offset float32)", " clamps them to [0, most], and gives them times factor, plus offset"
	if bytes {
		name, signature, doc = "resampleBytes", "func(dst *float32, src *uint8, first *int, weights *float32, count, n, length, pitch int)", " is for bytes"
	}
	TEXT(name+s.suffix, NOSPLIT, signature)
	Doc(name + s.suffix + " computes sums of n rows of length >= a vector, see Side;" + doc + ".")
	Pragma("noescape")
	dst, src, first, weights := RDI, RSI, RBX, R8
	count, n, length, pitch := R9, R10, R11, R12
	for i, r := range []GPPhysical{dst, src, first, weights, count, n, length, pitch} {
		Load(ParamIndex(i), r)
	}
	const zero, largest, factor, offset, weight, loaded = 8, 9, 10, 11, 12, 13
	v := s.registers
	size := uint8(4)
	if bytes {
		size = 1
	} else {
		VXORPS(v[zero], v[zero], v[zero])
		for i, name := range []string{"most", "factor", "offset"} {
			VBROADCASTSS(address(Param(name)), v[largest+i])
		}
		SHLQ(Imm(2), pitch)
	}
	from, column, k, at := RDX, RCX, RAX, R15

	// vectors generates the sums of as many vectors, at column.
	vectors := func(loop string, many int) {
		LEAQ(Mem{Base: from, Index: column, Scale: size}, at)
		XORQ(k, k)
		for i := range many {
			VXORPS(v[i], v[i], v[i])
		}
		Label(loop)
		VBROADCASTSS(Mem{Base: weights, Index: k, Scale: 4}, v[weight])
		for i := range many {
			row := Mem{Base: at, Disp: i * s.width * int(size)}
			if bytes {
				VPMOVZXBD(row, v[loaded])
				VCVTDQ2PS(v[loaded], v[loaded])
				VFMADD231PS(v[loaded], v[weight], v[i])
			} else {
				VFMADD231PS(row, v[weight], v[i])
			}
		}
		ADDQ(pitch, at)
		INCQ(k)
		CMPQ(k, n)
		JLT(LabelRef(loop))
		for i := range many {
			if !bytes {
				VMAXPS(v[zero], v[i], v[i])
				VMINPS(v[largest], v[i], v[i])
				VFMADD213PS(v[offset], v[factor], v[i])
			}
			VMOVUPS(v[i], Mem{Base: dst, Index: column, Scale: 4, Disp: i * s.width * 4})
		}
		ADDQ(Imm(uint64(many*s.width)), column)
	}

	Label("row")
	MOVQ(Mem{Base: first}, from)
	IMULQ(pitch, from)
	ADDQ(src, from)
	XORQ(column, column)
	const many = 4
	Label("next")
	LEAQ(Mem{Base: column, Disp: many * s.width}, at)
	CMPQ(at, length)
	JGT(LabelRef("single"))
	vectors("block", many)
	JMP(LabelRef("next"))
	Label("single")
	CMPQ(column, length)
	JGE(LabelRef("done"))
	// The last vector ends where the row does; what it has in common with the one before is computed twice.
	LEAQ(Mem{Base: length, Disp: -s.width}, at)
	CMPQ(column, at)
	CMOVQGT(at, column)
	vectors("vector", 1)
	JMP(LabelRef("single"))
	Label("done")
	ADDQ(Imm(8), first)
	LEAQ(Mem{Base: weights, Index: n, Scale: 4}, weights)
	LEAQ(Mem{Base: dst, Index: length, Scale: 4}, dst)
	DECQ(count)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}
