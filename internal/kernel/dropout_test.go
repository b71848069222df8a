package kernel

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"vgg/internal/splitmix"
)

func TestDropout(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		best := cpu
		for _, n := range lengths {
			x := random(generator(n), n)
			x[n/2] = float32(math.NaN())
			for _, p := range []float32{0, 0.3, 0.5, 1 - 1.0/(1<<24)} {
				for _, key := range []uint64{0, 1, 1 << 63} {
					name := fmt.Sprintf("dropout with probability %g and key %d", p, key)
					twin := make([]float32, n)
					cpu = portable
					Dropout(twin, x, p, key)
					cpu = best
					want := func(i int) float32 { return twin[i] }
					y := random(generator(1), n+1)
					guard := y[n]
					exactly(t, name, setThreads(t, func() []float32 { Dropout(y[:n], x, p, key); return slices.Clone(y[:n]) }), want)
					if y[n] != guard {
						t.Fatalf("%s of %d elements wrote beyond", name, n)
					}
					alias := slices.Clone(x)
					Dropout(alias, alias, p, key)
					exactly(t, name+" in place", alias, want)
					for i, v := range twin {
						if w := x[i] * (1 / (1 - p)); v != 0 && v == v && v != w || p == 0 && math.Float32bits(v) != math.Float32bits(w) {
							t.Fatalf("%s: element %d is %g, want %g or 0", name, i, v, w)
						}
					}
				}
			}
		}
	})
}

// TestDropoutMask checks that masks are independent draws of the given probability.
func TestDropoutMask(t *testing.T) {
	n := 1 << 17
	if testing.Short() {
		n = 1 << 14
	}
	ones := slices.Repeat([]float32{1}, n)
	draw := func(p float32, key uint64) []int { // 1 where an element is kept
		y, mask := make([]float32, n), make([]int, n)
		Dropout(y, ones, p, key)
		for i, v := range y {
			if v != 0 {
				mask[i] = 1
			}
		}
		return mask
	}
	// independent checks a table of how often each pair of outcomes occurs: χ² with one degree of freedom, limited at 4σ.
	independent := func(name string, a, b []int) {
		t.Helper()
		var table [2][2]float64
		for i := range min(len(a), len(b)) {
			table[a[i]][b[i]]++
		}
		total := table[0][0] + table[0][1] + table[1][0] + table[1][1]
		determinant := table[0][0]*table[1][1] - table[0][1]*table[1][0]
		squared := total * determinant * determinant
		for i := range 2 {
			squared /= (table[i][0] + table[i][1]) * (table[0][i] + table[1][i])
		}
		if !(squared < 16) {
			t.Errorf("%s: χ² is %.1f for the table %v", name, squared, table)
		}
	}
	for _, p := range []float32{0.01, 0.1, 0.3, 0.5, 0.75, 0.99} {
		for key := range uint64(8) {
			mask, kept := draw(p, key), 0
			for _, k := range mask {
				kept += k
			}
			q := 1 - float64(p)
			if deviation := math.Sqrt(float64(n) * q * (1 - q)); math.Abs(float64(kept)-float64(n)*q) > 4*deviation {
				t.Errorf("key %d kept %d of %d with probability %g: off by more than 4σ, σ = %.0f", key, kept, n, p, deviation)
			}
			// Neither the next key nor that of the next iteration in graph/op gives the same sequence, shifted.
			for _, step := range []uint64{1, splitmix.Gamma} {
				other := draw(p, key+step)
				for shift := range 3 {
					independent(fmt.Sprintf("keys %d and %d, probability %g, shift %d", key, key+step, p, shift), mask[shift:], other)
				}
			}
			for distance := 1; distance < n; distance *= 2 {
				independent(fmt.Sprintf("key %d, elements at distance %d, probability %g", key, distance, p), mask, mask[distance:])
			}
		}
	}
	mask := draw(0.5, 0)
	for bit := range 64 {
		independent(fmt.Sprintf("bit %d of the key", bit), mask, draw(0.5, 1<<bit))
	}
	// Eight neighbours have 256 outcomes, equally likely.
	var outcomes [256]float64
	for i := 0; i < n; i += 8 {
		outcome := 0
		for _, k := range mask[i:][:8] {
			outcome = 2*outcome + k
		}
		outcomes[outcome]++
	}
	squared, expected := 0.0, float64(n)/8/256
	for _, count := range outcomes {
		squared += (count - expected) * (count - expected) / expected
	}
	if limit := 255 + 4*math.Sqrt(2*255); squared > limit {
		t.Errorf("outcomes of 8 neighbours: χ² is %.0f, above %.0f", squared, limit)
	}
}

func BenchmarkDropout(b *testing.B) {
	for _, n := range []int{32 * 256, 32 * 4096, 1 << 24} {
		x := random(generator(1), n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.SetBytes(int64(4 * n))
			for b.Loop() {
				Dropout(x, x, 0.5, 1)
			}
		})
	}
}
