package generalise

import (
	"cmp"
	"fmt"
	"image"
	"math"
	"slices"

	"github.com/pkg/errors"

	"vgg/dataset/transfer"
	"vgg/internal/drawing"
	"vgg/internal/page"
	"vgg/metrics"
	"vgg/plots"
)

// What a figure has room for.
const (
	mostBars     = 40 // classes
	mostCurves   = 6  // classes
	mostExamples = 6  // pictures of a class, of each kind
	tileSide     = 200
)

// Drawn are the figures that show what was reached, for a report.
type Drawn struct {
	Shown    []int // classes of which there are curves and pictures: the best and the worst, if there are too many
	AP       map[int]metrics.Curve
	Bars     []page.Figure // of all classes
	Curves   []page.Figure
	Pictures []page.Figure

	pen drawing.Pen
}

// Notes say which letters no font of the system has.
func (d *Drawn) Notes() []string {
	return page.Notes(slices.Concat(d.Bars, d.Curves, d.Pictures), d.pen.Lacking)
}

// Draw draws a result's classes into the folder of a report: bars of all, and of the best and the worst, on the first
// split, precision against recall and the pictures with the highest scores and those of the class with the lowest. There
// is nothing to draw without labelled test samples.
func Draw(dir string, set *transfer.Set, r *Result) (*Drawn, error) {
	d := &Drawn{AP: map[int]metrics.Curve{}}
	if r.Each == nil {
		return d, nil
	}
	order := make([]int, len(set.Classes)) // from the best
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(r.Each[b], r.Each[a]) })
	if err := d.bars(dir, set, r, order); err != nil {
		return nil, err
	}
	d.Shown = order
	if len(order) > 2*mostCurves {
		d.Shown = slices.Concat(order[:mostCurves], order[len(order)-mostCurves:])
	}
	first, samples := r.Splits[0], set.Splits[0].Test
	for _, class := range d.Shown {
		curve, err := set.Curve(first.Scores, samples, class)
		if err != nil {
			return nil, err
		}
		d.AP[class] = curve
	}
	part := 0
	for classes := range slices.Chunk(d.Shown, mostCurves) {
		part++
		var curves []plots.RecallCurve
		for _, class := range classes {
			curves = append(curves, plots.RecallCurve{Name: set.Classes[class], Curve: d.AP[class]})
		}
		figure, err := plots.PrecisionRecall(curves, "Precision against recall, split 1")
		caption := "Precision against recall on the test samples of split 1, with the average precision (2010)."
		if err := page.Draw(dir, &d.Curves, figure, err, fmt.Sprintf("recall%d.png", part), caption); err != nil {
			return nil, err
		}
		figure, err = d.sheet(set, first.Scores, samples, classes)
		caption = "Of each class, split 1: the test pictures with the highest scores, then its own with the lowest. Blue: of the class; orange: not."
		if err := page.Draw(dir, &d.Pictures, figure, err, fmt.Sprintf("pictures%d.png", part), caption); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// bars draws the mean of each class over the splits, with the range.
func (d *Drawn) bars(dir string, set *transfer.Set, r *Result, order []int) error {
	axis, part := "recall (%)", 0
	if set.Metric != transfer.MeanClassRecall {
		axis = "average precision (%)"
	}
	caption := "The value of each class."
	if len(r.Splits) > 1 {
		caption = fmt.Sprintf("The value of each class: means over %d splits with the range.", len(r.Splits))
	}
	for classes := range slices.Chunk(order, mostBars) {
		part++
		var bars []plots.Bar
		for _, class := range classes {
			e := plots.Estimate{Value: r.Each[class], Low: math.Inf(1), High: math.Inf(-1)}
			for _, s := range r.Splits {
				e.Low, e.High = min(e.Low, s.Each[class]), max(e.High, s.Each[class])
			}
			e.Low, e.High = min(e.Low, e.Value), max(e.High, e.Value) // but for rounding
			bars = append(bars, plots.Bar{Label: set.Classes[class], Ours: e})
		}
		figure, err := plots.Values(bars, axis, string(set.Metric))
		if err := page.Draw(dir, &d.Bars, figure, err, fmt.Sprintf("classes%d.png", part), caption); err != nil {
			return err
		}
	}
	return nil
}

// sheet draws two rows for each class.
func (d *Drawn) sheet(set *transfer.Set, scores []float32, samples, classes []int) (*plots.Figure, error) {
	var rows []plots.SheetRow
	k := len(set.Classes)
	for _, class := range classes {
		score := func(i int) float32 { return scores[i*k+class] }
		truth := func(i int) int8 { return set.Targets[samples[i]*k+class] }
		var counted, own []int // places of samples
		for i := range samples {
			if truth(i) != 0 {
				counted = append(counted, i)
			}
			if truth(i) == 1 {
				own = append(own, i)
			}
		}
		slices.SortStableFunc(counted, func(a, b int) int { return cmp.Compare(score(b), score(a)) })
		slices.SortStableFunc(own, func(a, b int) int { return cmp.Compare(score(a), score(b)) })
		for _, row := range []struct {
			label string
			of    []int
		}{{set.Classes[class], counted}, {"lowest", own}} {
			drawn := plots.SheetRow{Label: row.label}
			for _, i := range row.of[:min(mostExamples, len(row.of))] {
				picture, err := d.example(set, samples[i], score(i), truth(i) == 1)
				if err != nil {
					return nil, err
				}
				drawn.Pictures = append(drawn.Pictures, picture)
			}
			rows = append(rows, drawn)
		}
	}
	return plots.Sheet(rows, "Test pictures of the highest and lowest scores", "")
}

// example is a sample's picture, or what is in its box, with its score.
func (d *Drawn) example(set *transfer.Set, sample int, score float32, of bool) (image.Image, error) {
	picture, box, err := set.Located(sample)
	if err != nil {
		return nil, errors.WithMessage(err, "picture of the report")
	}
	if set.Samples[sample].Object > 0 {
		picture = cut(picture, box)
	}
	text, colour := fmt.Sprintf("%+.2f true", score), drawing.Blue
	if !of {
		text, colour = fmt.Sprintf("%+.2f false", score), drawing.Vermilion
	}
	return d.pen.Tile(picture.Image(), tileSide, text, colour)
}
