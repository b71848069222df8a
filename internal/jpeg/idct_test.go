package jpeg

import (
	"math"
	"math/rand/v2"
	"testing"
)

// float gives the samples of coefficients by the definition of the transform (section A.3.3).
func float(values *[64]int32) (out [64]float64) {
	var basis [8][8]float64
	for u := range 8 {
		for x := range 8 {
			basis[u][x] = math.Cos(float64((2*x+1)*u)*math.Pi/16) / 2
			if u == 0 {
				basis[u][x] = math.Sqrt(0.125)
			}
		}
	}
	for i, v := range values {
		for at := range out {
			out[at] += float64(v) * basis[i%8][at%8] * basis[i/8][at/8]
		}
	}
	for at, v := range out {
		out[at] = min(max(v+128, 0), 255)
	}
	return out
}

// TestInverse: the transform is the exact one but for a level, with any number of coefficients, and leaves zeros.
func TestInverse(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var b block
	for i := range 5000 {
		for range i % 64 {
			b.set(r.IntN(64), int32(r.IntN(401)-200)/int32(1+i%7))
		}
		b.set(0, int32(r.IntN(2001)-1000))
		want := float(&b.values)
		dst := make([]uint8, 7*11+8)
		b.inverse(dst, 11)
		for at, v := range want {
			if got := dst[at/8*11+at%8]; math.Abs(float64(got)-v) > 1 {
				t.Fatalf("block %d: sample %d is %d, want %g", i, at, got, v)
			}
		}
		if b != (block{}) {
			t.Fatalf("block %d: not zeros", i)
		}
	}
}
