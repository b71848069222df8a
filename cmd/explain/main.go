// Command explain draws what in a picture a net's score of a class depends on: saliency maps, Grad-CAM and occlusion.
package main

import (
	"context"
	"io"
	"os"
	"slices"
	"strconv"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/evaluate"
	"vgg/explain"
	"vgg/internal/cli"
	"vgg/internal/terminal"
	"vgg/internal/text"
)

type flags struct {
	Pictures     []string         `arg:"" optional:"" help:"Pictures, folders of them, or - for one on standard input." name:"picture"`
	Weights      string           `help:"File of weights, or a run directory, whose best.safetensors is taken." required:"" placeholder:"FILE"`
	Class        []string         `help:"Class to explain, by its name or its number from 0; repeatable. Default: the most probable; with --data, the true one." placeholder:"NAME" sep:"none"`
	Top          int              `help:"How many of the most probable classes to explain; default 1." placeholder:"N"`
	Out          string           `help:"Folder for the drawings, a PNG a picture, and the maps, NumPy arrays." placeholder:"DIR"`
	Methods      []explain.Method `help:"Maps to make: saliency, grad-cam, occlusion (all)." default:"saliency,grad-cam,occlusion" placeholder:"LIST"`
	Protocol     string           `help:"What the net sees of a picture: center (one crop) or dense (all of it)." enum:"center,dense" default:"center" placeholder:"center|dense"`
	Scale        int              `help:"Test scale Q, the smaller side of the resized picture; default the net's own." placeholder:"Q"`
	Layer        string           `help:"Layer of Grad-CAM, such as conv5_3 or pool4; default the last convolution whose maps have 7×7 values or more." placeholder:"LAYER"`
	Grid         int              `help:"Places along a side that occlusion covers, one after the other." default:"14" placeholder:"N"`
	Square       int              `help:"Side of the covering square, in cells of that grid." default:"2" placeholder:"N"`
	Batch        int              `help:"Covered pictures to compute at a time." default:"16" placeholder:"N"`
	Data         string           `help:"Instead of files, the validation pictures of this data, as train takes it." placeholder:"SPEC"`
	Limit        int              `name:"pictures" help:"With --data: the most pictures to take, evenly spaced; 0 for all." placeholder:"N"`
	PointingGame bool             `help:"With --data that has boxes: count the maps of the true class whose peak is in a box of it."`
	BadPictures  string           `help:"stop at a picture that cannot be read, or skip it." enum:"stop,skip" default:"stop" placeholder:"stop|skip"`
	JSON         bool             `name:"json" help:"Print one JSON object."`
	cli.Overrides
	cli.Threads
}

const description = `Draw what in pictures a trained net's class scores depend on.

Examples:

    go run ./cmd/explain --weights RUN --out maps A.jpg
    go run ./cmd/explain --weights RUN --out maps FOLDER`

func main() {
	var f flags
	cli.Main("explain", description, &f, func(ctx context.Context) error { return run(ctx, f, os.Stdin, cli.Stdout) })
}

func run(ctx context.Context, f flags, stdin io.Reader, stdout terminal.File) error {
	if err := f.check(); err != nil {
		return err
	}
	if err := f.Threads.Apply(); err != nil {
		return err
	}
	if f.Out != "" {
		if err := os.MkdirAll(f.Out, 0o777); err != nil {
			return errors.Wrap(err, "--out")
		}
	}
	var notes cli.Notes
	model, err := f.ReadModel(f.Weights, &notes)
	if err != nil {
		return err
	}
	defer model.Close()
	r := &runner{flags: f, notes: &notes, model: model}
	if r.classes, err = classes(f.Class, model.Info.Classes); err != nil {
		return err
	}
	r.explainer, err = explain.New(model, explain.Options{
		Dense: f.Protocol == "dense", Scale: f.Scale, Layer: f.Layer, Grid: f.Grid, Square: f.Square, Batch: f.Batch})
	if err != nil {
		return err
	}
	defer r.explainer.Close()
	if err := r.open(stdin); err != nil {
		return err
	}
	defer r.close()
	if f.Protocol == string(configs.Center) && f.Scale == 0 {
		cli.NoteNarrowView(&notes, evaluate.Options{}, "--scale", r.split, model)
	}
	if !f.JSON {
		r.text = stdout
	}
	// What was made before an error is said all the same.
	err = r.explainAll(ctx)
	notes.Add(r.pen.Notes()...)
	if len(r.done) > 0 || err == nil {
		if printing := r.finish(stdout, err == nil); err == nil {
			err = printing
		}
	}
	return err
}

// check refuses flags that do not go together.
func (f flags) check() error {
	switch {
	case (len(f.Pictures) > 0) == (f.Data != ""):
		return cli.Usage(errors.New("pictures and --data SPEC: want one of them"))
	case f.PointingGame && f.Data == "":
		return cli.Usage(errors.New("--pointing-game needs boxes: give --data that has them, such as embedded-scenes"))
	case f.PointingGame && (len(f.Class) > 0 || f.Top > 0):
		return cli.Usage(errors.New("--pointing-game is about the true class: leave out --class and --top"))
	case f.Out == "" && !f.PointingGame:
		return cli.Usage(errors.New("--out DIR is missing: the folder for the drawings"))
	case len(f.Class) > 0 && f.Top > 0:
		return cli.Usage(errors.New("--class and --top: want one of them"))
	case f.Limit < 0, f.Limit > 0 && f.Data == "":
		return cli.Usage(errors.Errorf("--pictures %d: want a positive number, and --data", f.Limit))
	case f.Top < 0:
		return cli.Usage(errors.Errorf("--top %d: want at least 1", f.Top))
	case f.Scale < 0 || f.Grid < 1 || f.Square < 1 || f.Batch < 1:
		return cli.Usage(errors.New("--scale, --grid, --square and --batch: want positive numbers"))
	}
	for i, m := range f.Methods {
		if !slices.Contains(explain.Methods(), m) || slices.Contains(f.Methods[:i], m) {
			return cli.Usage(errors.Errorf("--methods: %q: want each of %v at most once, with commas between", m, explain.Methods()))
		}
	}
	if !slices.Contains(f.Methods, explain.Occlusion) {
		if err := cli.Refuse("these are for occlusion, which is not among --methods", "--grid", "--square"); err != nil {
			return err
		}
	}
	if !slices.Contains(f.Methods, explain.GradCAM) {
		return cli.Refuse("Grad-CAM, which it is for, is not among --methods", "--layer")
	}
	return nil
}

// classes finds classes by their names or numbers.
func classes(wanted, names []string) (found []int, err error) {
	for _, name := range wanted {
		class := slices.Index(names, name)
		if class < 0 {
			number, err := strconv.Atoi(name)
			if err != nil || number < 0 || number >= len(names) {
				return nil, errors.Errorf("--class %s: the net knows %s", name, text.FirstFew(names, 20))
			}
			class = number
		}
		if !slices.Contains(found, class) {
			found = append(found, class)
		}
	}
	return found, nil
}
