package metrics

import (
	"math"
	"slices"
	"testing"
)

// TestRanking: ties go to the lower class, NaN is last.
func TestRanking(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		scores []float64
		want   []int
	}{
		{nil, []int{}},
		{[]float64{9, 1, 2, 3}, []int{0, 3, 2, 1}},
		{[]float64{1, 2, 1, 2}, []int{1, 3, 0, 2}},
		{[]float64{nan, math.Inf(-1), nan, 0}, []int{3, 1, 0, 2}},
	} {
		if got := Ranking(c.scores); !slices.Equal(got, c.want) {
			t.Errorf("ranking of %v: %v, want %v", c.scores, got, c.want)
		}
	}
}

// TestRank: Rank is a class's place in Ranking, but NaN is never right.
func TestRank(t *testing.T) {
	scores := []float32{3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5}
	for place, class := range Ranking(scores) {
		if got := Rank(scores, class); got != place {
			t.Errorf("rank of class %d: %d, want %d", class, got, place)
		}
	}
	nan := float32(math.NaN())
	for class := range 3 {
		if got := Rank([]float32{nan, nan, nan}, class); got == 0 {
			t.Errorf("class %d of NaNs ranks first", class)
		}
	}
	if got := Rank([]float32{nan, 1}, 1); got != 1 {
		t.Errorf("a class ranks %d beside NaN, want 1", got)
	}
}

func TestErrors(t *testing.T) {
	var e Errors
	for _, rank := range []int{0, 0, 1, 4, 5, 9, 0, 2} {
		e.Add(rank)
	}
	if e.Pictures != 8 || e.Top1Error() != 62.5 || e.Top5Error(6) != 25 {
		t.Errorf("%+v: top-1 %v %%, top-5 %v %%", e, e.Top1Error(), e.Top5Error(6))
	}
	if five := e.Top5Error(5); !math.IsNaN(five) {
		t.Errorf("a top-5 error of five classes: %v", five)
	}
	if none := (Errors{}); !math.IsNaN(none.Top1Error()) || !math.IsNaN(none.Top5Error(10)) {
		t.Errorf("errors without pictures: %v %v", none.Top1Error(), none.Top5Error(10))
	}
}

// TestInterval checks textbook values, and that an interval contains the error it is for.
func TestInterval(t *testing.T) {
	for _, c := range []struct {
		k, n      int
		low, high float64
	}{{5, 8, 30.57, 86.32}, {0, 10, 0, 27.75}, {10, 10, 72.25, 100}, {1, 2, 9.45, 90.55}, {238, 2000, 10.55, 13.39}} {
		low, high := Interval(c.k, c.n)
		if p := Percent(c.k, c.n); math.Abs(low-c.low) > 0.01 || math.Abs(high-c.high) > 0.01 || low > p || high < p {
			t.Errorf("%d of %d: interval %v to %v, want %v to %v", c.k, c.n, low, high, c.low, c.high)
		}
	}
}

// TestSoftmax: probabilities by hand, whatever is added to all logits.
func TestSoftmax(t *testing.T) {
	ln3 := float32(math.Log(3))
	for _, logits := range [][]float32{{0, ln3, 0}, {-2, ln3 - 2, -2}, {300, ln3 + 300, 300}} {
		for i, p := range Softmax(logits) {
			if want := []float64{.2, .6, .2}[i]; math.Abs(p-want) > 1e-5 {
				t.Errorf("softmax of %v: %v for class %d, want %v", logits, p, i, want)
			}
		}
	}
	if got := Softmax(nil); len(got) != 0 {
		t.Errorf("softmax of nothing: %v", got)
	}
}

// TestPairedDifference: the formulas of Agresti and Min by hand, without a difference at all, and without trials.
func TestPairedDifference(t *testing.T) {
	for _, c := range []struct {
		first, second, n      int
		difference, low, high float64
	}{{30, 10, 100, 20, 7.907, 31.308}, {0, 0, 10, 0, -16.333, 16.333}} {
		d, low, high := PairedDifference(c.first, c.second, c.n)
		if d != c.difference || math.Abs(low-c.low) > 0.01 || math.Abs(high-c.high) > 0.01 {
			t.Errorf("%d and %d of %d: %v (%v to %v), want %v (%v to %v)", c.first, c.second, c.n, d, low, high, c.difference, c.low, c.high)
		}
	}
	if d, _, _ := PairedDifference(0, 0, 0); !math.IsNaN(d) {
		t.Errorf("of no trials: %v", d)
	}
}
