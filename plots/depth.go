package plots

import (
	"image/color"
	"slices"
	"strconv"

	"github.com/pkg/errors"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// DepthSeries is a series of nets trained alike, such as at one fixed scale S, or with scale jittering.
type DepthSeries struct {
	Name   string // in the legend; left out there if empty
	Points []DepthPoint
}

// DepthPoint is a net and its error.
type DepthPoint struct {
	Net    string   // a column of Table 1, A to E; at most once in a series
	Layers int      // with weights, as in the head of Table 1: 11 to 19
	Error  Estimate // top-1, in percent
}

const (
	depthHeight = 2.2 * vg.Inch
	// The points of several series at one net stand side by side, so that their intervals do not hide each other. Their
	// distance, and the largest between the first and the last, are in widths of the net's column.
	depthStep   = 0.2
	depthSpread = 0.7
)

// Depth draws the top-1 error against the number of layers with weights, as in Table 3 of the paper, with intervals.
// Nets of the same depth (A and A-LRN, C and D) have columns side by side over their names, in one shaded band. A line
// connects the nets of a series. The axes of the panel are layers and percent.
func Depth(series []DepthSeries, title string) (*Figure, error) {
	depths, width, err := placeNets(series)
	if err != nil {
		return nil, err
	}
	nets := slices.Concat(depths...)
	step := width * min(depthStep, depthSpread/float64(len(series)))
	var curves []*curve
	var intervals []*plotter.YErrorBars
	var legend []legendItem
	ends := &curve{}
	for i, s := range series {
		c := styledCurve(i)
		c.every = 1
		bars := &plotter.YErrorBars{LineStyle: draw.LineStyle{Color: c.line.Color, Width: 0.7}, CapWidth: 4}
		for _, net := range nets {
			at := slices.IndexFunc(s.Points, func(p DepthPoint) bool { return p.Net == net.name })
			if at < 0 {
				continue
			}
			estimate := s.Points[at].Error
			place := float64(slices.Index(net.series, i)) - float64(len(net.series)-1)/2
			point := plotter.XY{X: net.at + place*step, Y: estimate.Value}
			c.points = append(c.points, point)
			ends.points = append(ends.points, plotter.XY{X: point.X, Y: estimate.Low}, plotter.XY{X: point.X, Y: estimate.High})
			if estimate.hasInterval() {
				bars.XYs = append(bars.XYs, point)
				bars.YErrors = append(bars.YErrors, struct{ Low, High float64 }{estimate.Value - estimate.Low, estimate.High - estimate.Value})
			}
		}
		curves, intervals = append(curves, &c), append(intervals, bars)
		if s.Name != "" {
			legend = append(legend, legendItem{fit(textStyle(labelSize), s.Name, maxItemText), &c})
		}
	}

	p := newPanel("top-1 error (%)", nets[0].at-width/2, nets[len(nets)-1].at+width/2, ends)
	p.X.Label.Text = "layers with weights"
	p.X.Tick.Length = 0 // a mark between two names would mislead
	p.X.Tick.Marker = depthTicks(p, depths, width)
	columns := verticals{line: draw.LineStyle{Color: faint, Width: 0.5}}
	for _, net := range nets {
		columns.at = append(columns.at, net.at)
	}
	p.Add(depthBands{depths, width}, columns)
	for i := range curves {
		if len(intervals[i].XYs) > 0 {
			p.Add(intervals[i])
		}
	}
	for _, c := range curves {
		p.Add(c)
	}
	return chart{title: title, legend: legend, panels: [][]*plot.Plot{{p}}, panelHeight: depthHeight}.figure(), nil
}

// depthNet is a net's column.
type depthNet struct {
	name   string
	layers int
	at     float64 // the middle of the column, in layers
	series []int   // the indices of the series with the net
}

// placeNets gives each net a column around its depth, all of one width, in layers: the largest at which columns of
// different depths do not overlap. It returns the nets by depth.
func placeNets(series []DepthSeries) (depths [][]depthNet, width float64, err error) {
	nets, err := netsOf(series)
	if err != nil {
		return nil, 0, err
	}
	for from, to := 0, 1; to <= len(nets); to++ {
		if to == len(nets) || nets[to].layers != nets[from].layers {
			depths = append(depths, nets[from:to])
			from = to
		}
	}
	width = 1 // if there is only one depth
	for i := 1; i < len(depths); i++ {
		here, before := depths[i], depths[i-1]
		room := float64(here[0].layers-before[0].layers) * 2 / float64(len(here)+len(before))
		if i == 1 || room < width {
			width = room
		}
	}
	for _, same := range depths {
		for i := range same {
			same[i].at = float64(same[i].layers) + (float64(i)-float64(len(same)-1)/2)*width
		}
	}
	return depths, width, nil
}

// netsOf lists the nets by depth, the shallowest first, and those of one depth in the order of the series.
func netsOf(series []DepthSeries) ([]depthNet, error) {
	if len(series) == 0 {
		return nil, errors.New("nothing to draw: no series is given")
	}
	var nets []depthNet
	for i, s := range series {
		if len(s.Points) == 0 {
			return nil, errors.Errorf("series %d (%s) has no point", i+1, s.Name)
		}
		for j, p := range s.Points {
			fail := func(err error) ([]depthNet, error) {
				return nil, errors.Wrapf(err, "series %d (%s), point %d (net %s)", i+1, s.Name, j+1, p.Net)
			}
			if p.Layers < 1 {
				return fail(errors.Errorf("%d layers: want at least 1", p.Layers))
			}
			if err := p.Error.check(); err != nil {
				return fail(errors.Wrap(err, "error"))
			}
			at := slices.IndexFunc(nets, func(n depthNet) bool { return n.name == p.Net })
			switch {
			case at < 0:
				nets = append(nets, depthNet{name: p.Net, layers: p.Layers, series: []int{i}})
			case nets[at].layers != p.Layers:
				return fail(errors.Errorf("%d layers, %d before", p.Layers, nets[at].layers))
			case slices.Contains(nets[at].series, i):
				return fail(errors.New("is in the series twice"))
			default:
				nets[at].series = append(nets[at].series, i)
			}
		}
	}
	slices.SortStableFunc(nets, func(a, b depthNet) int { return a.layers - b.layers })
	return nets, nil
}

// depthBands is a plotter of a shaded band for each depth.
type depthBands struct {
	depths [][]depthNet
	width  float64 // of a column, in layers
}

// Plot implements plot.Plotter.
func (b depthBands) Plot(c draw.Canvas, p *plot.Plot) {
	const gap = 2                      // between bands
	shade := color.NRGBA{A: 0xff / 20} // the grid shows through
	for _, same := range b.depths {
		left, right := same[0].at-b.width/2, same[len(same)-1].at+b.width/2
		fillRectangle(c, shade, vg.Rectangle{
			Min: vg.Point{X: c.X(p.X.Norm(left)) + gap/2, Y: c.Min.Y},
			Max: vg.Point{X: c.X(p.X.Norm(right)) - gap/2, Y: c.Max.Y},
		})
	}
}

// depthTicks are the names of the nets over their depths.
func depthTicks(p *plot.Plot, depths [][]depthNet, width float64) plot.ConstantTicks {
	data := dataSize(p, vg.Point{X: columnWidth - 2*margin, Y: depthHeight})
	room := data.X * vg.Length(width/(p.X.Max-p.X.Min))
	style := textStyle(tickSize)
	var marks plot.ConstantTicks
	for _, same := range depths {
		marks = append(marks, plot.Tick{Value: float64(same[0].layers), Label: "\n" + strconv.Itoa(same[0].layers)})
		for _, net := range same { // two lines as well, for the axis sets labels by their height
			marks = append(marks, plot.Tick{Value: net.at, Label: fit(style, net.name, room) + "\n "})
		}
	}
	return marks
}
