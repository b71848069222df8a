package kernel

import (
	"math"
	"testing"
)

// TestFinite finds a value that is not finite wherever it is, and takes none of the finite ones for one.
func TestFinite(t *testing.T) {
	for _, n := range []int{0, 1, 3, 4, 7, 1 << 15, 1<<16 + 5} {
		x := make([]float32, n)
		for i := range x {
			x[i] = []float32{0, math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32, -1}[i%5]
		}
		if !Finite(x) {
			t.Errorf("%d finite values are not", n)
		}
		for i := 0; i < n; i += max(1, n/7) {
			for _, bad := range []float32{float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN())} {
				before := x[i]
				if x[i] = bad; Finite(x) {
					t.Errorf("%v at %d of %d is finite", bad, i, n)
				}
				x[i] = before
			}
		}
	}
}

// BenchmarkFinite goes through the gradients of net A.
func BenchmarkFinite(b *testing.B) {
	x := make([]float32, 133_000_000)
	b.SetBytes(4 * int64(len(x)))
	for b.Loop() {
		Finite(x)
	}
}
