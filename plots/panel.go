package plots

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// newPanel is a plot with a grid for curves from first to last on the horizontal axis. Its vertical range is that of
// the curves, which are yet to be added.
func newPanel(label string, first, last float64, curves ...*curve) *plot.Plot {
	p := emptyPanel()
	p.X.Min, p.X.Max = first, last
	if first == last { // a single epoch stands in the middle
		p.X.Min, p.X.Max = first-0.5, last+0.5
	}
	p.Y.Min, p.Y.Max = valueRange(curves)
	p.Y.Label.Text = label
	p.X.Tick.Marker = ticks{about: 10, minStep: 1}
	p.Y.Tick.Marker = ticks{about: 6}
	p.Add(grid{})
	return p
}

// emptyPanel is an empty plot with axes in the figures' style.
func emptyPanel() *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Color, axis.Tick.Color = ink, ink
		axis.Padding, axis.Tick.Length = 2, 3
		axis.Label.Padding = 2
		axis.Label.TextStyle = restyle(axis.Label.TextStyle, labelSize)
		axis.Tick.Label = restyle(axis.Tick.Label, tickSize)
	}
	return p
}

// dataSize is the room that the axes of p leave for data on a canvas of the given size.
func dataSize(p *plot.Plot, size vg.Point) vg.Point {
	return p.DataCanvas(draw.Canvas{Rectangle: vg.Rectangle{Max: size}}).Size()
}

// restyle is the figures' style at a size with the alignment of an axis's style.
func restyle(axis text.Style, size vg.Length) text.Style {
	style := textStyle(size)
	style.XAlign, style.YAlign = axis.XAlign, axis.YAlign
	return style
}

// finite reports whether a value can be drawn: larger ones would overflow when scaled to the page.
func finite(v float64) bool { return math.Abs(v) < 1e300 }

// valueRange is the range of the curves' finite values with a margin, at least a hundredth of the values wide. It does
// not go below 0 unless a value does.
func valueRange(curves []*curve) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, c := range curves {
		for _, p := range c.points {
			if finite(p.Y) {
				low, high = min(low, p.Y), max(high, p.Y)
			}
		}
	}
	if low > high { // no value at all
		return 0, 1
	}
	pad := 0.05 * (high - low)
	if least := 0.01 * max(math.Abs(low), math.Abs(high)); high-low < least {
		pad = least
	}
	if pad < 1e-12 { // all values are 0 to the eye
		pad = 1
	}
	if low >= 0 {
		return max(0, low-pad), high + pad
	}
	return low - pad, high + pad
}

// ticks is a ticker that marks the multiples of a step: 1, 2 or 5 times a power of ten.
type ticks struct {
	about   int     // the number of marks, roughly
	minStep float64 // 1 for whole numbers only
}

// Ticks implements plot.Ticker. An empty range has no marks.
func (t ticks) Ticks(low, high float64) []plot.Tick {
	if !(low < high) {
		return nil
	}
	raw := (high - low) / float64(t.about)
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	step := 10 * power
	for _, m := range []float64{5, 2, 1} {
		if m*power >= raw {
			step = m * power
		}
	}
	step = max(step, t.minStep)
	decimals := max(0, -int(math.Floor(math.Log10(step)+1e-9)))

	const slack = 1e-9 // of a step, for ends that are multiples but for rounding
	from, to := math.Ceil(low/step-slack), math.Floor(high/step+slack)
	var marks []plot.Tick
	for i := range int(to-from) + 1 {
		value := (from+float64(i))*step + 0 // not -0
		label := strconv.FormatFloat(value, 'f', decimals, 64)
		if decimals > 5 || math.Abs(high) >= 1e5 {
			label = strconv.FormatFloat(value, 'g', 3, 64)
		}
		marks = append(marks, plot.Tick{Value: value, Label: label})
	}
	return marks
}

// unlabelled is a ticker without the labels of another, for an axis above one that has them.
type unlabelled struct{ plot.Ticker }

// Ticks implements plot.Ticker.
func (u unlabelled) Ticks(low, high float64) []plot.Tick {
	marks := u.Ticker.Ticks(low, high)
	for i := range marks {
		marks[i].Label = ""
	}
	return marks
}

// grid is a plotter of a faint line at each mark of the vertical axis.
type grid struct{}

// Plot implements plot.Plotter.
func (grid) Plot(c draw.Canvas, p *plot.Plot) {
	for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		y := c.Y(p.Y.Norm(t.Value))
		c.StrokeLine2(draw.LineStyle{Color: faint, Width: 0.5}, c.Min.X, y, c.Max.X, y)
	}
}
