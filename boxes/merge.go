package boxes

import (
	"cmp"
	"slices"

	"github.com/pkg/errors"

	"vgg/internal/finite"
)

// Merged is a box with what speaks for it.
type Merged struct {
	Box
	Score   float64 // the sum of the class probabilities of the windows that it was predicted from
	Windows int     // how many these are; 1 for a box as a net predicts it
}

// Merge merges boxes of one class greedily, as section 4.3 of OverFeat does: the two boxes with the smallest match
// score are replaced by their average, again and again, until the smallest exceeds limit, which is from 0 to 1, so that
// boxes that do not overlap stay apart. Scores and windows of the two add up, and the average is weighted by windows: a
// plain one would depend on the order in which boxes meet. Of pairs that match equally well, the one with the lower
// values comes first. The result has the same bits for any order of the boxes, and is sorted by score, the highest
// first.
func Merge(all []Merged, limit float64) ([]Merged, error) {
	if !(limit >= 0 && limit <= 1) {
		return nil, errors.Errorf("boxes: merged up to a match score of %v: want one from 0 to 1", limit)
	}
	for _, b := range all {
		if !(b.XMin <= b.XMax && b.YMin <= b.YMax && b.Windows > 0) || !finite.Is(b.XMin+b.YMin+b.XMax+b.YMax+b.Score) {
			return nil, errors.Errorf("boxes: %+v cannot be merged: want a finite box of one window or more", b)
		}
	}
	m := newMerger(distinct(all), limit)
	m.run()
	var left []Merged
	for i, b := range m.boxes {
		if !m.gone[i] {
			left = append(left, b)
		}
	}
	slices.SortFunc(left, func(a, b Merged) int { return cmp.Or(cmp.Compare(b.Score, a.Score), compare(a, b)) })
	return left, nil
}

// compare orders boxes by their values.
func compare(a, b Merged) int {
	return cmp.Or(cmp.Compare(a.XMin, b.XMin), cmp.Compare(a.YMin, b.YMin), cmp.Compare(a.XMax, b.XMax), cmp.Compare(a.YMax, b.YMax),
		cmp.Compare(a.Score, b.Score), cmp.Compare(a.Windows, b.Windows))
}

// distinct sorts boxes by their values, and makes one of those at the same place.
func distinct(all []Merged) (sorted []Merged) {
	for _, b := range slices.SortedFunc(slices.Values(all), compare) {
		if n := len(sorted); n > 0 && sorted[n-1].Box == b.Box {
			sorted[n-1] = sorted[n-1].with(b)
		} else {
			sorted = append(sorted, b)
		}
	}
	return sorted
}

// with is the average of two boxes, weighted by their windows.
func (m Merged) with(other Merged) Merged {
	share := float64(other.Windows) / float64(m.Windows+other.Windows)
	toward := func(a, b float64) float64 { return a + share*(b-a) } // exact where a = b
	return Merged{
		Box:   Box{toward(m.XMin, other.XMin), toward(m.YMin, other.YMin), toward(m.XMax, other.XMax), toward(m.YMax, other.YMax)},
		Score: m.Score + other.Score, Windows: m.Windows + other.Windows,
	}
}
