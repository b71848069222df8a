package reproduce

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/dataset"
	"vgg/internal/page"
	"vgg/internal/text"
	"vgg/metrics"
	"vgg/plots"
	"vgg/trainer"
)

// Report is what the report's template is given.
type Report struct {
	Data               string // the name of the data set
	Classes, Input     int
	TrainingPictures   int
	ValidationPictures int
	Tested             string          // what the tests were on
	Sealed             bool            // the tests were not opened: their errors are not in the report
	Openings           []Opening       // of the tests
	Protocol           string          // the plan's
	Scales             []configs.Scale // ours for the paper's 256, 384 and [256;512]
	Errors             string          // which seeds they are of
	Interval           string          // what stands in brackets after them
	ScoreMaps          string          // the sizes of dense evaluation's output
	Findings           []Finding
	Tables             []Table
	Learned            []Figure // what the nets learned
	NoFilters          string   // why the first layer's filters are not among them
	Trainings          []Training
	Curves             []Figure
	TrainingTime       time.Duration
	TestTime           time.Duration
	Kernels            string   // the instruction sets
	Builds             string   // of the program, in short
	Recipe             string   // TOML
	Notes              []string // which letters no font of the system has

	confusion [][]int // of the last line of several nets, confused
	confused  Line
}

// Table is one of the paper's, with our errors beside the paper's.
type Table struct {
	Number  int
	Title   string
	Section string
	Note    string // "" for none
	Lines   []Line
	Figures []Figure

	columns []column
}

// Line is a row of a table. Errors are in percent.
type Line struct {
	Net, Protocol         string
	Train, Test           string // our S and Q; "" for several nets together, as the paper's
	PaperTrain, PaperTest string
	Top1, Top5            plots.Estimate // a Value of NaN for no top-5 error
	PaperTop1, PaperTop5  float64        // or configs.NotGiven
}

// Training is a row of the table of trainings: a net with all seeds. Texts list a value for each seed.
type Training struct {
	Net, Scale, From string
	Epochs, Best     string
	Error            string // top-1, in percent, on the centre crop of the validation pictures
	Seconds          float64
}

// report collects the records, draws the figures and writes the report.
func (p Plan) report(set *dataset.Set) (*Report, error) {
	r := &Report{
		Data: set.Name, Classes: len(set.Classes), Input: p.Recipe.Net.Input,
		TrainingPictures: set.Train.Len(), ValidationPictures: set.Val.Len(),
		Tested: p.tested(set), Sealed: p.sealed(), Protocol: p.Protocol,
		Errors: fmt.Sprintf("of seed %d", p.Seeds[0]), Interval: "the 95 % interval", ScoreMaps: p.scoreMaps(),
	}
	if limit := p.Recipe.Training.Limit; limit > 0 {
		r.TrainingPictures = min(r.TrainingPictures, limit)
	}
	if len(p.Seeds) > 1 {
		r.Errors, r.Interval = "means over the seeds "+text.List(p.Seeds, ", "), "the range over the seeds"
	}
	for _, s := range configs.TrainingScales() {
		r.Scales = append(r.Scales, p.scale(s))
	}
	recipe, err := p.Recipe.TOML()
	if err != nil {
		return nil, err
	}
	r.Recipe = string(recipe)
	kept, err := p.records()
	if err != nil {
		return nil, err
	}
	if gone := p.missing(kept); len(gone) > 0 {
		return nil, errors.Errorf("reproduce: a record of %s is gone from %s", p.describe(gone[0].training), p.Records)
	}
	if p.HeldOut != nil {
		if r.Openings, err = p.open(); err != nil { // before anything is seen
			return nil, err
		}
	}
	if !r.Sealed {
		p.addTables(r, kept)
		p.addFindings(r, kept)
	}
	p.addTrainings(r, kept)
	if err := p.addFigures(r, kept, set.Classes); err != nil {
		return nil, err
	}
	r.Notes = page.Notes(r.figures(), nil)
	if p.keepsOpened() {
		r.Notes = append(r.Notes, fmt.Sprintf("%s: its report of opened tests is kept; open them again for one of today", p.Dir))
		return r, nil
	}
	return r, p.write(r)
}

// scoreMaps gives the sizes of dense evaluation's output at the test scales of a net that is trained with scale
// jittering.
func (p Plan) scoreMaps() string {
	input, jitter, stride := p.Recipe.Net.Input, p.scale(configs.Jitter), configs.A.Stride()
	var each []string
	for _, q := range jitter.TestScales(input) {
		n := (q-input+stride-1)/stride + 1
		each = append(each, fmt.Sprintf("%d×%d at Q = %d", n, n, q))
	}
	return fmt.Sprintf("The class score map of a square picture measures %s.", strings.Join(each, ", "))
}

// addTables adds Tables 3 to 6.
func (p Plan) addTables(r *Report, kept map[string]*record) {
	for _, t := range p.tables() {
		out := Table{Number: t.number, Title: t.title, Section: t.section, Note: t.note}
		for _, c := range columns() {
			if c.in(t, r.Classes) {
				out.columns = append(out.columns, c)
			}
		}
		for _, row := range t.rows {
			result, line := p.result(kept, row, r.Classes), p.line(row)
			line.Top1, line.Top5 = result.top1, result.top5
			out.Lines = append(out.Lines, line)
			if len(result.confusion) > 0 {
				r.confusion, r.confused = result.confusion, line
			}
		}
		r.Tables = append(r.Tables, out)
	}
}

// line is a row without our errors.
func (p Plan) line(r row) Line {
	l := Line{Net: r.name, Protocol: string(r.protocol), PaperTop1: r.top1, PaperTop5: r.top5}
	if net := r.nets[0]; len(r.nets) == 1 {
		l.Net, l.Train, l.PaperTrain = net.Config, p.scale(net.Train).String(), net.Train.String()
		l.Test, l.PaperTest = text.List(p.testScales(net), ", "), text.List(net.Test, ", ")
	}
	return l
}

// column is a column of Tables 3 to 6.
type column struct {
	title string
	cell  func(Line) string
	in    func(t paperTable, classes int) bool // whether a table has the column
}

// columns are those that the tables choose from.
func columns() []column {
	always := func(paperTable, int) bool { return true }
	single := func(t paperTable, _ int) bool { return !t.fused }
	protocols := func(t paperTable, _ int) bool { return t.protocols }
	top5 := func(_ paperTable, classes int) bool { return classes >= metrics.MinTop5Classes }
	return []column{
		{"net", func(l Line) string { return l.Net }, always},
		{"S", func(l Line) string { return l.Train }, single},
		{"Q", func(l Line) string { return l.Test }, single},
		{"evaluation", func(l Line) string { return l.Protocol }, protocols},
		{"top-1 error", func(l Line) string { return percent(l.Top1) }, always},
		{"top-5 error", func(l Line) string { return percent(l.Top5) }, top5},
		{"paper's S", func(l Line) string { return l.PaperTrain }, single},
		{"paper's Q", func(l Line) string { return l.PaperTest }, single},
		{"paper's top-1", func(l Line) string { return paperPercent(l.PaperTop1) }, always},
		{"paper's top-5", func(l Line) string { return paperPercent(l.PaperTop5) }, always},
	}
}

// addFindings compares the claims of section 4 with our results.
func (p Plan) addFindings(r *Report, kept map[string]*record) {
	for _, c := range p.claims() {
		candidate, baseline := p.result(kept, c.candidate, r.Classes), p.result(kept, c.baseline, r.Classes)
		r.Findings = append(r.Findings, newFinding(c.text, c.paper, c.relation, newGain(candidate.wrong, baseline.wrong, p.subject)))
	}
}

// addTrainings sums up the trainings and the times.
func (p Plan) addTrainings(r *Report, kept map[string]*record) {
	order, _ := p.work(p.Seeds[0])
	var builds, kernels []string
	for _, t := range order {
		row := Training{Net: t.config, Scale: p.scale(t.scale).String(), From: "random"}
		if from, ok := t.from(); ok {
			row.From = fmt.Sprintf("%s, S = %v", from.config, p.scale(from.scale))
		}
		var epochs, best, top1 []string
		for _, seed := range p.Seeds {
			t.seed = seed
			one := kept[p.recordFile(t)]
			epochs, best = append(epochs, fmt.Sprint(one.Net.Epochs)), append(best, fmt.Sprint(one.Net.BestEpoch))
			top1 = append(top1, fmt.Sprintf("%.2f", one.Net.ValTop1Error))
			row.Seconds += one.Net.Seconds
			r.TestTime += seconds(one.Net.TestSeconds)
			builds, kernels = append(builds, short(one.Build)), append(kernels, one.Kernels)
		}
		row.Epochs, row.Best, row.Error = strings.Join(epochs, ", "), strings.Join(best, ", "), strings.Join(top1, ", ")
		r.TrainingTime += seconds(row.Seconds)
		r.Trainings = append(r.Trainings, row)
	}
	r.Builds, r.Kernels = different(builds), different(kernels)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// short is the name of a build with no more of a revision than tells it from others.
func short(build string) string {
	_, revision, found := strings.Cut(build, "revision ")
	if !found {
		return build
	}
	hash, rest, _ := strings.Cut(revision, " ")
	return strings.TrimSpace("revision " + hash[:min(len(hash), 12)] + " " + rest)
}

// different lists different texts.
func different(all []string) string {
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ", ")
}

// read takes what run directories say, one for each seed.
func (t *Training) read(runs []string) error {
	var epochs, best, top1 []string
	for _, dir := range runs {
		s, err := trainer.ReadSummary(dir)
		if err != nil {
			return err
		}
		epochs, best = append(epochs, fmt.Sprint(s.Epochs)), append(best, fmt.Sprint(s.BestEpoch))
		top1 = append(top1, fmt.Sprintf("%.2f", s.ValTop1Error))
		t.Seconds += s.Seconds
	}
	t.Epochs, t.Best, t.Error = strings.Join(epochs, ", "), strings.Join(best, ", "), strings.Join(top1, ", ")
	return nil
}

// percent is an error of ours with its interval.
func percent(e plots.Estimate) string {
	if math.IsNaN(e.Value) {
		return "–"
	}
	return fmt.Sprintf("%.2f (%.2f–%.2f)", e.Value, e.Low, e.High)
}

// paperPercent is an error of the paper's.
func paperPercent(v float64) string {
	if v == configs.NotGiven {
		return "–"
	}
	return fmt.Sprintf("%.1f", v)
}
