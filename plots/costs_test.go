package plots

import (
	"math"
	"strings"
	"testing"
)

func TestCostsGolden(t *testing.T) {
	golden(t, map[string]func() (*Figure, error){
		"costs": func() (*Figure, error) {
			var costs []Cost
			for batch := 1.0; batch <= 64; batch *= 2 {
				costs = append(costs, Cost{batch, 0.05 + 0.1*batch, batch, 1.7e9 + 5e7*batch})
			}
			return Costs(costs, "batch", "net D, train, 224×224")
		},
		"costs_one": func() (*Figure, error) { return Costs([]Cost{{2, 0.1, 1, 1e9}}, "threads", "") },
	})
}

// TestCostsOfOneValue: the time and what it would be by the work differ by rounding at most, and can be drawn.
func TestCostsOfOneValue(t *testing.T) {
	f, err := Costs([]Cost{{0.125, 0.056412597, 6705119232, 380268544}}, "width", "")
	if err != nil {
		t.Fatal(err)
	}
	encode(t, f, "png")
	p := emptyPanel()
	logarithmic(p, 3, math.Nextafter(3, 4))
	if ratio := p.Y.Max / p.Y.Min; !(ratio > 1.015) {
		t.Errorf("an axis that is %v times as high as low", ratio)
	}
}

func TestCostsRefuses(t *testing.T) {
	for want, costs := range map[string][]Cost{
		"no cost":        nil,
		"cost 1":         {{1, 1, 1, 0}},
		"numbers above":  {{1, math.NaN(), 1, 1}},
		"a rising order": {{2, 1, 1, 1}, {1, 1, 1, 1}},
	} {
		if _, err := Costs(costs, "", ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}
