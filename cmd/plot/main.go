// Command plot lays the validation curves of several runs over each other.
package main

import (
	"context"
	"path/filepath"

	"github.com/pkg/errors"

	"vgg/internal/cli"
	"vgg/plots"
	"vgg/trainer"
)

type flags struct {
	Runs  []string `arg:"" help:"Run directories, as train leaves them; the last part of the path names a run."`
	Out   string   `help:"Picture to write: .png, .svg or .pdf." required:"" placeholder:"FILE"`
	Title string   `help:"Title of the picture." placeholder:"TEXT"`
}

func main() {
	var f flags
	cli.Main("plot", "Draw the validation loss and error of several runs over each other.", &f, func(context.Context) error { return draw(f) })
}

func draw(f flags) error {
	var runs []plots.Run
	for _, dir := range f.Runs {
		h, err := trainer.ReadHistory(filepath.Join(dir, trainer.HistoryFile))
		if err != nil {
			return errors.Wrapf(err, "%s is not a run directory", dir)
		}
		runs = append(runs, plots.Run{Name: filepath.Base(filepath.Clean(dir)), History: h})
	}
	figure, err := plots.Compare(runs, f.Title)
	if err != nil {
		return err
	}
	return errors.Wrap(figure.Save(f.Out), "--out")
}
