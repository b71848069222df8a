// Command reproduce repeats section 4 and appendices A and B of the paper (arXiv 1409.1556) in miniature, and writes
// reports that set Tables 3 to 6, and 8 and 9, beside the paper's.
package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/dataset"
	"vgg/internal/cli"
	"vgg/internal/mpi"
	"vgg/internal/ranks"
	"vgg/internal/threads"
	"vgg/reproduce"
	"vgg/trainer"
)

type flags struct {
	Data     string   `help:"Pictures, as train takes them; default those of the recipe." placeholder:"SPEC" own:""`
	Recipe   string   `help:"Recipe that trains net A, S from scale_min to scale_max standing for the paper's [256;512]: a name or a TOML file; default findings." default:"findings" placeholder:"NAME|FILE"`
	Out      string   `help:"Folder of the runs, the tests and the report; what it holds already is not done again. Default runs/reproduce." default:"runs/reproduce" placeholder:"DIR"`
	Records  string   `help:"Folder of what is kept of each training and its tests: small files, from which the report is made and the work goes on elsewhere. Default OUT/records, with --full docs/findings." placeholder:"DIR"`
	Seeds    []uint64 `help:"Train everything once for each; default 1, with --full 1 to 8." placeholder:"N,…"`
	Nets     []string `help:"Nets of Table 1 to train, A among them; default A,B,D, on two thirds of the scenes, with --full or --data all six." placeholder:"NET,…"`
	Ablation bool     `help:"Also train the shallow net of section 4.1, with one 5×5 convolution for each pair of 3×3."`
	Full     bool     `help:"All of section 4 with eight seeds, tested on pictures held out, in stages of 60 minutes: the same command goes on."`
	HeldOut  string   `help:"Data set on whose validation pictures the nets are tested: nothing may have been chosen by them. The errors stay hidden until --open." placeholder:"SPEC"`
	Open     string   `help:"Open the tests on pictures held out, once all are done, and write down why." placeholder:"WHY"`
	AtOnce   int      `help:"Trainings at a time, each on its share of the threads; default one for each thread, at most 8, if the nets have at most a quarter of the paper's width, else 1." placeholder:"N"`
	Minutes  float64  `help:"End after this time; the same command goes on. Default: never, with --full 60." placeholder:"N"`
	With     []string `help:"Also do appendix A, boxes (Tables 8 and 9, DIR/localisation), or B, features (DIR/generalisation)." enum:"boxes,features" placeholder:"PART,…"`
	Only     string   `help:"Do one appendix alone: boxes or features." enum:",boxes,features" default:"" placeholder:"PART"`
	Sizes    []int    `help:"Instead of section 4, train nets A and E at the fixed scale on each of these numbers of pictures, and show where depth begins to pay." placeholder:"N,…"`
	Boxes    []string `name:"box-recipes" help:"Recipes of localisation: those of the net that classifies, and of the nets that predict boxes." default:"scenes,localise-scenes" placeholder:"NAME|FILE,NAME|FILE"`
	Epochs   *int     `help:"Passes over the training pictures, at most; half as many at a second training scale." placeholder:"N"`
	Set      []string `help:"Change any key of the recipe, such as training.limit=1000; repeatable." placeholder:"KEY=VALUE" sep:"none"`
	cli.Threads

	brief bool // half an hour's work
}

const description = `Train and test the paper's nets in miniature, and report Tables 3 to 6, 8 and 9 (arXiv 1409.1556, section 4 and appendix A).

Examples:

    go run ./cmd/reproduce
    go run ./cmd/reproduce --only boxes --seeds 1,2`

func main() {
	var f flags
	cli.Main("reproduce", description, &f,
		func(ctx context.Context) error { return run(ctx, f) })
}

func run(ctx context.Context, f flags) error {
	if err := f.Threads.Apply(); err != nil {
		return err
	}
	f, err := f.withDefaults()
	if err != nil {
		return cli.Usage(err)
	}
	var parts []func(context.Context) error
	for _, p := range []struct {
		name    string
		prepare func() (run func(context.Context) error, close func() error, err error)
	}{{nets, f.classify}, {boxes, f.localise}, {features, f.generalise}, {sizes, f.sizes}} {
		if !f.wants(p.name) {
			continue
		}
		run, close, err := p.prepare()
		if err != nil {
			return err
		}
		defer close()
		parts = append(parts, run)
	}
	stage := ctx
	if f.Minutes > 0 {
		var end func()
		stage, end = context.WithTimeout(ctx, time.Duration(f.Minutes*float64(time.Minute)))
		defer end()
	}
	for _, part := range parts {
		switch err := part(stage); {
		case err == nil:
		case stage.Err() != nil && ctx.Err() == nil && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)):
			fmt.Fprintf(cli.Stdout, "\nThe stage is over after %g minutes: %s.\n", f.Minutes, goesOn)
			return nil
		default:
			return err
		}
	}
	return nil
}

// The parts of --with and --only, and where the appendices are in the folder of the nets.
const (
	nets           = ""
	boxes          = "boxes"
	features       = "features"
	sizes          = "sizes"
	localisation   = "localisation"
	generalisation = "generalisation"
)

// wants tells whether a part is to be done.
func (f flags) wants(part string) bool {
	switch {
	case len(f.Sizes) > 0:
		return part == sizes
	case f.Only != "":
		return part == f.Only
	}
	return part == nets || slices.Contains(f.With, part)
}

// withDefaults fills in what was not given.
func (f flags) withDefaults() (flags, error) {
	if err := f.checkTogether(); err != nil {
		return f, err
	}
	if f.Full {
		f.Ablation = true
		f.Records = cmp.Or(f.Records, filepath.Join("docs", "findings"))
		f.Minutes = cmp.Or(f.Minutes, 60)
		if len(f.Seeds) == 0 {
			f.Seeds = []uint64{1, 2, 3, 4, 5, 6, 7, 8}
		}
	}
	if len(f.Seeds) == 0 {
		f.Seeds = []uint64{1}
	}
	if len(f.Nets) == 0 && !f.Full && f.Data == "" {
		f.Nets, f.brief = []string{"A", "B", "D"}, f.Recipe == findings && len(f.Sizes) == 0
	}
	const year = 366 * 24 * 60
	if !(f.Minutes >= 0 && f.Minutes <= year) {
		return f, errors.Errorf("--minutes %g: want a time of at most a year, or none", f.Minutes)
	}
	return f, nil
}

// checkTogether refuses flags that others leave without effect.
func (f flags) checkTogether() error {
	for _, one := range []struct {
		is      bool
		why     string
		without []string
	}{
		{f.Full, "--full is one set of trainings: give the flags that it stands for one by one (--seeds, --ablation, --held-out, --records, --minutes)",
			[]string{"--data", "--nets", "--only", "--epochs", "--set"}},
		{f.Only != "", "--only does one appendix: leave one of them out",
			[]string{"--with", "--nets", "--ablation", "--records", "--held-out", "--open", "--at-once", "--recipe"}},
		{len(f.Sizes) > 0, "--sizes trains nets A and E alone: leave one of them out", []string{"--nets", "--full", "--ablation", "--with", "--only"}},
		{!f.wants(boxes), "boxes are predicted with --with boxes or --only boxes", []string{"--box-recipes"}},
	} {
		if !one.is {
			continue
		}
		if err := cli.Refuse(one.why, one.without...); err != nil {
			return err
		}
	}
	switch {
	case f.Open != "" && f.HeldOut == "" && !f.Full:
		return errors.New("--open opens the tests on pictures held out: give those with --held-out SPEC")
	case f.Full && f.HeldOut == "" && f.Recipe != findings:
		return errors.Errorf("--full with --recipe %s: say with --held-out which pictures its nets are tested on", f.Recipe)
	}
	return nil
}

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
	config, seed := r.Config, r.Training.Seed
	if err := r.Apply(set...); err != nil {
		return r, cli.Usage(errors.Wrap(err, "--set"))
	}
	switch {
	case r.Config != config:
		return r, cli.Usage(errors.Errorf("--set config=%s: several nets are trained: give their names with --nets", r.Config))
	case r.Training.Seed != seed:
		return r, cli.Usage(errors.Errorf("--set training.seed=%d: give the seeds with --seeds", r.Training.Seed))
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

func printNotice(message string) { cli.Say(message) }

// plan is that of section 4, whose held-out pictures are to be closed. The caller opens its pictures.
func (f flags) plan() (plan reproduce.Plan, err error) {
	plan = reproduce.Plan{
		Seeds: f.Seeds, Nets: f.Nets, Ablation: f.Ablation, Dir: f.Out, Records: f.Records, Build: cli.Build(), Opening: f.Open, World: cli.World,
	}
	if plan.Recipe, err = f.recipe("--recipe", f.Recipe); err != nil {
		return plan, err
	}
	if own, err := configs.LoadRecipe(findings); err != nil {
		return plan, err
	} else if f.brief && plan.Recipe.Training.Limit == 0 && plan.Recipe.Data == own.Data {
		plan.Recipe.Training.Limit = briefScenes
		printNotice(fmt.Sprintf("scenes: each net trains on the first %d, which takes half an hour on two cores; with --nets, on all", briefScenes))
	}
	if err := plan.Validate(); err != nil {
		return plan, cli.Usage(err)
	}
	if plan.AtOnce, err = f.atOnce(plan.Recipe.Net.Width); err != nil {
		return plan, err
	}
	held := f.HeldOut
	if f.Full && held == "" {
		plan.Protocol, held = protocol, plan.Recipe.Data+heldOutScenes
	}
	if held != "" {
		p := plan.Recipe.Pictures
		plan.HeldOut, err = dataset.Open(held, dataset.Options{ValShare: p.ValShare, SplitSeed: p.SplitSeed, Notice: printNotice})
	}
	return plan, errors.Wrap(err, "--held-out")
}

// atOnce is the number of trainings at a time of nets of some width.
func (f flags) atOnce(width float64) (int, error) {
	const narrow, most = 0.25, 8 // nets that gain less from a second thread than a second net does; what memory surely holds
	switch alone := cli.World.Size() == 1; {
	case f.AtOnce < 0:
		return 0, cli.Usage(errors.Errorf("--at-once %d: want a number from 1 on", f.AtOnce))
	case !alone && f.AtOnce > 1:
		return 0, cli.Usage(errors.Errorf("--at-once %d: each of several ranks does one training at a time: leave it out", f.AtOnce))
	case f.AtOnce > 0:
		return f.AtOnce, nil
	case alone && width <= narrow:
		return min(threads.Count(), most), nil
	}
	return 1, nil
}

// briefScenes is how many training scenes of the recipe findings are taken where no nets were asked for.
const briefScenes = 20000

// findings is the recipe of --full, and protocol what the report then says of how its settings were chosen.
const (
	findings = "findings"
	protocol = "All settings were fixed before the first of these trainings, after 29 others on development pictures: docs/findings.md."
)

// heldOutScenes changes a recipe's scenes to those of garments by which nothing was chosen.
const heldOutScenes = ",val=test,val_pictures=10000"

// closing closes sets that are open.
func closing(sets ...*dataset.Set) func() error {
	return func() (err error) {
		for _, s := range sets {
			if s != nil {
				err = cmp.Or(err, s.Close())
			}
		}
		return err
	}
}

// classify prepares to reproduce section 4.
func (f flags) classify() (run func(context.Context) error, close func() error, err error) {
	plan, err := f.plan()
	if err != nil {
		return nil, nil, err
	}
	pictures, err := open(plan.Recipe, printNotice)
	if err == nil {
		err = compare(plan, pictures)
	}
	close = closing(pictures, plan.HeldOut)
	if err != nil {
		close()
		return nil, nil, err
	}
	return func(ctx context.Context) error {
		report, err := reproduce.Run(ctx, plan, pictures, console{plan.AtOnce > 1})
		if err != nil {
			return explain(err)
		}
		if report != nil { // rank 0 has it
			new(cli.Notes).Add(report.Notes...)
			printReport(report.Sealed, report.Tested, report.Findings, f.Out)
		}
		return nil
	}, close, nil
}

// explain adds to an error which flag is wrong, or that work can go on.
func explain(err error) error {
	var folder *reproduce.FolderError
	var records *reproduce.RecordsError
	switch {
	case errors.As(err, &folder):
		return errors.Wrap(err, "--out")
	case errors.Is(err, reproduce.ErrNotDone):
		return errors.Wrap(err, "--open")
	case errors.Is(err, reproduce.ErrRecords), errors.Is(err, reproduce.ErrDamaged), errors.As(err, &records):
		return errors.Wrap(err, "--records")
	}
	return unfinished{err}
}

// unfinished is an error after which work can go on.
type unfinished struct{ error }

func (u unfinished) Unwrap() error { return u.error }

func (u unfinished) Error() string { return u.error.Error() + " (mend that: " + goesOn + ")" }

// Interrupted is what is said of an interruption.
func (unfinished) Interrupted() string { return goesOn }

const goesOn = "the same command goes on from here"

// compare refuses ranks with another plan or other pictures, which may lie elsewhere.
func compare(p reproduce.Plan, set *dataset.Set) error {
	p.Recipe.Data = ""
	recipe, err := p.Recipe.TOML()
	if err != nil {
		return err
	}
	return ranks.Compare(p.World, set, mpi.Fact{
		Name: "the plan", Value: fmt.Sprintf("seeds %v, nets %v, ablation %t, opening %q, recipe %x", p.Seeds, p.Nets, p.Ablation, p.Opening, sha256.Sum256(recipe)),
		Remedy: "give all ranks the same flags",
	})
}
