package reproduce

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/dataset"
	"vgg/internal/kernel"
	"vgg/internal/page"
	"vgg/internal/threads"
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
	Scales             []configs.Scale // ours for the paper's 256, 384 and [256;512]
	Errors             string          // which seeds they are of
	Interval           string          // what stands in brackets after them
	ScoreMaps          string          // the sizes of dense evaluation's output
	Findings           []Finding
	Tables             []Table
	Learned            []Figure // what the nets learned
	Trainings          []Training
	Curves             []Figure
	TrainingTime       time.Duration
	TestTime           time.Duration
	Threads            int
	Kernels            string   // the instruction set
	Recipe             string   // TOML
	Notes              []string // which letters no font of the system has
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

// report collects the results, draws the figures and writes the report.
func (p Plan) report(set *dataset.Set) (*Report, error) {
	r := &Report{
		Data: set.Name, Classes: len(set.Classes), Input: p.Recipe.Net.Input,
		TrainingPictures: set.Train.Len(), ValidationPictures: set.Val.Len(),
		Errors: fmt.Sprintf("of seed %d", p.Seeds[0]), Interval: "the 95 % interval", ScoreMaps: p.scoreMaps(),
		Threads: threads.Count(), Kernels: kernel.ISA(),
	}
	if limit := p.Recipe.Training.Limit; limit > 0 {
		r.TrainingPictures = min(r.TrainingPictures, limit)
	}
	if len(p.Seeds) > 1 {
		r.Errors, r.Interval = "means over the seeds "+numbers(p.Seeds), "the range over the seeds"
	}
	for _, s := range configs.TrainingScales() {
		r.Scales = append(r.Scales, p.scale(s))
	}
	recipe, err := p.Recipe.TOML()
	if err != nil {
		return nil, err
	}
	r.Recipe = string(recipe)
	for _, add := range []func(*Report, []string) error{p.addTables, p.addFindings, p.addTrainings, p.addFigures} {
		if err := add(r, set.Classes); err != nil {
			return nil, err
		}
	}
	r.Notes = page.Notes(r.figures(), nil)
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
func (p Plan) addTables(r *Report, classes []string) error {
	for _, t := range tables() {
		out := Table{Number: t.number, Title: t.title, Section: t.section, Note: t.note}
		for _, c := range columns() {
			if c.in(t, len(classes)) {
				out.columns = append(out.columns, c)
			}
		}
		for _, row := range t.rows {
			result, err := p.result(row, classes)
			if err != nil {
				return err
			}
			line := p.line(row)
			line.Top1, line.Top5 = result.top1, result.top5
			out.Lines = append(out.Lines, line)
		}
		r.Tables = append(r.Tables, out)
	}
	return nil
}

// line is a row without our errors.
func (p Plan) line(r row) Line {
	l := Line{Net: r.name, Protocol: string(r.protocol), PaperTop1: r.top1, PaperTop5: r.top5}
	if net := r.nets[0]; len(r.nets) == 1 {
		l.Net, l.Train, l.PaperTrain = net.Config, p.scale(net.Train).String(), net.Train.String()
		l.Test, l.PaperTest = numbers(p.testScales(net)), numbers(net.Test)
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
func (p Plan) addFindings(r *Report, classes []string) error {
	for _, c := range p.claims() {
		candidate, err := p.result(c.candidate, classes)
		if err != nil {
			return err
		}
		baseline, err := p.result(c.baseline, classes)
		if err != nil {
			return err
		}
		r.Findings = append(r.Findings, newFinding(c.text, c.paper, c.relation, newGain(candidate.wrong, baseline.wrong)))
	}
	return nil
}

// Count counts the findings with an outcome.
func (r *Report) Count(o Outcome) int { return count(r.Findings, o) }

func count(findings []Finding, o Outcome) (n int) {
	for _, f := range findings {
		if f.Outcome == o {
			n++
		}
	}
	return n
}

// addTrainings sums up the runs and the times.
func (p Plan) addTrainings(r *Report, _ []string) error {
	order, _ := p.work(p.Seeds[0])
	for _, t := range order {
		row := Training{Net: t.config, Scale: p.scale(t.scale).String(), From: "random"}
		if from, ok := t.from(); ok {
			row.From = fmt.Sprintf("%s, S = %v", from.config, p.scale(from.scale))
		}
		var runs []string
		for _, seed := range p.Seeds {
			t.seed = seed
			runs = append(runs, p.dir(t))
		}
		if err := row.read(runs); err != nil {
			return err
		}
		r.TrainingTime += time.Duration(row.Seconds * float64(time.Second))
		r.Trainings = append(r.Trainings, row)
	}
	for _, seed := range p.Seeds {
		_, tests := p.work(seed)
		for _, all := range tests {
			for _, t := range all {
				_, seconds, err := readPredictions(p.predictions(t))
				if err != nil {
					return err
				}
				r.TestTime += time.Duration(seconds * float64(time.Second))
			}
		}
	}
	return nil
}

// read takes what run directories say, one for each seed.
func (t *Training) read(runs []string) error {
	var epochs, best, top1 []string
	for _, dir := range runs {
		s, err := summary(dir)
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

// summary reads that of a run.
func summary(dir string) (s trainer.Summary, err error) {
	path := filepath.Join(dir, trainer.SummaryFile)
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	return s, errors.Wrapf(err, "reproduce: %s", path)
}

func numbers[T int | uint64](all []T) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(all), "[]"), " ", ", ")
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
