package kernel

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// TestTransforms compares the assembly of each transformation with its twin.
func TestTransforms(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		const n = 48
		for _, f := range []*filtering{filtering4(), filtering2()} {
			r := generator(f.tile)
			src, bias := matrix{random(r, 6*400), 400, 60}, random(r, n)
			for i, s := range []separable{f.input, f.filter, f.gradient, f.filterGradient} {
				dst := matrix{random(r, 6*350), 350, 55}
				twin := matrix{slices.Clone(dst.data), 350, 55}
				s.run(dst, src, n)
				s.runGo(twin, src, n)
				same(t, fmt.Sprintf("F(%d×%[1]d), transformation %d", f.tile, i), dst.data, twin.data)
			}
			dst := matrix{random(r, 6*350), 350, 55}
			twin := matrix{slices.Clone(dst.data), 350, 55}
			f.finish(dst, src, bias, n, 0.25)
			f.finishGo(twin, src, bias, n, 0.25)
			same(t, fmt.Sprintf("F(%d×%[1]d), output", f.tile), dst.data, twin.data)
			src.data[0] = float32(math.NaN())
			if f.finish(dst, src, bias, n, 0.25); dst.data[0] == dst.data[0] {
				t.Errorf("F(%d×%[1]d): a NaN becomes %g", f.tile, dst.data[0])
			}
		}
	})
}

// same compares with what the twin computes, which rounds in other places.
func same(t *testing.T, name string, got, want []float32) {
	t.Helper()
	for i, w := range want {
		if !(math.Abs(float64(got[i]-w)) <= 1e-5*(1+math.Abs(float64(w)))) {
			t.Fatalf("%s: element %d is %g, the twin has %g", name, i, got[i], w)
		}
	}
}
