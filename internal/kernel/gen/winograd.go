package main

import (
	"math"
	"slices"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A transform is one of those of Winograd's minimal filtering, T x Tᵀ, given by the multiplication with T.
type transform struct {
	name    string
	in, out int
	factors []float64 // constants
	groups  []group
	output  bool // add a bias and bound the result
	stream  bool // write around the cache
	tile    int  // outputs on each side of a tile, if src or (with output) dst is a feature map
	doc     string
}

// A group of outputs is computed from the same inputs.
type group struct {
	outputs, inputs []int
	apply           func(v vectors, x []VecVirtual, factor []Op) []VecVirtual // x by the number of the input
}

// vectors makes virtual registers of an instruction set.
type vectors struct{ isa }

func (v vectors) new() VecVirtual {
	if v.wide() {
		return ZMM()
	}
	return YMM()
}

func (v vectors) copy(x VecVirtual) VecVirtual {
	y := v.new()
	VMOVAPS(x, y)
	return y
}

func (v vectors) add(x, y VecVirtual) VecVirtual { z := v.new(); VADDPS(y, x, z); return z }
func (v vectors) sub(x, y VecVirtual) VecVirtual { z := v.new(); VSUBPS(y, x, z); return z }

// mul is f·x, addMul y + f·x, subMul y - f·x, with f in a register or in memory.
func (v vectors) mul(f Op, x VecVirtual) VecVirtual { z := v.new(); VMULPS(f, x, z); return z }

func (v vectors) addMul(y VecVirtual, f Op, x VecVirtual) VecVirtual {
	z := v.copy(y)
	VFMADD231PS(f, x, z)
	return z
}

func (v vectors) subMul(y VecVirtual, f Op, x VecVirtual) VecVirtual {
	z := v.copy(y)
	VFNMADD231PS(f, x, z)
	return z
}

// mostFactors is the most factors of a transform that are kept in registers.
const mostFactors = 4

// winograd generates a transform: its columns first, then its rows. With 32 registers the columns of a group of rows stay
// in them until the rows are done, except for large tiles: these, and all with 16 registers, go through the stack.
func winograd(s isa, t transform) {
	signature := "func(dst, src *float32, n, dstRow, dstColumn, srcRow, srcColumn int)"
	if t.output {
		signature = "func(dst, src *float32, n, dstRow, dstColumn, srcRow, srcColumn int, bias *float32, floor float32)"
	}
	TEXT(t.name+s.suffix, 0, signature)
	Doc(t.name+s.suffix+" is "+t.doc+".", "n is the number of channels, a positive multiple of the vector's width; dstRow to srcColumn are distances in floats.")
	Pragma("noescape")
	v := vectors{s}
	bytes := 4 * s.width
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	n := Load(Param("n"), GP64())
	stride := func(name string) Register {
		r := Load(Param(name), GP64())
		SHLQ(Imm(2), r)
		return r
	}
	dstRow, dstColumn, srcRow, srcColumn := stride("dstRow"), stride("dstColumn"), stride("srcRow"), stride("srcColumn")
	var bias Register
	var floor VecVirtual
	if t.output {
		bias, floor = Load(Param("bias"), GP64()), v.new()
		VBROADCASTSS(address(Param("floor")), floor)
	}
	var factors []Op
	var inMemory Mem
	if len(t.factors) > mostFactors {
		inMemory = constants(t.name+"Factors"+s.suffix, t.factors...)
	}
	for i, f := range t.factors {
		if len(t.factors) > mostFactors {
			factors = append(factors, inMemory.Offset(64*i))
			continue
		}
		r, bits := v.new(), GP32()
		MOVL(U32(math.Float32bits(float32(f))), bits)
		VMOVD(bits, r.AsX())
		VBROADCASTSS(r.AsX(), r)
		factors = append(factors, r)
	}
	column, p := GP64(), GP64()
	var b VecVirtual

	// load gives some inputs of a column.
	load := func(inputs []int) []VecVirtual {
		x := make([]VecVirtual, t.in)
		MOVQ(column, p)
		for i, last := 0, inputs[len(inputs)-1]; i <= last; i++ {
			if slices.Contains(inputs, i) {
				x[i] = v.new()
				VMOVUPS(Mem{Base: p}, x[i])
			}
			if i < last {
				ADDQ(srcRow, p)
			}
		}
		return x
	}
	// store transforms a row of columns and writes it to where column points.
	store := func(x []VecVirtual) {
		MOVQ(column, p)
		at := 0
		for _, g := range t.groups {
			for i, r := range g.apply(v, x, factors) {
				if g.outputs[i] < at {
					MOVQ(column, p)
					at = 0
				}
				for ; at < g.outputs[i]; at++ {
					ADDQ(dstColumn, p)
				}
				if t.output {
					r = v.add(r, b)
					VMAXPS(r, floor, r) // of a NaN the maximum is NaN
				}
				if t.stream {
					VMOVNTPS(r, Mem{Base: p})
				} else {
					VMOVUPS(r, Mem{Base: p})
				}
			}
		}
	}

	Label("channels")
	if t.tile > 0 {
		// The next tile of the map is most often the one to the right.
		side, row, step := t.in, srcRow, srcColumn
		MOVQ(src, column)
		if t.output {
			side, row, step = t.out, dstRow, dstColumn
			MOVQ(dst, column)
		}
		for range side {
			ADDQ(step, column)
		}
		for range t.tile {
			MOVQ(column, p)
			for range side {
				PREFETCHT1(Mem{Base: p})
				ADDQ(row, p)
			}
			ADDQ(step, column)
		}
	}
	if t.output {
		b = v.new()
		VMOVUPS(Mem{Base: bias}, b)
		ADDQ(Imm(uint64(bytes)), bias)
	}
	if s.wide() && (t.in <= 8 || t.out <= 3) {
		for _, g := range t.groups {
			rows := make([][]VecVirtual, len(g.outputs))
			MOVQ(src, column)
			for j := range t.in {
				for i, r := range g.apply(v, load(g.inputs), factors) {
					rows[i] = append(rows[i], r)
				}
				if j < t.in-1 {
					ADDQ(srcColumn, column)
				}
			}
			for i, x := range rows {
				MOVQ(dst, column)
				for range g.outputs[i] {
					ADDQ(dstRow, column)
				}
				store(x)
			}
		}
	} else {
		local, stack := AllocLocal(t.out*t.in*bytes+64), GP64()
		LEAQ(local, stack)
		ADDQ(Imm(63), stack)
		ANDQ(I8(-64), stack)
		every := make([]int, t.in)
		for i := range every {
			every[i] = i
		}
		at := func(i, j int) Mem { return Mem{Base: stack, Disp: (i*t.in + j) * bytes} }
		MOVQ(src, column)
		for j := range t.in {
			var x []VecVirtual
			once := s.wide() || !t.output // the registers are enough to load a column once for all groups
			if once {
				x = load(every)
			}
			for _, g := range t.groups {
				if !once {
					x = load(g.inputs)
				}
				for i, r := range g.apply(v, x, factors) {
					VMOVAPS(r, at(g.outputs[i], j))
				}
			}
			if j < t.in-1 {
				ADDQ(srcColumn, column)
			}
		}
		MOVQ(dst, column)
		for i := range t.out {
			x := make([]VecVirtual, t.in)
			for j := range x {
				x[j] = v.new()
				VMOVAPS(at(i, j), x[j])
			}
			store(x)
			if i < t.out-1 {
				ADDQ(dstRow, column)
			}
		}
	}
	ADDQ(Imm(uint64(bytes)), src)
	ADDQ(Imm(uint64(bytes)), dst)
	SUBQ(Imm(uint64(s.width)), n)
	JNE(LabelRef("channels"))
	VZEROUPPER()
	RET()
}
