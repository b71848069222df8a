package plots

import (
	"math"
	"strings"
	"testing"
)

func TestSizesGolden(t *testing.T) {
	golden(t, map[string]func() (*Figure, error){
		"sizes": func() (*Figure, error) {
			return Sizes([]SizeSeries{
				{"A", []SizePoint{{5000, within(42, 1)}, {10000, within(36, .8)}, {20000, within(32.5, .5)}, {40000, within(31, .5)}}},
				{"E", []SizePoint{{5000, within(45, 2)}, {10000, within(37, 1)}, {20000, within(31, .6)}, {40000, within(29, .4)}}},
			}, "Error against training pictures")
		},
	})
}

func TestSizesErrors(t *testing.T) {
	for want, series := range map[string][]SizeSeries{
		"no point":   nil,
		"0 pictures": {{"A", []SizePoint{{0, within(1, 0)}}}},
		"point 2":    {{"A", []SizePoint{{1, within(1, 0)}, {2, within(math.NaN(), 0)}}}},
	} {
		if _, err := Sizes(series, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %s", err, want)
		}
	}
}
