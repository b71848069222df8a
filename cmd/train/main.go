// Command train trains a VGG net by the paper's schedule and leaves a run directory with weights, history and curves.
// Without flags it trains the recipe quick on the pictures that come with the project.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/history"
	"vgg/internal/cli"
	"vgg/internal/progress"
	"vgg/trainer"
)

type flags struct {
	Recipe      string   `help:"Recipe to train by: a name from --list-recipes or a TOML file; default quick." placeholder:"NAME|FILE" xor:"recipe"`
	ListRecipes bool     `help:"List the recipes that come with the program."`
	Config      string   `help:"Net to train: A, A-LRN, B, C, D, E, or the shallow B-5x5 of section 4.1." placeholder:"NET"`
	Data        string   `help:"Pictures: a folder or archive (zip, tar, tar.gz) of class folders, ILSVRC-2012, CIFAR or IDX files, or embedded." placeholder:"SPEC"`
	Resume      string   `help:"Go on with the run in this directory, from its last checkpoint." placeholder:"DIR" xor:"recipe,out"`
	Force       []string `help:"Key of the recipe, or data, that may differ from the run's when it is resumed; repeatable." placeholder:"KEY"`
	Out         string   `help:"Run directory; default runs/RECIPE-NET-TIME." placeholder:"DIR" xor:"out"`
	Epochs      *int     `help:"Passes over the training pictures, at most." placeholder:"N"`
	Batch       *int     `help:"Pictures a step." placeholder:"N"`
	MicroBatch  *int     `help:"Pictures in memory at once; the gradients of a batch are summed over them." placeholder:"N"`
	LR          *float64 `name:"lr" help:"First learning rate." placeholder:"RATE"`
	Width       *float64 `help:"Multiplier of the channels of every convolution." placeholder:"FACTOR"`
	FC          *int     `name:"fc" help:"Width of the hidden fully connected layers." placeholder:"N"`
	Init        string   `help:"Initialiser: paper, small, glorot or he." placeholder:"NAME"`
	Seed        *uint64  `help:"Seed of every random draw." placeholder:"N"`
	Weights     string   `help:"Start from all layers of these weights." placeholder:"FILE" xor:"start"`
	InitFrom    string   `help:"Start as section 3.1 does: first four convolutions and fully connected layers from this net A." placeholder:"FILE" xor:"start"`
	Set         []string `help:"Change any key of the recipe, such as schedule.patience=2; repeatable." placeholder:"KEY=VALUE" sep:"none"`
	cli.Threads
}

func main() {
	var f flags
	cli.Main("train", "Train a VGG net by the schedule of the paper (arXiv 1409.1556, section 3.1).", &f, func(ctx context.Context) error {
		if f.ListRecipes {
			return listRecipes()
		}
		return train(ctx, f)
	})
}

func listRecipes() error {
	tw := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, r := range configs.Recipes() {
		fmt.Fprintf(tw, "%s\t%s\n\tstarts from: %s\n", r.Name, r.Description, r.StartFrom)
	}
	return errors.Wrap(tw.Flush(), "list of recipes")
}

// recipe loads the recipe and applies the flags to it.
func (f flags) recipe() (configs.Recipe, error) {
	name, flag := f.Recipe, "--recipe"
	if f.Resume != "" {
		name, flag = filepath.Join(f.Resume, trainer.RecipeFile), "--resume"
		if _, err := os.Stat(name); err != nil {
			return configs.Recipe{}, errors.Wrapf(err, "--resume %s: not a run directory: give the --out of a run that has begun", f.Resume)
		}
	}
	if name == "" {
		name = configs.Recipes()[0].Name
	}
	r, err := configs.LoadRecipe(name)
	if err != nil {
		return r, errors.Wrap(err, flag)
	}
	written, set := r, f.Set
	text := func(key, value string) {
		if value != "" {
			set = append(set, key+"="+value)
		}
	}
	text("config", f.Config)
	text("data", f.Data)
	text("net.init", f.Init)
	text("weights", f.Weights)
	text("init_from", f.InitFrom)
	number(&set, "training.epochs", f.Epochs)
	number(&set, "training.batch", f.Batch)
	number(&set, "training.micro_batch", f.MicroBatch)
	number(&set, "training.learning_rate", f.LR)
	number(&set, "net.width", f.Width)
	number(&set, "net.fc", f.FC)
	number(&set, "training.seed", f.Seed)
	if err := r.Apply(set...); err != nil {
		return r, errors.Wrap(err, "--set")
	}
	if r.Data == "" {
		return r, errors.Errorf("recipe %s names no pictures: give a folder or archive with --data", r.Name)
	}
	if !r.SameMeasured(written) {
		r.Statistics = configs.Statistics{}
	}
	return r, r.Validate()
}

func number[T int | uint64 | float64](set *[]string, key string, value *T) {
	if value != nil {
		*set = append(*set, fmt.Sprintf("%s=%v", key, *value))
	}
}

func train(ctx context.Context, f flags) error {
	if err := f.Threads.Apply(); err != nil {
		return err
	}
	r, err := f.recipe()
	if err != nil {
		return cli.Usage(err)
	}
	job := trainer.Job{Recipe: r, Dir: f.Out, Force: f.Force}
	if f.Resume != "" {
		job.Dir, job.Resume = f.Resume, true
	}
	if job.Dir == "" {
		job.Dir = filepath.Join("runs", fmt.Sprintf("%s-%s-%s", r.Name, r.Config, time.Now().Format("20060102-150405")))
	}
	job.Observer = observer{progress.NewReporter(os.Stdout, job.Dir, r)}
	start := time.Now()
	h, err := trainer.Train(ctx, job)
	if err != nil {
		return hinted{err, job.Dir}
	}
	return finish(h, job.Dir, time.Since(start))
}

// finish prints the result and the files of the run.
func finish(h history.History, dir string, elapsed time.Duration) error {
	best, ok := h.Best()
	if !ok {
		return errors.New("no epoch was completed")
	}
	fmt.Printf("\n%d epochs in %s; lowest validation top-1 error %.2f %% in epoch %d\n", len(h), elapsed.Round(time.Second), best.ValTop1Error, best.Epoch)
	tw := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, file := range [][2]string{
		{trainer.BestFile, "weights of the best epoch"},
		{trainer.LastFile, "weights of the last epoch"},
		{history.FileName, "a row an epoch"},
		{progress.CurvesPNG, "loss and error curves"},
		{progress.CurvesSVG, "the same, to be scaled"},
		{trainer.RecipeFile, "the recipe as resolved: --recipe takes it to run again"},
		{trainer.SummaryFile, "the run in numbers"},
	} {
		fmt.Fprintf(tw, "%s\t%s\n", filepath.Join(dir, file[0]), file[1])
	}
	return errors.Wrap(tw.Flush(), "summary")
}
