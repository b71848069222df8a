package kernel

import x86 "golang.org/x/sys/cpu"

// detected returns what the processor has, the best first.
func detected() []isa {
	var all []isa
	x := x86.X86
	if x.HasAVX512F && x.HasAVX512DQ && x.HasAVX512BW && x.HasAVX512VL {
		all = append(all, isaAVX512)
	}
	if x.HasAVX2 && x.HasFMA {
		all = append(all, isaAVX2)
	}
	return all
}

// assembly runs the micro-kernel. It calls it by name because an argument of a function in a field of isa would escape
// to the heap.
func (g *gemm) assembly() {
	if cpu.set == avx512 {
		gemmAVX512(g)
		return
	}
	gemmAVX2(g)
}

var isaAVX512 = isa{
	set: avx512,
	mr:  14, nr: 32, tallMR: 14,
	dotM: 4, dotN: 6,
	transposeSide: 16,

	dot:            dotAVX512,
	transpose:      transposeAVX512,
	add:            addAVX512,
	addScaled:      addScaledAVX512,
	reluGradient:   reluGradientAVX512,
	largest:        largestAVX512,
	sgd:            sgdAVX512,
	sgdKeep:        sgdKeepAVX512,
	poolForward:    poolForwardAVX512,
	poolGradient:   poolGradientAVX512,
	lrnForward:     lrnForwardAVX512,
	lrnTerms:       lrnTermsAVX512,
	lrnGradient:    lrnGradientAVX512,
	dropout:        dropoutAVX512,
	softmax:        softmaxAVX512,
	scale:          scaleAVX512,
	resampleBytes:  resampleBytesAVX512,
	resampleFloats: resampleFloatsAVX512,
	peak:           peakAVX512,
	peakFLOP:       12 * 16 * 2,

	winograd7: winogradAssembly{
		input:          winograd7InputAVX512,
		filter:         winograd7FilterAVX512,
		filterStream:   winograd7FilterStreamAVX512,
		output:         winograd7OutputAVX512,
		outputGradient: winograd7OutputGradientAVX512,
		filterGradient: winograd7FilterGradientAVX512,
	},
	winograd5: winogradAssembly{
		input:          winograd5InputAVX512,
		filter:         winograd5FilterAVX512,
		output:         winograd5OutputAVX512,
		outputGradient: winograd5OutputGradientAVX512,
		filterGradient: winograd5FilterGradientAVX512,
	},
	winograd4: winogradAssembly{
		input:          winograd4InputAVX512,
		filter:         winograd4FilterAVX512,
		output:         winograd4OutputAVX512,
		outputGradient: winograd4OutputGradientAVX512,
		filterGradient: winograd4FilterGradientAVX512,
	},
	winograd2: winogradAssembly{
		input:          winograd2InputAVX512,
		filter:         winograd2FilterAVX512,
		output:         winograd2OutputAVX512,
		outputGradient: winograd2OutputGradientAVX512,
		filterGradient: winograd2FilterGradientAVX512,
	},
}

var isaAVX2 = isa{
	set: avx2,
	mr:  6, nr: 16, tallMR: 12,
	dotM: 3, dotN: 3,
	transposeSide: 8,

	dot:            dotAVX2,
	transpose:      transposeAVX2,
	add:            addAVX2,
	addScaled:      addScaledAVX2,
	reluGradient:   reluGradientAVX2,
	largest:        largestAVX2,
	sgd:            sgdAVX2,
	sgdKeep:        sgdKeepAVX2,
	poolForward:    poolForwardAVX2,
	poolGradient:   poolGradientAVX2,
	lrnForward:     lrnForwardAVX2,
	lrnTerms:       lrnTermsAVX2,
	lrnGradient:    lrnGradientAVX2,
	dropout:        dropoutAVX2,
	softmax:        softmaxAVX2,
	scale:          scaleAVX2,
	resampleBytes:  resampleBytesAVX2,
	resampleFloats: resampleFloatsAVX2,
	peak:           peakAVX2,
	peakFLOP:       12 * 8 * 2,

	winograd7: winogradAssembly{
		input:          winograd7InputAVX2,
		filter:         winograd7FilterAVX2,
		output:         winograd7OutputAVX2,
		outputGradient: winograd7OutputGradientAVX2,
		filterGradient: winograd7FilterGradientAVX2,
	},
	winograd5: winogradAssembly{
		input:          winograd5InputAVX2,
		filter:         winograd5FilterAVX2,
		output:         winograd5OutputAVX2,
		outputGradient: winograd5OutputGradientAVX2,
		filterGradient: winograd5FilterGradientAVX2,
	},
	winograd4: winogradAssembly{
		input:          winograd4InputAVX2,
		filter:         winograd4FilterAVX2,
		output:         winograd4OutputAVX2,
		outputGradient: winograd4OutputGradientAVX2,
		filterGradient: winograd4FilterGradientAVX2,
	},
	winograd2: winogradAssembly{
		input:          winograd2InputAVX2,
		filter:         winograd2FilterAVX2,
		output:         winograd2OutputAVX2,
		outputGradient: winograd2OutputGradientAVX2,
		filterGradient: winograd2FilterGradientAVX2,
	},
}
