package reproduce

import (
	"context"
	_ "embed"
	"fmt"
	"image"
	"slices"
	"time"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/dataset"
	"vgg/evaluate"
	"vgg/internal/drawing"
	"vgg/internal/kernel"
	"vgg/internal/page"
	"vgg/internal/text"
	"vgg/internal/threads"
	"vgg/metrics"
	"vgg/plots"
)

// BoxReport is what the template of the report on localisation is given.
type BoxReport struct {
	Data               string // the name of the data set
	Classes, Input     int
	TrainingPictures   int
	ValidationPictures int
	Small, Large       configs.Scale // S for the paper's 256 and 384
	Errors             string        // which seeds they are of
	Interval           string        // what stands in brackets after them
	Findings           []Finding
	Table8, Table9     string // as Markdown
	Pictures           []Figure
	Notes              []string // which letters no font of the system has
	Trainings          []Training
	TrainingTime       time.Duration
	TestTime           time.Duration
	Threads            int
	Kernels            string // the instruction set
	Recipe             string // TOML
}

//go:embed localisation.md.tmpl
var boxTemplate string

// boxResult is what a row's tests found, of all seeds.
type boxResult struct {
	all []boxOutcomes
}

func (p BoxPlan) result(r boxRow) (out boxResult, err error) {
	for _, seed := range p.Seeds {
		o, err := readBoxOutcomes(p.file(r, seed))
		if err != nil {
			return out, err
		}
		out.all = append(out.all, o)
	}
	return out, nil
}

// estimate is that of the seeds.
func (r boxResult) estimate(wrong func(metrics.Errors) int) plots.Estimate {
	var scores []metrics.Errors
	for _, o := range r.all {
		scores = append(scores, o.errors())
	}
	return estimate(scores, wrong)
}

// meanIoU is that of test 1, over the seeds.
func (r boxResult) meanIoU() float64 {
	sum, n := 0.0, 0
	for _, o := range r.all {
		for _, v := range o.overlaps {
			sum += float64(v)
		}
		n += len(o.overlaps)
	}
	return sum / float64(n)
}

// wrong says of each seed and picture whether none of the guesses is right.
func (r boxResult) wrong() (all [][]bool) {
	for _, o := range r.all {
		all = append(all, o.wrong(evaluate.MostGuesses))
	}
	return all
}

// report collects the results, draws pictures and writes the report.
func (p BoxPlan) report(ctx context.Context, set *dataset.Set, val dataset.Boxed) (*BoxReport, error) {
	r := &BoxReport{
		Data: set.Name, Classes: len(set.Classes), Input: p.Classifier.Net.Input,
		TrainingPictures: set.Train.Len(), ValidationPictures: val.Len(), Small: p.scale(configs.S256), Large: p.scale(configs.S384),
		Errors: fmt.Sprintf("of seed %d", p.Seeds[0]), Interval: "the 95 % interval", Threads: threads.Count(), Kernels: kernel.ISA(),
	}
	if limit := p.Boxes.Training.Limit; limit > 0 {
		r.TrainingPictures = min(r.TrainingPictures, limit)
	}
	if len(p.Seeds) > 1 {
		r.Errors, r.Interval = "means over the seeds "+text.List(p.Seeds, ", "), "the range over the seeds"
	}
	recipe, err := p.Boxes.TOML()
	if err != nil {
		return nil, err
	}
	r.Recipe = string(recipe)
	if err := p.addBoxTables(r); err != nil {
		return nil, err
	}
	for _, c := range boxClaims() {
		candidate, err := p.result(c.candidate)
		if err != nil {
			return nil, err
		}
		baseline, err := p.result(c.baseline)
		if err != nil {
			return nil, err
		}
		r.Findings = append(r.Findings, newFinding(c.text, c.paper, isBetter, newGain(candidate.wrong(), baseline.wrong(), nil)))
	}
	if err := p.addBoxTrainings(r); err != nil {
		return nil, err
	}
	if err := p.addPictures(ctx, r, set.Classes, val); err != nil {
		return nil, err
	}
	return r, writeReport(p.Dir, r.Data, boxTemplate, r, r.Pictures, r.Findings)
}

// addBoxTables adds Tables 8 and 9, and the time of their tests. It refuses tests that are not of the same pictures.
func (p BoxPlan) addBoxTables(r *BoxReport) error {
	var eight, nine [][]string
	var pictures []float32
	var of string // the first test
	for _, row := range p.rows() {
		result, err := p.result(row)
		if err != nil {
			return err
		}
		for i, o := range result.all {
			r.TestTime += seconds(o.seconds)
			switch file := p.file(row, p.Seeds[i]); {
			case of == "":
				pictures, of = o.pictures, file
			case !slices.Equal(o.pictures, pictures):
				return errors.Errorf("reproduce: %s is of other pictures than %s, since not all could be read: remove both, and the next run repeats the tests", file, of)
			}
		}
		switch top5 := percent(result.estimate(top5Wrong)); {
		case row.protocol != "":
			nine = append(nine, []string{p.label(row, false), string(row.protocol), top5, percent(result.estimate(top1Wrong)), p.label(row, true), paperPercent(row.paper)})
		case len(row.nets) == 0:
			eight = append(eight, []string{"none: always the mean box of the training pictures", "–", top5, fmt.Sprintf("%.3f", result.meanIoU()), "–"})
		default:
			n := row.nets[0]
			layers := map[bool]string{true: "all", false: "fully connected"}[n.all]
			eight = append(eight, []string{layers, regressionName(n.regression), top5, fmt.Sprintf("%.3f", result.meanIoU()), paperPercent(row.paper)})
		}
	}
	r.Table8 = page.Table([]string{"fine-tuned layers", "regression", "error", "mean IoU", "paper's error"}, eight)
	r.Table9 = page.Table([]string{"S / Q", "boxes", "top-5 error", "top-1 error", "paper's S / Q", "paper's top-5"}, nine)
	return nil
}

// regressionName is the paper's.
func regressionName(r configs.Regression) string {
	return map[configs.Regression]string{configs.RegressPerClass: "PCR", configs.RegressSingle: "SCR"}[r]
}

// addBoxTrainings sums up the runs.
func (p BoxPlan) addBoxTrainings(r *BoxReport) error {
	for _, t := range p.work(p.Seeds[0]) {
		row := Training{Net: p.name(t), Scale: p.scale(t.scale).String(), From: "random"}
		if from, ok := t.from(); ok {
			row.From = p.name(from)
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
	return nil
}

// drawnPictures are shown of those that the last row of Table 9 has right in its first guess, and as many of the
// others.
const drawnPictures = 6

// addPictures draws pictures with their boxes.
func (p BoxPlan) addPictures(ctx context.Context, r *BoxReport, classes []string, val dataset.Boxed) error {
	rows := table9()
	best, seed := rows[len(rows)-1], p.Seeds[0]
	outcomes, err := readBoxOutcomes(p.file(best, seed))
	if err != nil {
		return err
	}
	shown := map[bool][]int{}
	for i, wrong := range outcomes.wrong(1) {
		if len(shown[!wrong]) < drawnPictures {
			shown[!wrong] = append(shown[!wrong], int(outcomes.pictures[i]))
		}
	}
	var sheet []plots.SheetRow
	var pen drawing.Pen
	for _, right := range []bool{true, false} {
		part := dataset.Pick(val, shown[right]).(dataset.Boxed)
		var drawn []image.Image
		err := p.localise(ctx, best, seed, part, nil, func(l evaluate.Localisation) error {
			picture, err := part.Picture(l.Picture)
			if err != nil {
				return err
			}
			d, err := pen.Boxes(picture.Image(), answer(l, classes))
			drawn = append(drawn, d)
			return err
		})
		if err != nil {
			return err
		}
		if len(drawn) > 0 && samesize(drawn) {
			sheet = append(sheet, plots.SheetRow{Label: map[bool]string{true: "right", false: "wrong"}[right], Pictures: drawn})
		}
	}
	if len(sheet) == 0 {
		return nil
	}
	figure, err := plots.Sheet(sheet, "First guesses of the last line of Table 9", "dashed: true")
	caption := fmt.Sprintf("The first guesses of the last line of Table 9, and the true boxes (dashed), seed %d: the first pictures of either kind.", seed)
	if err := page.Draw(p.Dir, &r.Pictures, figure, err, "boxes.png", caption); err != nil {
		return err
	}
	r.Notes = page.Notes(r.Pictures, pen.Lacking)
	return nil
}

// samesize says whether pictures are of one size, as a sheet wants them.
func samesize(all []image.Image) bool {
	for _, p := range all {
		if p.Bounds() != all[0].Bounds() {
			return false
		}
	}
	return true
}

// answer are the marks of the true boxes and of the first guess.
func answer(l evaluate.Localisation, classes []string) (marks []drawing.Mark) {
	for _, o := range l.Objects {
		if o.Class >= 0 {
			marks = append(marks, drawing.Mark{Box: o.Box, Label: classes[o.Class], Colour: drawing.White, Dashed: true})
		}
	}
	for _, g := range l.Guesses[:min(1, len(l.Guesses))] {
		colour := drawing.Vermilion
		if l.Rank() == 0 {
			colour = drawing.Blue
		}
		marks = append(marks, drawing.Mark{Box: g.Box, Label: fmt.Sprintf("%s %.2f", classes[g.Class], g.Probability), Colour: colour})
	}
	return marks
}
