package plots

import (
	"fmt"

	"github.com/pkg/errors"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"vgg/metrics"
)

// RecallCurve is how precision falls as recall rises, for a class.
type RecallCurve struct {
	Name string
	metrics.Curve
}

const recallHeight = 2.6 * vg.Inch // of the panel

// PrecisionRecall draws the precision of some classes against their recall, both in percent: as the threshold on the
// score falls, without raising any precision. The legend has the area under each curve, once it falls monotonically: the
// average precision of VOC from 2010 on. No class is an error.
func PrecisionRecall(classes []RecallCurve, title string) (*Figure, error) {
	if len(classes) == 0 {
		return nil, errors.New("nothing to draw: no class is given")
	}
	var curves []*curve
	var legend []legendItem
	label := textStyle(labelSize)
	for i, class := range classes {
		if len(class.Points) == 0 {
			return nil, errors.Errorf("nothing to draw: the curve of %s has no point", class.Name)
		}
		c := styledCurve(i)
		c.every = 1 + (len(class.Points)-1)/fewEpochs
		c.points = plotter.XYs{{X: 0, Y: 100 * class.Points[0].Precision}}
		for _, p := range class.Points {
			c.points = append(c.points, plotter.XY{X: 100 * p.Recall, Y: 100 * p.Precision})
		}
		curves = append(curves, &c)
		value := fmt.Sprintf(" (%s)", rounded(class.AP2010(), 1))
		legend = append(legend, legendItem{fit(label, class.Name, maxItemText/2-label.Width(value)) + value, &c})
	}
	p := newPanel("precision (%)", 0, 100, curves...)
	p.X.Label.Text = "recall (%)"
	p.Y.Min, p.Y.Max = 0, 101 // a line at 100 stays whole
	for _, c := range curves {
		p.Add(c)
	}
	return chart{title: title, legend: legend, panels: [][]*plot.Plot{{p}}, panelHeight: recallHeight}.figure(), nil
}
