package plots

import (
	"math"
	"slices"
	"strconv"
	"strings"

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
	p.X.Tick.Marker = ticks{about: 8, minStep: 1}
	p.Y.Tick.Marker = ticks{about: 5}
	p.Add(grid{})
	return p
}

// fallingPanel is a newPanel for curves that fall. If that flattens most of their values into the lowest quarter, as
// the first epochs of a training do, the axis is logarithmic instead, and says so. An axis with a value of 0 is linear.
func fallingPanel(label string, first, last float64, curves ...*curve) *plot.Plot {
	p := newPanel(label, first, last, curves...)
	var values []float64
	for _, c := range curves {
		for _, point := range c.points {
			if finite(point.Y) {
				values = append(values, point.Y)
			}
		}
	}
	if len(values) == 0 {
		return p
	}
	slices.Sort(values)
	low, middle, high := values[0], values[len(values)/2], values[len(values)-1]
	if low <= 0 || low == high || (middle-low)/(high-low) > 0.25 {
		return p
	}
	logarithmic(p, low, high)
	const scale = "log scale"
	style := p.Y.Label.TextStyle
	before := max(0, (style.Width(label)-style.Width(scale))/2/style.Width(" ")) // in the middle of the label
	p.Y.Label.Text += "\n" + strings.Repeat(" ", int(before)) + scale
	return p
}

// logarithmic gives a panel a logarithmic vertical axis for values from low to high, above 0. It is wide enough for values
// that differ by rounding alone.
func logarithmic(p *plot.Plot, low, high float64) {
	margin := max(math.Pow(high/low, 0.05), 1.01)
	p.Y.Min, p.Y.Max = max(low/margin, math.SmallestNonzeroFloat64), min(high*margin, math.MaxFloat64)
	p.Y.Scale, p.Y.Tick.Marker = logScale{}, logTicks{}
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

// ticks is a ticker that marks the multiples of a step: 1, 2 or 5 times a power of ten, whichever gives the number of
// marks nearest to that wanted.
type ticks struct {
	about   int     // the number of marks, to a factor of 1.6
	minStep float64 // 1 for whole numbers only
}

// Ticks implements plot.Ticker. An empty range has no marks.
func (t ticks) Ticks(low, high float64) []plot.Tick {
	if !(low < high) {
		return nil
	}
	wanted := (high - low) / float64(t.about)
	power := math.Pow(10, math.Floor(math.Log10(wanted)))
	step := power
	for _, m := range []float64{2, 5, 10} {
		if math.Abs(math.Log(m*power/wanted)) < math.Abs(math.Log(step/wanted)) {
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

// logScale is a plot.Normalizer. A value of 0 or less, as a plotter of others may have, is at the lower end; an axis that
// is made to begin there is linear.
type logScale struct{ plot.LogScale }

// Normalize implements plot.Normalizer.
func (s logScale) Normalize(low, high, v float64) float64 {
	switch {
	case low <= 0:
		return plot.LinearScale{}.Normalize(low, high, v)
	case v <= 0:
		return 0
	}
	return s.LogScale.Normalize(low, high, v)
}

// logTicks is a ticker for a logarithmic axis: it marks few round numbers in each power of ten.
type logTicks struct{}

// Ticks implements plot.Ticker.
func (logTicks) Ticks(low, high float64) (marks []plot.Tick) {
	const enough = 5
	if !(0 < low && low < high) {
		return ticks{about: enough}.Ticks(low, high)
	}
	first, last := math.Floor(math.Log10(low)), math.Ceil(math.Log10(high))
	every := max(1, math.Ceil((last-first)/(2*enough))) // powers
	for _, rounds := range [][]float64{{1}, {1, 3}, {1, 2, 5}, {1, 2, 3, 5, 7}, {1, 1.5, 2, 3, 4, 5, 7}} {
		marks = marks[:0]
		for power := first; power <= last; power += every {
			for _, m := range rounds {
				if value := m * math.Pow(10, power); low <= value && value <= high {
					marks = append(marks, plot.Tick{Value: value, Label: strconv.FormatFloat(value, 'g', 2, 64)})
				}
			}
		}
		if len(marks) >= enough {
			return marks
		}
	}
	return ticks{about: enough}.Ticks(low, high) // the range is small
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
