// Command generalise tests how well the features of trained nets do on other data, with a linear SVM, as appendix B of
// the paper (arXiv 1409.1556) does.
package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/pkg/errors"

	"vgg/dataset/transfer"
	"vgg/evaluate"
	"vgg/generalise"
	"vgg/internal/cli"
	"vgg/internal/featurefile"
	"vgg/internal/page"
	"vgg/internal/progress/bar"
	"vgg/svm"
)

type flags struct {
	Weights   []string `help:"File of weights, or a run directory, whose best.safetensors is taken; repeated, the features of the nets are stacked." required:"" placeholder:"FILE" sep:"none"`
	Data      string   `help:"The other pictures: VOC's folder or archives, Caltech's, or anything that train takes." required:"" placeholder:"SPEC"`
	Task      string   `help:"What is to be told: classification (what is in a picture) or action (what a person in a box does; VOC only)." enum:"classification,action" default:"classification" placeholder:"NAME"`
	Year      int      `help:"VOC's year, where the folder has several." placeholder:"YEAR"`
	Scales    string   `help:"Test scales Q: paper (appendix B's for the set, in proportion to the net's input), one, several (as evaluate takes them), or numbers such as 256,384,512." default:"paper" placeholder:"LIST"`
	Aggregate string   `help:"How scales are put together: mean or stack; by default as appendix B does, mean on VOC's sets and stack on others." enum:",mean,stack" default:"" placeholder:"mean|stack"`
	Regions   string   `help:"What features are of: picture, or picture-and-box (both stacked; the default for actions)." enum:",picture,picture-and-box" default:"" placeholder:"NAME"`
	Layer     string   `help:"Layer that gives the features, any but the last." default:"fc7" placeholder:"LAYER"`

	C         string  `name:"c" help:"Values of the SVM's C to try; the best on the validation samples is taken." default:"0.01,0.1,1,10,100" placeholder:"LIST" group:"SVM and splits:"`
	Loss      string  `help:"Loss of the SVM: hinge or squared-hinge." enum:"hinge,squared-hinge" default:"hinge" placeholder:"NAME" group:"SVM and splits:"`
	Splits    *int    `help:"Random splits of a set that has none of its own; default 3." placeholder:"N" group:"SVM and splits:"`
	PerClass  *int    `help:"Pictures of each class to train on, a fifth of them to choose C; default 30, for Caltech-256 60." placeholder:"N" group:"SVM and splits:"`
	Test      string  `help:"Most pictures of each class to test on, or rest for all others; default 50, for Caltech-256 rest." placeholder:"N|rest" group:"SVM and splits:"`
	SplitSeed *uint64 `help:"Seed that draws the splits; default 0." placeholder:"N" group:"SVM and splits:"`

	Baselines bool   `help:"Test raw pixels and a net of random weights too."`
	Cache     string `help:"Folder that keeps the outputs of nets for later runs; by default vgg/features in the user's cache folder." placeholder:"DIR"`
	Out       string `help:"File for the features, whose name ends in .csv or .npy, with the samples' names as predict writes them." placeholder:"FILE"`
	Results   string `help:"Folder for the result files of VOC's server: the scores of the test samples, a file a class." placeholder:"DIR"`
	Report    string `help:"Folder for report.html and report.md: the table, each class, precision against recall, and the best and worst pictures." placeholder:"DIR"`
	JSON      bool   `name:"json" help:"Print one JSON object."`
	cli.Overrides
	cli.Threads
}

const description = `Test the features of trained nets on other data (arXiv 1409.1556, appendix B).

Examples:

    go run ./cmd/generalise --weights RUN --data VOC2012
    go run ./cmd/generalise --weights RUN --data Caltech101`

func main() {
	var f flags
	cli.Main("generalise", description, &f, func(ctx context.Context) error { return run(ctx, f) })
}

func run(ctx context.Context, f flags) error {
	o, grid, err := f.check()
	if err != nil {
		return err
	}
	if err := f.Threads.Apply(); err != nil {
		return err
	}
	t := &test{flags: f, bar: bar.New(os.Stderr, 1, ""), grid: grid}
	defer t.close()
	if err := t.open(o); err != nil {
		return err
	}
	if err := t.run(ctx); err != nil {
		return err
	}
	unwritten := t.unwritten
	if f.Report != "" {
		unwritten = cmp.Or(unwritten, errors.Wrap(t.report(), "--report"))
	}
	if f.JSON {
		return cmp.Or(t.printJSON(cli.Stdout), unwritten)
	}
	return cmp.Or(t.print(cli.Stdout), unwritten)
}

// check refuses flags that make no sense for any set, and reads those with lists.
func (f flags) check() (o transfer.Options, grid []float64, err error) {
	if cli.World.Size() > 1 {
		return o, nil, cli.Usage(errors.New("generalise works as one process: start it without mpirun"))
	}
	o = transfer.Options{Task: transfer.Task(f.Task), Year: f.Year}
	for _, part := range strings.Split(f.C, ",") {
		c, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil || !(c > 0) || math.IsInf(c, 0) || len(grid) > 0 && c <= grid[len(grid)-1] {
			return o, nil, cli.Usage(errors.Errorf("--c %q: want numbers above 0, each larger than the one before, such as 0.1,1,10", f.C))
		}
		grid = append(grid, c)
	}
	for _, n := range []struct {
		flag      string
		given, to *int
		least     int
	}{{"--splits", f.Splits, &o.Splits, 1}, {"--per-class", f.PerClass, &o.Train, 2}} {
		if n.given == nil {
			continue
		}
		if *n.given < n.least {
			return o, nil, cli.Usage(errors.Errorf("%s %d: want at least %d", n.flag, *n.given, n.least))
		}
		*n.to = *n.given
	}
	if f.SplitSeed != nil {
		o.Seed = *f.SplitSeed
	}
	switch n, err := strconv.Atoi(f.Test); {
	case f.Test == "rest":
		o.Test = transfer.Rest
	case f.Test != "" && (err != nil || n < 1):
		return o, nil, cli.Usage(errors.Errorf("--test %q: want a number from 1, or rest", f.Test))
	default:
		o.Test = n
	}
	if f.Out != "" && !featurefile.Known(f.Out) {
		return o, nil, cli.Usage(errors.Errorf("--out %s: want a name that ends in .csv or .npy", f.Out))
	}
	for _, file := range featurefile.Files(f.Out) {
		if err := cli.CheckOutput("--out", file, append(f.Weights, f.Data)...); err != nil {
			return o, nil, err
		}
	}
	if f.Report != "" {
		if err := os.MkdirAll(f.Report, 0o777); err != nil {
			return o, nil, errors.Wrap(err, "--report")
		}
		if err := page.Check(f.Report); err != nil {
			return o, nil, errors.Wrap(err, "--report")
		}
	}
	return o, grid, nil
}

// test is a run of the command.
type test struct {
	flags
	bar   bar.Bar
	notes cli.Notes
	grid  []float64
	set   *transfer.Set
	nets  []generalise.Net

	options  generalise.Options
	features *generalise.Features
	result   *generalise.Result

	pixels, random *generalise.Result // nil unless --baselines

	unwritten error // what was wrong with writing files
}

func (t *test) close() {
	for _, n := range t.nets {
		n.Close()
	}
	if t.set != nil {
		t.set.Close()
	}
}

// notice prints a note, and keeps it.
func (t *test) notice(message string) {
	t.bar.Clear()
	t.notes.Add(message)
}

// open reads the nets and opens the set.
func (t *test) open(o transfer.Options) error {
	var models []*evaluate.Model
	for _, file := range t.Weights {
		m, err := t.ReadModel(file, &t.notes)
		if err != nil {
			return err
		}
		models = append(models, m)
		t.nets = append(t.nets, generalise.Net{Model: m})
		if m.Info.Classifies() != nil {
			return errors.Errorf("--weights %s: the net predicts boxes: want one that classifies", file)
		}
		if m.Info.Channels == 1 {
			t.notes.Add(m.Name + " is for grey pictures: colours are left out")
		}
	}
	o.Notice = t.notice
	set, err := transfer.Open(t.Data, o)
	if err != nil {
		return errors.Wrap(err, "--data")
	}
	t.set = set
	if err := t.fits(); err != nil {
		return err
	}
	if err := t.scale(models); err != nil {
		return err
	}
	t.options = generalise.Options{Layer: t.Layer, Aggregate: generalise.Aggregation(t.Aggregate), Cache: t.Cache, Notice: t.notice}
	if t.Aggregate == "" {
		t.options.Aggregate = generalise.DefaultAggregation(set)
	}
	if t.Cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return errors.Wrap(err, "no folder for features: give one with --cache DIR")
		}
		t.options.Cache = filepath.Join(dir, "vgg", "features")
	}
	return t.options.Check(t.nets)
}

// scale gives the nets their scales.
func (t *test) scale(models []*evaluate.Model) error {
	if t.Scales == "paper" {
		for i, m := range models {
			t.nets[i].Scales = generalise.DefaultScales(t.set, m)
		}
		return nil
	}
	o, err := cli.Protocols{Scales: t.Scales}.Options(models...)
	if err != nil {
		return err
	}
	for i, m := range models {
		t.nets[i].Scales = o.ScalesFor(m)
	}
	return nil
}

// fits refuses flags that the set has no use for.
func (t *test) fits() error {
	ofVOC := t.set.Year != 0
	switch {
	case ofVOC && (t.Splits != nil || t.PerClass != nil || t.Test != "" || t.SplitSeed != nil):
		return cli.Usage(errors.Errorf("--splits, --per-class, --test, --split-seed: %s has splits of its own: leave them out", t.Data))
	case t.Year != 0 && !ofVOC:
		return cli.Usage(errors.Errorf("--year %d: %s is none of VOC's sets: leave it out", t.Year, t.Data))
	case t.Results == "":
		return nil
	case !ofVOC:
		return cli.Usage(errors.Errorf("--results: result files are VOC's, and %s is none of its sets: leave it out", t.Data))
	case len(t.set.Splits[0].Test) == 0:
		return errors.Errorf("--results: %s has no test pictures: unpack VOC's archive of test pictures beside the others", t.Data)
	}
	return errors.Wrap(os.MkdirAll(t.Results, 0o777), "--results")
}

// run computes features, trains on them and writes files.
func (t *test) run(ctx context.Context) error {
	regions := generalise.Regions(t.Regions)
	if regions == "" {
		regions = generalise.WholePicture
		if t.set.Task == transfer.Action {
			regions = generalise.PictureAndBox
		}
		t.Regions = string(regions)
	}
	pictures, err := generalise.Read(ctx, t.set, regions, t.bar)
	if err != nil {
		return err
	}
	if t.features, err = pictures.Features(ctx, t.nets, t.options); err != nil {
		return err
	}
	t.bar.Clear()
	if t.Out != "" {
		f := t.features
		table := featurefile.Table[float32]{Rows: len(f.Samples), Name: f.Name, Row: f.Row}
		t.unwritten = errors.Wrap(table.Write(t.Out), "--out")
	}
	if t.result, err = t.classify(ctx, "features", t.features); err != nil {
		return err
	}
	if t.Results != "" {
		_, err := t.set.WriteResults(t.Results, t.result.Splits[0].Scores)
		t.unwritten = cmp.Or(t.unwritten, errors.Wrap(err, "--results"))
	}
	if !t.Baselines {
		return nil
	}
	return t.baselines(ctx, pictures)
}

// baselines tests raw pixels and nets of random weights.
func (t *test) baselines(ctx context.Context, pictures *generalise.Pictures) error {
	pixels, err := pictures.Pixels(ctx, t.nets[0].Model)
	if err != nil {
		return err
	}
	if t.pixels, err = t.classify(ctx, "raw pixels", pixels); err != nil {
		return err
	}
	var nets []generalise.Net
	for i, n := range t.nets {
		m, err := generalise.RandomWeights(n.Model, uint64(i+1))
		if err != nil {
			return err
		}
		defer m.Close()
		nets = append(nets, generalise.Net{Model: m, Scales: n.Scales})
	}
	random, err := pictures.Features(ctx, nets, t.options)
	if err != nil {
		return err
	}
	t.bar.Clear()
	t.random, err = t.classify(ctx, "random weights", random)
	return err
}

// classify trains on features, and notes which values of C are left out, and where the best lies at the grid's edge.
func (t *test) classify(ctx context.Context, what string, f *generalise.Features) (*generalise.Result, error) {
	loss, err := svm.ParseLoss(t.Loss)
	if err != nil {
		return nil, err
	}
	r, err := generalise.Classify(ctx, f, t.grid, svm.Options{Loss: loss, Bias: 1, Seed: 1})
	t.bar.Clear()
	if err != nil {
		return nil, errors.WithMessage(err, what)
	}
	for _, line := range r.LeftOut() {
		t.notice(what + ": " + line + ": --c chooses the grid")
	}
	said := map[float64]bool{}
	for _, s := range r.Splits {
		if s.Choice.AtEdge && !said[s.Choice.C] {
			said[s.Choice.C] = true
			t.notice(what + ": " + t.edge(s.Choice))
		}
	}
	return r, nil
}

// edge says why a better C than one at the edge may be missing.
func (t *test) edge(c svm.Choice) string {
	if 0 < c.Best && c.Best < len(c.Grid)-1 {
		return fmt.Sprintf("the best C, %g, is beside values of --c %s that are left out: a finer grid may hold a better one", c.C, t.C)
	}
	return fmt.Sprintf("the best C, %g, is at the edge of --c %s: a wider grid may hold a better one", c.C, t.C)
}
