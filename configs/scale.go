package configs

import (
	"fmt"
	"math"
	"slices"
)

// Scale is a training scale S of section 3.1: the smaller side, in pixels, to which a picture is resized before it is
// cropped. Min = Max is a fixed scale; otherwise S is uniform in [Min, Max] for each picture (scale jittering). The
// zero Scale does not resize.
type Scale struct{ Min, Max int }

// String writes the scale as the paper does: "256", "[256;512]".
func (s Scale) String() string {
	if s.Min == s.Max {
		return fmt.Sprint(s.Min)
	}
	return fmt.Sprintf("[%d;%d]", s.Min, s.Max)
}

// Middle is the test scale Q of section 4.1 for a net trained at S and tested at one scale; 0 does not resize.
func (s Scale) Middle() int { return (s.Min + s.Max) / 2 }

// TestScales are the test scales Q of section 4.2 for a net trained at S and tested at several: the ends and the middle
// of a range; at a fixed S also S - 32 and S + 32. The 32 are for an input of 224 pixels: for smaller ones they are
// less in proportion, and no Q is below the input.
func (s Scale) TestScales(input int) []int {
	all := []int{s.Min, s.Middle(), s.Max}
	if s.Min == s.Max && s.Max > 0 {
		step := max(1, int(math.Round(float64(input)/7)))
		all = []int{max(s.Min-step, input), s.Min, s.Min + step}
	}
	return slices.Compact(all)
}
