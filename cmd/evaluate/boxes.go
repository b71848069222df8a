package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"text/tabwriter"
	"time"

	"github.com/pkg/errors"

	"vgg/boxes"
	"vgg/configs"
	"vgg/dataset"
	"vgg/evaluate"
	"vgg/internal/cli"
	"vgg/internal/progress/bar"
	"vgg/internal/terminal"
)

// boxTest is a test of localisation (appendix A) and what it found.
type boxTest struct {
	timedTest  // of the nets that classify; it has no models without any
	localisers []evaluate.Localiser
	boxOptions evaluate.BoxOptions
	found      evaluate.LocalisationResult
	meanBox    evaluate.CentralResult
	without    int // pictures without a box of their class
}

// run tests on the pictures that have a box of their class, and draws some of them.
func (t *boxTest) run(ctx context.Context, outputs []int, f flags, notes *cli.Notes) error {
	all := evaluate.Relabel(t.set.Val, outputs)
	split, without, err := dataset.WithBoxes(all)
	if err != nil {
		return errors.Wrapf(err, "--data %s", f.Data)
	}
	if t.without = without; without > 0 {
		notes.Add(leftOut(without, t.set.Val.Len()))
	}
	mean, err := t.mean(split, outputs, notes)
	if err != nil {
		return err
	}
	results, err := newResults(f.Result, t.set, outputs, t.classes(), notes)
	if err != nil {
		return err
	}
	if f.Result != "" { // which has the other pictures too
		split = all.(dataset.Boxed)
	}
	artist := newArtist(f.Draw, split, t.classes(), f.DrawPictures)
	if artist.drawn() < split.Len() && f.Draw != "" {
		notes.Add(fmt.Sprintf("%d of %d pictures are drawn, evenly spaced", artist.drawn(), split.Len()))
	}
	t.boxOptions.Skip = func(picture int, reason error) error { return t.skips.Skip(split.Name(picture), reason) }
	progress := bar.New(os.Stderr, split.Len(), "")
	var predictions []evaluate.Prediction
	began := time.Now()
	err = evaluate.Localise(ctx, t.models, t.localisers, split, t.boxOptions, func(l evaluate.Localisation) error {
		progress.Add(1)
		if err := results.add(l, split); err != nil || !split.HasBox(l.Picture) {
			return err
		}
		t.found.Add(l)
		t.meanBox.Add(l.Overlap(mean, l.Class))
		if l.Probabilities != nil {
			predictions = append(predictions, l.Prediction)
		}
		if cli.World.Rank() > 0 {
			return nil
		}
		return artist.draw(l)
	})
	t.took = time.Since(began)
	progress.Clear()
	notes.Add(artist.Notes()...)
	t.Result = evaluate.Score(t.classes(), predictions)
	if err == nil && t.meanBox.Pictures == 0 {
		err = errors.Errorf("none of the %d pictures could be read: nothing was tested", split.Len())
	}
	if err == nil {
		t.unwritten = results.write()
	}
	return err
}

func leftOut(without, of int) string {
	return fmt.Sprintf("%d of %d pictures are left out: they have no box of their class", without, of)
}

// classes are those that the nets know.
func (t *boxTest) classes() []string { return t.localisers[0].Info.Classes }

// mean is the mean box of the training pictures, or of those tested if there are no others.
func (t *boxTest) mean(tested dataset.Boxed, outputs []int, notes *cli.Notes) (boxes.Box, error) {
	split, _, err := dataset.WithBoxes(evaluate.Relabel(t.set.Train, outputs))
	if err != nil {
		notes.Add("the mean box is that of the pictures tested: no training picture has a box")
		split = tested
	}
	return evaluate.MeanBox(split, t.skips.Skip)
}

// line is a row of the table of errors.
type line struct {
	name, key string // key in JSON
	wrong, of int
}

func (t *boxTest) lines() (all []line) {
	for i, c := range t.found.Central {
		l := line{name: "test 1: the true class in the central crop", key: "true_class_localisation_error", wrong: c.Wrong, of: c.Pictures}
		if len(t.found.Central) > 1 {
			l.name += ", " + t.localisers[i].Name
		}
		if i > 0 {
			l.key = ""
		}
		all = append(all, l)
	}
	all = append(all, line{"always the mean box of the training pictures", "mean_box_error", t.meanBox.Wrong, t.meanBox.Pictures})
	if len(t.models) == 0 {
		return all
	}
	g := t.found.Guessed
	return append(all,
		line{"test 2: class and box, top-5", "localisation_error", g.Top5, g.Pictures},
		line{"test 2: class and box, top-1", "localisation_top1_error", g.Top1, g.Pictures})
}

// print prints the errors as a table.
func (t *boxTest) print(w io.Writer, f flags) {
	say := func(format string, values ...any) { fmt.Fprintln(w, terminal.Wrap(w, fmt.Sprintf(format, values...))) }
	for _, m := range t.models {
		say("classes: net %s, width %g, input %d×%d, %s, Q = %v: %s", m.Info.Config, m.Info.Width, m.Info.Input, m.Info.Input, f.Protocol, t.options.ScalesFor(m), m.Name)
	}
	for _, l := range t.localisers {
		say("boxes: net %s, width %g, input %d×%d, %s, %s, Q = %v: %s",
			l.Info.Config, l.Info.Width, l.Info.Input, l.Info.Input, l.Info.Boxes, f.BoxProtocol, l.TestScales(), l.Name)
	}
	say("tested on %d of the %d pictures of %s: %s; %.1f pictures/s\n", t.meanBox.Pictures, t.ofData(), t.set.Name, t.set.Chosen(), t.localisedPerSecond())
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "error, %\t95 % interval\t\n")
	printLines(table, t.lines())
	if len(t.models) > 0 {
		low, high := t.Top1Interval()
		fmt.Fprintf(table, "%.2f\t%.2f to %.2f\t  class alone, top-1\n", t.Top1Error(), low, high)
	}
	if !math.IsNaN(t.Top5Error()) {
		low, high := t.Top5Interval()
		fmt.Fprintf(table, "%.2f\t%.2f to %.2f\t  class alone, top-5\n", t.Top5Error(), low, high)
	}
	table.Flush()
	for i, c := range t.found.Central {
		say("mean IoU of test 1 %.3f: %s", c.MeanIoU(), t.localisers[i].Name)
	}
}

func (t *boxTest) localisedPerSecond() float64 { return float64(t.meanBox.Pictures) / t.took.Seconds() }

func (t *boxTest) printJSON(w io.Writer, f flags) error {
	object := map[string]any{
		"weights": append([]string{}, f.Weights...), "data": f.Data, "protocol": t.options.Protocol, "box_protocol": t.boxOptions.Boxes,
		"box_classes": t.boxOptions.Classes, "box_merge": t.boxOptions.Limit, "images": t.meanBox.Pictures, "images_of_data": t.ofData(),
		"without_box": t.without, "split": t.set.Chosen(), "images_per_second": t.localisedPerSecond(), "classes": t.classes(),
		"skipped": len(t.skips.List()), "notes": t.notes, "mean_iou": t.found.Central[0].MeanIoU(),
	}
	addLines(object, t.lines())
	var localisers []map[string]any
	for i, l := range t.localisers {
		c := t.found.Central[i]
		localisers = append(localisers, map[string]any{
			"weights": l.Name, "config": l.Info.Config, "regression": l.Info.Boxes, "scales": l.TestScales(), "mean_iou": c.MeanIoU(),
			"true_class_localisation_error": c.Error(), "true_class_localisation_error_interval": interval(c.Interval()),
		})
	}
	object["localisers"] = localisers
	if len(t.models) > 0 {
		object["scales"] = t.options.ScalesFor(t.models[0])
		object["top1_error"], object["top1_interval"] = number(t.Top1Error()), interval(t.Top1Interval())
		object["top5_error"] = number(t.Top5Error())
	}
	if !math.IsNaN(t.Top5Error()) {
		object["top5_interval"] = interval(t.Top5Interval())
	}
	return errors.Wrap(json.NewEncoder(w).Encode(object), "--json")
}

// checkNets refuses flags about nets that are not given, and takes a net that predicts boxes among the weights as one
// of --boxes.
func (f *flags) checkNets() error {
	switch {
	case f.Score != "" && !f.aboutNone():
		return cli.Usage(errors.New("--score FILE tests guesses, and no nets: leave out flags about these, and --result, --predictions, --out, --bad-pictures and --skip-share"))
	case f.Score != "":
		return f.Boxes.Check()
	case f.Result != "" && (len(f.Weights) == 0 || len(f.Boxes.Boxes) == 0):
		return cli.Usage(errors.New("--result FILE has classes and boxes: give the nets for both, --weights FILE and --boxes FILE"))
	case len(f.Weights) == 0 && len(f.Boxes.Boxes) == 0:
		return cli.Usage(errors.New("want the net to test: --weights FILE, or --boxes FILE for one that predicts boxes"))
	case len(f.Weights) == 0 && (f.Protocol != string(configs.Center) || f.Scales != "one"):
		return cli.Usage(errors.New("--protocol and --scales are those of the nets that classify: give these with --weights, or the scales of a net that predicts boxes as --boxes FILE@Q,…"))
	case len(f.Boxes.Boxes) > 0 && f.Predictions != "":
		return cli.Usage(errors.New("--predictions holds classes: leave out --boxes"))
	case len(f.Boxes.Boxes) > 0 && f.Out != "":
		return cli.Usage(errors.New("--out tells what classes are confused: leave out --boxes (--draw shows boxes)"))
	case f.Bins < 1 || f.Bins > mostBins:
		return cli.Usage(errors.Errorf("--calibration-bins %d: want a number from 1 to %d", f.Bins, mostBins))
	case f.SkipShare != nil && f.BadPictures != "skip":
		return cli.Usage(errors.New("--skip-share is of pictures that are skipped: give it with --bad-pictures skip"))
	case f.SkipShare != nil && !(*f.SkipShare >= 0 && *f.SkipShare <= 1):
		return cli.Usage(errors.Errorf("--skip-share %g: want a share from 0 to 1", *f.SkipShare))
	case f.DrawPictures < 1:
		return cli.Usage(errors.Errorf("--draw-pictures %d: want at least 1", f.DrawPictures))
	}
	return f.Boxes.Check()
}
