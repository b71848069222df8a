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

// ScalingPanel is a way to share a training among hosts.
type ScalingPanel struct {
	Label  string // of the vertical axis, which is percent
	Series []ScalingSeries
}

// ScalingSeries is one kind of network.
type ScalingSeries struct {
	Name   string // in the legend
	Points []ScalingPoint
}

// ScalingPoint is a number of hosts, and the share of their speed that is left of the sum of theirs, each alone.
type ScalingPoint struct {
	Hosts      int
	Efficiency float64 // percent
}

const (
	scalingHeight = 1.6 * vg.Inch // of a panel
	fullScale     = 105           // percent, so that a line at 100 can be seen; more if a point is above it
)

// Scaling draws efficiency against the number of hosts, doublings of which are equally far apart. The panels, one below
// the other, have series of the same names, which stand in the legend once. Their horizontal axes are the base-2
// logarithm of the number of hosts; their vertical ones are percent.
func Scaling(panels []ScalingPanel, title string) (*Figure, error) {
	hosts, most, err := scalingRanges(panels)
	if err != nil {
		return nil, err
	}
	var marks plot.ConstantTicks
	for _, n := range hosts {
		marks = append(marks, plot.Tick{Value: math.Log2(float64(n)), Label: strconv.Itoa(n)})
	}
	c := chart{title: title, panelHeight: scalingHeight}
	for i, panel := range panels {
		p := newPanel(panel.Label, marks[0].Value, marks[len(marks)-1].Value)
		p.Y.Min, p.Y.Max = 0, most
		p.X.Tick.Marker = marks
		if i < len(panels)-1 {
			p.X.Tick.Marker = unlabelled{slices.Clone(marks)} // which takes the labels off
		} else {
			p.X.Label.Text = "hosts"
		}
		for j, s := range panel.Series {
			line := styledCurve(j)
			line.every = 1
			for _, point := range s.Points {
				line.points = append(line.points, plotter.XY{X: math.Log2(float64(point.Hosts)), Y: point.Efficiency})
			}
			p.Add(&line)
			if i == 0 {
				c.legend = append(c.legend, legendItem{fit(textStyle(labelSize), s.Name, maxItemText), &line})
			}
		}
		c.panels = append(c.panels, []*plot.Plot{p})
	}
	return c.figure(), nil
}

// scalingRanges lists the numbers of hosts of all points, the smallest first, and gives the end of the vertical axes.
func scalingRanges(panels []ScalingPanel) (hosts []int, most float64, err error) {
	most = fullScale
	for i, panel := range panels {
		if len(panel.Series) != len(panels[0].Series) {
			return nil, 0, errors.Errorf("panel %d has %d series, the first has %d", i+1, len(panel.Series), len(panels[0].Series))
		}
		for j, s := range panel.Series {
			if name := panels[0].Series[j].Name; s.Name != name {
				return nil, 0, errors.Errorf("panel %d, series %d: %s, in the first panel %s", i+1, j+1, s.Name, name)
			}
			for _, p := range s.Points {
				if p.Hosts < 1 || !(p.Efficiency >= 0) || !finite(p.Efficiency) {
					return nil, 0, errors.Errorf("series %d (%s): an efficiency of %v %% on %d hosts: want 0 or more, and a host or more", j+1, s.Name, p.Efficiency, p.Hosts)
				}
				most = max(most, p.Efficiency)
				hosts = append(hosts, p.Hosts)
			}
		}
	}
	if len(hosts) == 0 {
		return nil, 0, errors.New("nothing to draw: no point is given")
	}
	slices.Sort(hosts)
	return slices.Compact(hosts), most, nil
}
