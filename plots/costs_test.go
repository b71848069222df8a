package plots

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/plot"
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

// TestCostsLabels: labels that would touch are left out, the last one stays.
func TestCostsLabels(t *testing.T) {
	var marks plot.ConstantTicks
	for at := 32.0; at <= 320; at += 32 {
		marks = append(marks, plot.Tick{Value: math.Log2(at), Label: strconv.Itoa(int(at))})
	}
	thin(marks)
	var labels []string
	for _, m := range marks {
		labels = append(labels, m.Label)
	}
	if got := strings.Join(labels, ","); !strings.HasPrefix(got, "32,64,96,128,") || !strings.HasSuffix(got, ",320") || !strings.Contains(got, ",,") {
		t.Errorf("labels %s", got)
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
