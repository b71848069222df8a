package metrics

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// Rankings worked out by hand. The ranking of the first is: yes no yes no no yes, with precisions 1, 1/2, 2/3, 1/2,
// 2/5, 1/2 at recalls 1/3, 1/3, 2/3, 2/3, 2/3, 1.
func TestAveragePrecision(t *testing.T) {
	for _, c := range []struct {
		name           string
		scores         []float64
		truth          []int8
		points         int
		ap2007, ap2010 float64
	}{
		// Recalls 0 to 0.3: 1; 0.4 to 0.6: 2/3; 0.7 to 1: 1/2.
		{"three of six", []float64{9, 8, 7, 6, 5, 4}, []int8{1, -1, 1, -1, -1, 1}, 6,
			(4 + 3*2./3 + 4*.5) / 11, (1 + 2./3 + .5) / 3},
		{"in any order", []float64{4, 7, 9, 5, 6, 8}, []int8{1, 1, 1, -1, -1, -1}, 6,
			(4 + 3*2./3 + 4*.5) / 11, (1 + 2./3 + .5) / 3},
		{"difficult ones do not count", []float64{9, 10, 8, 7, 6.5, 6, 5, 4}, []int8{1, 0, -1, 1, 0, -1, -1, 1}, 6,
			(4 + 3*2./3 + 4*.5) / 11, (1 + 2./3 + .5) / 3},
		{"all right", []float64{3, 2, 1}, []int8{1, 1, -1}, 3, 1, 1},
		{"last", []float64{3, 2, 1}, []int8{-1, -1, 1}, 3, 1. / 3, 1. / 3},
		// Precision 1/2 at recall 1/2, 2/3 at 1: the higher one holds everywhere.
		{"precision rises", []float64{3, 2, 1}, []int8{-1, 1, 1}, 3, 2. / 3, 2. / 3},
		{"all the same score", []float64{1, 1, 1, 1}, []int8{-1, 1, -1, -1}, 1, .25, .25},
		// {yes}, {yes, no, no}, {no}: precision 1 at 1/2, 1/2 at 1. Recalls 0 to 0.5: 1; above: 1/2.
		{"a tie", []float64{5, 4, 4, 4, 3}, []int8{1, -1, 1, -1, -1}, 3, (6 + 5*.5) / 11, .75},
		// Ten of the class in places 1, 3, 5, …: precision k/(2k-1) at recall k/10, which reaches each tenth exactly.
		{"exact tenths", []float64{19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1},
			[]int8{1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1}, 19,
			(1 + 1 + 2./3 + 3./5 + 4./7 + 5./9 + 6./11 + 7./13 + 8./15 + 9./17 + 10./19) / 11,
			(1 + 2./3 + 3./5 + 4./7 + 5./9 + 6./11 + 7./13 + 8./15 + 9./17 + 10./19) / 10},
		{"infinite scores", []float64{math.Inf(1), 0, math.Inf(-1)}, []int8{1, -1, 1}, 3, (6 + 5*2./3) / 11, (1 + 2./3) / 2},
	} {
		curve, err := NewCurve(c.scores, c.truth)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got, want := curve.AP2007(), 100*c.ap2007; math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: AP of 2007 is %v, want %v", c.name, got, want)
		}
		if got, want := curve.AP2010(), 100*c.ap2010; math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: AP of 2010 is %v, want %v", c.name, got, want)
		}
		if last := curve.Points[len(curve.Points)-1]; len(curve.Points) != c.points || last.Recall != 1 || last.Right != curve.Positives {
			t.Errorf("%s: %d points, the last %+v; want %d, the last at recall 1", c.name, len(curve.Points), last, c.points)
		}
	}
}

// TestCurveOrder: with many ties, the order of the pictures does not change a bit.
func TestCurveOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	scores, truth := make([]float32, 200), make([]int8, 200)
	for i := range scores {
		scores[i], truth[i] = float32(r.IntN(20)), int8(r.IntN(3)-1)
	}
	want, err := NewCurve(scores, truth)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		r.Shuffle(len(scores), func(i, j int) {
			scores[i], scores[j] = scores[j], scores[i]
			truth[i], truth[j] = truth[j], truth[i]
		})
		if got, err := NewCurve(scores, truth); err != nil || !slices.Equal(got.Points, want.Points) {
			t.Fatalf("another order gives another curve, error %v", err)
		}
	}
}

func TestCurveErrors(t *testing.T) {
	for want, f := range map[string]func() error{
		"2 scores for 1 pictures":    func() error { _, err := NewCurve([]float64{1, 2}, []int8{1}); return err },
		"no picture is of the class": func() error { _, err := NewCurve([]float64{1, 2}, []int8{-1, 0}); return err },
		"score of picture 1 is NaN":  func() error { _, err := NewCurve([]float64{1, math.NaN()}, []int8{1, -1}); return err },
		"truth of picture 0 is 2":    func() error { _, err := NewCurve([]float64{1}, []int8{2}); return err },
		"class 1 (from 0): no picture": func() error {
			_, _, err := MeanAP([]float64{1, 2, 3, 4}, []int8{1, -1, -1, -1}, 2, Curve.AP2007)
			return err
		},
		"3 scores and 3 truths for 2": func() error {
			_, _, err := MeanAP([]float64{1, 2, 3}, []int8{1, -1, -1}, 2, Curve.AP2007)
			return err
		},
		"class 1 (from 0) has no pictures": func() error { _, _, err := MeanClassRecall([]int{0}, []int{0}, 2); return err },
		"label 2 of picture 0":             func() error { _, _, err := MeanClassRecall([]int{0}, []int{2}, 2); return err },
		"1 predictions and 2 labels":       func() error { _, _, err := MeanClassRecall([]int{0}, []int{0, 1}, 2); return err },
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	// What does not count may be anything.
	if _, err := NewCurve([]float64{1, math.NaN()}, []int8{1, 0}); err != nil {
		t.Error(err)
	}
}

func TestMeanAP(t *testing.T) {
	scores := []float32{3, 1, 2, 2, 1, 3} // (3, 2): class 0 ranks 0 1 2, class 1 ranks 2 1 0
	truth := []int8{1, 1, -1, -1, -1, -1}
	mean, each, err := MeanAP(scores, truth, 2, Curve.AP2010)
	if err != nil || each[0] != 100 || math.Abs(each[1]-100./3) > 1e-12 || math.Abs(mean-200./3) > 1e-12 {
		t.Errorf("mean AP %v of %v, error %v", mean, each, err)
	}
}

func TestMeanClassRecall(t *testing.T) {
	labels := []int{0, 0, 0, 0, 1, 2, 2}
	predicted := []int{0, 0, 0, 1, 1, 0, 2}
	mean, each, err := MeanClassRecall(predicted, labels, 3)
	if err != nil || !slices.Equal(each, []float64{75, 100, 50}) || mean != 75 {
		t.Errorf("mean class recall %v of %v, error %v", mean, each, err)
	}
}

func TestMeanDeviation(t *testing.T) {
	if mean, deviation := MeanDeviation([]float64{91, 92, 96}); mean != 93 || math.Abs(deviation-math.Sqrt(7)) > 1e-12 {
		t.Errorf("mean %v, deviation %v: want 93 and √7", mean, deviation)
	}
	if mean, deviation := MeanDeviation([]float64{5}); mean != 5 || !math.IsNaN(deviation) {
		t.Errorf("of one value: %v ± %v", mean, deviation)
	}
	if mean, _ := MeanDeviation(nil); !math.IsNaN(mean) {
		t.Errorf("of no value: %v", mean)
	}
}
