// Command evaluate tests trained nets as section 3.2 of the paper (arXiv 1409.1556) does.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/dataset"
	"vgg/evaluate"
	"vgg/internal/cli"
	"vgg/internal/mpi"
	"vgg/internal/progress/bar"
	"vgg/internal/ranks"
	"vgg/metrics"
)

type flags struct {
	Weights     []string `help:"File of weights, or a run directory, whose best.safetensors is taken; repeated, the nets are fused." placeholder:"FILE" sep:"none" own:""`
	Data        string   `help:"Pictures, as train takes them; their validation split is tested on." default:"embedded" placeholder:"SPEC" own:""`
	ValShare    *float64 `help:"Share of the pictures to test on where the set has none for validation, 1 for all; default that of the net's training, else 0.1." placeholder:"SHARE"`
	SplitSeed   *uint64  `help:"Seed that draws this share; default that of the net's training, else 1." placeholder:"N"`
	BadPictures string   `help:"stop at a picture that cannot be read, or skip it." enum:"stop,skip" default:"stop" placeholder:"stop|skip"`
	SkipShare   *float64 `help:"Share of the data's pictures that may be skipped at most, though one always may; default 0.01." placeholder:"SHARE"`
	Predictions string   `help:"Write each picture's true class and five most probable ones." placeholder:"FILE.csv"`
	JSON        bool     `name:"json" help:"Print one JSON object."`
	Out         string   `help:"Write what the nets confuse: report.html with the confusion matrix, the error of each class, the worst pictures and the calibration; its figures as PNG and SVG; and all mistakes as a table." placeholder:"DIR"`
	Bins        int      `name:"calibration-bins" help:"Equal bins of the calibration." default:"15" placeholder:"N"`
	cli.Protocols
	cli.Boxes
	DrawPictures int    `help:"Pictures to draw at most, evenly spaced." default:"100" placeholder:"N" group:"Boxes (appendix A):"`
	Result       string `help:"Write the guesses of test 2 as the result file of ILSVRC's localisation: a line for each picture of the data." placeholder:"FILE" group:"Boxes (appendix A):"`
	Score        string `help:"Test no nets: compare the guesses of such a file with the boxes of the data, by ILSVRC's rule." placeholder:"FILE" group:"Boxes (appendix A):"`
	cli.Overrides
	cli.Threads
}

const description = `Test trained nets by the protocols of the paper (arXiv 1409.1556, section 3.2).

Examples:

    go run ./cmd/evaluate --weights runs/RUN
    go run ./cmd/evaluate --weights RUN --protocol dense`

func main() {
	var f flags
	cli.Main("evaluate", description, &f, func(ctx context.Context) error { return run(ctx, f) })
}

func run(ctx context.Context, f flags) error {
	if err := f.Threads.Apply(); err != nil {
		return err
	}
	if err := f.Protocols.Check(); err != nil {
		return err
	}
	if err := f.checkNets(); err != nil {
		return err
	}
	if err := f.checkOutputs(); err != nil {
		return err
	}
	var notes cli.Notes
	if f.Score != "" {
		return f.score(ctx, &notes)
	}
	models, err := f.readModels(&notes)
	if err != nil {
		return err
	}
	localisers, err := f.Boxes.Read(&notes)
	if err != nil {
		return err
	}
	all := slices.Clone(models)
	for _, l := range localisers {
		all = append(all, l.Model)
	}
	defer func() {
		for _, m := range all {
			m.Close()
		}
	}()
	o, err := f.Protocols.Options(models...)
	if err != nil {
		return err
	}
	set, err := f.openSet(all, &notes)
	if err != nil {
		return err
	}
	defer set.Close()
	if err := compare(all, set); err != nil {
		return err
	}
	outputs, matched, err := evaluate.MatchClasses(all, set.Classes)
	if err != nil {
		return cli.OtherClasses(f.tested(), err)
	}
	notes.Add(matched...)
	o.World = cli.World
	t := timedTest{set: set, options: o, models: models, skips: f.skips(set)}
	var done interface {
		print(io.Writer, flags)
		printJSON(io.Writer, flags) error
	}
	tested := &t
	if len(localisers) > 0 {
		b := &boxTest{timedTest: t, localisers: localisers, boxOptions: f.Boxes.Options(o)}
		err, done, tested = b.run(ctx, outputs, f, &notes), b, &b.timedTest
	} else {
		err, done = t.run(ctx, outputs, f, &notes), &t
	}
	tested.notes = notes.List()
	if errors.Is(err, dataset.ErrUnreadable) {
		err = errors.Wrap(err, "--skip-share SHARE allows more")
	}
	if err != nil {
		return err
	}
	for _, s := range t.skips.List() {
		cli.Say(fmt.Sprintf("skipped: %s: %s", s.Picture, s.Reason))
	}
	if f.JSON {
		return cmp.Or(done.printJSON(cli.Stdout, f), tested.unwritten)
	}
	done.print(cli.Stdout, f)
	return tested.unwritten
}

// skips makes room for pictures that cannot be read, if the flags allow some.
func (f flags) skips(set *dataset.Set) *dataset.Skips {
	p := configs.Pictures{Bad: configs.BadPictures(f.BadPictures), SkipShare: configs.Default().Pictures.SkipShare}
	if f.SkipShare != nil {
		p.SkipShare = *f.SkipShare
	}
	return dataset.NewSkips(set, p)
}

// tested names the data in an error: who left --data out may not know what it is.
func (f flags) tested() string {
	if f.Data == dataset.Embedded {
		return f.Data + " (the default: --data DIR tests other pictures)"
	}
	return f.Data
}

// run tests nets that classify, and writes their predictions and the report if these are wanted.
func (t *timedTest) run(ctx context.Context, outputs []int, f flags, notes *cli.Notes) error {
	cli.NoteNarrowView(notes, t.options, "--scales", t.set.Val, t.models...)
	t.options.Skip = func(picture int, reason error) error { return t.skips.Skip(t.set.Val.Name(picture), reason) }
	t.calibration = metrics.NewCalibration(f.Bins)
	split := evaluate.Relabel(t.set.Val, outputs)
	predictions := newPredictions(f.Predictions, split, t.models[0].Info.Classes)
	progress := bar.New(os.Stderr, split.Len(), "")
	began := time.Now()
	result, err := evaluate.Run(ctx, t.models, split, t.options, func(p evaluate.Prediction) error {
		progress.Add(1)
		if err := t.add(p); err != nil {
			return errors.Wrap(err, split.Name(p.Picture))
		}
		return predictions.add(p)
	})
	t.Result, t.took = result, time.Since(began)
	if err != nil || cli.World.Rank() > 0 {
		return err
	}
	t.unwritten = predictions.write()
	if f.Out != "" {
		t.unwritten = cmp.Or(t.unwritten, errors.Wrap(t.report(f, notes), "--out"))
	}
	return nil
}

// readModels reads the weights.
func (f flags) readModels(notes *cli.Notes) (models []*evaluate.Model, err error) {
	for _, file := range f.Weights {
		m, err := f.ReadModel(file, notes)
		if err != nil {
			return nil, err
		}
		if m.Info.Classifies() != nil {
			return nil, errors.Errorf("--weights %s: the net predicts boxes: give it as --boxes %[1]s", file)
		}
		models = append(models, m)
	}
	return models, nil
}

// compare refuses ranks whose weights or pictures differ.
func compare(models []*evaluate.Model, set *dataset.Set) error {
	if cli.World.Size() == 1 {
		return nil
	}
	var sums []string
	for _, m := range models {
		sums = append(sums, m.Checksum())
	}
	return ranks.Compare(cli.World, set, mpi.Fact{
		Name: "the weights", Value: "checksums " + strings.Join(sums, ", "), Remedy: "copy the same files to all hosts",
	})
}
