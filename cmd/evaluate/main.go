// Command evaluate tests trained nets as section 3.2 of the paper (arXiv 1409.1556) does.
package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/dataset"
	"vgg/evaluate"
	"vgg/internal/atomicfile"
	"vgg/internal/cli"
	"vgg/internal/progress/bar"
)

type flags struct {
	Weights     []string `help:"Weights of a trained net, such as RUN/best.safetensors; repeated, the nets are fused." required:"" placeholder:"FILE" sep:"none"`
	Data        string   `help:"Pictures, as train takes them; their validation split is tested on." default:"embedded" placeholder:"SPEC"`
	ValShare    float64  `help:"Share of the pictures to test on where the set has no val." default:"0.1" placeholder:"SHARE"`
	SplitSeed   uint64   `help:"Seed that draws this share." default:"1" placeholder:"N"`
	BadPictures string   `help:"stop at a picture that cannot be read, or skip it." enum:"stop,skip" default:"stop" placeholder:"stop|skip"`
	Predictions string   `help:"Write each picture's true class and five most probable ones." placeholder:"FILE.csv"`
	JSON        bool     `name:"json" help:"Print one JSON object."`
	cli.Overrides
	cli.Protocols
	cli.Threads
}

func main() {
	var f flags
	cli.Main("evaluate", "Test trained nets by the protocols of the paper (arXiv 1409.1556, section 3.2).", &f, func(ctx context.Context) error { return run(ctx, f) })
}

func run(ctx context.Context, f flags) error {
	if err := f.Threads.Apply(); err != nil {
		return err
	}
	if err := f.Protocols.Check(); err != nil {
		return err
	}
	if err := cli.CheckOutput("--predictions", f.Predictions); err != nil {
		return err
	}
	var models []*evaluate.Model
	var notes cli.Notes
	for _, file := range f.Weights {
		w, err := f.ReadWeights(file)
		if err != nil {
			return errors.Wrap(err, "--weights")
		}
		m, err := evaluate.NewModel(file, w)
		if err != nil {
			return errors.Wrap(cli.NameOverrides(err), "--weights")
		}
		defer m.Close()
		notes.Add(w.Notes...)
		models = append(models, m)
	}
	o, err := f.Protocols.Options(models...)
	if err != nil {
		return err
	}
	set, err := dataset.Open(f.Data, dataset.Options{ValShare: f.ValShare, SplitSeed: f.SplitSeed, Notice: func(m string) { notes.Add(m) }})
	if err != nil {
		return errors.Wrap(err, "--data")
	}
	defer set.Close()
	for _, m := range models {
		if numbered(m.Info.Classes) && len(m.Info.Classes) == len(set.Classes) {
			m.Info.Classes = set.Classes
		}
	}
	if known := models[0].Info.Classes; !slices.Equal(known, set.Classes) {
		return errors.Errorf("--data %s has other classes than --weights %s knows: %d (%s …), not %d (%s …); --classes FILE names those of the weights", f.Data, f.Weights[0], len(set.Classes), set.Classes[0], len(known), known[0])
	}
	var skips *dataset.Skips // nil skips none
	if f.BadPictures == "skip" {
		skips = dataset.NewSkips(set, configs.Default().Pictures.SkipShare)
	}
	o.Skip = func(picture int, reason error) error { return skips.Skip(set.Val.Name(picture), reason) }
	began := time.Now()
	result, predictions, err := test(ctx, models, set, o, f.Predictions != "")
	if err != nil {
		return err
	}
	t := timedTest{result, o, models, skips, time.Since(began), notes.List()}
	if f.Predictions != "" {
		if err := atomicfile.Write(f.Predictions, predictions); err != nil {
			return errors.Wrap(err, "--predictions")
		}
	}
	for _, s := range skips.List() {
		fmt.Fprintf(os.Stderr, "skipped: %s: %s\n", s.Picture, s.Reason)
	}
	if f.JSON {
		return t.printJSON(cli.Stdout, f)
	}
	t.print(cli.Stdout, f)
	return nil
}

// numbered says whether weights have only numbers for names of classes. Their classes are then the data's, in their order.
func numbered(classes []string) bool {
	for i, name := range classes {
		if name != strconv.Itoa(i) {
			return false
		}
	}
	return true
}

// test shows progress on a terminal, and collects the predictions as a table.
func test(ctx context.Context, models []*evaluate.Model, set *dataset.Set, o evaluate.Options, collect bool) (*evaluate.Result, []byte, error) {
	progress := bar.New(os.Stderr, set.Val.Len(), "")
	var table strings.Builder
	out := csv.NewWriter(&table)
	header := []string{"picture", "class"}
	for i := range min(5, len(set.Classes)) {
		header = append(header, fmt.Sprintf("class_%d", i+1), fmt.Sprintf("probability_%d", i+1))
	}
	// The writer keeps its first error for Error.
	_ = out.Write(header)
	result, err := evaluate.Run(ctx, models, set.Val, o, func(p evaluate.Prediction) error {
		progress.Add(1)
		if !collect {
			return nil
		}
		row := []string{set.Val.Name(p.Picture), set.Classes[p.Class]}
		for _, class := range p.Ranking()[:min(5, len(set.Classes))] {
			row = append(row, set.Classes[class], strconv.FormatFloat(p.Probabilities[class], 'f', 6, 64))
		}
		return out.Write(row)
	})
	out.Flush()
	if err == nil {
		err = errors.Wrap(out.Error(), "--predictions")
	}
	return result, []byte(table.String()), err
}
