package reproduce

import (
	"fmt"
	"io/fs"
	"math"
	"os"
	"strings"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/history"
	"vgg/internal/page"
	"vgg/plots"
	"vgg/weights"
)

// addFigure writes a figure to its file and adds it to a part of the report.
func (p Plan) addFigure(to *[]Figure, figure *plots.Figure, err error, name, caption string) error {
	return page.Draw(p.Dir, to, figure, err, name, caption)
}

// addFigures draws the figures of the report.
func (p Plan) addFigures(r *Report, kept map[string]*record, classes []string) error {
	for i := range r.Tables {
		t := &r.Tables[i]
		if t.Number == 3 {
			series, err := p.depth(t.Lines)
			if err != nil {
				return err
			}
			depth, err := plots.Depth(series, "Top-1 error against depth, one test scale")
			caption := fmt.Sprintf("Top-1 error against the number of layers with weights, with %s. Bars may overlap although the nets surely differ: the findings compare them picture by picture.", r.Interval)
			if err := p.addFigure(&t.Figures, depth, err, "depth.png", caption); err != nil {
				return err
			}
		}
		var bars []plots.Bar
		for _, l := range t.Lines {
			bars = append(bars, plots.Bar{Label: l.label(), Ours: l.Top1, Paper: orNaN(l.PaperTop1)})
		}
		figure, err := plots.Bars(bars, fmt.Sprintf("Table %d: top-1 error", t.Number))
		caption := fmt.Sprintf("Table %d beside the paper's, ours with %s.", t.Number, r.Interval)
		if err := p.addFigure(&t.Figures, figure, err, fmt.Sprintf("table%d.png", t.Number), caption); err != nil {
			return err
		}
	}
	if err := p.addFilters(r); err != nil {
		return err
	}
	if len(r.confusion) > 0 {
		figure, err := plots.Confusion(classes, r.confusion, r.confused.label())
		caption := fmt.Sprintf("Predictions of the last line of Table 6 by true class, seed %d.", p.Seeds[0])
		if err := p.addFigure(&r.Learned, figure, err, "confusion.png", caption); err != nil {
			return err
		}
	}
	return p.addCurves(r, kept)
}

// depth gives the lines of Table 3 as series, one for each training scale.
func (p Plan) depth(lines []Line) (series []plots.DepthSeries, err error) {
	for _, s := range configs.TrainingScales() {
		one := plots.DepthSeries{Name: "S = " + p.scale(s).String()}
		for _, l := range lines {
			if l.Train != p.scale(s).String() {
				continue
			}
			config, err := configs.ByName(l.Net)
			if err != nil {
				return nil, err
			}
			one.Points = append(one.Points, plots.DepthPoint{Net: config.Name, Layers: config.WeightLayers(), Error: l.Top1})
		}
		if len(one.Points) > 0 {
			series = append(series, one)
		}
	}
	return series, nil
}

// addFilters draws the first layer of net A, where its weights are.
func (p Plan) addFilters(r *Report) error {
	a := training{configs.A.Name, configs.S256, p.Seeds[0]}
	if _, err := os.Stat(p.weights(a)); errors.Is(err, fs.ErrNotExist) {
		r.NoFilters = fmt.Sprintf("The first-layer filters of net A, seed %d, are not drawn: a record of its training is here, its weights are not.", a.seed)
		return nil
	}
	f, err := weights.Read(p.weights(a))
	if err != nil {
		return err
	}
	defer f.Close()
	first, ok := f.Tensor(configs.A.Layers()[0].WeightName())
	if !ok {
		return errors.Errorf("reproduce: %s has no first layer", p.weights(a))
	}
	figure, err := plots.Filters(first)
	caption := fmt.Sprintf("First-layer filters of net A, S = %v, seed %d.", p.scale(a.scale), a.seed)
	return p.addFigure(&r.Learned, figure, err, "filters.png", caption)
}

// addCurves draws the trainings of the first seed, a figure for each training scale.
func (p Plan) addCurves(r *Report, kept map[string]*record) error {
	order, _ := p.work(p.Seeds[0])
	for i, s := range configs.TrainingScales() {
		var runs []plots.Run
		for _, t := range order {
			if t.scale != s {
				continue
			}
			h, err := history.Decode(strings.NewReader(kept[p.recordFile(t)].Net.History), p.recordFile(t))
			if err != nil {
				return err
			}
			runs = append(runs, plots.Run{Name: t.config, History: h})
		}
		if len(runs) == 0 {
			continue
		}
		figure, err := plots.Compare(runs, "S = "+p.scale(s).String())
		caption := fmt.Sprintf("Training at S = %v, seed %d: validation loss and error on the centre crop.", p.scale(s), p.Seeds[0])
		if err := p.addFigure(&r.Curves, figure, err, fmt.Sprintf("curves%d.png", i+1), caption); err != nil {
			return err
		}
	}
	return nil
}

// label is a short name of a line.
func (l Line) label() string {
	if l.Train == "" {
		return l.Net + ", " + l.Protocol
	}
	label := fmt.Sprintf("%s, S = %s", l.Net, l.Train)
	if l.Protocol != string(configs.Dense) {
		label += ", " + l.Protocol
	}
	return label
}

// orNaN turns configs.NotGiven into NaN.
func orNaN(v float64) float64 {
	if v == configs.NotGiven {
		return math.NaN()
	}
	return v
}
