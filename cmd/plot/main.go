// Command plot draws the validation loss and error of several runs in one figure.
package main

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/history"
	"vgg/internal/cli"
	"vgg/plots"
	"vgg/trainer"
)

type flags struct {
	Runs  []string `arg:"" help:"Run directories, as train leaves them; the last parts of the path name a run."`
	Out   string   `help:"Picture to write: .png, .svg or .pdf." required:"" placeholder:"FILE"`
	Title string   `help:"Title of the picture." placeholder:"TEXT"`
	Watch bool     `help:"Draw again after each epoch of a run, until interrupted."`
}

const description = `Draw the validation loss and error of several runs in one figure.

Examples:

    go run ./cmd/plot runs/A runs/D --out depth.png
    go run ./cmd/plot runs/RUN --out curves.svg --watch`

func main() {
	var f flags
	cli.Main("plot", description, &f, func(ctx context.Context) error {
		if err := cli.CheckOutput("--out", f.Out); err != nil {
			return err
		}
		if f.Watch {
			return watch(ctx, f)
		}
		return draw(f)
	})
}

// watchInterval is the time between two checks of the runs.
const watchInterval = time.Second

// watch draws whenever one of the histories was written. It ends without an error when ctx is cancelled.
func watch(ctx context.Context, f flags) error {
	var drawn time.Time
	for {
		var newest time.Time
		for _, dir := range f.Runs {
			info, err := os.Stat(filepath.Join(dir, history.FileName))
			if err != nil {
				return errors.Wrapf(err, "%s is not a run directory, or has no epoch yet", dir)
			}
			if info.ModTime().After(newest) {
				newest = info.ModTime()
			}
		}
		if newest.After(drawn) {
			drawn = newest
			if err := draw(f); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(watchInterval):
		}
	}
}

func draw(f flags) error {
	var runs []plots.Run
	var measured []plots.Measured
	names := runNames(f.Runs)
	for i, dir := range f.Runs {
		h, err := history.Read(filepath.Join(dir, history.FileName))
		if err != nil {
			return errors.Wrapf(err, "%s is not a run directory", dir)
		}
		m, err := measuredIn(dir)
		if err != nil {
			return err
		}
		if measured = append(measured, m); m != measured[0] {
			return cli.Usage(errors.Errorf("%s is measured by the %s, %s by the %s: draw them apart", f.Runs[0], measured[0].Error, dir, m.Error))
		}
		runs = append(runs, plots.Run{Name: names[i], History: h})
	}
	figure, err := measured[0].Compare(runs, f.Title)
	if err != nil {
		return err
	}
	new(cli.Notes).Add(figure.Notes()...)
	return errors.Wrap(figure.Save(f.Out), "--out")
}

// runNames are the last parts of the runs' paths, as many as tell them apart.
func runNames(runs []string) []string {
	names := make([]string, len(runs))
	for parts := 1; ; parts++ {
		seen, more := map[string]bool{}, false
		for i, run := range runs {
			all := strings.Split(filepath.ToSlash(filepath.Clean(run)), "/")
			names[i] = strings.Join(all[max(0, len(all)-parts):], "/")
			seen[names[i]] = true
			more = more || len(all) > parts
		}
		if len(seen) == len(runs) || !more {
			return names
		}
	}
}

// measuredIn says what the errors of a run are, from its recipe. Without one, as in a folder with a history alone, they
// are taken to be those of classification.
func measuredIn(dir string) (plots.Measured, error) {
	r, err := configs.LoadRecipe(filepath.Join(dir, trainer.RecipeFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return plots.Classes, nil
	case err != nil:
		return plots.Measured{}, err
	case r.Boxes.Regression != "":
		return plots.Boxes, nil
	}
	return plots.Classes, nil
}
