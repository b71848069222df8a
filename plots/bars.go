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

// Bar is an error of ours beside the paper's, both in percent.
type Bar struct {
	Label string
	Ours  Estimate
	Paper float64 // NaN if the paper gives none
}

const (
	barPitch      = vg.Length(12) // from row to row
	barThickness  = 0.6           // in pitches
	maxLabelWidth = 1.2 * vg.Inch
	numberGap     = vg.Length(3) // between a bar and its number
	absent        = "–"
)

// Bars draws a row for each bar, from the top: our error with its interval on the left, the paper's on the right if any
// row has one. Ours are measured on other pictures than the paper's, which are of ILSVRC, so that only the order of the
// rows and their ratios compare: each side has its own scale from 0, and each bar its number. The panels' horizontal
// axes are percent; their vertical ones count rows from the bottom.
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

	left, right := rowBars{ours, skyBlue}, rowBars{paper, color.Gray{0xb0}} // light, because intervals are drawn over them
	if !inPaper {
		return barChart(bars, title, nil, left.panel("error on our data (%)")), nil
	}
	legend := []legendItem{{"ours", left}, {"the paper's", right}}
	return barChart(bars, title, legend, left.panel("error on our data (%)"), right.panel("error on ILSVRC (%)")), nil
}

// Values draws a row for each value, such as the recall of each class, from the top, with what it is on the axis. Of the
// bars the paper's are not drawn.
func Values(bars []Bar, axis, title string) (*Figure, error) {
	if len(bars) == 0 {
		return nil, errors.New("nothing to draw: no row is given")
	}
	values := make([]Estimate, len(bars))
	for i, b := range bars {
		if err := b.Ours.check(); err != nil {
			return nil, errors.Wrapf(err, "row %d (%s)", i+1, b.Label)
		}
		values[i] = b.Ours
	}
	return barChart(bars, title, nil, rowBars{values, skyBlue}.panel(axis)), nil
}

// barChart puts panels of rows beside each other, as high as the rows need.
func barChart(bars []Bar, title string, legend []legendItem, panels ...*plot.Plot) *Figure {
	panels[0].Y.Tick.Marker = rowLabels(bars)
	const enough = columnWidth // a height with room for the axes
	axes := enough - dataSize(panels[0], vg.Point{X: columnWidth - 2*margin, Y: enough}).Y
	height := axes + vg.Length(len(bars))*barPitch
	return chart{title: title, legend: legend, panels: [][]*plot.Plot{panels}, panelHeight: height}.figure()
}

// rowLabels puts the labels of the bars beside their rows.
func rowLabels(bars []Bar) plot.ConstantTicks {
	style := textStyle(tickSize)
	marks := make(plot.ConstantTicks, len(bars))
	for i, b := range bars {
		marks[i] = plot.Tick{Value: rowPlace(i, len(bars)), Label: fit(style, b.Label, maxLabelWidth)}
	}
	return marks
}

// rowPlace is the place of row i of n on the vertical axis, the first on top.
func rowPlace(i, n int) float64 { return float64(n - 1 - i) }

// rowBars is a plotter of horizontal bars from 0, each with its number after it.
type rowBars struct {
	values []Estimate // NaN for no bar
	fill   color.Color
}

// panel is a plot of the bars and their intervals, without labels of the rows.
func (b rowBars) panel(label string) *plot.Plot {
	p := emptyPanel()
	p.X.Label.Text = label
	ends := &curve{points: plotter.XYs{{}}} // 0 is in the range
	intervals := &plotter.XErrorBars{LineStyle: draw.LineStyle{Color: ink, Width: 0.7}, CapWidth: 4}
	for i, v := range b.values {
		ends.points = append(ends.points, plotter.XY{Y: v.Low}, plotter.XY{Y: v.High})
		if !math.IsNaN(v.Value) && v.hasInterval() {
			intervals.XYs = append(intervals.XYs, plotter.XY{X: v.Value, Y: rowPlace(i, len(b.values))})
			intervals.XErrors = append(intervals.XErrors, struct{ Low, High float64 }{v.Value - v.Low, v.High - v.Value})
		}
	}
	p.X.Min, p.X.Max = valueRange([]*curve{ends})
	p.X.Tick.Marker = ticks{about: 3}
	p.Y.Min, p.Y.Max = -0.5, float64(len(b.values))-0.5
	p.Y.Padding, p.Y.Tick.Length = 0, 0 // the bars begin at the axis
	p.Y.Tick.Marker = plot.ConstantTicks{}

	lines := verticals{line: draw.LineStyle{Color: faint, Width: 0.5}}
	for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
		lines.at = append(lines.at, t.Value)
	}
	p.Add(lines, b)
	if len(intervals.XYs) > 0 {
		p.Add(intervals)
	}
	return p
}

// Plot implements plot.Plotter.
func (b rowBars) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	half := barThickness / 2 * (y(1) - y(0))
	style := textStyle(tickSize)
	for i, v := range b.values {
		middle := y(rowPlace(i, len(b.values)))
		if !math.IsNaN(v.Value) {
			left, right := x(min(0, v.Value)), x(max(0, v.Value))
			fillRectangle(c, b.fill, vg.Rectangle{Min: vg.Point{X: left, Y: middle - half}, Max: vg.Point{X: right, Y: middle + half}})
		}
		number, end := b.number(i)
		corner := vg.Point{X: x(end) + numberGap, Y: middle - belowMiddle(style, digitHeight(tickSize))}
		fillRectangle(c, color.White, style.Rectangle(number).Add(corner)) // hides the lines of the scale
		c.FillText(style, corner, number)
	}
}

// Thumbnail implements plot.Thumbnailer.
func (b rowBars) Thumbnail(c *draw.Canvas) {
	const half = barPitch * barThickness / 2
	fillRectangle(*c, b.fill, vg.Rectangle{
		Min: vg.Point{X: c.Min.X, Y: c.Center().Y - half}, Max: vg.Point{X: c.Max.X, Y: c.Center().Y + half}})
}

// GlyphBoxes implements plot.GlyphBoxer: the numbers need room after the bars.
func (b rowBars) GlyphBoxes(p *plot.Plot) []plot.GlyphBox {
	boxes := make([]plot.GlyphBox, len(b.values))
	style := textStyle(tickSize)
	for i := range b.values {
		number, end := b.number(i)
		boxes[i] = plot.GlyphBox{
			X: p.X.Norm(end), Y: p.Y.Norm(rowPlace(i, len(b.values))),
			Rectangle: style.Rectangle(number).Add(vg.Point{X: numberGap}),
		}
	}
	return boxes
}

// number is the text after the bar of row i, and the end of the bar and its interval.
func (b rowBars) number(i int) (number string, end float64) {
	v := b.values[i]
	switch {
	case math.IsNaN(v.Value):
		return absent, 0
	case math.Abs(v.Value) >= 1e5: // no percentage, but must fit
		return strconv.FormatFloat(v.Value, 'g', 3, 64), max(0, v.High)
	case math.Abs(v.Value) < 1: // a few pictures in a thousand
		return rounded(v.Value, 2), max(0, v.High)
	}
	return rounded(v.Value, 1), max(0, v.High)
}
