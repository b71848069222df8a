package plots

import (
	"image/color"
	"math"
	"strconv"

	"github.com/pkg/errors"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Bar is our error beside the paper's, both in percent.
type Bar struct {
	Label string
	Ours  Estimate
	Paper float64 // NaN where the paper has none
}

const (
	barPitch   = vg.Length(12) // from row to row
	barShare   = 0.6           // of the pitch, the bar's thickness
	barLabels  = 1.2 * vg.Inch // at most
	numberGap  = vg.Length(3)  // between a bar and its number
	absentMark = "–"
)

// Bars draws a row of bars for each of bars, from the top: our error with its
// interval on the left, the paper's on the right, where any row has one. The
// paper's errors are of ILSVRC and ours of other pictures, so that only the
// order of the rows and their ratios compare: each side has its own scale, from
// 0, and each bar its number.
func Bars(bars []Bar, title string) (*Figure, error) {
	if len(bars) == 0 {
		return nil, errors.New("nothing to draw: no row is given")
	}
	ours, paper := make([]Estimate, len(bars)), make([]Estimate, len(bars))
	inPaper := false
	for i, b := range bars {
		if err := b.Ours.check(); err != nil {
			return nil, errors.Wrapf(err, "row %d (%s), our error", i+1, b.Label)
		}
		ours[i], paper[i] = b.Ours, Estimate{b.Paper, b.Paper, b.Paper}
		if math.IsNaN(b.Paper) {
			continue
		}
		if err := paper[i].check(); err != nil {
			return nil, errors.Wrapf(err, "row %d (%s), the paper's error", i+1, b.Label)
		}
		inPaper = true
	}

	left, right := rowBars{ours, palette[5]}, rowBars{paper, color.Gray{0xb0}} // light, for the intervals over them
	panels := []*plot.Plot{left.panel("error on our data (%)")}
	var legend []legendItem
	if inPaper {
		panels = append(panels, right.panel("error on ILSVRC (%)"))
		legend = []legendItem{{"ours", left}, {"the paper's", right}}
	}
	panels[0].Y.Tick.Marker = barNames(bars)
	const trial = columnWidth // any height that has room for the axes
	axes := trial - dataSize(panels[0], vg.Point{X: columnWidth - 2*margin, Y: trial}).Y
	height := axes + vg.Length(len(bars))*barPitch
	return chart{title: title, legend: legend, rows: [][]*plot.Plot{panels}, height: height}.figure(), nil
}

// barNames are the rows' labels.
func barNames(bars []Bar) plot.ConstantTicks {
	style := textStyle(tickSize)
	marks := make(plot.ConstantTicks, len(bars))
	for i, b := range bars {
		marks[i] = plot.Tick{Value: barPlace(i, len(bars)), Label: fit(style, b.Label, barLabels)}
	}
	return marks
}

// barPlace is where row i of n stands on the vertical axis, the first on top.
func barPlace(i, n int) float64 { return float64(n - 1 - i) }

// rowBars are horizontal bars from 0, each with its number behind it.
type rowBars struct {
	values []Estimate // not a number: an absent bar
	fill   color.Color
}

// panel has the bars and their intervals, the rows yet without names.
func (b rowBars) panel(label string) *plot.Plot {
	p := emptyPanel()
	p.X.Label.Text = label
	ends := &curve{points: plotter.XYs{{}}} // 0 is in the range
	intervals := &plotter.XErrorBars{LineStyle: draw.LineStyle{Color: ink, Width: 0.7}, CapWidth: 4}
	for i, v := range b.values {
		ends.points = append(ends.points, plotter.XY{Y: v.Low}, plotter.XY{Y: v.High})
		if !math.IsNaN(v.Value) && !v.bare() {
			intervals.XYs = append(intervals.XYs, plotter.XY{X: v.Value, Y: barPlace(i, len(b.values))})
			intervals.XErrors = append(intervals.XErrors, struct{ Low, High float64 }{v.Value - v.Low, v.High - v.Value})
		}
	}
	p.X.Min, p.X.Max = valueRange([]*curve{ends})
	p.X.Tick.Marker = ticks{most: 4}
	p.Y.Min, p.Y.Max = -0.5, float64(len(b.values))-0.5
	p.Y.Padding, p.Y.Tick.Length = 0, 0 // the axis is the bars' foot
	p.Y.Tick.Marker = plot.ConstantTicks{}

	scale := verticals{line: draw.LineStyle{Color: faint, Width: 0.5}}
	for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
		scale.at = append(scale.at, t.Value)
	}
	p.Add(scale, b)
	if len(intervals.XYs) > 0 {
		p.Add(intervals)
	}
	return p
}

// Plot implements plot.Plotter.
func (b rowBars) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	half := barShare / 2 * (y(1) - y(0))
	style := textStyle(tickSize)
	for i, v := range b.values {
		middle := y(barPlace(i, len(b.values)))
		if !math.IsNaN(v.Value) {
			left, right := x(min(0, v.Value)), x(max(0, v.Value))
			fillRectangle(c, b.fill, vg.Rectangle{Min: vg.Point{X: left, Y: middle - half}, Max: vg.Point{X: right, Y: middle + half}})
		}
		number, end := b.number(i)
		corner := vg.Point{X: x(end) + numberGap, Y: middle - beneath(style, digitHeight(tickSize))}
		fillRectangle(c, color.White, style.Rectangle(number).Add(corner)) // over the lines of the scale
		c.FillText(style, corner, number)
	}
}

// Thumbnail implements plot.Thumbnailer.
func (b rowBars) Thumbnail(c *draw.Canvas) {
	const half = barPitch * barShare / 2
	fillRectangle(*c, b.fill, vg.Rectangle{
		Min: vg.Point{X: c.Min.X, Y: c.Center().Y - half}, Max: vg.Point{X: c.Max.X, Y: c.Center().Y + half}})
}

// GlyphBoxes implements plot.GlyphBoxer: the numbers want room behind the bars.
func (b rowBars) GlyphBoxes(p *plot.Plot) []plot.GlyphBox {
	boxes := make([]plot.GlyphBox, len(b.values))
	style := textStyle(tickSize)
	for i := range b.values {
		number, end := b.number(i)
		boxes[i] = plot.GlyphBox{
			X: p.X.Norm(end), Y: p.Y.Norm(barPlace(i, len(b.values))),
			Rectangle: style.Rectangle(number).Add(vg.Point{X: numberGap}),
		}
	}
	return boxes
}

// number is what is said of row i, and the end of its bar and interval.
func (b rowBars) number(i int) (number string, end float64) {
	v := b.values[i]
	switch {
	case math.IsNaN(v.Value):
		return absentMark, 0
	case math.Abs(v.Value) >= 1e5: // no percentage, but it fits
		return strconv.FormatFloat(v.Value, 'g', 3, 64), max(0, v.High)
	case math.Abs(v.Value) < 1: // few pictures in a thousand
		return strconv.FormatFloat(v.Value, 'f', 2, 64), max(0, v.High)
	}
	return strconv.FormatFloat(v.Value, 'f', 1, 64), max(0, v.High)
}
