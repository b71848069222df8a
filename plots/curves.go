package plots

import (
	"fmt"
	"math"

	"github.com/pkg/errors"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"vgg/history"
)

const (
	curvesHeight = 1.5 * vg.Inch // of a panel
	fewEpochs    = 15            // at most this many epochs have a marker each
)

// Measured names what the losses and errors of histories are, for the axes.
type Measured struct{ Loss, Error string }

// What nets that classify are measured by, and nets that predict boxes: test 1 of appendix A.
var (
	Classes = Measured{"loss (nats)", "top-1 error (%)"}
	Boxes   = Measured{"Euclidean loss", "error of test 1 (%)"}
)

// Curves is Measured.Curves for a net that classifies.
func Curves(h history.History, title string) (*Figure, error) { return Classes.Curves(h, title) }

// Curves draws a run: the loss above and the error in percent below, both against epochs. The validation curve is
// solid. The training curve is dashed; it is the running mean of the training passes, over augmented pictures and with
// dropout, and therefore often above the validation curve. Dashed vertical lines mark the ends of the epochs after
// which the learning rate fell (section 3.1), and a ring marks the best epoch. An axis of which the first epochs would
// take the most is logarithmic, and says so. A value that is not finite leaves a gap.
// An empty history is an error. The panels' horizontal axes are epochs.
func (m Measured) Curves(h history.History, title string) (*Figure, error) {
	if len(h) == 0 {
		return nil, errors.New("nothing to draw: the history has no epoch")
	}
	train := curve{
		line:   draw.LineStyle{Color: palette[1], Width: 1, Dashes: []vg.Length{3, 1.5}},
		marker: draw.GlyphStyle{Color: palette[1], Radius: 1.6, Shape: draw.SquareGlyph{}},
	}
	val := curve{
		line:   draw.LineStyle{Color: palette[0], Width: 1.2},
		marker: draw.GlyphStyle{Color: palette[0], Radius: 1.6, Shape: draw.CircleGlyph{}},
	}
	if len(h) <= fewEpochs {
		val.every = 1
	}
	trainLoss := train.through(h, func(e history.Epoch) float64 { return e.TrainLoss })
	trainError := train.through(h, func(e history.Epoch) float64 { return e.TrainTop1Error })
	valLoss := val.through(h, func(e history.Epoch) float64 { return e.ValLoss })
	valError := val.through(h, func(e history.Epoch) float64 { return e.ValTop1Error })
	drops, dropLabel := rateDrops(h)

	first, last := span(h)
	upper := fallingPanel(m.Loss, first, last, trainLoss, valLoss)
	lower := fallingPanel(m.Error, first, last, trainError, valError)
	upper.Add(drops)
	lower.Add(drops)
	if best, ok := h.Best(); ok && finite(best.ValTop1Error) {
		lower.Add(note{
			at:    plotter.XY{X: float64(best.Epoch), Y: best.ValTop1Error},
			text:  fmt.Sprintf("best: %s %%\n(epoch %d)", rounded(best.ValTop1Error, 1), best.Epoch),
			avoid: []*curve{trainError, valError},
			drops: drops.at,
		})
	}
	// The data are drawn last, and the dashes over the solid line, so that both show where they coincide.
	upper.Add(valLoss, trainLoss)
	lower.Add(valError, trainError)

	legend := []legendItem{{"train (running)", trainLoss}, {"validation", valLoss}}
	if len(drops.at) > 0 {
		legend = append(legend, legendItem{dropLabel, drops})
	}
	return overEpochs(title, legend, upper, lower), nil
}

// Run is the history of a training run.
type Run struct {
	Name    string // in the legend
	History history.History
}

// Compare is Measured.Compare for nets that classify.
func Compare(runs []Run, title string) (*Figure, error) { return Classes.Compare(runs, title) }

// Compare draws the validation loss and validation error of several runs over each other, with each run's lowest error
// in the legend. No run, or a run without an epoch, is an error. The axes are those of [Measured.Curves].
func (m Measured) Compare(runs []Run, title string) (*Figure, error) {
	if len(runs) == 0 {
		return nil, errors.New("nothing to draw: no run is given")
	}
	first, last := math.Inf(1), math.Inf(-1)
	for _, r := range runs {
		if len(r.History) == 0 {
			return nil, errors.Errorf("nothing to draw: the history of %s has no epoch", r.Name)
		}
		from, to := span(r.History)
		first, last = min(first, from), max(last, to)
	}

	var losses, errorRates []*curve
	var legend []legendItem
	for i, r := range runs {
		style := styledCurve(i)
		style.every = 1 + (len(r.History)-1)/fewEpochs
		loss := style.through(r.History, func(e history.Epoch) float64 { return e.ValLoss })
		losses = append(losses, loss)
		errorRates = append(errorRates, style.through(r.History, func(e history.Epoch) float64 { return e.ValTop1Error }))
		result := ""
		if best, ok := r.History.Best(); ok {
			result = fmt.Sprintf(" (best %s %%)", rounded(best.ValTop1Error, 1))
		}
		label := textStyle(labelSize)
		name := fit(label, r.Name, maxItemText-label.Width(result))
		legend = append(legend, legendItem{name + result, loss})
	}
	upper := fallingPanel("val. "+m.Loss, first, last, losses...)
	lower := fallingPanel("val. "+m.Error, first, last, errorRates...)
	for i := range runs {
		upper.Add(losses[i])
		lower.Add(errorRates[i])
	}
	return overEpochs(title, legend, upper, lower), nil
}

// overEpochs puts two panels over one axis of epochs.
func overEpochs(title string, legend []legendItem, upper, lower *plot.Plot) *Figure {
	upper.X.Tick.Marker = unlabelled{upper.X.Tick.Marker}
	lower.X.Label.Text = "epoch"
	return chart{title: title, legend: legend, panels: [][]*plot.Plot{{upper}, {lower}}, panelHeight: curvesHeight}.figure()
}

// through is a curve in the style of v through one value of each epoch.
func (v curve) through(h history.History, value func(history.Epoch) float64) *curve {
	v.points = make(plotter.XYs, len(h))
	for i, e := range h {
		v.points[i] = plotter.XY{X: float64(e.Epoch), Y: value(e)}
	}
	return &v
}

// span is the first and the last epoch.
func span(h history.History) (first, last float64) {
	return float64(h[0].Epoch), float64(h[len(h)-1].Epoch)
}

// rateDrops are lines at the ends of the epochs after which the learning rate fell, and their label in the legend.
func rateDrops(h history.History) (drops verticals, label string) {
	drops.line = draw.LineStyle{Color: grey, Width: 0.6, Dashes: []vg.Length{1.5, 1.5}}
	label = "learning rate falls"
	divisor, same := 0.0, true
	for i := 1; i < len(h); i++ {
		if h[i].LearningRate >= h[i-1].LearningRate {
			continue
		}
		drops.at = append(drops.at, float64(h[i-1].Epoch))
		ratio := h[i-1].LearningRate / h[i].LearningRate
		same = same && (divisor == 0 || math.Abs(ratio/divisor-1) < 1e-3)
		divisor = ratio
	}
	if same && finite(divisor) {
		label = fmt.Sprintf("learning rate ÷ %.3g", divisor)
	}
	return drops, label
}
