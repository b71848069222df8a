package evaluate

import (
	"math"
	"slices"
)

// Scale is the test scale that section 3.2 gives a net at a single one: Q = S, or in the middle of the range
// [low; high] that it was trained with; 0 for a net whose pictures were not rescaled (both 0).
func Scale(low, high int) int { return (low + high) / 2 }

// Scales are the test scales that section 3.2 gives a net at several: the ends and the middle of the range that it was
// trained with, or, at a fixed S, also 32 less and more. The 32 are for an input of 224: smaller nets go as far in
// proportion, but not below their input.
func Scales(low, high, input int) []int {
	all := []int{low, Scale(low, high), high}
	if low == high && high > 0 {
		step := max(1, int(math.Round(float64(input)/7)))
		all = []int{max(low-step, input), low, low + step}
	}
	return slices.Compact(all)
}
