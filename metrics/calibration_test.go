package metrics

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestECE compares with cases worked out by hand.
func TestECE(t *testing.T) {
	type answer struct {
		confidence float64
		right      bool
	}
	for _, c := range []struct {
		bins    int
		answers []answer
		want    float64
	}{
		// Sure of all and always right: no error; always wrong: all of it.
		{15, []answer{{1, true}, {1, true}}, 0},
		{15, []answer{{1, false}, {1, false}}, 100},
		// Half sure and half right, in one bin.
		{15, []answer{{.5, true}, {.5, false}}, 0},
		// One bin: confidence 0.7, accuracy 1/2.
		{1, []answer{{.6, true}, {.8, false}}, 20},
		// Two bins: 0.4 wrong is 0.4 off; 0.8 and 1 with one right are 0.4 off, with a weight of 2: (0.4 + 2·0.4) / 3.
		{2, []answer{{.4, false}, {.8, true}, {1, false}}, 40},
		// The upper edge belongs to a bin, the lower to the one before: 0.5 and 0.4 meet in the first, where 1 − 0.9 remains.
		{2, []answer{{.5, true}, {.4, false}}, 5},
		{2, []answer{{.50001, true}, {.4, false}}, 44.9995},
		{3, []answer{{0, false}}, 0},
		// Errors of either sign in a bin cancel, those of two bins do not.
		{10, []answer{{.95, false}, {.95, true}, {.15, true}, {.15, false}}, 40},
	} {
		m := NewCalibration(c.bins)
		for _, a := range c.answers {
			if err := m.Add(a.confidence, a.right); err != nil {
				t.Fatal(err)
			}
		}
		if got := m.ECE(); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%+v: %v %%, want %v", c, got, c.want)
		}
	}
	m := NewCalibration(4)
	for _, a := range []answer{{.3, true}, {.5, false}, {.9, true}} {
		if err := m.Add(a.confidence, a.right); err != nil {
			t.Fatal(err)
		}
	}
	second := m.Bins[1]
	if second.Pictures != 2 || second.Accuracy() != 50 || math.Abs(second.Confidence()-40) > 1e-9 {
		t.Errorf("second bin %+v", second)
	}
	if all := m.All(); all.Pictures != 3 || all.Right != 2 || math.Abs(all.Sure-1.7) > 1e-9 {
		t.Errorf("all %+v", all)
	}
	if empty := m.Bins[0]; !math.IsNaN(empty.Accuracy()) || !math.IsNaN(empty.Confidence()) || !math.IsNaN(NewCalibration(3).ECE()) {
		t.Error("an empty bin has an accuracy")
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), -0.1, 1.1} {
		if err := m.Add(v, true); err == nil || !strings.Contains(err.Error(), "want a probability") {
			t.Errorf("confidence %v: error %v", v, err)
		}
	}
	if err := m.Add(1+1e-9, true); err != nil {
		t.Errorf("a sum of probabilities that is rounded: %v", err)
	}
}

// TestECEOfCalibrated: answers that are right as often as their confidence says have an error near 0.
func TestECEOfCalibrated(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	m := NewCalibration(CalibrationBins)
	for range 200_000 {
		p := r.Float64()
		if err := m.Add(p, r.Float64() < p); err != nil {
			t.Fatal(err)
		}
	}
	if e := m.ECE(); e > 0.6 {
		t.Errorf("%v %%", e)
	}
}
