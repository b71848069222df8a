// Command reproduce repeats section 4 of the paper (arXiv 1409.1556) in miniature, and writes a report that sets Tables
// 3 to 6 beside the paper's.
package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"

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
	Data     string   `help:"Pictures, as train takes them; default those of the recipe." placeholder:"SPEC"`
	Recipe   string   `help:"Recipe that trains net A, S from scale_min to scale_max standing for the paper's [256;512]: a name or a TOML file; default miniature." default:"miniature" placeholder:"NAME|FILE"`
	Out      string   `help:"Folder of the runs, the tests and the report; what it holds already is not done again. Default runs/reproduce." default:"runs/reproduce" placeholder:"DIR"`
	Seeds    []uint64 `help:"Train everything once for each; default 1,2." default:"1,2" placeholder:"N,…"`
	Ablation bool     `help:"Also train the shallow net of section 4.1, with one 5×5 convolution for each pair of 3×3."`
	Epochs   *int     `help:"Passes over the training pictures, at most; half as many at a second training scale." placeholder:"N"`
	Set      []string `help:"Change any key of the recipe, such as training.limit=1000; repeatable." placeholder:"KEY=VALUE" sep:"none"`
	cli.Threads
}

func main() {
	var f flags
	cli.Main("reproduce", "Train and test the paper's nets in miniature, and report Tables 3 to 6 (arXiv 1409.1556, section 4).", &f,
		func(ctx context.Context) error { return run(ctx, f) })
}

func run(ctx context.Context, f flags) error {
	if err := f.Threads.Apply(); err != nil {
		return err
	}
	r, err := configs.LoadRecipe(f.Recipe)
	if err != nil {
		return cli.Usage(errors.Wrap(err, "--recipe"))
	}
	set := f.Set
	if f.Data != "" {
		set = append(set, "data="+f.Data)
	}
	if f.Epochs != nil {
		set = append(set, fmt.Sprintf("training.epochs=%d", *f.Epochs))
	}
	if err := r.Apply(set...); err != nil {
		return cli.Usage(errors.Wrap(err, "--set"))
	}
	if r.Data == "" {
		return cli.Usage(errors.Errorf("recipe %s names no pictures: give a folder or archive with --data", r.Name))
	}
	plan := reproduce.Plan{Recipe: r, Seeds: f.Seeds, Ablation: f.Ablation, Dir: f.Out, World: cli.World}
	if err := plan.Validate(); err != nil {
		return cli.Usage(err)
	}
	pictures, err := trainer.OpenData(r, func(message string) { fmt.Fprintln(os.Stderr, message) })
	if err != nil {
		return errors.Wrap(err, "--data")
	}
	defer pictures.Close()
	if err := compare(plan, pictures); err != nil {
		return err
	}
	report, err := reproduce.Run(ctx, plan, pictures, console{})
	var folder *reproduce.FolderError
	switch {
	case errors.As(err, &folder):
		return errors.Wrap(err, "--out")
	case err != nil:
		return fmt.Errorf("%w (the same command goes on from here)", err)
	case report == nil: // rank 0 has it
		return nil
	}
	fmt.Fprintln(cli.Stdout)
	for _, finding := range report.Findings {
		ours := finding.Ours
		fmt.Fprintf(cli.Stdout, "%-95s %+6.2f (%+.2f to %+.2f), paper %+.1f: %s\n", finding.Claim, ours.Value, ours.Low, ours.High, finding.Paper, finding.Verdict)
	}
	fmt.Fprintf(cli.Stdout, "\n%s, %s\n", filepath.Join(f.Out, reproduce.HTMLFile), filepath.Join(f.Out, reproduce.MarkdownFile))
	return nil
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
