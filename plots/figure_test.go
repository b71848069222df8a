package plots

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/plot/plotter"

	"vgg/history"
	"vgg/weights"
)

func TestSave(t *testing.T) {
	figure, err := Curves(run(12, 60, 12, 8), `A & <b> "c"`)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for extension, magic := range map[string]string{".png": "\x89PNG", ".svg": "<?xml", ".pdf": "%PDF", ".PNG": "\x89PNG"} {
		path := filepath.Join(dir, "curves"+extension)
		if err := figure.Save(path); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil || !bytes.HasPrefix(b, []byte(magic)) {
			t.Errorf("%s starts with %.8q (%v)", path, b, err)
		}
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "curves.bmp"):            `unknown format "bmp": want png, svg or pdf`,
		filepath.Join(dir, "curves"):                `unknown format ""`,
		filepath.Join(dir, "missing", "curves.png"): "no such file",
	} {
		err := figure.Save(path)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("error %v, want %s and %s", err, path, want)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 4 {
		t.Errorf("the folder holds %v (%v), want 4 pictures", left, err)
	}
}

func encode(t *testing.T, figure *Figure, format string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := figure.Encode(&b, format); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// svg is a figure in that format, and the texts in it, one a line.
func svg(t *testing.T, figure *Figure) (text string, picture []byte) {
	t.Helper()
	picture = encode(t, figure, "svg")
	var all strings.Builder
	for d := xml.NewDecoder(bytes.NewReader(picture)); ; {
		token, err := d.Token()
		if err == io.EOF {
			return all.String(), picture
		}
		if err != nil {
			t.Fatal(err)
		}
		if c, ok := token.(xml.CharData); ok {
			all.WriteString(strings.TrimSpace(string(c)) + "\n")
		}
	}
}

func TestSVG(t *testing.T) {
	draw := func() *Figure {
		figure, err := Curves(run(12, 60, 12, 8), "A & <b>\x00\xff")
		if err != nil {
			t.Fatal(err)
		}
		return figure
	}
	text, first := svg(t, draw())
	for _, want := range []string{
		"A & <b> ?", "train (running)", "validation", "learning rate ÷ 10", "loss (nats)", "top-1 error (%)", "epoch", "best: 15.6 %", "(epoch 12)",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the picture", want)
		}
	}
	if _, second := svg(t, draw()); !bytes.Equal(first, second) {
		t.Error("the same history gives another picture")
	}
	if bytes.Contains(first, []byte("NaN")) || bytes.Contains(first, []byte("Inf")) {
		t.Error("a coordinate is not finite")
	}
}

func TestNothingToDraw(t *testing.T) {
	w := filters(4, 3, 3)
	reshaped := func(shape ...int) weights.Tensor { return weights.Tensor{Name: w.Name, Shape: shape, Data: w.Data} }
	infinite := filters(4, 3, 3)
	infinite.Data[7] = float32(math.Inf(1))
	for name, c := range map[string]struct {
		draw func() (*Figure, error)
		want string
	}{
		"no epoch":   {func() (*Figure, error) { return Curves(nil, "") }, "the history has no epoch"},
		"no run":     {func() (*Figure, error) { return Compare(nil, "") }, "no run"},
		"empty run":  {func() (*Figure, error) { return Compare([]Run{{"a", stuck(1)}, {"b", nil}}, "") }, "history of b has no epoch"},
		"linear":     {func() (*Figure, error) { return Filters(reshaped(4, 27)) }, "features.0.weight: shape [4 27]"},
		"deep":       {func() (*Figure, error) { return Filters(reshaped(2, 6, 3, 3)) }, "6 channels"},
		"oblong":     {func() (*Figure, error) { return Filters(reshaped(4, 3, 9, 1)) }, "shape [4 3 9 1]"},
		"no filter":  {func() (*Figure, error) { return Filters(reshaped(0, 3, 3, 3)) }, "shape [0 3 3 3]"},
		"too many":   {func() (*Figure, error) { return Filters(reshaped(1<<40, 3, 3, 3)) }, "is not that of a first layer"},
		"short data": {func() (*Figure, error) { return Filters(reshaped(5, 3, 3, 3)) }, "108 values do not fill"},
		"infinite":   {func() (*Figure, error) { return Filters(infinite) }, "features.0.weight: holds +Inf"},
	} {
		if _, err := c.draw(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}

// TestExtremes: any values give a picture.
func TestExtremes(t *testing.T) {
	values := []float64{0, math.Copysign(0, -1), 5e-324, 1e-20, 1, 100, 1e15, 1e299, -1e299, math.MaxFloat64, math.Inf(1), math.Inf(-1), nan}
	for _, a := range values {
		for _, b := range values {
			figure, err := Curves(history.History{
				{Epoch: 1, LearningRate: a, TrainLoss: a, TrainTop1Error: b, ValLoss: a, ValTop1Error: a},
				{Epoch: 1 << 40, LearningRate: b, TrainLoss: b, TrainTop1Error: b, ValLoss: b, ValTop1Error: b},
			}, "")
			if err != nil {
				t.Fatalf("%v, %v: %v", a, b, err)
			}
			if bytes.Contains(encode(t, figure, "svg"), []byte("NaN")) {
				t.Fatalf("%v, %v: a coordinate is not a number", a, b)
			}
		}
	}
	for _, shape := range [][]int{{1, 1, 1}, {1, 3, 32}, {1024, 1, 32}, {33, 3, 7}} {
		w := filters(shape[0], shape[1], shape[2])
		clear(w.Data)
		figure, err := Filters(w)
		if err != nil {
			t.Fatal(err)
		}
		encode(t, figure, "svg")
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		ticks     ticks
		low, high float64
		want      string
	}{
		{ticks{8, 1}, 1, 12, "1 2 3 4 5 6 7 8 9 10 11 12"},
		{ticks{8, 1}, 1, 15, "2 4 6 8 10 12 14"},
		{ticks{8, 1}, 1, 5, "1 2 3 4 5"},
		{ticks{8, 1}, 0.5, 1.5, "1"},
		{ticks{8, 1}, 1, 74, "10 20 30 40 50 60 70"},
		{ticks{5, 0}, 0.24, 1.55, "0.4 0.6 0.8 1.0 1.2 1.4"},
		{ticks{5, 0}, -0.1, 2.4, "0.0 0.5 1.0 1.5 2.0"},
		{ticks{5, 0}, 2.3, 2.32, "2.300 2.305 2.310 2.315 2.320"},
		{ticks{5, 0}, 0, 3e12, "0 5e+11 1e+12 1.5e+12 2e+12 2.5e+12 3e+12"},
		{ticks{5, 0}, 1, 1, ""},
		{ticks{5, 0}, 2, 1, ""},
		{ticks{5, 0}, math.NaN(), 1, ""},
	} {
		var labels []string
		for _, m := range c.ticks.Ticks(c.low, c.high) {
			labels = append(labels, m.Label)
		}
		if got := strings.Join(labels, " "); got != c.want {
			t.Errorf("%v to %v: %s, want %s", c.low, c.high, got, c.want)
		}
	}
}

func TestLogTicks(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      string
	}{
		{0.25, 2.2, "0.3 0.5 0.7 1 2"},
		{0.08, 2.2, "0.1 0.2 0.5 1 2"},
		{12, 55, "15 20 30 40 50"},
		{90, 99, "90 92 94 96 98"},
		{1e-9, 1e9, "1e-09 1e-07 1e-05 0.001 0.1 10 1e+03 1e+05 1e+07 1e+09"},
		{0, 1, "0.0 0.2 0.4 0.6 0.8 1.0"},
		{1, 1, ""},
	} {
		var labels []string
		for _, m := range (logTicks{}).Ticks(c.low, c.high) {
			labels = append(labels, m.Label)
		}
		if got := strings.Join(labels, " "); got != c.want {
			t.Errorf("%g to %g: %s, want %s", c.low, c.high, got, c.want)
		}
	}
}

// TestFallingPanel: the axis is logarithmic where the first values would take most of it, unless a value is 0.
func TestFallingPanel(t *testing.T) {
	for _, c := range []struct {
		values []float64
		log    bool
	}{
		{[]float64{1.4, 0.7, 0.5, 0.4, 0.3, 0.3}, true},
		{[]float64{1.4, 0.7, 0.5, 0.4, 0.3, 0}, false},
		{[]float64{1.4, 1.2, 1, 0.8, 0.6, 0.4}, false},
		{[]float64{2.3, 2.3, 2.3}, false},
		{[]float64{nan, math.Inf(1)}, false},
		{nil, false},
	} {
		v := &curve{}
		for i, y := range c.values {
			v.points = append(v.points, plotter.XY{X: float64(i), Y: y})
		}
		p := fallingPanel("loss", 0, 5, v)
		_, log := p.Y.Scale.(logScale)
		if log != c.log || strings.Contains(p.Y.Label.Text, "log scale") != c.log {
			t.Errorf("%v: logarithmic: %t, labelled %q", c.values, log, p.Y.Label.Text)
		}
	}
}

// TestStyles: seven series differ in line and in marker, without regard to colour, and 49 in any two of the three.
func TestStyles(t *testing.T) {
	lines, markers := map[string]bool{}, map[string]bool{}
	for i := range palette {
		style := styledCurve(i)
		lines[fmt.Sprint(style.line.Dashes)], markers[fmt.Sprintf("%T", style.marker.Shape)] = true, true
	}
	if len(lines) != 7 || len(markers) != 7 {
		t.Errorf("%d lines and %d markers, want 7 of each", len(lines), len(markers))
	}
	pairs := map[string]bool{}
	for i := range 49 {
		style := styledCurve(i)
		colour, line, marker := fmt.Sprint(style.line.Color), fmt.Sprint(style.line.Dashes), fmt.Sprintf("%T", style.marker.Shape)
		pairs[colour+line], pairs[colour+marker], pairs[line+marker] = true, true, true
	}
	if len(pairs) != 3*49 {
		t.Errorf("%d pairs of colour, line and marker, want %d", len(pairs), 3*49)
	}
}

// TestRounded: of halves the one farther from 0, also of those that binary numbers do not quite reach.
func TestRounded(t *testing.T) {
	for _, c := range []struct {
		v        float64
		decimals int
		want     string
	}{{12.25, 1, "12.3"}, {12.35, 1, "12.4"}, {12.34, 1, "12.3"}, {0.125, 2, "0.13"}, {-12.25, 1, "-12.3"}, {0, 1, "0.0"}, {99.95, 1, "100.0"}, {1e300, 0, strconv.FormatFloat(1e300, 'f', 0, 64)}} {
		if got := rounded(c.v, c.decimals); got != c.want {
			t.Errorf("%v to %d decimals: %s, want %s", c.v, c.decimals, got, c.want)
		}
	}
}

// TestResolution: a PNG says that an inch has 300 pixels.
func TestResolution(t *testing.T) {
	figure, err := Curves(stuck(2), "")
	if err != nil {
		t.Fatal(err)
	}
	picture := encode(t, figure, "png")
	if at := bytes.Index(picture, []byte("pHYs\x00\x00\x2e\x23\x00\x00\x2e\x23\x01")); at != 8+25+4 {
		t.Errorf("the resolution is at %d", at)
	}
	decode(t, picture)
}

func TestRateDrops(t *testing.T) {
	for _, c := range []struct {
		rates []float64
		at    []float64
		label string
	}{
		{[]float64{0.1, 0.1}, nil, "learning rate falls"},
		{[]float64{0.1, 0.01, 0.01, 0.001}, []float64{1, 3}, "learning rate ÷ 10"},
		{[]float64{0.1, 0.2, 0.1}, []float64{2}, "learning rate ÷ 2"},
		{[]float64{0.1, 0.01, 0.005}, []float64{1, 2}, "learning rate falls"},
		{[]float64{0.1, 0}, []float64{1}, "learning rate falls"},
	} {
		var h history.History
		for i, rate := range c.rates {
			h = append(h, history.Epoch{Epoch: i + 1, LearningRate: rate})
		}
		drops, label := rateDrops(h)
		if !slices.Equal(drops.at, c.at) || label != c.label && len(c.at) > 0 {
			t.Errorf("%v: %v %q, want %v %q", c.rates, drops.at, label, c.at, c.label)
		}
	}
}

func TestValueRange(t *testing.T) {
	for _, c := range []struct {
		values    []float64
		low, high float64
	}{
		{nil, 0, 1},
		{[]float64{nan, math.Inf(1)}, 0, 1},
		{[]float64{0, 0}, 0, 1},
		{[]float64{10, 30}, 9, 31},
		{[]float64{0.1, nan, 10.1}, 0, 10.6},
		{[]float64{-1, 1}, -1.1, 1.1},
		{[]float64{50, 50}, 49.5, 50.5},
	} {
		v := &curve{}
		for i, y := range c.values {
			v.points = append(v.points, plotter.XY{X: float64(i), Y: y})
		}
		low, high := valueRange([]*curve{v})
		if math.Abs(low-c.low) > 1e-9 || math.Abs(high-c.high) > 1e-9 {
			t.Errorf("%v: %v to %v, want %v to %v", c.values, low, high, c.low, c.high)
		}
	}
}

func TestFilterPicture(t *testing.T) {
	grey := filterPicture([]float32{-2, 0, 1, 2}, 1, 2)
	for i, want := range []uint8{0, 128, 191, 255} {
		if c := grey.RGBAAt(i%2, i/2); c.R != want || c.G != want || c.B != want || c.A != 255 {
			t.Errorf("weight %d is %v, want grey %d", i, c, want)
		}
	}
	// (In, 1, 1): one weight, its channels −1, 0 and 1.
	if c := filterPicture([]float32{-1, 0, 1}, 3, 1).RGBAAt(0, 0); c.R != 0 || c.G != 128 || c.B != 255 {
		t.Errorf("channels −1, 0, 1 are %v", c)
	}
	if c := filterPicture([]float32{0}, 1, 1).RGBAAt(0, 0); c.R != 128 {
		t.Errorf("a filter of zeros is %v", c)
	}
}
