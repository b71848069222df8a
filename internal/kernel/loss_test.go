package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// crossEntropyRow is the loss of a row in float64, and its gradient.
func crossEntropyRow(z []float32, label int) (loss float64, gradient []float64) {
	top := float64(slices.Max(z))
	var sum float64
	for _, v := range z {
		gradient = append(gradient, math.Exp(float64(v)-top))
		sum += gradient[len(gradient)-1]
	}
	for i := range gradient {
		gradient[i] /= sum
	}
	gradient[label]--
	return math.Log(sum) + top - float64(z[label]), gradient
}

func TestCrossEntropy(t *testing.T) {
	logits := map[string]func(r *rand.Rand, z []float32){
		"normal":  func(r *rand.Rand, z []float32) {},
		"equal":   func(_ *rand.Rand, z []float32) { fill(z, 0.1) },
		"1e4":     func(_ *rand.Rand, z []float32) { multiply(z, 1e4) },
		"at 1e4":  func(_ *rand.Rand, z []float32) { shift(z, 1e4) },
		"at -1e4": func(_ *rand.Rand, z []float32) { shift(z, -1e4) },
		"certain": func(_ *rand.Rand, z []float32) { z[len(z)/2] += 12 },
		"level":   func(_ *rand.Rand, z []float32) { fill(z, -9.3); z[len(z)/2] = 0 },
		"zero":    func(r *rand.Rand, z []float32) { z[r.IntN(len(z))] = float32(math.Inf(-1)); z[0] = 1 },
	}
	everywhere(t, func(t *testing.T) {
		for name, change := range logits {
			for _, classes := range []int{1, 2, 7, 8, 9, 10, 16, 17, 31, 100, 1000} {
				const rows, counted, scale = 90, 60, 0.5
				r := generator(classes)
				z, labels := random(r, rows*classes), make([]int, rows)
				want, gradient := 0.0, make([]float64, len(z))
				name := fmt.Sprintf("%s logits of %d classes", name, classes)
				for row := range rows {
					z := z[row*classes:][:classes]
					change(r, z)
					labels[row] = []int{classes / 2, 0, -1}[row%3]
					if labels[row] < 0 {
						z[0] = float32(math.NaN()) // which counts for nothing
						continue
					}
					loss, g := crossEntropyRow(z, labels[row])
					if got := CrossEntropy(z, labels[row:][:1], classes); math.Abs(got-loss) > 1e-6*loss+1e-15 {
						t.Errorf("%s: a row's cross-entropy is %g, want %g", name, got, loss)
					}
					want += loss / counted
					for i, v := range g {
						gradient[row*classes+i] = v * scale / counted
					}
				}
				d := random(r, len(z)+1)
				guard := d[len(z)]
				result := setThreads(t, func() []float32 {
					CrossEntropyGradient(d[:len(z)], z, labels, classes, scale)
					return append(slices.Clone(d[:len(z)]), float32(CrossEntropy(z, labels, classes)))
				})
				if got := CrossEntropy(z, labels, classes); math.Abs(got-want) > 1e-6*want+1e-15 {
					t.Errorf("%s: cross-entropy is %g, want %g", name, got, want)
				}
				near(t, name+", gradient", result[:len(z)], gradient, 1e-6)
				if d[len(z)] != guard {
					t.Fatalf("%s: the gradient wrote beyond", name)
				}
				CrossEntropyGradient(z, z, labels, classes, scale)
				exactly(t, name+", gradient in place", z, func(i int) float32 { return result[i] })

				if got := CrossEntropy(z, slices.Repeat([]int{-1}, rows), classes); got != 0 {
					t.Errorf("%s: cross-entropy of no row is %g, want 0", name, got)
				}
				z[2*classes-1] = float32(math.NaN())
				if got := CrossEntropy(z, labels, classes); got == got {
					t.Errorf("%s: cross-entropy with a NaN is %g", name, got)
				}
			}
		}
	})
}

func fill(z []float32, v float32) {
	for i := range z {
		z[i] = v
	}
}

func shift(z []float32, by float32) {
	for i := range z {
		z[i] += by
	}
}

// TestExponential checks the exponentials, where they are in float32's range, to 2e-7 of their values.
func TestExponential(t *testing.T) {
	const n = 1 << 18
	z := make([]float32, n) // z[0] is the largest
	for i := range z {
		z[i] = -float32(i) * 105 / n
	}
	copy(z[1:], []float32{-0x1p-149, -0x1p-25, -87.33, -87.4, -1e4, -math.MaxFloat32, float32(math.Inf(-1))})
	everywhere(t, func(t *testing.T) {
		e := make([]float32, n)
		largest, sum := softmax(e, z)
		var total, worst float64
		for i, v := range z {
			want, got := math.Exp(float64(v)), float64(e[i])
			total += got
			switch {
			case want >= 0x1p-126:
				worst = max(worst, math.Abs(got/want-1))
			case v < -104 && got != 0:
				t.Fatalf("exp(%g) is %g, want 0", v, got)
			case !(math.Abs(got-want) < 0x1p-126):
				t.Fatalf("exp(%g) is %g, want %g", v, got, want)
			}
		}
		t.Logf("relative error %.3g", worst)
		if largest != 0 || e[0] != 1 || worst > 2e-7 || math.Abs(sum/total-1) > 1e-12 {
			t.Errorf("largest %g, exp(0) = %g, sum %.15g, want 0, 1, %.15g; relative error of exp %g, want at most 2e-7", largest, e[0], sum, total, worst)
		}
		for at := range 40 {
			z := random(generator(1), 40)
			z[at] = float32(math.NaN())
			if _, sum := softmax(e, z); sum == sum || e[at] == e[at] {
				t.Errorf("with a NaN at %d the sum is %g", at, sum)
			}
		}
	})
}

func BenchmarkCrossEntropy(b *testing.B) {
	for _, shape := range [][2]int{{32, 10}, {256, 10}, {32, 1000}, {256, 1000}} {
		rows, classes := shape[0], shape[1]
		logits, d, labels := random(generator(1), rows*classes), make([]float32, rows*classes), make([]int, rows)
		for name, run := range map[string]func(){
			"value":    func() { CrossEntropy(logits, labels, classes) },
			"gradient": func() { CrossEntropyGradient(d, logits, labels, classes, 1) },
		} {
			b.Run(fmt.Sprintf("%dx%d/%s", rows, classes, name), func(b *testing.B) {
				b.SetBytes(int64(4 * rows * classes))
				for b.Loop() {
					run()
				}
			})
		}
	}
}
