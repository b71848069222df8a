package plots

import (
	"math"
	"slices"
	"strconv"

	"github.com/pkg/errors"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// SizeSeries is a net trained on several numbers of pictures.
type SizeSeries struct {
	Name   string // in the legend
	Points []SizePoint
}

// SizePoint is a number of training pictures and the error of a net trained on them.
type SizePoint struct {
	Pictures int
	Error    Estimate // top-1, in percent
}

// sizeStep is the distance of two series at one number of pictures, in doublings, so that their intervals do not hide
// each other.
const sizeStep = 0.06

// Sizes draws the top-1 error in percent, with intervals, against the base-2 logarithm of the number of training
// pictures.
func Sizes(series []SizeSeries, title string) (*Figure, error) {
	var sizes []int
	c := chart{title: title, panelHeight: depthHeight}
	ends := &curve{}
	var added []plot.Plotter
	for i, s := range series {
		line := styledCurve(i)
		line.every = 1
		bars := &plotter.YErrorBars{LineStyle: draw.LineStyle{Color: line.line.Color, Width: 0.7}, CapWidth: 4}
		shift := sizeStep * (float64(i) - float64(len(series)-1)/2)
		for j, p := range s.Points {
			if p.Pictures < 1 {
				return nil, errors.Errorf("series %d (%s), point %d: %d pictures: want at least 1", i+1, s.Name, j+1, p.Pictures)
			}
			if err := p.Error.check(); err != nil {
				return nil, errors.Wrapf(err, "series %d (%s), point %d: error", i+1, s.Name, j+1)
			}
			sizes = append(sizes, p.Pictures)
			point := plotter.XY{X: math.Log2(float64(p.Pictures)) + shift, Y: p.Error.Value}
			line.points = append(line.points, point)
			ends.points = append(ends.points, point, plotter.XY{X: point.X, Y: p.Error.Low}, plotter.XY{X: point.X, Y: p.Error.High})
			if p.Error.hasInterval() {
				bars.XYs = append(bars.XYs, point)
				bars.YErrors = append(bars.YErrors, struct{ Low, High float64 }{p.Error.Value - p.Error.Low, p.Error.High - p.Error.Value})
			}
		}
		if len(bars.XYs) > 0 {
			added = append(added, bars)
		}
		added = append(added, &line)
		c.legend = append(c.legend, legendItem{fit(textStyle(labelSize), s.Name, maxItemText), &line})
	}
	if len(sizes) == 0 {
		return nil, errors.New("nothing to draw: no point is given")
	}
	slices.Sort(sizes)
	sizes = slices.Compact(sizes)
	var marks plot.ConstantTicks
	for _, n := range sizes {
		marks = append(marks, plot.Tick{Value: math.Log2(float64(n)), Label: strconv.Itoa(n)})
	}
	p := newPanel("top-1 error (%)", marks[0].Value-2*sizeStep, marks[len(marks)-1].Value+2*sizeStep, ends)
	p.X.Tick.Marker = marks
	p.X.Label.Text = "training pictures"
	p.Add(added...)
	c.panels = [][]*plot.Plot{{p}}
	return c.figure(), nil
}
