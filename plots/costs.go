package plots

import (
	"math"
	"slices"
	"strconv"

	"github.com/pkg/errors"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// Cost is what a step takes at one value of what is varied. All are above 0.
type Cost struct {
	At      float64 // such as the pictures of a batch
	Seconds float64
	Work    float64 // of a thread, in any unit
	Bytes   float64 // of memory, at the most
}

const costHeight = 1.6 * vg.Inch // of a panel

// Costs draws the seconds of a step above and the memory in GB below, against what is varied, whose name stands below.
// All axes are logarithmic, so that a power is a straight line. A dashed line shows how the time would follow the work
// from the last point on, which is the most work at a time.
func Costs(costs []Cost, varied, title string) (*Figure, error) {
	if len(costs) == 0 {
		return nil, errors.New("nothing to draw: no cost is given")
	}
	seconds, work, memory := styledCurve(0), styledCurve(1), styledCurve(0)
	seconds.every, memory.every = 1, 1
	last := costs[len(costs)-1]
	var marks plot.ConstantTicks
	for i, c := range costs {
		for _, v := range []float64{c.At, c.Seconds, c.Work, c.Bytes} {
			if !(v > 0) || !finite(v) {
				return nil, errors.Errorf("cost %d: %+v: want numbers above 0", i+1, c)
			}
		}
		if i > 0 && c.At <= costs[i-1].At {
			return nil, errors.Errorf("cost %d is at %v and the one before it at %v: want a rising order", i+1, c.At, costs[i-1].At)
		}
		x := math.Log2(c.At)
		seconds.points = append(seconds.points, plotter.XY{X: x, Y: c.Seconds})
		work.points = append(work.points, plotter.XY{X: x, Y: last.Seconds * c.Work / last.Work})
		memory.points = append(memory.points, plotter.XY{X: x, Y: c.Bytes / 1e9})
		marks = append(marks, plot.Tick{Value: x, Label: strconv.FormatFloat(c.At, 'g', -1, 64)})
	}
	thin(marks)
	c := chart{title: title, panelHeight: costHeight, legend: []legendItem{{"measured", &seconds}, {"as the work", &work}}}
	for i, panel := range []struct {
		label  string
		curves []*curve
	}{{"seconds a step", []*curve{&work, &seconds}}, {"memory (GB)", []*curve{&memory}}} {
		p := newPanel(panel.label, marks[0].Value, marks[len(marks)-1].Value, panel.curves...)
		low, high := math.Inf(1), 0.0
		for _, one := range panel.curves {
			for _, point := range one.points {
				low, high = min(low, point.Y), max(high, point.Y)
			}
		}
		logarithmic(p, low, high)
		p.X.Tick.Marker = marks
		if i == 0 {
			p.X.Tick.Marker = unlabelled{slices.Clone(marks)} // which takes the labels off
		} else {
			p.X.Label.Text = varied
		}
		for _, one := range panel.curves {
			p.Add(one)
		}
		c.panels = append(c.panels, []*plot.Plot{p})
	}
	return c.figure(), nil
}

// thin takes labels off marks that would touch the next one's, on a plot that takes most of a column.
func thin(marks plot.ConstantTicks) {
	style := textStyle(tickSize)
	span := marks[len(marks)-1].Value - marks[0].Value
	next := len(marks) - 1
	for i := next - 1; i >= 0; i-- {
		apart := vg.Length((marks[next].Value-marks[i].Value)/span) * 0.8 * columnWidth
		if apart < (style.Width(marks[i].Label)+style.Width(marks[next].Label))/2+style.Width("0") {
			marks[i].Label = ""
			continue
		}
		next = i
	}
}
