package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// dot generates the micro-kernel of products of rows: a variant for each number of rows of a and of b, whose vectors of
// partial sums stay in registers and are added up across at the end.
func dot(s isa) {
	TEXT("dot"+s.suffix, NOSPLIT, "func(c, a, b *float32, k, rsc, csc, rsa, rsb, m, n int)")
	Doc(fmt.Sprintf("dot%s does c[i*rsc+j*csc] += Σ over p < k of a[i*rsa+p] * b[j*rsb+p] for m of 1 to %d rows i and n of 1 to %d rows j.", s.suffix, s.dotRows, s.dotColumns))
	Pragma("noescape")
	rsa, rsa3, rsb, rsb3, rsb5 := R10, R11, R12, R13, R14
	Load(Param("a"), R8)
	Load(Param("b"), R9)
	Load(Param("rsa"), rsa)
	Load(Param("rsb"), rsb)
	SHLQ(Imm(2), rsa)
	SHLQ(Imm(2), rsb)
	LEAQ(Mem{Base: rsa, Index: rsa, Scale: 2}, rsa3)
	LEAQ(Mem{Base: rsb, Index: rsb, Scale: 2}, rsb3)
	LEAQ(Mem{Base: rsb, Index: rsb, Scale: 4}, rsb5)
	row := func(base, step, step3, step5 GPPhysical, i int) Mem {
		switch i {
		case 0:
			return Mem{Base: base}
		case 3:
			return Mem{Base: base, Index: step3, Scale: 1}
		case 5:
			return Mem{Base: base, Index: step5, Scale: 1}
		}
		return Mem{Base: base, Index: step, Scale: uint8(i)}
	}
	Load(Param("k"), RDX)
	Load(Param("m"), RSI)
	Load(Param("n"), RDI)
	for m := s.dotRows; m >= 1; m-- {
		for n := s.dotColumns; n >= 1; n-- {
			next := fmt.Sprintf("not%dx%d", m, n)
			CMPQ(RSI, Imm(uint64(m)))
			JNE(LabelRef(next))
			CMPQ(RDI, Imm(uint64(n)))
			JNE(LabelRef(next))
			sums := s.registers[:m*n]
			right := s.registers[s.dotRows*s.dotColumns:][:n]
			left := s.registers[14]
			if s.wide() {
				left = s.registers[31]
			}
			for _, v := range sums {
				VXORPS(v, v, v)
			}
			s.loop(fmt.Sprintf("tile%dx%d", m, n), RDX, []GPPhysical{R8, R9}, func(masked bool) {
				for j, v := range right {
					s.load(row(R9, rsb, rsb3, rsb5, j), masked, v)
				}
				for i := range m {
					s.load(row(R8, rsa, rsa3, nil, i), masked, left)
					for j, v := range right {
						VFMADD231PS(v, left, sums[i*n+j])
					}
				}
			})
			c, rsc, csc := RAX, RCX, RBX
			Load(Param("c"), R8)
			Load(Param("rsc"), rsc)
			Load(Param("csc"), csc)
			SHLQ(Imm(2), rsc)
			SHLQ(Imm(2), csc)
			for i := range m {
				MOVQ(R8, c)
				for j := range n {
					sum := s.across(sums[i*n+j], right[0])
					VADDSS(Mem{Base: c}, sum, sum)
					VMOVSS(sum, Mem{Base: c})
					if j < n-1 {
						ADDQ(csc, c)
					}
				}
				if i < m-1 {
					ADDQ(rsc, R8)
				}
			}
			VZEROUPPER()
			RET()
			Label(next)
		}
	}
	RET()
}

// across adds up the lanes of v into the lowest of the register that it returns, with the help of t.
func (s isa) across(v, t VecPhysical) Register {
	if s.wide() {
		VEXTRACTF64X4(Imm(1), v, t.AsY())
		VADDPS(t.AsY(), v.AsY(), v.AsY())
		VEXTRACTF32X4(Imm(1), v.AsY(), t.AsX())
	} else {
		VEXTRACTF128(Imm(1), v, t.AsX())
	}
	x := v.AsX()
	VADDPS(t.AsX(), x, x)
	VPERMILPS(Imm(0x4e), x, t.AsX())
	VADDPS(t.AsX(), x, x)
	VPERMILPS(Imm(0xb1), x, t.AsX())
	VADDSS(t.AsX(), x, x)
	return x
}
