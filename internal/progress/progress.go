package progress

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"vgg/configs"
	"vgg/history"
	"vgg/internal/progress/bar"
	"vgg/plots"
	"vgg/trainer"
)

// Reporter is a trainer.Observer that prints; notices go to the standard error.
type Reporter struct {
	out    io.Writer
	dir    string
	recipe configs.Recipe
	bar    bar.Bar
	steps  int
}

// NewReporter makes a reporter that prints to out, for a run of recipe r in directory dir.
func NewReporter(out bar.File, dir string, r configs.Recipe) *Reporter {
	return &Reporter{out: out, dir: dir, recipe: r, bar: bar.New(out, 1, "")}
}

// Begin is part of trainer.Observer.
func (p *Reporter) Begin(steps int, notes []string) error {
	p.steps = steps
	r := p.recipe
	fmt.Fprintf(p.out, "recipe %s: net %s, width %g, FC-%d, input %d×%d, initialiser %s, batch %d, learning rate %g, at most %d epochs of %d steps\n",
		r.Name, r.Config, r.Net.Width, r.Net.FC, r.Net.Input, r.Net.Input, r.Net.Init, r.Training.Batch, r.Training.LearningRate, r.Training.Epochs, steps)
	for _, n := range notes {
		fmt.Fprintln(p.out, n)
	}
	measured := "top-1 err"
	if r.Boxes.Regression != "" {
		measured = "test 1 err"
	}
	_, err := fmt.Fprintf(p.out, "\n%5s  %9s  %10s  %10s  %9s  %9s  %9s  %9s  %9s\n", "epoch", "rate", "train loss", measured, "val loss", measured, "top-5 err", "pictures/s", "seconds")
	return err
}

// Step is part of trainer.Observer.
func (p *Reporter) Step(epoch, step int, loss float64) {
	if step == 1 {
		p.bar.Restart(p.steps)
	}
	p.bar.Set(step, fmt.Sprintf("epoch %d, loss %.3f", epoch, loss))
}

// Epoch is part of trainer.Observer.
func (p *Reporter) Epoch(h history.History) error {
	p.bar.Clear()
	e := h[len(h)-1]
	top5 := "–"
	if !math.IsNaN(e.ValTop5Error) {
		top5 = fmt.Sprintf("%.2f %%", e.ValTop5Error)
	}
	fmt.Fprintf(p.out, "%5d  %9.3g  %10.4f  %8.2f %%  %9.4f  %7.2f %%  %9s  %10.1f  %9.1f\n",
		e.Epoch, e.LearningRate, e.TrainLoss, e.TrainTop1Error, e.ValLoss, e.ValTop1Error, top5, e.ImagesPerSecond, e.Seconds)
	measured := plots.Classes
	if p.recipe.Boxes.Regression != "" {
		measured = plots.Boxes
	}
	figure, err := measured.Curves(h, fmt.Sprintf("net %s, %s", p.recipe.Config, p.recipe.Name))
	if err != nil {
		return err
	}
	for _, name := range []string{trainer.CurvesPNG, trainer.CurvesSVG} {
		if err := figure.Save(filepath.Join(p.dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// Notice is part of trainer.Observer.
func (p *Reporter) Notice(message string) {
	p.bar.Clear()
	fmt.Fprintln(os.Stderr, "note: "+message)
}
