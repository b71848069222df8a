package metrics

import (
	"cmp"
	"slices"
)

// Confusion is how many pictures of a class are taken for another.
type Confusion struct{ Class, Predicted, Pictures int }

// Confusions lists the mistakes of a confusion matrix (by true class, then by predicted class), the most frequent first.
func Confusions(counts [][]int) (all []Confusion) {
	for i, row := range counts {
		for j, n := range row {
			if i != j && n > 0 {
				all = append(all, Confusion{i, j, n})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Confusion) int { return cmp.Compare(b.Pictures, a.Pictures) })
	return all
}

// MostConfused picks classes of a confusion matrix: n, or all if there are no more, in their order. Those of the pairs
// that are confused the most, either way, come first, then those with the most pictures.
func MostConfused(counts [][]int, n int) []int {
	var pairs []Confusion
	for _, c := range Confusions(counts) {
		if back := counts[c.Predicted][c.Class]; c.Class < c.Predicted || back == 0 {
			pairs = append(pairs, Confusion{c.Class, c.Predicted, c.Pictures + back})
		}
	}
	slices.SortStableFunc(pairs, func(a, b Confusion) int { return cmp.Compare(b.Pictures, a.Pictures) })
	var order []int
	for _, p := range pairs {
		order = append(order, p.Class, p.Predicted)
	}
	pictures := make([]int, len(counts))
	others := make([]int, len(counts))
	for i, row := range counts {
		others[i] = i
		for _, k := range row {
			pictures[i] += k
		}
	}
	slices.SortStableFunc(others, func(a, b int) int { return cmp.Compare(pictures[b], pictures[a]) })
	chosen, has := []int{}, make([]bool, len(counts))
	for _, class := range append(order, others...) {
		if len(chosen) < n && !has[class] {
			chosen, has[class] = append(chosen, class), true
		}
	}
	slices.Sort(chosen)
	return chosen
}

// Merge is a confusion matrix of some classes, in the order given, and of all others together as the last one.
func Merge(counts [][]int, classes []int) [][]int {
	at := make([]int, len(counts))
	for i := range at {
		at[i] = len(classes)
	}
	merged := make([][]int, len(classes)+1)
	for i := range merged {
		merged[i] = make([]int, len(merged))
	}
	for i, class := range classes {
		at[class] = i
	}
	for i, row := range counts {
		for j, n := range row {
			merged[at[i]][at[j]] += n
		}
	}
	return merged
}
