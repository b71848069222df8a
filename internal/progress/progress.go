package progress

import (
	"fmt"
	"os"
	"path/filepath"

	"vgg/configs"
	"vgg/history"
	"vgg/internal/progress/bar"
	"vgg/internal/terminal"
	"vgg/internal/text"
	"vgg/plots"
	"vgg/trainer"
)

// Reporter is a trainer.Observer that prints; notices go to the standard error.
type Reporter struct {
	name   string // of the run, at the beginning of each line; "": it is the only one
	out    terminal.File
	dir    string
	recipe configs.Recipe
	bar    bar.Bar
	steps  int
	drawn  bool // whether there are curves
}

// NewReporter makes a reporter that prints to out, for a run of recipe r in directory dir.
func NewReporter(out terminal.File, dir string, r configs.Recipe) *Reporter {
	return &Reporter{out: out, dir: dir, recipe: r, bar: bar.New(out, 1, "")}
}

// Among makes a reporter like NewReporter's for one of several runs that proceed at once: each line begins with the
// run's name, and there is no bar.
func Among(out terminal.File, dir string, r configs.Recipe, name string) *Reporter {
	return &Reporter{name: name, out: out, dir: dir, recipe: r}
}

// Begin is part of trainer.Observer.
func (p *Reporter) Begin(steps int, notes []string) error {
	p.steps = steps
	r := p.recipe
	line := fmt.Sprintf("recipe %s: net %s, width %g, FC-%d, input %d×%d, initialiser %s, batch %d, learning rate %g, at most %s of %s",
		r.Name, r.Config, r.Net.Width, r.Net.FC, r.Net.Input, r.Net.Input, r.Net.Init, r.Training.Batch, r.Training.LearningRate,
		text.Count(r.Training.Epochs, "epoch"), text.Count(steps, "step"))
	for _, line := range append([]string{line}, notes...) {
		fmt.Fprintln(p.out, terminal.Wrap(p.out, p.prefix()+line))
	}
	if p.name != "" {
		return nil
	}
	all := p.columns()
	_, err := fmt.Fprintf(p.out, "\n%s\n%s\n", row(all, func(c column) string { return c.head }), row(all, func(c column) string { return c.below }))
	return err
}

func (p *Reporter) prefix() string {
	if p.name == "" {
		return ""
	}
	return p.name + ": "
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
	measured := plots.Classes
	if p.recipe.Boxes.Regression != "" {
		measured = plots.Boxes
	}
	p.bar.Clear()
	if e := h[len(h)-1]; p.name == "" {
		fmt.Fprintln(p.out, row(p.columns(), func(c column) string { return c.value(e) }))
	} else {
		line := fmt.Sprintf("%sepoch %d of %d, %.1f s: training loss %.4f, validation %s %.2f",
			p.prefix(), e.Epoch, p.recipe.Training.Epochs, e.Seconds, e.TrainLoss, measured.Error, e.ValTop1Error)
		fmt.Fprintln(p.out, terminal.Wrap(p.out, line))
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
	if !p.drawn { // the letters stay the same
		for _, note := range figure.Notes() {
			p.Notice(note)
		}
	}
	p.drawn = true
	return nil
}

// Notice is part of trainer.Observer.
func (p *Reporter) Notice(message string) {
	p.bar.Clear()
	fmt.Fprintln(os.Stderr, terminal.Wrap(os.Stderr, "note: "+p.prefix()+message))
}
