package configs

import (
	"slices"
	"testing"
)

func TestTestScales(t *testing.T) {
	for _, c := range []struct {
		s       Scale
		input   int
		one     int
		several []int
	}{
		{S256, 224, 256, []int{224, 256, 288}},
		{S384, 224, 384, []int{352, 384, 416}},
		{Jitter, 224, 384, []int{256, 384, 512}},
		{Scale{64, 96}, 64, 80, []int{64, 80, 96}},
		{Scale{36, 36}, 32, 36, []int{32, 36, 41}},
		{Scale{32, 32}, 32, 32, []int{32, 37}},
		{Scale{}, 32, 0, []int{0}},
	} {
		if one, several := c.s.Middle(), c.s.TestScales(c.input); one != c.one || !slices.Equal(several, c.several) {
			t.Errorf("S = %v, input %d: Q = %d and %v, want %d and %v", c.s, c.input, one, several, c.one, c.several)
		}
	}
}
