package kernel

import (
	"math"
	"testing"
)

// TestFinite puts each value that is not finite in several places, among extreme ones that are.
func TestFinite(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		for _, n := range []int{0, 1, 3, 4, 7, 8, 16, 31, 1 << 15, 1<<16 + 5} {
			x := make([]float32, n)
			for i := range x {
				x[i] = []float32{0, math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32, -1}[i%5]
			}
			if !Finite(x) {
				t.Errorf("%d finite values are said not to be", n)
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
	})
}

func TestLargest(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		inf, nan := float32(math.Inf(1)), float32(math.NaN())
		for _, n := range []int{1, 3, 4, 7, 16, 31, 1<<16 + 5} {
			for _, c := range []struct{ put, want float32 }{{0.5, 1}, {-3, 3}, {2, 2}, {-inf, inf}, {nan, nan}, {-nan, nan}} {
				x := make([]float32, n)
				for i := range x {
					x[i] = []float32{0, -1, 1}[i%3]
				}
				x[n/2] = c.put
				got := setThreads(t, func() []float32 { return []float32{Largest(x)} })[0]
				if n == 1 && c.put == 0.5 {
					c.want = 0.5
				}
				if got != c.want && !(got != got && c.want != c.want) {
					t.Errorf("%v among %d: the largest is %v, want %v", c.put, n, got, c.want)
				}
			}
		}
		if got := Largest(nil); got != 0 {
			t.Errorf("the largest of no values is %v", got)
		}
	})
}

// BenchmarkFinite goes through the gradients of net A.
func BenchmarkFinite(b *testing.B) {
	x := make([]float32, 133_000_000)
	b.SetBytes(4 * int64(len(x)))
	for b.Loop() {
		Finite(x)
	}
}
