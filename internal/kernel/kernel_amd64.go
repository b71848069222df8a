package kernel

import x86 "golang.org/x/sys/cpu"

// detected returns what the processor has, the best first.
func detected() []isa {
	var all []isa
	x := x86.X86
	if x.HasAVX512F && x.HasAVX512DQ && x.HasAVX512BW && x.HasAVX512VL {
		all = append(all, isa{
			"avx512", 14, 32, 4, 6, 16,
			gemmAVX512, dotAVX512, transposeAVX512, addAVX512, reluGradientAVX512, sgdAVX512, sgdKeepAVX512, poolForwardAVX512, poolGradientAVX512,
			lrnForwardAVX512, lrnTermsAVX512, lrnGradientAVX512, dropoutAVX512, softmaxAVX512, scaleAVX512, peakAVX512, 12 * 16 * 2,
			transforms{winograd4InputAVX512, winograd4GradientAVX512, winograd4FilterAVX512, winograd4FilterGradientAVX512, winograd4OutputAVX512},
			transforms{winograd2InputAVX512, winograd2GradientAVX512, winograd2FilterAVX512, winograd2FilterGradientAVX512, winograd2OutputAVX512},
		})
	}
	if x.HasAVX2 && x.HasFMA {
		all = append(all, isa{
			"avx2", 6, 16, 3, 3, 8,
			gemmAVX2, dotAVX2, transposeAVX2, addAVX2, reluGradientAVX2, sgdAVX2, sgdKeepAVX2, poolForwardAVX2, poolGradientAVX2,
			lrnForwardAVX2, lrnTermsAVX2, lrnGradientAVX2, dropoutAVX2, softmaxAVX2, scaleAVX2, peakAVX2, 12 * 8 * 2,
			transforms{winograd4InputAVX2, winograd4GradientAVX2, winograd4FilterAVX2, winograd4FilterGradientAVX2, winograd4OutputAVX2},
			transforms{winograd2InputAVX2, winograd2GradientAVX2, winograd2FilterAVX2, winograd2FilterGradientAVX2, winograd2OutputAVX2},
		})
	}
	return all
}
