package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/dataset"
	"vgg/dataset/annotations"
	"vgg/evaluate"
	"vgg/internal/atomicfile"
	"vgg/internal/cli"
	"vgg/internal/progress/bar"
	"vgg/metrics"
)

// results collects the lines of a result file of ILSVRC's localisation task.
type results struct {
	file    string // "" writes none
	numbers []int  // of the nets' classes
	entries [][]annotations.Guess
}

// checkOutputs refuses files that cannot be made, and a result file that exists.
func (f flags) checkOutputs() error {
	if err := cli.CheckOutput("--predictions", f.Predictions, append(f.Weights, f.Data)...); err != nil {
		return err
	}
	if _, err := os.Lstat(f.Result); f.Result != "" && err == nil && cli.World.Rank() == 0 {
		return errors.Errorf("--result %s: it exists: give another name, or remove it", f.Result)
	}
	if err := cli.CheckOutput("--result", f.Result); err != nil {
		return err
	}
	return f.checkReport()
}

// newResults refuses classes that have no number in the file.
func newResults(file string, set *dataset.Set, outputs []int, classes []string, notes *cli.Notes) (results, error) {
	r := results{file: file}
	if file == "" {
		return r, nil
	}
	ofSet, said := numbersOf(set)
	r.numbers = make([]int, len(classes))
	for class, output := range outputs {
		r.numbers[output] = ofSet[class]
	}
	if at := slices.Index(r.numbers, 0); at >= 0 {
		return r, errors.Errorf("--result %s: the nets know class %s, which has no number among the %d of %s: give the data of all their classes", file, classes[at], len(set.Classes), set.Name)
	}
	r.entries = make([][]annotations.Guess, set.Val.Len())
	notes.Add(fmt.Sprintf("classes in %s are %s", file, said))
	return r, nil
}

// numbersOf are the numbers, from 1, that stand for a set's classes in a result file.
func numbersOf(set *dataset.Set) (numbers []int, said string) {
	if set.Numbers != nil {
		return set.Numbers, "numbered as in ILSVRC's development kit"
	}
	for i := range set.Classes {
		numbers = append(numbers, i+1)
	}
	last := len(set.Classes)
	return numbers, fmt.Sprintf("numbered in the order of the data: 1 is %s, %d is %s", set.Classes[0], last, set.Classes[last-1])
}

// add takes the guesses of a picture.
func (r results) add(l evaluate.Localisation, split dataset.Boxed) error {
	if r.file == "" {
		return nil
	}
	orientation, err := split.Orientation(l.Picture)
	entry := l.Entry(orientation)
	for i := range entry {
		entry[i].Class = r.numbers[entry[i].Class] - 1
	}
	r.entries[l.Picture] = entry
	return err
}

// write writes the file. Pictures that were skipped have empty lines.
func (r results) write() error {
	if r.file == "" || cli.World.Rank() > 0 {
		return nil
	}
	return errors.Wrap(atomicfile.Encode(r.file, func(w io.Writer) error { return annotations.WriteResults(w, r.entries) }), "--result")
}

// scored is the error of a result file.
type scored struct {
	evaluate.EntriesResult
	set     *dataset.Set
	without int // pictures without a box of their class
}

// aboutNone tells that no flag is given that is about nets or their output.
func (f flags) aboutNone() bool {
	return len(f.Weights) == 0 && len(f.Boxes.Boxes) == 0 && f.Result == "" && f.Predictions == "" && f.Out == "" && f.Bins == metrics.CalibrationBins && f.BadPictures == "stop" && f.SkipShare == nil &&
		f.Overrides == (cli.Overrides{}) && f.Protocol == string(configs.Center) && f.Scales == "one"
}

// score compares a result file with the boxes of the data, and prints the error.
func (f flags) score(ctx context.Context, notes *cli.Notes) error {
	data, err := os.ReadFile(f.Score)
	if err != nil {
		return errors.Wrap(err, "--score")
	}
	set, err := f.openSet(nil, notes)
	if err != nil {
		return err
	}
	defer set.Close()
	s := scored{set: set}
	_, s.without, err = dataset.WithBoxes(set.Val)
	if err != nil {
		return errors.Wrapf(err, "--data %s", f.Data)
	}
	if s.without > 0 {
		notes.Add(leftOut(s.without, set.Val.Len()))
	}
	numbers, said := numbersOf(set)
	entries, err := annotations.ReadResults(data, slices.Max(numbers))
	if err != nil {
		return errors.Wrapf(err, "--score %s: correct the file", f.Score)
	}
	if len(entries) != set.Val.Len() {
		return errors.Errorf("--score %s: %d lines, and %s has %d pictures for validation: want a line for each, in the order of their names, empty where nothing is guessed",
			f.Score, len(entries), set.Name, set.Val.Len())
	}
	notes.Add(fmt.Sprintf("classes in %s are taken to be %s", f.Score, said))
	for _, entry := range entries {
		for i := range entry {
			entry[i].Class = slices.Index(numbers, entry[i].Class+1)
		}
	}
	progress := bar.New(os.Stderr, set.Val.Len()-s.without, "")
	s.EntriesResult, err = evaluate.ScoreEntries(ctx, set.Val.(dataset.Boxed), entries, func() { progress.Add(1) })
	if err != nil {
		return err
	}
	if f.JSON {
		return s.printJSON(cli.Stdout, f, notes.List())
	}
	s.print(cli.Stdout, f)
	return nil
}

func (s scored) lines() []line {
	return []line{
		{"class and box, top-5: ILSVRC's error", "localisation_error", s.Guessed.Top5, s.Guessed.Pictures},
		{"class and box, top-1", "localisation_top1_error", s.Guessed.Top1, s.Guessed.Pictures},
		{"class alone, top-5", "", s.Classes.Top5, s.Classes.Pictures},
		{"class alone, top-1", "", s.Classes.Top1, s.Classes.Pictures},
	}
}

func (s scored) print(w io.Writer, f flags) {
	fmt.Fprintf(w, "the guesses of %s for %d of the %d pictures for validation of %s\n\n", f.Score, s.Guessed.Pictures, s.set.Val.Len(), s.set.Name)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "error, %\t95 % interval\t\n")
	printLines(table, s.lines())
	table.Flush()
}

func (s scored) printJSON(w io.Writer, f flags, notes []string) error {
	object := map[string]any{
		"score": f.Score, "data": f.Data, "images": s.Guessed.Pictures, "images_of_data": s.set.Train.Len() + s.set.Val.Len(),
		"without_box": s.without, "split": s.set.Chosen(), "classes": s.set.Classes, "notes": notes,
	}
	addLines(object, s.lines())
	for key, wrong := range map[string]int{"top1": s.Classes.Top1, "top5": s.Classes.Top5} {
		object[key+"_error"], object[key+"_interval"] = metrics.Percent(wrong, s.Classes.Pictures), interval(metrics.Interval(wrong, s.Classes.Pictures))
	}
	return errors.Wrap(json.NewEncoder(w).Encode(object), "--json")
}

// printLines prints rows of a table of errors.
func printLines(w io.Writer, lines []line) {
	for _, l := range lines {
		low, high := metrics.Interval(l.wrong, l.of)
		fmt.Fprintf(w, "%.2f\t%.2f to %.2f\t  %s\n", metrics.Percent(l.wrong, l.of), low, high, l.name)
	}
}

// addLines adds those that have a key to a JSON object.
func addLines(object map[string]any, lines []line) {
	for _, l := range lines {
		if l.key != "" {
			object[l.key], object[l.key+"_interval"] = metrics.Percent(l.wrong, l.of), interval(metrics.Interval(l.wrong, l.of))
		}
	}
}

func interval(low, high float64) []float64 { return []float64{low, high} }
