package plots

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

// within is an estimate with an interval of the same length to both sides.
func within(value, half float64) Estimate { return Estimate{value, value - half, value + half} }

// table3 is the paper's Table 3: the top-1 errors at S = 256, at S = 384 and with scale jittering, with made-up
// intervals.
func table3() []DepthSeries {
	return []DepthSeries{
		{"S = 256", []DepthPoint{
			{"A", 11, within(29.6, 0.5)}, {"A-LRN", 11, within(29.7, 0.5)}, {"B", 13, within(28.7, 0.5)},
			{"C", 16, within(28.1, 0.4)}, {"D", 16, within(27.0, 0.4)}, {"E", 19, within(27.3, 0.4)},
		}},
		{"S = 384", []DepthPoint{{"C", 16, within(28.1, 0.4)}, {"D", 16, within(26.8, 0.4)}, {"E", 19, within(26.9, 0.4)}}},
		{"S in [256;512]", []DepthPoint{{"C", 16, within(27.3, 0.4)}, {"D", 16, within(25.6, 0.4)}, {"E", 19, within(25.5, 0.4)}}},
	}
}

func TestDepthGolden(t *testing.T) {
	golden(t, map[string]func() (*Figure, error){
		"depth": func() (*Figure, error) { return Depth(table3(), "Error against depth, as in Table 3") },
		"depth_one": func() (*Figure, error) {
			return Depth([]DepthSeries{{"", []DepthPoint{{strings.Repeat("a long name ", 9), 16, Estimate{3, 3, 3}}}}}, "")
		},
	})
}

// TestPlaceNets: nets of one depth are apart, in their order, and around their depth.
func TestPlaceNets(t *testing.T) {
	point := func(net string, layers int) DepthPoint { return DepthPoint{net, layers, within(1, 0)} }
	for name, c := range map[string]struct {
		series []DepthSeries
		names  string
		at     []float64
		width  float64
	}{
		"Table 3": {table3(), "A A-LRN B C D E", []float64{11 - 2./3, 11 + 2./3, 13, 16 - 2./3, 16 + 2./3, 19}, 4. / 3},
		"alone":   {[]DepthSeries{{"", []DepthPoint{point("B", 13)}}}, "B", []float64{13}, 1},
		"a depth": {[]DepthSeries{{"", []DepthPoint{point("D", 16), point("C", 16)}}}, "D C", []float64{15.5, 16.5}, 1},
		"mixed":   {[]DepthSeries{{"", []DepthPoint{point("E", 19)}}, {"", []DepthPoint{point("A", 11)}}}, "A E", []float64{11, 19}, 8},
	} {
		depths, width, err := placeNets(c.series)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, same := range depths {
			for _, net := range same {
				if want := c.at[len(names)]; math.Abs(net.at-want) > 1e-12 {
					t.Errorf("%s: %s is at %v, want %v", name, net.name, net.at, want)
				}
				names = append(names, net.name)
			}
		}
		if got := strings.Join(names, " "); got != c.names || math.Abs(width-c.width) > 1e-12 {
			t.Errorf("%s: %s, width %v, want %s, width %v", name, got, width, c.names, c.width)
		}
	}
}

func TestDepthTexts(t *testing.T) {
	figure, err := Depth(table3(), "depth")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := svg(t, figure)
	for _, want := range []string{"A", "A-LRN", "B", "C", "D", "E", "11", "13", "16", "19", "S = 256", "S in [256;512]", "top-1 error (%)", "layers with weights"} {
		if strings.Count("\n"+text, "\n"+want+"\n") != 1 {
			t.Errorf("%q is not in the picture once", want)
		}
	}
}

func TestNoDepth(t *testing.T) {
	changed := func(change func([]DepthSeries)) []DepthSeries {
		s := table3()
		change(s)
		return s
	}
	estimate := func(e Estimate) []DepthSeries {
		return changed(func(s []DepthSeries) { s[1].Points[2].Error = e })
	}
	const third = "series 2 (S = 384), point 3 (net E): "
	for want, series := range map[string][]DepthSeries{
		"no series is given":              nil,
		"series 3 (jitter) has no point":  changed(func(s []DepthSeries) { s[2] = DepthSeries{Name: "jitter"} }),
		third + "0 layers":                changed(func(s []DepthSeries) { s[1].Points[2].Layers = 0 }),
		third + "18 layers, 19 before":    changed(func(s []DepthSeries) { s[1].Points[2].Layers = 18 }),
		third + "error: NaN, from 1 to 2": estimate(Estimate{nan, 1, 2}),
		third + "error: 1, from -Inf to":  estimate(Estimate{1, math.Inf(-1), 2}),
		third + "error: 1, from 1 to NaN": estimate(Estimate{1, 1, nan}),
		third + "error: 3 is not between": estimate(Estimate{3, 3.1, 4}),
		"its ends 2 and 2.9":              estimate(Estimate{3, 2, 2.9}),
		"series 1 (S = 256), point 2 (net A): is in the series twice": changed(func(s []DepthSeries) {
			s[0].Points[1].Net = "A"
		}),
	} {
		if _, err := Depth(series, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// TestDepthExtremes: any values give a picture.
func TestDepthExtremes(t *testing.T) {
	for _, low := range []float64{-1e299, -1, 0, 5e-324, 100} {
		for _, high := range []float64{100, 1e15, 1e299} {
			figure, err := Depth([]DepthSeries{{"s", []DepthPoint{
				{"a", 1, Estimate{low, low, high}}, {"b", 1 << 40, Estimate{high, low, high}}, {"", 1 << 40, within(low, 0)},
			}}}, "")
			if err != nil {
				t.Fatal(err)
			}
			if _, picture := svg(t, figure); bytes.Contains(picture, []byte("NaN")) || bytes.Contains(picture, []byte("Inf")) {
				t.Errorf("%v, %v: a coordinate is not finite", low, high)
			}
		}
	}
}
