package reproduce

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	htmltemplate "html/template"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"text/template"
	"time"

	"github.com/google/renameio/v2"
	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/dataset"
	"vgg/history"
	"vgg/internal/kernel"
	"vgg/plots"
	"vgg/trainer"
	"vgg/weights"
)

// The files of a report.
const (
	HTMLFile     = "report.html" // one file that needs no other
	MarkdownFile = "report.md"   // with its pictures in FiguresDir
	FiguresDir   = "figures"
)

// Report is what the report's templates are given.
type Report struct {
	Data                         string
	Classes                      int
	TrainingPictures, Validation int
	Errors                       string // whose they are
	Uncertainty                  string // what stands in brackets behind them
	Input                        int
	Scales                       [3]string // ours for the paper's 256, 384 and [256;512]
	Places                       string    // what dense evaluation sees at these sizes
	Findings                     []Finding
	Sum                          string // of the findings
	Tables                       []Table
	Figures                      []Figure // of what the nets learned
	Trainings                    []Training
	Curves                       []Figure
	TrainingTime, TestTime       time.Duration
	Threads                      int
	Kernels, Recipe              string
	HasTop5                      bool
}

// Table is one of the paper's, with ours beside it.
type Table struct {
	Number  int
	Title   string
	Section string
	Lines   []Line
	Figures []Figure
}

// Single is whether its lines are of one net each, with its S and Q.
func (t Table) Single() bool { return t.Number != 6 }

// Protocols is whether they differ in the protocol.
func (t Table) Protocols() bool { return t.Number >= 5 }

// Columns is the number of those that are ours.
func (t Table) Columns(top5 bool) int {
	n := 1
	if top5 {
		n++
	}
	if t.Single() {
		n += 2
	}
	if t.Protocols() {
		n++
	}
	return n
}

// Line is a row of a table.
type Line struct {
	Net, Protocol         string
	Train, Test           string // our S and Q
	PaperTrain, PaperTest string
	Top1, Top5            plots.Estimate
	PaperTop1, PaperTop5  float64
}

// Training is a row of the table of trainings: a net over all seeds.
type Training struct {
	Net, Scale, From string
	Epochs, Best     string // by seed
	Error            string // on the centre crop of the validation pictures
	Seconds          float64
}

// Figure is a picture.
type Figure struct {
	File, Caption string
	data          []byte
}

// DataURI is the picture inside the page.
func (f Figure) DataURI() htmltemplate.URL {
	return htmltemplate.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(f.data))
}

// report collects what was found, draws it and writes it.
func (p Plan) report(set *dataset.Set) (*Report, error) {
	r := &Report{
		Data: set.Name, Classes: len(set.Classes), TrainingPictures: set.Train.Len(), Validation: set.Val.Len(), Input: p.Recipe.Net.Input,
		Errors: fmt.Sprintf("of seed %d", p.Seeds[0]), Uncertainty: "the 95 % interval for so many pictures", Places: p.places(),
		Threads: runtime.GOMAXPROCS(0), Kernels: kernel.ISA(), HasTop5: len(set.Classes) > 5,
	}
	if limit := p.Recipe.Training.Limit; limit > 0 {
		r.TrainingPictures = min(r.TrainingPictures, limit)
	}
	if len(p.Seeds) > 1 {
		r.Errors, r.Uncertainty = "means over the seeds "+numbers(p.Seeds), "the range over the seeds"
	}
	for i, s := range []configs.Scale{configs.S256, configs.S384, configs.Jitter} {
		r.Scales[i] = p.scale(s).String()
	}
	recipe, err := p.Recipe.TOML()
	if err != nil {
		return nil, err
	}
	r.Recipe = string(recipe)
	if err := p.tables(r, set.Classes); err != nil {
		return nil, err
	}
	if err := p.trainings(r); err != nil {
		return nil, err
	}
	if err := p.figures(r, set.Classes); err != nil {
		return nil, err
	}
	return r, p.write(r)
}

// tables fills in Tables 3 to 6 and the findings.
func (p Plan) tables(r *Report, classes []string) error {
	for _, t := range []struct {
		number         int
		title, section string
		rows           []row
	}{
		{3, "Single test scale", "4.1", table(configs.Table3())},
		{4, "Several test scales", "4.2", table(configs.Table4())},
		{5, "Dense and multi-crop evaluation", "4.3", table(configs.Table5())},
		{6, "Several nets together", "4.4", table6()},
	} {
		out := Table{Number: t.number, Title: t.title, Section: t.section}
		for _, row := range t.rows {
			o, err := p.outcome(row, classes)
			if err != nil {
				return err
			}
			line := p.line(row)
			line.Top1, line.Top5 = o.top1, o.top5
			out.Lines = append(out.Lines, line)
		}
		r.Tables = append(r.Tables, out)
	}
	found := map[Outcome]int{}
	for _, c := range p.claims() {
		worse, err := p.outcome(c.worse, classes)
		if err != nil {
			return err
		}
		better, err := p.outcome(c.better, classes)
		if err != nil {
			return err
		}
		finding := c.judge(gain(worse, better))
		found[finding.Outcome]++
		r.Findings = append(r.Findings, finding)
	}
	r.Sum = fmt.Sprintf("Of %d findings the miniature shows %d; in %d the difference is within the uncertainty, and in %d it is the opposite of the paper's.",
		len(r.Findings), found[Shown], found[Open], found[Against])
	return nil
}

// line describes a row.
func (p Plan) line(r row) Line {
	l := Line{Net: r.label, Protocol: string(r.protocol), PaperTop1: r.paper.Top1, PaperTop5: r.paper.Top5}
	if e := r.nets[0]; len(r.nets) == 1 {
		l.Net, l.Train, l.PaperTrain = e.Config, p.scale(e.Train).String(), e.Train.String()
		l.Test, l.PaperTest = numbers(p.testScales(e)), numbers(e.Test)
	}
	return l
}

// places says what dense evaluation sees.
func (p Plan) places() string {
	input, jitter := p.Recipe.Net.Input, p.scale(configs.Jitter)
	var each []string
	for _, q := range jitter.TestScales(input) {
		n := (q-input)/32 + 1
		each = append(each, fmt.Sprintf("%d×%d at Q = %d", n, n, q))
	}
	return fmt.Sprintf("The class score map of a square picture measures %s. Where it is 1×1, dense evaluation sees the middle of "+
		"the picture, %d×%[2]d, and its mirror image.", strings.Join(each, ", "), input)
}

func numbers[T int | uint64](all []T) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(all), "[]"), " ", ", ")
}

// trainings sums up the runs and the times.
func (p Plan) trainings(r *Report) error {
	order, _ := p.work(p.Seeds[0])
	for _, t := range order {
		row := Training{Net: t.config, Scale: p.scale(t.scale).String(), From: "random"}
		if from, ok := t.from(); ok {
			row.From = fmt.Sprintf("%s, S = %v", from.config, p.scale(from.scale))
		}
		var epochs, best, errors []string
		for _, seed := range p.Seeds {
			t.seed = seed
			s, err := summary(p.dir(t))
			if err != nil {
				return err
			}
			epochs, best = append(epochs, fmt.Sprint(s.Epochs)), append(best, fmt.Sprint(s.BestEpoch))
			errors = append(errors, fmt.Sprintf("%.2f", s.ValTop1Error))
			row.Seconds += s.Seconds
		}
		row.Epochs, row.Best, row.Error = strings.Join(epochs, ", "), strings.Join(best, ", "), strings.Join(errors, ", ")
		r.TrainingTime += time.Duration(row.Seconds * float64(time.Second))
		r.Trainings = append(r.Trainings, row)
	}
	for _, seed := range p.Seeds {
		_, tests := p.work(seed)
		for _, all := range tests {
			for _, t := range all {
				_, seconds, err := load(p.file(t))
				if err != nil {
					return err
				}
				r.TestTime += time.Duration(seconds * float64(time.Second))
			}
		}
	}
	return nil
}

// figures draws the pictures of the report.
func (p Plan) figures(r *Report, classes []string) error {
	depth, err := plots.Depth(p.depth(r.Tables[0]), "Top-1 error against depth, one test scale")
	if err != nil {
		return err
	}
	caption := fmt.Sprintf("Top-1 error against the number of layers with weights, with %s.", r.Uncertainty)
	if err := p.add(&r.Tables[0].Figures, depth, "depth.png", caption); err != nil {
		return err
	}
	for i := range r.Tables {
		t := &r.Tables[i]
		var bars []plots.Bar
		for _, l := range t.Lines {
			bars = append(bars, plots.Bar{Label: l.label(), Ours: l.Top1, Paper: given(l.PaperTop1)})
		}
		figure, err := plots.Bars(bars, fmt.Sprintf("Table %d: top-1 error", t.Number))
		if err != nil {
			return err
		}
		if err := p.add(&t.Figures, figure, fmt.Sprintf("table%d.png", t.Number), fmt.Sprintf("Table %d beside the paper's.", t.Number)); err != nil {
			return err
		}
	}
	if err := p.addFilters(r); err != nil {
		return err
	}
	fused := table6()
	o, err := p.outcome(fused[len(fused)-1], classes)
	if err != nil {
		return err
	}
	figure, err := plots.Confusion(classes, o.confusion, "D and E, dense and multi-crop")
	if err != nil {
		return err
	}
	caption = fmt.Sprintf("Predictions of the last line of Table 6 by true class, seed %d.", p.Seeds[0])
	if err := p.add(&r.Figures, figure, "confusion.png", caption); err != nil {
		return err
	}
	return p.curves(r)
}

// curves draws the trainings of the first seed by training scale.
func (p Plan) curves(r *Report) error {
	order, _ := p.work(p.Seeds[0])
	for i, s := range []configs.Scale{configs.S256, configs.S384, configs.Jitter} {
		var runs []plots.Run
		for _, t := range order {
			if t.scale != s {
				continue
			}
			h, err := history.Read(filepath.Join(p.dir(t), history.FileName))
			if err != nil {
				return err
			}
			runs = append(runs, plots.Run{Name: t.config, History: h})
		}
		figure, err := plots.Compare(runs, "S = "+r.Scales[i])
		if err != nil {
			return err
		}
		caption := fmt.Sprintf("Training at S = %s, seed %d: validation loss and error on the centre crop.", r.Scales[i], p.Seeds[0])
		if err := p.add(&r.Curves, figure, fmt.Sprintf("curves%d.png", i+1), caption); err != nil {
			return err
		}
	}
	return nil
}

// depth are the series of Table 3 by training scale.
func (p Plan) depth(t Table) []plots.DepthSeries {
	var series []plots.DepthSeries
	for i, s := range []configs.Scale{configs.S256, configs.S384, configs.Jitter} {
		series = append(series, plots.DepthSeries{Name: "S = " + p.scale(s).String()})
		for j, row := range table(configs.Table3()) {
			if row.nets[0].Train != s {
				continue
			}
			if config, err := configs.ByName(row.nets[0].Config); err == nil { // a net of Table 1
				series[i].Points = append(series[i].Points, plots.DepthPoint{Net: config.Name, Layers: config.WeightLayers(), Error: t.Lines[j].Top1})
			}
		}
	}
	return series
}

// addFilters draws the first layer of net A.
func (p Plan) addFilters(r *Report) error {
	a := training{configs.A.Name, configs.S256, p.Seeds[0]}
	f, err := weights.Read(filepath.Join(p.dir(a), trainer.BestFile))
	if err != nil {
		return err
	}
	first, ok := f.Tensor(configs.A.Layers()[0].WeightName())
	if !ok {
		return errors.Errorf("reproduce: the weights of net A in %s have no first layer", p.dir(a))
	}
	figure, err := plots.Filters(first)
	if err != nil {
		return err
	}
	return p.add(&r.Figures, figure, "filters.png", fmt.Sprintf("First-layer filters of net A, S = %s, seed %d.", r.Scales[0], a.seed))
}

// label is a line in a few words.
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

// given makes of what the paper leaves out no number at all.
func given(v float64) float64 {
	if v == configs.NotGiven {
		return math.NaN()
	}
	return v
}

// add saves a figure and takes it into a part of the report.
func (p Plan) add(to *[]Figure, figure *plots.Figure, name, caption string) error {
	dir := filepath.Join(p.Dir, FiguresDir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return errors.Wrap(err, "reproduce: folder of the figures")
	}
	path := filepath.Join(dir, name)
	if err := figure.Save(path); err != nil {
		return err
	}
	data, err := os.ReadFile(path)
	*to = append(*to, Figure{File: FiguresDir + "/" + name, Caption: caption, data: data})
	return errors.Wrap(err, "reproduce: figure")
}

//go:embed report.html.tmpl
var htmlText string

//go:embed report.md.tmpl
var markdownText string

// functions of the templates.
var functions = map[string]any{
	"error": func(e plots.Estimate) string {
		if math.IsNaN(e.Value) {
			return "–"
		}
		return fmt.Sprintf("%.2f (%.2f–%.2f)", e.Value, e.Low, e.High)
	},
	"paper": func(v float64) string {
		if v == configs.NotGiven {
			return "–"
		}
		return fmt.Sprintf("%.1f", v)
	},
	"points": func(v float64) string { return minus(fmt.Sprintf("%+.1f", v)) },
	"gain": func(e plots.Estimate) string {
		return minus(fmt.Sprintf("%+.2f (%+.2f to %+.2f)", e.Value, e.Low, e.High))
	},
	"seconds":  func(v float64) string { return fmt.Sprintf("%.0f", v) },
	"duration": func(d time.Duration) string { return d.Round(time.Second).String() },
}

// minus sets the sign as print does.
func minus(text string) string { return strings.ReplaceAll(text, "-", "−") }

// write writes the report in both forms.
func (p Plan) write(r *Report) error {
	html, err := htmltemplate.New(HTMLFile).Funcs(functions).Parse(htmlText)
	if err != nil {
		return errors.Wrap(err, "reproduce: template")
	}
	markdown, err := template.New(MarkdownFile).Funcs(functions).Parse(markdownText)
	if err != nil {
		return errors.Wrap(err, "reproduce: template")
	}
	for name, t := range map[string]interface{ Execute(io.Writer, any) error }{HTMLFile: html, MarkdownFile: markdown} {
		var text bytes.Buffer
		if err := t.Execute(&text, r); err != nil {
			return errors.Wrapf(err, "reproduce: %s", name)
		}
		if err := renameio.WriteFile(filepath.Join(p.Dir, name), text.Bytes(), 0o644); err != nil {
			return errors.Wrap(err, "reproduce: report")
		}
	}
	return nil
}
