package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// What gemm does with the sums that it has computed; package kernel has the same list.
const (
	store  = iota
	stream // around the cache
	update // c = momentum*c + sums - decay*e; e += c
)

// fetched is how far ahead, in bytes, an update fetches c and e.
const fetched = 512

// gemm generates the micro-kernel: a variant for each number of rows and of vectors in a row, all of whose sums stay in
// registers through all runs. Three rows of A are addressed from one pointer: p, p + rsa, p + 2 rsa. What e adds at the
// end and what the next call will read of B are fetched ahead of time: B comes in pieces too short for the processor to
// notice that they follow one another.
func gemm(s isa) {
	TEXT("gemm"+s.suffix, NOSPLIT, "func(c, a, b, e *float32, runs *[2]int, count, k, rsc, rsa, csa, rsb, rse, m, n, height, ahead, mode int, floor, momentum, decay float32)")
	Doc(fmt.Sprintf("gemm%s is tile.computeGo for n of 1 to %d columns, height rows of 1 to %d at a time, and count and k of at least 1.", s.suffix, 2*s.width, s.rows))
	Doc("It fetches what lies ahead floats beyond the b that it reads. To stream, n has to be " + fmt.Sprint(2*s.width) + ".")
	Pragma("noescape")
	Label("next")
	Load(Param("n"), RCX)
	Load(Param("m"), RDX)
	Load(Param("height"), RAX)
	CMPQ(RDX, RAX)
	CMOVQGT(RAX, RDX)
	for vectors := 2; vectors >= 1; vectors-- {
		if vectors == 2 {
			CMPQ(RCX, Imm(uint64(s.width)))
			JLE(LabelRef("vectors1"))
			if !s.wide() {
				CMPQ(RCX, Imm(uint64(2*s.width)))
				JNE(LabelRef("vectors2masked"))
				for m := s.rows; m >= 1; m-- {
					CMPQ(RDX, Imm(uint64(m)))
					JEQ(LabelRef(fmt.Sprintf("tile%dx2", m)))
				}
				Label("vectors2masked")
			}
			SUBQ(Imm(uint64(s.width)), RCX)
		} else {
			Label("vectors1")
		}
		s.mask()
		for m := s.rows; m >= 1; m-- {
			CMPQ(RDX, Imm(uint64(m)))
			JEQ(LabelRef(fmt.Sprintf("tile%dx%dmasked", m, vectors)))
		}
		RET()
	}
	for m := s.rows; m >= 1; m-- {
		for vectors := 2; vectors >= 1; vectors-- {
			tile(s, m, vectors, true)
			if vectors == 2 && !s.wide() {
				tile(s, m, vectors, false)
			}
		}
	}
}

func tile(s isa, m, vectors int, masked bool) {
	name := fmt.Sprintf("tile%dx%d", m, vectors)
	if masked {
		name += "masked"
	}
	Label(name)
	sum := func(i, j int) VecPhysical { return s.registers[i*vectors+j] }
	free := s.registers[m*vectors:]
	if !s.wide() {
		free = free[:15-m*vectors] // the last one is the mask
	}
	for i := range m * vectors {
		VXORPS(s.registers[i], s.registers[i], s.registers[i])
	}
	rows := []GPPhysical{R8, R9, R10, R11, R12}[:(m+2)/3]
	for i := range m {
		if i == 0 {
			Load(Param("e"), R8)
			Load(Param("rse"), R9)
			SHLQ(Imm(2), R9)
		} else {
			ADDQ(R9, R8)
		}
		for j := range vectors {
			PREFETCHT0(Mem{Base: R8, Disp: 4 * s.width * j})
		}
	}
	runs, count, rsa, rsa3, csa, b, rsb, k, ahead := RSI, RDI, R13, R14, R15, RBX, RDX, RAX, RCX
	Load(Param("runs"), runs)
	Load(Param("count"), count)
	Load(Param("rsa"), rsa)
	Load(Param("csa"), csa)
	Load(Param("rsb"), rsb)
	SHLQ(Imm(2), rsa)
	SHLQ(Imm(2), csa)
	SHLQ(Imm(2), rsb)
	LEAQ(Mem{Base: rsa, Index: rsa, Scale: 2}, rsa3)
	Load(Param("ahead"), ahead)
	SHLQ(Imm(2), ahead)

	Label(name + "run")
	Load(Param("a"), rows[0])
	Load(Param("b"), b)
	MOVQ(Mem{Base: runs}, k)
	LEAQ(Mem{Base: rows[0], Index: k, Scale: 4}, rows[0])
	MOVQ(Mem{Base: runs, Disp: 8}, k)
	LEAQ(Mem{Base: b, Index: k, Scale: 4}, b)
	for i := 1; i < len(rows); i++ {
		LEAQ(Mem{Base: rows[i-1], Index: rsa3, Scale: 1}, rows[i])
	}
	Load(Param("k"), k)

	Label(name + "step")
	for j := range vectors {
		s.load(Mem{Base: b, Disp: 4 * s.width * j}, masked && j == vectors-1, free[j])
		if s.wide() || j == 0 {
			PREFETCHT1(Mem{Base: b, Index: ahead, Scale: 1, Disp: 4 * s.width * j})
		}
	}
	ADDQ(rsb, b)
	for i := range m {
		from := Mem{Base: rows[i/3]}
		if i%3 > 0 {
			from.Index, from.Scale = rsa, uint8(i%3)
		}
		if s.wide() && vectors == 1 {
			VFMADD231PS_BCST(from, free[0], sum(i, 0))
			continue
		}
		x := free[vectors+i%(len(free)-vectors)]
		VBROADCASTSS(from, x)
		for j := range vectors {
			VFMADD231PS(free[j], x, sum(i, j))
		}
	}
	for _, r := range rows {
		ADDQ(csa, r)
	}
	DECQ(k)
	JNZ(LabelRef(name + "step"))
	ADDQ(Imm(16), runs)
	DECQ(count)
	JNZ(LabelRef(name + "run"))

	c, e, rsc, rse := R8, R9, R10, R11
	Load(Param("c"), c)
	Load(Param("e"), e)
	Load(Param("rsc"), rsc)
	Load(Param("rse"), rse)
	SHLQ(Imm(2), rsc)
	SHLQ(Imm(2), rse)
	floor := free[0]
	VBROADCASTSS(NewParamAddr("floor", 136), floor)
	write := func(around bool) {
		for i := range m {
			for j := range vectors {
				edge := masked && j == vectors-1 && !around
				from, to := Mem{Base: e, Disp: 4 * s.width * j}, Mem{Base: c, Disp: 4 * s.width * j}
				if edge {
					s.load(from, true, free[1])
					VADDPS(free[1], sum(i, j), sum(i, j))
				} else {
					VADDPS(from, sum(i, j), sum(i, j))
				}
				// The sum is the second source, so that a NaN stays.
				VMAXPS(sum(i, j), floor, sum(i, j))
				if around {
					VMOVNTPS(sum(i, j), to)
				} else {
					s.store(sum(i, j), edge, to)
				}
			}
			ADDQ(rse, e)
			ADDQ(rsc, c)
		}
	}
	Load(Param("mode"), RAX)
	CMPQ(RAX, Imm(update))
	JEQ(LabelRef(name + "update"))
	if vectors == 2 && (s.wide() || !masked) {
		CMPQ(RAX, Imm(stream))
		JEQ(LabelRef(name + "stream"))
		write(false)
		JMP(LabelRef(name + "written"))
		Label(name + "stream")
		write(true)
	} else {
		write(false)
	}
	JMP(LabelRef(name + "written"))
	Label(name + "update")
	momentum, decay, x := free[0], free[1], free[2]
	VBROADCASTSS(NewParamAddr("momentum", 140), momentum)
	VBROADCASTSS(NewParamAddr("decay", 144), decay)
	for i := range m {
		for j := range vectors {
			edge := masked && j == vectors-1
			velocity, weight := Mem{Base: c, Disp: 4 * s.width * j}, Mem{Base: e, Disp: 4 * s.width * j}
			if s.wide() || j == 0 {
				PREFETCHT1(Mem{Base: c, Disp: 4*s.width*j + fetched})
				PREFETCHT1(Mem{Base: e, Disp: 4*s.width*j + fetched})
			}
			s.load(velocity, edge, x)
			VFMADD231PS(x, momentum, sum(i, j))
			s.load(weight, edge, x)
			VFNMADD231PS(x, decay, sum(i, j))
			s.store(sum(i, j), edge, velocity)
			VADDPS(sum(i, j), x, x)
			s.store(x, edge, weight)
		}
		ADDQ(rse, e)
		ADDQ(rsc, c)
	}
	Label(name + "written")
	left, a := RDX, RAX
	Load(Param("m"), left)
	SUBQ(Imm(uint64(m)), left)
	JZ(LabelRef(name + "last"))
	Store(left, Param("m"))
	Store(c, Param("c"))
	Store(e, Param("e"))
	Load(Param("a"), a)
	IMUL3Q(Imm(uint64(m)), rsa, rsa)
	ADDQ(rsa, a)
	Store(a, Param("a"))
	JMP(LabelRef("next"))
	Label(name + "last")
	VZEROUPPER()
	RET()
}
