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
