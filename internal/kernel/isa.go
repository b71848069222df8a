package kernel

//go:generate go -C gen run . -out ../kernels_amd64.s -stubs ../kernels_amd64.go -pkg kernel

import (
	"os"
	"slices"
	"strings"

	"github.com/pkg/errors"
)

// An instructionSet is a value of VGG_CPU.
type instructionSet int

const (
	avx512 instructionSet = iota
	avx2
	pureGo
)

func (s instructionSet) String() string { return isaNames[s] }

// isaNames are the values of VGG_CPU, the best first.
var isaNames = []string{"avx512", "avx2", "go"}

// An isa is a set of micro-kernels for one kind of processor. If a function is nil, its pure-Go twin is used. That of
// gemm is not here, see gemm.assembly.
type isa struct {
	set           instructionSet
	mr, nr        int // the largest micro-tile of gemm, named as in BLIS
	tallMR        int // mr of products of at most half of nr columns
	dotM, dotN    int // the largest micro-tile of dot
	transposeSide int // of the largest block of transpose

	dot            func(c, a, b *float32, k, rsc, csc, rsa, rsb, m, n int)
	transpose      func(dst, src *float32, to, from *int, rows, columns int, add bool)
	add            func(dst, src *float32, n int)
	addScaled      func(dst, src *float32, n int, factor float32)
	reluGradient   func(dx, dy, y *float32, n int)
	largest        func(x *float32, n int) uint32
	sgd, sgdKeep   func(w, v, gradient *float32, n int, learningRate, momentum, weightDecay, scale float32)
	poolForward    func(y, x *float32, pixels, c, line int)
	poolGradient   func(dx, dy, x, y *float32, pixels, c, line int)
	lrnForward     func(y, x, squares *float32, n, lead, size int, alpha, k float32)
	lrnTerms       func(p, terms, dy, x, squares *float32, n, lead, size int, alpha, k float32)
	lrnGradient    func(dx, dy, x, p, terms *float32, n, size int, factor float32)
	dropout        func(y, x *float32, n int, counter, key, threshold uint32, scale float32)
	softmax        func(e, x *float32, n int) (largest float32, sum float64)
	scale          func(dst *float32, n int, factor float32)
	resampleBytes  func(dst *float32, src *uint8, first *int, weights *float32, count, n, length, pitch int)
	resampleFloats func(dst, src *float32, first *int, weights *float32, count, n, length, pitch int, most, factor, offset float32)
	peak           func(steps int)
	peakFLOP       int // floating-point operations of a step of peak

	winograd7, winograd5, winograd4, winograd2 winogradAssembly
}

// portable is the isa of the twins.
var portable = isa{set: pureGo, mr: 4, nr: 16, tallMR: 4, dotM: 2, dotN: 2}

// cpu is the isa in use, as VGG_CPU asks.
var cpu, cpuErr = chooseISA(os.Getenv("VGG_CPU"), append(detected(), portable))

// chooseISA returns the isa of the given name, or the best, which is the first, if the name is empty or refused.
func chooseISA(name string, available []isa) (isa, error) {
	var names []string
	for _, s := range available {
		if s.set.String() == name {
			return s, nil
		}
		names = append(names, s.set.String())
	}
	switch {
	case name == "":
		return available[0], nil
	case slices.Contains(isaNames, name):
		return available[0], errors.Errorf("VGG_CPU=%s: the processor lacks these instructions: use one of %s, or leave VGG_CPU unset", name, strings.Join(names, ", "))
	}
	return available[0], errors.Errorf("VGG_CPU=%s: no such instruction set: use one of %s, or leave VGG_CPU unset", name, strings.Join(isaNames, ", "))
}

// Check returns an error if the environment variable VGG_CPU or VGG_CONV has a value that is unknown, or asks for
// instructions that the processor lacks. Programs call it before they compute: the kernels do
// not, and use the best instructions and the fastest algorithm instead.
func Check() error {
	if cpuErr != nil {
		return cpuErr
	}
	return algorithmErr
}

// ISA names the instructions that the kernels use, "avx512", "avx2" or "go": the best that the processor has, unless
// the environment variable VGG_CPU names others.
func ISA() string { return cpu.set.String() }
