// Command predict names the most probable classes of pictures by a trained net, or writes their features as in appendix
// B of the paper (arXiv 1409.1556).
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/pkg/errors"

	"vgg/dataset"
	"vgg/evaluate"
	"vgg/internal/cli"
	"vgg/internal/drawing"
	"vgg/internal/featurefile"
	"vgg/internal/progress/bar"
	"vgg/internal/terminal"
	"vgg/weights"
)

type flags struct {
	Pictures    []string `arg:"" help:"Pictures, folders of them, or - for one on standard input." name:"picture"`
	Weights     string   `help:"File of weights, or a run directory, whose best.safetensors is taken." required:"" placeholder:"FILE"`
	Top         int      `help:"Classes to name for each picture." default:"5" placeholder:"N"`
	Logits      bool     `help:"Give the scores before the soft-max too."`
	Features    string   `help:"Write the outputs of this layer, averaged over mirrored crops, places and scales, with an L2 norm of 1 (appendix B): fc7, or any other but the last, such as conv5_3." placeholder:"LAYER"`
	Out         string   `help:"File for the features, whose name ends in .csv or .npy; the pictures' names are in the first column, or in FILE.npy.txt." placeholder:"FILE"`
	BadPictures string   `help:"stop at a picture that cannot be read, or skip it." enum:"stop,skip" default:"stop" placeholder:"stop|skip"`
	JSON        bool     `name:"json" help:"Print one JSON object."`
	CSV         bool     `name:"csv" help:"With --boxes: print them as CSV."`
	cli.Protocols
	cli.Boxes
	cli.Overrides
	cli.Threads
}

const description = `Say what a trained net sees in pictures.

Examples:

    go run ./cmd/predict --weights runs/RUN PICTURE.jpg
    go run ./cmd/predict --weights runs/RUN --top 1 FOLDER`

func main() {
	var f flags
	cli.Main("predict", description, &f, func(ctx context.Context) error { return run(ctx, f, os.Stdin, cli.Stdout) })
}

func run(ctx context.Context, f flags, stdin io.Reader, stdout terminal.File) error {
	if err := check(f); err != nil {
		return err
	}
	if err := f.Threads.Apply(); err != nil {
		return err
	}
	for _, file := range featurefile.Files(f.Out) {
		if err := cli.CheckOutput("--out", file); err != nil {
			return err
		}
	}
	list, err := cli.FindPictures(f.Pictures)
	if err != nil {
		return err
	}
	var notes cli.Notes
	model, err := f.ReadModel(f.Weights, &notes)
	if err != nil {
		return err
	}
	if model.Info.Classifies() != nil {
		return errors.Errorf("--weights %s: the net predicts boxes: give it as --boxes %[1]s, and the net that classifies as --weights", f.Weights)
	}
	defer model.Close()
	o, err := f.Protocols.Options(model)
	if err != nil {
		return err
	}
	o.Features = f.Features
	if f.Features != "" {
		if _, err := model.FeatureWidth(f.Features); err != nil {
			return cli.Usage(errors.Wrap(err, "--features"))
		}
	}
	p := &predictor{flags: f, notes: &notes, model: model, options: o, files: cli.NewPictureFiles(list, stdin, model.Info.Channels)}
	if p.localisers, err = f.Boxes.Read(&notes); err != nil {
		return err
	}
	var note string
	if p.classes, note = weights.NameImageNet(model.Info.Classes); note != "" {
		notes.Add(fmt.Sprintf("%s: %s (--classes FILE gives others)", f.Weights, note))
	}
	if !f.JSON && !f.CSV {
		p.text = stdout
	}
	if len(list) > 1 && (p.text == nil || terminal.Width(stdout) == 0) {
		p.bar = bar.New(os.Stderr, len(list), "")
	}
	// What was predicted before an error is written all the same.
	err = p.predict(ctx)
	p.bar.Clear()
	notes.Add(p.pen.Notes()...)
	if f.Features != "" && len(p.done) > 0 {
		table := featurefile.Table[float64]{Rows: len(p.done), Name: func(i int) string { return p.done[i].name }, Row: func(i int) []float64 { return p.done[i].Features }}
		if writing := table.Write(f.Out); err == nil {
			err = errors.Wrap(writing, "--out")
		}
	}
	printAll := map[bool]func(io.Writer) error{true: p.printJSON, false: p.printCSV}[f.JSON]
	if (f.JSON || f.CSV) && (err == nil || len(p.done) > 0) {
		if printing := printAll(stdout); err == nil {
			err = printing
		}
	}
	return err
}

func check(f flags) error {
	switch {
	case f.Top < 1:
		return cli.Usage(errors.Errorf("--top %d: want at least 1", f.Top))
	case (f.Features == "") != (f.Out == ""):
		return cli.Usage(errors.New("--features LAYER and --out FILE: want both or neither"))
	case f.Out != "" && !featurefile.Known(f.Out):
		return cli.Usage(errors.Errorf("--out %s: want a name that ends in .csv or .npy", f.Out))
	}
	if err := checkBoxes(f); err != nil {
		return err
	}
	return f.Protocols.Check()
}

// predictor predicts files.
type predictor struct {
	flags
	notes      *cli.Notes
	model      *evaluate.Model
	classes    []string             // their names, to be printed
	localisers []evaluate.Localiser // nil if no boxes are wanted
	options    evaluate.Options
	files      *cli.PictureFiles
	text       io.Writer // nil where JSON or CSV is printed at the end
	bar        bar.Bar
	done       []prediction
	skipped    []dataset.Skip
	pen        drawing.Pen
}

// prediction is that of a file.
type prediction struct {
	name        string
	orientation uint16 // of the stored picture
	evaluate.Localisation
}

// predict predicts the files, and prints each prediction at once if text is wanted.
func (p *predictor) predict(ctx context.Context) error {
	p.options.Skip = p.skip
	models := []*evaluate.Model{p.model}
	if p.localisers == nil {
		cli.NoteNarrowView(p.notes, p.options, "--scales", p.files, p.model)
	}
	var err error
	if p.localisers != nil {
		err = evaluate.Localise(ctx, models, p.localisers, p.files, p.Boxes.Options(p.options), p.add)
	} else {
		err = evaluate.Predict(ctx, models, p.files, p.options, func(e evaluate.Prediction) error { return p.add(evaluate.Localisation{Prediction: e}) })
	}
	if err != nil {
		return err
	}
	p.files.NoteGreyed(p.notes)
	return p.files.CheckRead(p.skipped)
}

// add takes the prediction of a picture, prints it if text is wanted, and draws its boxes.
func (p *predictor) add(l evaluate.Localisation) error {
	r := prediction{p.files.Name(l.Picture), p.files.Orientation(l.Picture), l}
	p.done = append(p.done, r)
	if p.text != nil {
		p.bar.Clear()
		print := p.print
		if p.localisers != nil {
			print = p.printBoxes
		}
		if err := print(r); err != nil {
			return err
		}
	}
	p.bar.Add(1)
	if p.Draw == "" {
		return nil
	}
	return p.draw(r)
}

// skip reports a file that cannot be read and goes on, or returns the error to stop with.
func (p *predictor) skip(picture int, reason error) error {
	p.bar.Clear()
	skipped, err := p.files.Skip(picture, reason, p.BadPictures)
	if err != nil {
		return err
	}
	p.bar.Add(1)
	p.skipped = append(p.skipped, skipped)
	return nil
}

// top lists the most probable classes.
func (p *predictor) top(of prediction) []int {
	return of.Ranking()[:min(p.Top, len(of.Probabilities))]
}

func (p *predictor) print(r prediction) error {
	lines := r.name + "\n"
	for _, class := range p.top(r) {
		lines += fmt.Sprintf("%9.2f %%", 100*r.Probabilities[class])
		if p.Logits {
			lines += fmt.Sprintf("  %9.4f", r.Logits[class])
		}
		lines += fmt.Sprintf("  %s\n", p.classes[class])
	}
	_, err := io.WriteString(p.text, lines)
	return errors.Wrap(err, "the answer cannot be written")
}

// class is one of the most probable ones, in JSON.
type class struct {
	Name        string  `json:"class"`
	Index       int     `json:"index"`
	Probability float64 `json:"probability"`
}

// printedPicture is what JSON says of a picture.
type printedPicture struct {
	Picture string    `json:"picture"`
	Top     []class   `json:"top"`
	Logits  []float64 `json:"logits,omitempty"`
	printedBoxes
}

func (p *predictor) printJSON(w io.Writer) error {
	object := map[string]any{
		"weights": p.flags.Weights, "config": p.model.Info.Config, "protocol": p.options.Protocol, "scales": p.options.ScalesFor(p.model),
		"skipped": append([]dataset.Skip{}, p.skipped...), "notes": p.notes.List(),
	}
	if p.localisers != nil {
		object["boxes"], object["box_protocol"], object["box_merge"] = p.flags.Boxes.Boxes, p.BoxProtocol, p.BoxMerge
	}
	if p.flags.Features != "" {
		object["features"], object["out"] = p.flags.Features, p.flags.Out
	}
	pictures := []printedPicture{}
	for _, r := range p.done {
		picture := printedPicture{Picture: r.name, printedBoxes: p.printedBoxes(r)}
		for _, c := range p.top(r) {
			picture.Top = append(picture.Top, class{p.classes[c], c, r.Probabilities[c]})
		}
		if p.flags.Logits {
			picture.Logits = r.Logits
		}
		pictures = append(pictures, picture)
	}
	object["pictures"] = pictures
	return errors.Wrap(json.NewEncoder(w).Encode(object), "--json")
}
