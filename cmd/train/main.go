// Command train trains a VGG net by the paper's schedule and leaves a run directory with weights, history and curves.
// Without flags it trains the recipe quick on the pictures that come with the project.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/history"
	"vgg/internal/cli"
	"vgg/internal/progress"
	"vgg/internal/terminal"
	"vgg/internal/text"
	"vgg/trainer"
)

type flags struct {
	Recipe      string   `help:"Recipe to train by: a name from --list-recipes or a TOML file; default quick." placeholder:"NAME|FILE" xor:"recipe"`
	ListRecipes bool     `help:"List the recipes that come with the program."`
	Config      string   `help:"Net to train: A (vgg11), A-LRN, B (vgg13), C, D (vgg16), E (vgg19), or the shallow B-5x5 of section 4.1." placeholder:"NET"`
	Data        string   `help:"Pictures: a folder or archive (zip, tar, tar.gz) of class folders, ILSVRC-2012, CIFAR or IDX files, embedded, or embedded-scenes; default that of the recipe." placeholder:"SPEC" own:""`
	Resume      string   `help:"Go on with the run in this directory, from its last checkpoint." placeholder:"DIR" xor:"recipe,out"`
	Force       []string `help:"With --resume: key of the recipe that may differ from the run's, such as epochs; data also allows other pictures; repeatable. The run keeps the new value." placeholder:"KEY"`
	Out         string   `help:"Run directory; default runs/RECIPE-NET-TIME." placeholder:"DIR" xor:"out"`
	Epochs      *int     `help:"Passes over the training pictures, at most." placeholder:"N"`
	Batch       *int     `help:"Pictures a step." placeholder:"N"`
	MicroBatch  *int     `help:"Pictures in memory at once; the gradients of a batch are summed over them." placeholder:"N"`
	LR          *float64 `name:"lr" help:"First learning rate." placeholder:"RATE"`
	Width       *float64 `help:"Multiplier of the channels of every convolution." placeholder:"FACTOR"`
	FC          *int     `name:"fc" help:"Width of the hidden fully connected layers." placeholder:"N"`
	Init        string   `help:"Initialiser: paper, small, glorot (xavier), he (kaiming), or identity: he but for net C's 1×1 convolutions, which start as the identity." placeholder:"NAME"`
	Seed        *uint64  `help:"Seed of every random draw." placeholder:"N"`
	Weights     string   `help:"Start from all layers of this file, or of the best.safetensors of a run directory; all but the last if the data have other classes. Pixels are normalised as these weights expect." placeholder:"FILE" xor:"start"`
	InitFrom    string   `help:"Start as section 3.1 does: first four convolutions and fully connected layers from this net A, a file or a run." placeholder:"FILE" xor:"start"`
	Mean        string   `help:"Mean to subtract from pixels of 0 to 255; default that of the weights to start from, or of the training pictures." placeholder:"R,G,B"`
	Std         string   `help:"Standard deviation to divide by afterwards (1: none); default as for --mean." placeholder:"R,G,B"`
	Set         []string `help:"Change any key of the recipe, such as schedule.patience=2; repeatable." placeholder:"KEY=VALUE" sep:"none"`
	cli.Threads
}

const description = `Train a VGG net by the schedule of the paper (arXiv 1409.1556, section 3.1).

Examples:

    go run ./cmd/train
    go run ./cmd/train --recipe flowers --data PICTURES.zip`

func main() {
	var f flags
	cli.Main("train", description, &f, func(ctx context.Context) error {
		if f.ListRecipes {
			return listRecipes()
		}
		return train(ctx, f)
	})
}

func listRecipes() error {
	table := terminal.Table{Gap: 2}
	for _, r := range configs.Recipes() {
		table.Rows = append(table.Rows, []string{r.Name, r.Description}, []string{"", "starts from: " + r.StartFrom})
	}
	return errors.Wrap(table.Fprint(cli.Stdout), "list of recipes")
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
	text("augment.pixel_mean", f.Mean)
	text("augment.pixel_std", f.Std)
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
	if err := configs.CheckKeys(f.Force...); err != nil {
		return r, errors.Wrap(err, "--force")
	}
	if len(f.Force) > 0 && f.Resume == "" {
		return r, errors.New("--force: goes with --resume DIR: a new run takes any recipe")
	}
	if f.Resume != "" && (r.Weights != written.Weights || r.InitFrom != written.InitFrom || r.Net.Init != written.Net.Init) {
		return r, errors.New("--resume: the run has its weights already: --weights, --init-from and --init are for a new one")
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
	world := cli.World
	if err := f.Threads.Apply(); err != nil {
		return err
	}
	stalled := func(err error) { cli.Abort("train", err) }
	if world.Rank() > 0 {
		_, err := trainer.Train(ctx, trainer.Job{Recipe: configs.Recipe{Data: f.Data}, World: world, Stalled: stalled})
		return err
	}
	r, err := f.recipe()
	if err != nil {
		return cli.Usage(err)
	}
	job := trainer.Job{Recipe: r, Dir: f.Out, Force: f.Force, World: world, Stalled: stalled}
	switch {
	case f.Resume != "":
		job.Dir, job.Resume = f.Resume, true
	case f.Out == "":
		if job.Dir, err = newRunDir(r); err != nil {
			return err
		}
		defer trainer.RemoveUnused(job.Dir)
	default:
		if _, err := os.Stat(job.Dir); os.IsNotExist(err) {
			defer trainer.RemoveUnused(job.Dir)
		}
	}
	job.Observer = observer{progress.NewReporter(cli.Stdout, job.Dir, r)}
	h, err := trainer.Train(ctx, job)
	if err != nil {
		return hinted{err, job.Dir, job.Resume}
	}
	return finish(h, job.Dir, r)
}

// newRunDir makes the default directory of a run, runs/RECIPE-NET-TIME, with a number behind it where another training
// was begun in the same second.
func newRunDir(r configs.Recipe) (string, error) {
	name := strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsDigit(c) || strings.ContainsRune("-_.", c) {
			return c
		}
		return '-'
	}, fmt.Sprintf("%.100s-%s", r.Name, r.Config))
	first := filepath.Join("runs", fmt.Sprintf("%s-%s", strings.TrimLeft(name, "."), time.Now().Format("20060102-150405")))
	if err := os.MkdirAll(filepath.Dir(first), 0o777); err != nil {
		return "", errors.Wrap(err, "cannot make the run directory (--out DIR for another folder)")
	}
	for dir, n := first, 2; ; n++ {
		err := os.Mkdir(dir, 0o777)
		if err == nil || !os.IsExist(err) {
			return dir, errors.Wrap(err, "cannot make the run directory (--out DIR for another folder)")
		}
		dir = fmt.Sprintf("%s-%d", first, n)
	}
}

// finish prints the result of the whole run, however often it was resumed, and its files.
func finish(h history.History, dir string, r configs.Recipe) error {
	best, ok := h.Best()
	if !ok {
		return errors.New("no epoch was completed")
	}
	var elapsed time.Duration
	for _, epoch := range h {
		elapsed += time.Duration(epoch.Seconds * float64(time.Second))
	}
	measured := "top-1 error"
	if r.Boxes.Regression != "" {
		measured = "error of test 1 of appendix A"
	}
	line := fmt.Sprintf("%s and %s in %s; lowest validation %s %.2f %% in epoch %d",
		text.Count(len(h), "epoch"), text.Count(h[len(h)-1].Iteration, "step"), elapsed.Round(time.Second), measured, best.ValTop1Error, best.Epoch)
	fmt.Fprintf(cli.Stdout, "\n%s\n%s:\n", terminal.Wrap(cli.Stdout, line), dir)
	files := terminal.Table{Gap: 2}
	for _, file := range [][]string{
		{trainer.BestFile, "weights of the best epoch"},
		{trainer.LastFile, "weights of the last epoch"},
		{history.FileName, "a row an epoch"},
		{trainer.CurvesPNG, "loss and error curves"},
		{trainer.CurvesSVG, "the same, to be scaled"},
		{trainer.RecipeFile, "the recipe as resolved, for --recipe"},
		{trainer.SummaryFile, "the run in numbers"},
	} {
		if _, err := os.Stat(filepath.Join(dir, file[0])); err == nil { // else it could not be written, or was removed
			files.Rows = append(files.Rows, []string{"  " + file[0], file[1]})
		}
	}
	return errors.Wrap(files.Fprint(cli.Stdout), "summary")
}
