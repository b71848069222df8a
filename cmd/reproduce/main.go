// Command reproduce repeats section 4 and appendices A and B of the paper (arXiv 1409.1556) in miniature, and writes
// reports that set Tables 3 to 6, and 8 and 9, beside the paper's.
package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/dataset"
	"vgg/internal/cli"
	"vgg/internal/mpi"
	"vgg/internal/progress"
	"vgg/internal/ranks"
	"vgg/reproduce"
	"vgg/trainer"
)

type flags struct {
	Data     string   `help:"Pictures, as train takes them; default those of the recipe." placeholder:"SPEC" own:""`
	Recipe   string   `help:"Recipe that trains net A, S from scale_min to scale_max standing for the paper's [256;512]: a name or a TOML file; default miniature." default:"miniature" placeholder:"NAME|FILE"`
	Out      string   `help:"Folder of the runs, the tests and the report; what it holds already is not done again. Default runs/reproduce." default:"runs/reproduce" placeholder:"DIR"`
	Seeds    []uint64 `help:"Train everything once for each; default 1,2." default:"1,2" placeholder:"N,…"`
	Ablation bool     `help:"Also train the shallow net of section 4.1, with one 5×5 convolution for each pair of 3×3."`
	Only     string   `help:"Part to do: classification (Tables 3 to 6), localisation (Tables 8 and 9, whose folder is DIR/localisation) or generalisation (appendix B, DIR/generalisation). Without it all are done, the second if the data have boxes, the third without --data." enum:",classification,localisation,generalisation" default:"" placeholder:"PART"`
	Boxes    []string `name:"box-recipes" help:"Recipes of localisation: those of the net that classifies, and of the nets that predict boxes." default:"scenes,localise-scenes" placeholder:"NAME|FILE,NAME|FILE"`
	Epochs   *int     `help:"Passes over the training pictures, at most; half as many at a second training scale." placeholder:"N"`
	Set      []string `help:"Change any key of the recipe, such as training.limit=1000; repeatable." placeholder:"KEY=VALUE" sep:"none"`
	cli.Threads
}

const description = `Train and test the paper's nets in miniature, and report Tables 3 to 6, 8 and 9 (arXiv 1409.1556, section 4 and appendix A).

Examples:

    go run ./cmd/reproduce
    go run ./cmd/reproduce --only classification --seeds 1`

func main() {
	var f flags
	cli.Main("reproduce", description, &f,
		func(ctx context.Context) error { return run(ctx, f) })
}

func run(ctx context.Context, f flags) error {
	if err := f.Threads.Apply(); err != nil {
		return err
	}
	var parts []func(context.Context) error
	for _, p := range []struct {
		name    string
		prepare func() (run func(context.Context) error, close func() error, err error)
	}{{classification, f.classify}, {localisation, f.localise}, {generalisation, f.generalise}} {
		if f.Only != "" && f.Only != p.name {
			continue
		}
		run, close, err := p.prepare()
		if err != nil {
			return err
		}
		defer close()
		parts = append(parts, run)
	}
	for _, part := range parts {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

// The parts of --only.
const (
	classification = "classification"
	localisation   = "localisation"
	generalisation = "generalisation"
)

// recipe reads a recipe with what flags change in it.
func (f flags) recipe(flag, name string) (configs.Recipe, error) {
	r, err := configs.LoadRecipe(name)
	if err != nil {
		return r, cli.Usage(errors.Wrap(err, flag))
	}
	set := slices.Clone(f.Set)
	if f.Data != "" {
		set = append(set, "data="+f.Data)
	}
	if f.Epochs != nil {
		set = append(set, fmt.Sprintf("training.epochs=%d", *f.Epochs))
	}
	if err := r.Apply(set...); err != nil {
		return r, cli.Usage(errors.Wrap(err, "--set"))
	}
	if r.Data == "" {
		return r, cli.Usage(errors.Errorf("recipe %s names no pictures: give a folder or archive with --data", r.Name))
	}
	return r, nil
}

// open opens the data of a recipe.
func open(r configs.Recipe, notice func(string)) (*dataset.Set, error) {
	set, err := trainer.OpenData(r, notice)
	return set, errors.Wrap(err, "--data")
}

func printNotice(message string) { fmt.Fprintln(os.Stderr, message) }

// classify prepares to reproduce section 4.
func (f flags) classify() (run func(context.Context) error, close func() error, err error) {
	r, err := f.recipe("--recipe", f.Recipe)
	if err != nil {
		return nil, nil, err
	}
	plan := reproduce.Plan{Recipe: r, Seeds: f.Seeds, Ablation: f.Ablation, Dir: f.Out, World: cli.World}
	if err := plan.Validate(); err != nil {
		return nil, nil, cli.Usage(err)
	}
	pictures, err := open(r, printNotice)
	if err != nil {
		return nil, nil, err
	}
	if err := compare(plan, pictures); err != nil {
		pictures.Close()
		return nil, nil, err
	}
	return func(ctx context.Context) error {
		report, err := reproduce.Run(ctx, plan, pictures, console{})
		if err != nil {
			return explain(err)
		}
		if report != nil { // rank 0 has it
			new(cli.Notes).Add(report.Notes...)
			printFindings(report.Findings, f.Out)
		}
		return nil
	}, pictures.Close, nil
}

// localise prepares to reproduce appendix A, in a folder within the other's. If the data have no boxes, that is an
// error only where the part is asked for by name.
func (f flags) localise() (run func(context.Context) error, close func() error, err error) {
	if cli.World.Size() > 1 {
		if f.Only == localisation {
			return nil, nil, cli.Usage(errors.New("--only localisation: one process does this part: start it by itself"))
		}
		return func(context.Context) error {
			if cli.World.Rank() == 0 {
				fmt.Fprintln(os.Stderr, "note: Tables 8 and 9 are left out: one process makes them: --only localisation, started by itself")
			}
			return nil
		}, func() error { return nil }, nil
	}
	if len(f.Boxes) != 2 {
		return nil, nil, cli.Usage(errors.Errorf("--box-recipes %s: want two, such as scenes,localise-scenes", strings.Join(f.Boxes, ",")))
	}
	plan := reproduce.BoxPlan{Seeds: f.Seeds, Dir: filepath.Join(f.Out, localisation)}
	if plan.Classifier, err = f.recipe("--box-recipes", f.Boxes[0]); err != nil {
		return nil, nil, err
	}
	if plan.Boxes, err = f.recipe("--box-recipes", f.Boxes[1]); err != nil {
		return nil, nil, err
	}
	var notices []string // printed once the part begins
	pictures, err := open(plan.Boxes, func(message string) { notices = append(notices, message) })
	if err != nil {
		return nil, nil, err
	}
	if _, _, err := dataset.WithBoxes(pictures.Train); err != nil {
		if f.Only == localisation {
			pictures.Close()
			return nil, nil, errors.Wrap(err, "--data")
		}
		return func(context.Context) error {
			fmt.Fprintf(os.Stderr, "note: Tables 8 and 9 are left out: %s has no boxes\n", pictures.Name)
			return nil
		}, pictures.Close, nil
	}
	if err := plan.Validate(); err != nil {
		pictures.Close()
		return nil, nil, cli.Usage(err)
	}
	return func(ctx context.Context) error {
		for _, n := range notices {
			printNotice(n)
		}
		report, err := reproduce.RunBoxes(ctx, plan, pictures, console{})
		if err != nil {
			return explain(err)
		}
		new(cli.Notes).Add(report.Notes...)
		printFindings(report.Findings, plan.Dir)
		return nil
	}, pictures.Close, nil
}

// explain adds to an error which flag is wrong, or that work can go on.
func explain(err error) error {
	var folder *reproduce.FolderError
	if errors.As(err, &folder) {
		return errors.Wrap(err, "--out")
	}
	return unfinished{err}
}

// unfinished is an error after which work can go on.
type unfinished struct{ error }

func (u unfinished) Unwrap() error { return u.error }

func (u unfinished) Error() string { return u.error.Error() + " (" + goesOn + ")" }

// Interrupted is what is said of an interruption.
func (unfinished) Interrupted() string { return goesOn }

const goesOn = "the same command goes on from here"

// printFindings prints what a report judges, and where it is.
func printFindings(findings []reproduce.Finding, dir string) {
	fmt.Fprintln(cli.Stdout)
	for _, finding := range findings {
		ours, paper, seeds := finding.Ours, "not in the paper", ""
		if !math.IsNaN(finding.Paper) {
			paper = fmt.Sprintf("paper %+.1f", finding.Paper)
		}
		if len(finding.Each) > 1 {
			seeds = fmt.Sprintf("; over the seeds %+.2f to %+.2f", finding.Seeds.Low, finding.Seeds.High)
		}
		fmt.Fprintf(cli.Stdout, "%-95s %+6.2f (%+.2f to %+.2f%s), %s: %s\n", finding.Claim, ours.Value, ours.Low, ours.High, seeds, paper, finding.Verdict)
	}
	fmt.Fprintf(cli.Stdout, "\n%s, %s\n", filepath.Join(dir, reproduce.HTMLFile), filepath.Join(dir, reproduce.MarkdownFile))
}

// compare refuses ranks with another plan or other pictures, which may lie elsewhere.
func compare(p reproduce.Plan, set *dataset.Set) error {
	p.Recipe.Data = ""
	recipe, err := p.Recipe.TOML()
	if err != nil {
		return err
	}
	return ranks.Compare(p.World, set, mpi.Fact{
		Name: "the plan", Value: fmt.Sprintf("seeds %v, ablation %t, recipe %x", p.Seeds, p.Ablation, sha256.Sum256(recipe)),
		Remedy: "give all ranks the same flags",
	})
}

// console prints the progress.
type console struct{}

// Training is part of reproduce.Observer.
func (console) Training(dir string, r configs.Recipe) trainer.Observer {
	return progress.NewReporter(cli.Stdout, dir, r)
}

// Notice is part of reproduce.Observer.
func (console) Notice(message string) { fmt.Fprintln(cli.Stdout, message) }
