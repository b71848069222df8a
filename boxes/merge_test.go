package boxes

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// matchScore is the match score of two boxes.
func matchScore(a, b Box) float64 {
	p, q := newPlace(a, 0), newPlace(b, 1)
	return p.fullMatchScore(&q)
}

func TestMatchScore(t *testing.T) {
	unit := Box{0, 0, 1, 1}
	for _, c := range []struct {
		name string
		b    Box
		want float64
	}{
		{"itself", unit, 0},
		{"half of it", Box{0, 0, 1, 0.5}, 0.25/((math.Sqrt2+math.Sqrt(1.25))/2) + 0.5},
		{"moved by half", Box{0.5, 0, 1.5, 1}, 0.5/math.Sqrt2 + 1 - 1.0/3},
		{"beside it", Box{1, 0, 2, 1}, 1/math.Sqrt2 + 1},
		{"far away", Box{100, 0, 101, 1}, 100/math.Sqrt2 + 1},
		{"the same centre, twice as large", Box{-0.5, -0.5, 1.5, 1.5}, 0.75},
		{"a point inside", Box{0.5, 0.5, 0.5, 0.5}, 1},
	} {
		if got := matchScore(unit, c.b); math.Abs(got-c.want) > 1e-12 || matchScore(c.b, unit) != got {
			t.Errorf("%s: %v and %v, want %v", c.name, got, matchScore(c.b, unit), c.want)
		}
	}
	if got := matchScore(Box{2, 2, 2, 2}, Box{2, 2, 2, 2}); got != 0 {
		t.Errorf("a point and itself: %v, want 0", got)
	}
}

// TestMergeByHand: two boxes of one object, weighted by their windows, and a box of another.
func TestMergeByHand(t *testing.T) {
	all := []Merged{
		{Box{0, 0, 10, 10}, 0.5, 1},
		{Box{50, 50, 60, 70}, 0.9, 1},
		{Box{3, 0, 13, 10}, 0.75, 3},
		{Box{0, 0, 10, 10}, 0.25, 1},
	}
	// The two equal ones, then those two with the third: shares 2 and 3 of 5.
	want := []Merged{{Box{1.8, 0, 11.8, 10}, 1.5, 5}, {Box{50, 50, 60, 70}, 0.9, 1}}
	got := merged(t, all, 0.8)
	if !near(got, want, 1e-12) {
		t.Errorf("%v, want %v", got, want)
	}
	// The match score of the third is 3/√200 + 1 − 70/130 = 0.674.
	if got := merged(t, all, 0.67); len(got) != 3 {
		t.Errorf("below its match score: %v, want 3 boxes", got)
	}
	if got := merged(t, nil, 1); len(got) != 0 {
		t.Errorf("no boxes: %v", got)
	}
	nan := math.NaN()
	for _, bad := range []Merged{{Box{1, 0, 0, 1}, 0, 1}, {Box{0, 0, nan, 1}, 0, 1}, {Box{0, 0, 1, 1}, nan, 1}, {Box{0, 0, 1, 1}, 0, 0}, {Box{0, 0, 1, math.Inf(1)}, 0, 1}} {
		if _, err := Merge([]Merged{bad}, 0.5); err == nil {
			t.Errorf("%v: no error", bad)
		}
	}
	for _, limit := range []float64{-0.1, 1.1, nan} {
		if _, err := Merge(all, limit); err == nil {
			t.Errorf("up to %v: no error", limit)
		}
	}
}

// TestMergeReference: as merging by search over all pairs, and the same bits for any order, also where scores are
// equal.
func TestMergeReference(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for trial := range 300 {
		all := cluster(r, 1+r.IntN(40), trial%3 == 0)
		limit := r.Float64()
		got := merged(t, all, limit)
		if want := mergedSlowly(all, limit); !near(got, want, 1e-9) {
			t.Fatalf("trial %d, %d boxes up to %v:\n%v, want\n%v", trial, len(all), limit, got, want)
		}
		windows, score := 0, 0.0
		for _, b := range all {
			windows, score = windows+b.Windows, score+b.Score
		}
		for _, b := range got {
			windows, score = windows-b.Windows, score-b.Score
		}
		if windows != 0 || math.Abs(score) > 1e-9 {
			t.Errorf("trial %d: %d windows and a score of %v are lost", trial, windows, score)
		}
		for range 5 {
			r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			if again := merged(t, all, limit); !slices.Equal(again, got) {
				t.Fatalf("trial %d: in another order %v, want %v", trial, again, got)
			}
		}
	}
}

// many are 10,000 boxes, in ways that are hard on an index.
func many() map[string][]Merged {
	r := rand.New(rand.NewPCG(3, 4))
	concentric := make([]Merged, 10_000)
	for i := range concentric {
		half := 1 + r.Float64()
		concentric[i] = Merged{Box{-half, -half, half, half}, 1, 1}
	}
	return map[string][]Merged{
		"one object": cluster(r, 10_000, false), "equal ones": cluster(r, 10_000, true), "concentric": concentric, "everywhere": scattered(r, 10_000),
	}
}

// TestMergeMany: of 10,000 boxes, each is compared with a small part of the others, wherever they are. A merge that
// compares all pairs, and each merged box with all that are left, would take 10,000 for each.
func TestMergeMany(t *testing.T) {
	for name, all := range many() {
		for _, limit := range []float64{0.3, 1} {
			m := newMerger(distinct(all), limit)
			m.run()
			each := m.compared / len(all)
			t.Logf("%s, up to %v: %d comparisons for each box", name, limit, each)
			if each > 5000 {
				t.Errorf("%s, up to %v: %d comparisons for each box", name, limit, each)
			}
		}
	}
}

// cluster makes boxes around one place, some equal to others if their sides are coarse.
func cluster(r *rand.Rand, n int, coarse bool) (all []Merged) {
	for range n {
		x, y, w, h := 10*r.NormFloat64(), 10*r.NormFloat64(), 20+20*r.Float64(), 20+20*r.Float64()
		if coarse {
			x, y, w, h = 8*math.Round(x/8), 8*math.Round(y/8), 16*math.Ceil(w/16), 16*math.Ceil(h/16)
		}
		all = append(all, Merged{Box{x - w/2, y - h/2, x + w/2, y + h/2}, float64(r.IntN(4)) / 4, 1 + r.IntN(2)})
	}
	return all
}

func scattered(r *rand.Rand, n int) (all []Merged) {
	for range n {
		x, y := 2000*r.Float64(), 2000*r.Float64()
		all = append(all, Merged{Box{x, y, x + 20 + 100*r.Float64(), y + 20 + 100*r.Float64()}, r.Float64(), 1})
	}
	return all
}

func merged(t *testing.T, all []Merged, limit float64) []Merged {
	t.Helper()
	got, err := Merge(all, limit)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// mergedSlowly merges as Merge says it does, the best pair sought among all each time.
func mergedSlowly(all []Merged, limit float64) []Merged {
	all = slices.SortedFunc(slices.Values(all), compare)
	for {
		best, first, second := math.Inf(1), 0, 0
		for i := range all {
			for j := range i { // of lower value
				score := matchScore(all[j].Box, all[i].Box)
				if score < best || score == best && cmp.Or(compare(all[j], all[first]), compare(all[i], all[second])) < 0 {
					best, first, second = score, j, i
				}
			}
		}
		if best > limit {
			break
		}
		a, b := all[first], all[second]
		n, m := float64(a.Windows), float64(b.Windows)
		mean := func(x, y float64) float64 { return (n*x + m*y) / (n + m) }
		all = slices.Delete(all, second, second+1)
		all[first] = Merged{Box{mean(a.XMin, b.XMin), mean(a.YMin, b.YMin), mean(a.XMax, b.XMax), mean(a.YMax, b.YMax)}, a.Score + b.Score, a.Windows + b.Windows}
		slices.SortFunc(all, compare)
	}
	slices.SortFunc(all, func(a, b Merged) int { return cmp.Or(cmp.Compare(b.Score, a.Score), compare(a, b)) })
	return all
}

func near(a, b []Merged, tolerance float64) bool {
	return slices.EqualFunc(a, b, func(a, b Merged) bool {
		off := max(math.Abs(a.XMin-b.XMin), math.Abs(a.YMin-b.YMin), math.Abs(a.XMax-b.XMax), math.Abs(a.YMax-b.YMax), math.Abs(a.Score-b.Score))
		return off <= tolerance && a.Windows == b.Windows
	})
}

// BenchmarkMerge merges 10,000 boxes around one object.
//
//	go test -run x -bench Merge ./boxes
func BenchmarkMerge(b *testing.B) {
	for name, all := range many() {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := Merge(all, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
