package plots

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

// table3Bars are the rows of Table 3 with made-up errors of ours.
func table3Bars() []Bar {
	var bars []Bar
	for _, s := range table3() {
		for _, p := range s.Points {
			bars = append(bars, Bar{p.Net + ", " + s.Name, within(0.4*p.Error.Value, 0.6), p.Error.Value})
		}
	}
	return bars
}

func TestBarsGolden(t *testing.T) {
	golden(t, map[string]func() (*Figure, error){
		"bars": func() (*Figure, error) { return Bars(table3Bars(), "Top-1 error beside Table 3") },
		"bars_part": func() (*Figure, error) {
			return Bars([]Bar{{"one crop", within(12, 1), 27}, {"dense", Estimate{10.5, 10.5, 10.5}, nan}}, "")
		},
		"bars_own": func() (*Figure, error) {
			return Bars([]Bar{{strings.Repeat("a long label ", 9), Estimate{0.46, 0.4, 0.7}, nan}, {"B", within(0.4, 0), nan}}, "Not in the paper")
		},
	})
}

func TestBarsTexts(t *testing.T) {
	bars := table3Bars()[8:]
	for _, inPaper := range []bool{true, false} {
		if !inPaper {
			for i := range bars {
				bars[i].Paper = nan
			}
		}
		figure, err := Bars(bars, "bars")
		if err != nil {
			t.Fatal(err)
		}
		text, _ := svg(t, figure)
		for _, want := range []string{"D, S in [256;512]", "10.9", "10.2", "error on our data (%)"} {
			if !strings.Contains(text, want+"\n") {
				t.Errorf("%q is not in the picture", want)
			}
		}
		for _, want := range []string{"25.6", "25.5", "error on ILSVRC (%)", "ours", "the paper's"} {
			if strings.Contains(text, want+"\n") != inPaper {
				t.Errorf("in the paper: %v; %q in the picture: %v", inPaper, want, !inPaper)
			}
		}
	}
}

func TestNoBars(t *testing.T) {
	changed := func(b Bar) []Bar {
		bars := table3Bars()
		bars[1] = b
		return bars
	}
	for want, bars := range map[string][]Bar{
		"no row is given": nil,
		"row 2 (x), our error: NaN, from NaN to NaN, is not finite":      changed(Bar{"x", Estimate{nan, nan, nan}, 1}),
		"row 2 (x), our error: 1, from 0 to +Inf, is not finite":         changed(Bar{"x", Estimate{1, 0, math.Inf(1)}, 1}),
		"row 2 (x), our error: 1 is not between its ends 2 and 3":        changed(Bar{"x", Estimate{1, 2, 3}, nan}),
		"row 2 (x), our error: 4 is not between its ends 2 and 3":        changed(Bar{"x", Estimate{4, 2, 3}, nan}),
		"row 2 (x), the paper's error: -Inf, from -Inf to -Inf, is not ": changed(Bar{"x", Estimate{1, 1, 1}, math.Inf(-1)}),
	} {
		if _, err := Bars(bars, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// TestBarsExtremes: any values give a picture.
func TestBarsExtremes(t *testing.T) {
	values := []float64{-1e299, -5, 0, 5e-324, 1, 100, 1e15, 1e299}
	for i, low := range values {
		for _, high := range values[i:] {
			figure, err := Bars([]Bar{{"a", Estimate{low, low, high}, high}, {"", Estimate{high, low, high}, nan}}, "")
			if err != nil {
				t.Fatal(err)
			}
			if _, picture := svg(t, figure); bytes.Contains(picture, []byte("NaN")) || bytes.Contains(picture, []byte("Inf")) {
				t.Errorf("%v, %v: a coordinate is not finite", low, high)
			}
		}
	}
}
