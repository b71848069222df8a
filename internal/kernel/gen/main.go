// Command gen writes the assembly of package kernel:
//
//	go run . -out ../kernels_amd64.s -stubs ../kernels_amd64.go -pkg kernel
package main

import (
	"log"
	"slices"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/gotypes"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// An isa is an instruction set: the floats in a vector, and its registers.
type isa struct {
	suffix              string
	width               int
	registers           []VecPhysical
	rows                int // of the largest micro-tile of gemm
	tall                int // of that of one vector
	dotRows, dotColumns int // of the largest micro-tile of dot
}

var isas = []isa{
	{"AVX512", 16, []VecPhysical{
		Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15,
		Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23, Z24, Z25, Z26, Z27, Z28, Z29, Z30, Z31}, 14, 14, 4, 6},
	{"AVX2", 8, []VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15}, 6, 12, 3, 3},
}

func (s isa) wide() bool { return s.width == 16 }

// mask makes the mask of the first n <= width lanes, n in CX: K1 for AVX-512, register 15 for AVX2. It clobbers AX and
// CX.
func (s isa) mask() {
	if s.wide() {
		MOVL(U32(1), EAX)
		SHLL(CL, EAX)
		DECL(EAX)
		KMOVW(EAX, K1)
		return
	}
	LEAQ(laneMasks, RAX)
	NEGQ(RCX)
	VMOVDQU(Mem{Base: RAX, Index: RCX, Scale: 4, Disp: 32}, s.registers[15])
}

// load loads a vector; if masked, the lanes beyond the mask as zero.
func (s isa) load(from Mem, masked bool, to VecPhysical) {
	switch {
	case !masked:
		VMOVUPS(from, to)
	case s.wide():
		VMOVUPS_Z(from, K1, to)
	default:
		VMASKMOVPS(from, s.registers[15], to)
	}
}

// store stores a vector; if masked, only the lanes in the mask.
func (s isa) store(from VecPhysical, masked bool, to Mem) {
	switch {
	case !masked:
		VMOVUPS(from, to)
	case s.wide():
		VMOVUPS(from, K1, to)
	default:
		VMASKMOVPS(from, s.registers[15], to)
	}
}

// address is where an argument or a field is in memory.
func address(c Component) Mem {
	b, err := c.Resolve()
	if err != nil {
		log.Fatal(err)
	}
	return b.Addr
}

// laneMasks are eight lanes of ones, then eight of zeros.
var laneMasks Mem

func main() {
	Package("../gemm_parameters.go")
	laneMasks = GLOBL("laneMasks", RODATA|NOPTR)
	for i := range 16 {
		lane := uint32(0)
		if i < 8 {
			lane = 0xffffffff
		}
		DATA(4*i, U32(lane))
	}
	for _, s := range isas {
		gemm(s)
		dot(s)
		transpose(s)
		elementwise(s)
		pool(s)
		lrn(s)
		dropout(s)
		softmax(s)
		resample(s, true)
		resample(s, false)
		peak(s)
		for _, t := range slices.Concat(pairTransforms(pairs7), pairTransforms(pairs5), transforms) {
			winograd(s, t)
			if t.name == "winograd7Filter" && s.wide() { // a vector is a cache line
				t.name, t.doc, t.stream = t.name+"Stream", t.doc+", around the cache, if dst is on a cache line", true
				winograd(s, t)
			}
		}
	}
	Generate()
}
