package plots

import (
	"fmt"
	"image/color"
	"slices"

	"github.com/pkg/errors"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"vgg/metrics"
)

const (
	calibrationHeight = 1.7 * vg.Inch // of a panel
	answersAbove      = 105           // percent, so that a line at 100 can be seen
)

// Calibration draws a reliability diagram (Guo et al., arXiv 1706.04599, figure 1): for each bin of confidence, how
// often the answers in it are right, with its 95 % interval, beside what it would be if the net knew how sure it may be,
// the diagonal. The panel below has the share of the answers that are in the bin. All axes are percent.
func Calibration(c *metrics.Calibration, title string) (*Figure, error) {
	all := c.All()
	if all.Pictures == 0 {
		return nil, errors.New("nothing to draw: the calibration has no answer")
	}
	width := 100 / float64(len(c.Bins))
	right, share := columns{width: width, fill: skyBlue}, columns{width: width, fill: color.Gray{0xb0}}
	intervals := &plotter.YErrorBars{LineStyle: draw.LineStyle{Color: ink, Width: 0.7}, CapWidth: 4}
	for i, b := range c.Bins {
		right.heights, share.heights = append(right.heights, b.Accuracy()), append(share.heights, metrics.Percent(b.Pictures, all.Pictures))
		if b.Pictures == 0 {
			continue
		}
		low, high := metrics.Interval(b.Right, b.Pictures)
		intervals.XYs = append(intervals.XYs, plotter.XY{X: (float64(i) + 0.5) * width, Y: b.Accuracy()})
		intervals.YErrors = append(intervals.YErrors, struct{ Low, High float64 }{b.Accuracy() - low, high - b.Accuracy()})
	}
	calibrated := &curve{points: plotter.XYs{{}, {X: 100, Y: 100}}, line: draw.LineStyle{Color: ink, Width: 1, Dashes: []vg.Length{3, 2}}}

	above := newPanel("right answers (%)", 0, 100)
	above.Y.Min, above.Y.Max = 0, answersAbove
	above.Add(right, calibrated, intervals)
	above.X.Tick.Marker = unlabelled{ticks{about: 6}}
	below := newPanel("answers (%)", 0, 100)
	below.Y.Min, below.Y.Max = 0, answersAbove/100.0*slices.Max(share.heights)
	below.Add(share)
	below.X.Tick.Marker = ticks{about: 6}
	below.X.Label.Text = fmt.Sprintf("confidence (%%); expected calibration error %.1f %%, bins: %d", c.ECE(), len(c.Bins))
	for _, p := range []*plot.Plot{above, below} {
		p.X.Padding, p.Y.Padding = 0, 0
	}
	legend := []legendItem{{"right answers", right}, {"right as often as sure", calibrated}}
	return chart{title: title, legend: legend, panels: [][]*plot.Plot{{above}, {below}}, panelHeight: calibrationHeight}.figure(), nil
}

// columns is a plotter of columns of one width beside each other, from 0.
type columns struct {
	heights []float64 // NaN for none
	width   float64
	fill    color.Color
}

// Plot implements plot.Plotter.
func (b columns) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for i, h := range b.heights {
		if !(h > 0) {
			continue
		}
		box := vg.Rectangle{Min: vg.Point{X: x(float64(i) * b.width), Y: y(0)}, Max: vg.Point{X: x(float64(i+1) * b.width), Y: y(h)}}
		fillRectangle(c, b.fill, box)
		strokeRectangle(c, draw.LineStyle{Color: ink, Width: 0.5}, box)
	}
}

// Thumbnail implements plot.Thumbnailer.
func (b columns) Thumbnail(c *draw.Canvas) {
	const half = 3
	middle := c.Center()
	box := vg.Rectangle{Min: vg.Point{X: middle.X - half, Y: middle.Y - half}, Max: vg.Point{X: middle.X + half, Y: middle.Y + half}}
	fillRectangle(*c, b.fill, box)
	strokeRectangle(*c, draw.LineStyle{Color: ink, Width: 0.5}, box)
}
