package svm

import (
	"math"
	"math/rand/v2"
	"testing"
)

// correlated makes rows like those of a net's features: nonnegative, L2-normalised, most of them about one direction, with a
// prototype a class.
func correlated(n, d, classes int, noise float64, seed uint64) (x []float32, labels []int) {
	r := rand.New(rand.NewPCG(seed, 7))
	prototypes := make([]float64, (classes+1)*d)
	for i := range prototypes {
		prototypes[i] = max(0, r.NormFloat64())
	}
	x, labels = make([]float32, n*d), make([]int, n)
	row := make([]float64, d)
	for i := range n {
		c := r.IntN(classes)
		labels[i] = c
		var squares float64
		for j := range row {
			row[j] = max(0, prototypes[classes*d+j]+0.5*prototypes[c*d+j]+noise*r.NormFloat64())
			squares += row[j] * row[j]
		}
		for j := range row {
			x[i*d+j] = float32(row[j] / math.Sqrt(squares))
		}
	}
	return x, labels
}

func TestGap(t *testing.T) {
	for _, shape := range [][2]int{{300, 20}, {1300, 100}, {200, 300}} {
		x, labels := correlated(shape[0], shape[1], 5, 1, 1)
		rows, err := NewRows(x, shape[0], shape[1])
		if err != nil {
			t.Fatal(err)
		}
		targets, err := FromLabels(labels, 5)
		if err != nil {
			t.Fatal(err)
		}
		for _, loss := range []Loss{Hinge, SquaredHinge} {
			m, err := Train(rows, targets, Options{Loss: loss, C: 1, Bias: 1})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range m.Certificates {
				if !c.Converged || c.Gap > DefaultTolerance || c.Gap < -1e-6 {
					t.Errorf("%v of %v: %+v", loss, shape, c)
				}
			}
		}
	}
}
