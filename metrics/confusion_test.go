package metrics

import (
	"fmt"
	"testing"
)

// TestConfusions compares with a matrix of four classes worked out by hand.
func TestConfusions(t *testing.T) {
	counts := [][]int{
		{9, 1, 0, 2},
		{0, 5, 3, 0},
		{0, 2, 7, 0},
		{2, 0, 0, 90},
	}
	if got, want := fmt.Sprint(Confusions(counts)), "[{1 2 3} {0 3 2} {2 1 2} {3 0 2} {0 1 1}]"; got != want {
		t.Errorf("confusions %s, want %s", got, want)
	}
	// Pairs: 1 and 2, 5 times; 0 and 3, 4 times; 0 and 1, once.
	for n, want := range map[int]string{0: "[]", 1: "[1]", 2: "[1 2]", 3: "[0 1 2]", 4: "[0 1 2 3]", 9: "[0 1 2 3]"} {
		if got := fmt.Sprint(MostConfused(counts, n)); got != want {
			t.Errorf("the %d most confused %s, want %s", n, got, want)
		}
	}
	if got, want := fmt.Sprint(MostConfused([][]int{{1, 0, 0}, {0, 3, 0}, {0, 0, 2}}, 2)), "[1 2]"; got != want {
		t.Errorf("of no mistake %s, want those with the most pictures, %s", got, want)
	}
	if got, want := fmt.Sprint(Merge(counts, []int{1, 2})), "[[5 3 0] [2 7 0] [1 0 103]]"; got != want {
		t.Errorf("merged %s, want %s", got, want)
	}
}
