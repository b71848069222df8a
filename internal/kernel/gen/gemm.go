package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/gotypes"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// fetched is how far ahead, in bytes, an update fetches c and e. -bench Linear/.*/step-linear
const fetched = 512

// A microTile generates the variant of gemm for m rows of vectors, the last one masked or not. All sums stay in
// registers through all runs. Three rows of A are addressed from one pointer: p, p + rsa, p + 2 rsa. What e adds at the
// end and what the next call reads of B are fetched ahead of time, because the pieces of B are too short for the
// processor to notice that one follows the other.
type microTile struct {
	isa
	m, vectors int
	masked     bool
	name       string // of its label, and the beginning of the others
	free       []VecPhysical
	state      gemmState
}

// gemmState is what a call keeps on the stack: the rows left, and where they begin; the products left of a run, and
// where to read what is added to their sums, with its stride: e, or c after the first block.
type gemmState struct{ left, a, c, e, k, from, stride Mem }

// gemm generates the micro-kernel: it takes height rows at a time and jumps to the micro-tile for them.
func gemm(s isa) {
	TEXT("gemm"+s.suffix, NOSPLIT, "func(p *gemm)")
	Doc(
		fmt.Sprintf("gemm%s is gemm.computeGo for n of 1 to %d columns, height rows of 1 to %d at a time (%d if n <= %d), at", s.suffix, 2*s.width, s.rows, s.tall, s.width),
		fmt.Sprintf("least one run, and k of at least 1. It fetches what is ahead floats beyond the b that it reads. To stream, n has to be %d.", 2*s.width),
	)
	Pragma("noescape")
	state := gemmState{AllocLocal(8), AllocLocal(8), AllocLocal(8), AllocLocal(8), AllocLocal(8), AllocLocal(8), AllocLocal(8)}
	g := parameters()
	Load(Param("p"), pointer)
	for _, move := range []struct {
		from Component
		to   Mem
	}{{g.Field("m"), state.left}, {g.Field("a").Base(), state.a}, {g.Field("c").Base(), state.c}, {g.Field("e").Base(), state.e}} {
		Load(move.from, RAX)
		MOVQ(RAX, move.to)
	}
	Label("next")
	Load(g.Field("n"), RCX)
	MOVQ(state.left, RDX)
	Load(g.Field("height"), RAX)
	CMPQ(RDX, RAX)
	CMOVQGT(RAX, RDX)
	CMPQ(RCX, Imm(uint64(s.width)))
	JLE(LabelRef("vectors1"))
	s.choose(2)
	Label("vectors1")
	s.choose(1)
	for vectors := 2; vectors >= 1; vectors-- {
		for m := s.most(vectors); m >= 1; m-- {
			newMicroTile(s, m, vectors, true, state).generate()
			if !s.wide() {
				newMicroTile(s, m, vectors, false, state).generate()
			}
		}
	}
}

// most is the number of rows of the largest micro-tile of as many vectors.
func (s isa) most(vectors int) int {
	if vectors == 1 {
		return s.tall
	}
	return s.rows
}

// choose generates the jumps to the micro-tiles of as many vectors, for n in CX and m in DX. AVX2 has some for whole
// vectors, because its masks are slow.
func (s isa) choose(vectors int) {
	if !s.wide() {
		CMPQ(RCX, Imm(uint64(vectors*s.width)))
		JNE(LabelRef(fmt.Sprintf("vectors%dmasked", vectors)))
		for m := s.most(vectors); m >= 1; m-- {
			CMPQ(RDX, Imm(uint64(m)))
			JEQ(LabelRef(fmt.Sprintf("tile%dx%d", m, vectors)))
		}
		Label(fmt.Sprintf("vectors%dmasked", vectors))
	}
	if vectors == 2 {
		SUBQ(Imm(uint64(s.width)), RCX)
	}
	s.mask()
	for m := s.most(vectors); m >= 1; m-- {
		CMPQ(RDX, Imm(uint64(m)))
		JEQ(LabelRef(fmt.Sprintf("tile%dx%dmasked", m, vectors)))
	}
	RET()
}

// pointer points to the parameters. The function has a frame, in which the assembler saves BP.
var pointer = RBP

// parameters gives the parameters once they are pointed to.
func parameters() Component { return Param("p").Dereference(pointer) }

func newMicroTile(s isa, m, vectors int, masked bool, state gemmState) microTile {
	t := microTile{isa: s, m: m, vectors: vectors, masked: masked, name: fmt.Sprintf("tile%dx%d", m, vectors), state: state}
	if masked {
		t.name += "masked"
	}
	t.free = s.registers[m*vectors:]
	if !s.wide() {
		t.free = t.free[:15-m*vectors] // the last one is the mask
	}
	return t
}

// sum is the register of row i, vector j.
func (t microTile) sum(i, j int) VecPhysical { return t.registers[i*t.vectors+j] }

func (t microTile) generate() {
	Label(t.name)
	t.multiply()
	t.finish()
	t.next()
}

// multiply generates the sums over all runs. It leaves rsa, in bytes, in R13.
func (t microTile) multiply() {
	for i := range t.m * t.vectors {
		VXORPS(t.registers[i], t.registers[i], t.registers[i])
	}
	g := parameters()
	for i := range t.m {
		if i == 0 {
			MOVQ(t.state.e, R8)
			t.loadStride(g.Field("rse"), R9)
			MOVQ(R8, t.state.from)
			MOVQ(R9, t.state.stride)
		} else {
			ADDQ(R9, R8)
		}
		for j := range t.vectors {
			PREFETCHT0(Mem{Base: R8, Disp: 4 * t.width * j})
		}
	}
	rows := []GPPhysical{R8, R9, R10, R11, R12}[:(t.m+2)/3]
	runs, count, rsa, rsa3, csa, b, rsb, k, ahead := RSI, RDI, R13, R14, R15, RBX, RDX, RAX, RCX
	Load(g.Field("runs").Len(), count)
	t.loadStride(g.Field("rsa"), rsa)
	t.loadStride(g.Field("csa"), csa)
	t.loadStride(g.Field("rsb"), rsb)
	t.loadStride(g.Field("ahead"), ahead)
	LEAQ(Mem{Base: rsa, Index: rsa, Scale: 2}, rsa3)
	Load(g.Field("runs").Base(), runs)

	Label(t.name + "run")
	MOVQ(t.state.a, rows[0])
	Load(g.Field("b").Base(), b)
	MOVQ(Mem{Base: runs}, k)
	LEAQ(Mem{Base: rows[0], Index: k, Scale: 4}, rows[0])
	MOVQ(Mem{Base: runs, Disp: 8}, k)
	LEAQ(Mem{Base: b, Index: k, Scale: 4}, b)
	Load(g.Field("k"), k)
	for i := 1; i < len(rows); i++ {
		LEAQ(Mem{Base: rows[i-1], Index: rsa3, Scale: 1}, rows[i])
	}

	Label(t.name + "block")
	MOVQ(k, t.state.k)
	CMPQ(k, address(g.Field("block")))
	CMOVQGT(address(g.Field("block")), k)
	SUBQ(k, t.state.k)

	Label(t.name + "step")
	for j := range t.vectors {
		t.load(Mem{Base: b, Disp: 4 * t.width * j}, t.masked && j == t.vectors-1, t.free[j])
		if t.wide() || j == 0 {
			PREFETCHT1(Mem{Base: b, Index: ahead, Scale: 1, Disp: 4 * t.width * j})
		}
	}
	ADDQ(rsb, b)
	for i := range t.m {
		from := Mem{Base: rows[i/3]}
		if i%3 > 0 {
			from.Index, from.Scale = rsa, uint8(i%3)
		}
		if t.wide() && t.vectors == 1 {
			VFMADD231PS_BCST(from, t.free[0], t.sum(i, 0))
			continue
		}
		x := t.free[t.vectors+i%(len(t.free)-t.vectors)]
		VBROADCASTSS(from, x)
		for j := range t.vectors {
			VFMADD231PS(t.free[j], x, t.sum(i, j))
		}
	}
	for _, r := range rows {
		ADDQ(csa, r)
	}
	DECQ(k)
	JNZ(LabelRef(t.name + "step"))
	CMPQ(t.state.k, Imm(0))
	JNE(LabelRef(t.name + "add"))
	ADDQ(Imm(16), runs)
	DECQ(count)
	JNZ(LabelRef(t.name + "run"))
	JMP(LabelRef(t.name + "finish"))

	Label(t.name + "add")
	t.addBlock(k, runs, count, ahead)
	t.loadStride(g.Field("ahead"), ahead)
	MOVQ(U32(1), count)
	MOVQ(t.state.k, k)
	JMP(LabelRef(t.name + "block"))
	Label(t.name + "finish")
}

// addBlock generates what ends a block: the sums are added to what is there, go to c, and become zero. It clobbers the
// registers that it gets.
func (t microTile) addBlock(to, rsc, from, stride GPPhysical) {
	MOVQ(t.state.c, to)
	t.loadStride(parameters().Field("rsc"), rsc)
	MOVQ(t.state.from, from)
	MOVQ(t.state.stride, stride)
	MOVQ(to, t.state.from)
	MOVQ(rsc, t.state.stride)
	for i := range t.m {
		for j := range t.vectors {
			sum, edge := t.sum(i, j), t.masked && j == t.vectors-1
			at := func(row GPPhysical) Mem { return Mem{Base: row, Disp: 4 * t.width * j} }
			if edge {
				t.load(at(from), true, t.free[0])
				VADDPS(t.free[0], sum, sum)
			} else {
				VADDPS(at(from), sum, sum)
			}
			t.store(sum, edge, at(to))
			VXORPS(sum, sum, sum)
		}
		ADDQ(stride, from)
		ADDQ(rsc, to)
	}
}

// Where finish leaves the rows of c and e that follow.
var c, e = R8, R9

// finish generates what follows the sums: store, stream or update.
func (t microTile) finish() {
	rsc, rse := R10, R11
	g := parameters()
	MOVQ(t.state.c, c)
	MOVQ(t.state.from, e)
	t.loadStride(g.Field("rsc"), rsc)
	MOVQ(t.state.stride, rse)
	nextRow := func() {
		ADDQ(rse, e)
		ADDQ(rsc, c)
	}
	CMPB(address(g.Field("update")), Imm(0))
	JNE(LabelRef(t.name + "update"))
	VBROADCASTSS(address(g.Field("floor")), t.free[0])
	if t.vectors == 2 && (t.wide() || !t.masked) {
		CMPB(address(g.Field("stream")), Imm(0))
		JNE(LabelRef(t.name + "stream"))
		t.write(false, nextRow)
		JMP(LabelRef(t.name + "written"))
		Label(t.name + "stream")
		t.write(true, nextRow)
	} else {
		t.write(false, nextRow)
	}
	JMP(LabelRef(t.name + "written"))
	Label(t.name + "update")
	t.update(g, nextRow)
	Label(t.name + "written")
}

// write generates c = max(floor, e + sums), around the cache or not. The floor is in the first free register.
func (t microTile) write(around bool, nextRow func()) {
	floor := t.free[0]
	for i := range t.m {
		for j := range t.vectors {
			edge := t.masked && j == t.vectors-1 && !around
			from, to := Mem{Base: e, Disp: 4 * t.width * j}, Mem{Base: c, Disp: 4 * t.width * j}
			if edge {
				t.load(from, true, t.free[1])
				VADDPS(t.free[1], t.sum(i, j), t.sum(i, j))
			} else {
				VADDPS(from, t.sum(i, j), t.sum(i, j))
			}
			// The sum is the second source, so that a NaN stays.
			VMAXPS(t.sum(i, j), floor, t.sum(i, j))
			if around {
				VMOVNTPS(t.sum(i, j), to)
			} else {
				t.store(t.sum(i, j), edge, to)
			}
		}
		nextRow()
	}
}

// update generates c = momentum*c + sums - decay*e; e += c.
func (t microTile) update(g Component, nextRow func()) {
	momentum, decay, x := t.free[0], t.free[1], t.free[2]
	VBROADCASTSS(address(g.Field("momentum")), momentum)
	VBROADCASTSS(address(g.Field("decay")), decay)
	for i := range t.m {
		for j := range t.vectors {
			edge := t.masked && j == t.vectors-1
			velocity, weight := Mem{Base: c, Disp: 4 * t.width * j}, Mem{Base: e, Disp: 4 * t.width * j}
			if t.wide() || j == 0 {
				PREFETCHT1(Mem{Base: c, Disp: 4*t.width*j + fetched})
				PREFETCHT1(Mem{Base: e, Disp: 4*t.width*j + fetched})
			}
			t.load(velocity, edge, x)
			VFMADD231PS(x, momentum, t.sum(i, j))
			t.load(weight, edge, x)
			VFNMADD231PS(x, decay, t.sum(i, j))
			t.store(t.sum(i, j), edge, velocity)
			VADDPS(t.sum(i, j), x, x)
			t.store(x, edge, weight)
		}
		nextRow()
	}
}

// next generates the jump to the rows that are left, if any.
func (t microTile) next() {
	rsa, rse, left := R13, R11, RDX
	MOVQ(t.state.left, left)
	SUBQ(Imm(uint64(t.m)), left)
	JZ(LabelRef(t.name + "last"))
	MOVQ(left, t.state.left)
	MOVQ(c, t.state.c)
	IMUL3Q(Imm(uint64(t.m)), rsa, rsa)
	ADDQ(rsa, t.state.a)
	t.loadStride(parameters().Field("rse"), rse)
	IMUL3Q(Imm(uint64(t.m)), rse, rse)
	ADDQ(rse, t.state.e)
	JMP(LabelRef("next"))
	Label(t.name + "last")
	VZEROUPPER()
	RET()
}

// loadStride loads a number of floats and makes bytes of it.
func (t microTile) loadStride(from Component, to GPPhysical) {
	Load(from, to)
	SHLQ(Imm(2), to)
}
