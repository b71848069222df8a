// Command predict says what trained nets see in pictures, and writes the features of appendix B of the paper
// (arXiv 1409.1556).
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/dataset"
	"vgg/evaluate"
	"vgg/internal/cli"
	"vgg/internal/progress/bar"
)

type flags struct {
	Pictures    []string `arg:"" help:"Pictures, folders of them, or - for one on standard input." name:"picture"`
	Weights     string   `help:"Weights of a trained net, such as RUN/best.safetensors." required:"" placeholder:"FILE"`
	Top         int      `help:"Classes to name for each picture (${default})." default:"5" placeholder:"N"`
	Logits      bool     `help:"Give the scores before the soft-max too."`
	Features    string   `help:"Write the values of this layer, averaged over mirror images, places and scales, with an L2 norm of 1 (appendix B): fc6 or fc7." enum:",fc6,fc7" default:"" placeholder:"LAYER"`
	Out         string   `help:"File for the features, whose name ends in .csv or .npy; the pictures' names are in the first column, or in FILE.npy.txt." placeholder:"FILE"`
	BadPictures string   `help:"stop at a picture that cannot be read, or skip it (${default})." enum:"stop,skip" default:"stop" placeholder:"stop|skip"`
	JSON        bool     `name:"json" help:"Print one JSON object."`
	cli.Protocols
	cli.Overrides
	cli.Threads
}

func main() {
	var f flags
	cli.Main("predict", "Say what a trained net sees in pictures.", &f, func(ctx context.Context) error { return run(ctx, f, os.Stdin, os.Stdout) })
}

func run(ctx context.Context, f flags, stdin io.Reader, stdout *os.File) error {
	if err := check(f); err != nil {
		return err
	}
	if err := f.Threads.Apply(); err != nil {
		return err
	}
	list, err := find(f.Pictures)
	if err != nil {
		return err
	}
	w, err := f.ReadWeights(f.Weights)
	if err != nil {
		return errors.Wrap(err, "--weights")
	}
	model, err := evaluate.NewModel(f.Weights, w)
	if err != nil {
		return errors.Wrap(cli.NameOverrides(err), "--weights")
	}
	defer model.Close()
	tested, err := f.Protocols.Options(model)
	if err != nil {
		return err
	}
	p := &predictor{flags: f, model: model, stdin: stdin, options: evaluate.PredictOptions{
		Protocol: tested.Protocol, Scales: tested.Scales, Batch: tested.Batch, Features: f.Features}}
	if !f.JSON {
		p.text = stdout
	}
	if len(list) > 1 && (f.JSON || !bar.IsTerminal(stdout)) {
		p.bar = bar.New(os.Stderr, len(list), "")
	}
	// What has been computed before an error is not lost.
	err = p.predict(ctx, list)
	if f.Features != "" && len(p.done) > 0 {
		if writing := writeFeatures(f.Out, p.done); err == nil {
			err = errors.Wrap(writing, "--out")
		}
	}
	if f.JSON && (err == nil || len(p.done) > 0) {
		if printing := p.printJSON(stdout); err == nil {
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
	case f.Out != "" && featureWriters[ending(f.Out)] == nil:
		return cli.Usage(errors.Errorf("--out %s: want a name that ends in .csv or .npy", f.Out))
	}
	return f.Protocols.Check()
}

// predictor answers for pictures, some at a time.
type predictor struct {
	flags
	model   *evaluate.Model
	options evaluate.PredictOptions
	stdin   io.Reader
	text    io.Writer // nil where JSON is printed at the end
	bar     bar.Bar
	done    []result
	skipped []dataset.Skip
}

// result is the answer for a picture.
type result struct {
	name string
	evaluate.Answer
}

// predict goes through the pictures; while the net computes, the next ones are decoded.
func (p *predictor) predict(ctx context.Context, list []found) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for batch := range decoded(ctx, list, p.Batch, p.stdin) {
		var names []string
		var pictures []augment.Picture
		var stop error
		for _, d := range batch {
			if d.err == nil {
				names, pictures = append(names, d.name), append(pictures, d.picture)
			} else if stop = p.pass(d); stop != nil {
				break
			}
		}
		answers, err := p.model.Predict(p.options, pictures...)
		if err != nil {
			return err
		}
		p.bar.Clear()
		for i, a := range answers {
			p.done = append(p.done, result{names[i], a})
			if p.text != nil {
				p.print(p.done[len(p.done)-1])
			}
		}
		if stop != nil {
			return stop
		}
		p.bar.Add(len(batch))
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(p.done) == 0 {
		return errors.Errorf("none of %d files could be read as a picture; the last, %s: %s", len(list), p.skipped[len(p.skipped)-1].Picture, p.skipped[len(p.skipped)-1].Reason)
	}
	return nil
}

// pass names a picture that cannot be read and goes on, or gives the error to stop with. Files of a folder that are no
// pictures at all never stop it.
func (p *predictor) pass(d decodedPicture) error {
	if p.BadPictures == "stop" && !(d.inFolder && errors.Is(d.err, dataset.ErrFormat)) {
		return errors.Wrapf(d.err, "%s cannot be read (--bad-pictures skip goes on without)", d.name)
	}
	p.bar.Clear()
	fmt.Fprintf(os.Stderr, "passed over: %s: %v\n", d.name, d.err)
	p.skipped = append(p.skipped, dataset.Skip{Picture: d.name, Reason: d.err.Error()})
	return nil
}

// top are the most probable classes.
func (p *predictor) top(a evaluate.Answer) []int {
	return a.Ranking()[:min(p.Top, len(a.Probabilities))]
}

func (p *predictor) print(r result) {
	fmt.Fprintln(p.text, r.name)
	for _, class := range p.top(r.Answer) {
		fmt.Fprintf(p.text, "%9.2f %%", 100*r.Probabilities[class])
		if p.Logits {
			fmt.Fprintf(p.text, "  %9.4f", r.Logits[class])
		}
		fmt.Fprintf(p.text, "  %s\n", p.model.Info.Classes[class])
	}
}

// class is one of the most probable ones, in JSON.
type class struct {
	Name        string  `json:"class"`
	Index       int     `json:"index"`
	Probability float64 `json:"probability"`
}

// answer is what JSON says of a picture.
type answer struct {
	Picture string    `json:"picture"`
	Top     []class   `json:"top"`
	Logits  []float64 `json:"logits,omitempty"`
}

func (p *predictor) printJSON(w io.Writer) error {
	scales := p.options.Scales
	if scales == nil {
		scales = []int{p.model.Scale()}
	}
	object := map[string]any{
		"weights": p.flags.Weights, "config": p.model.Info.Config, "protocol": p.options.Protocol, "scales": scales,
		"skipped": append([]dataset.Skip{}, p.skipped...),
	}
	if p.flags.Features != "" {
		object["features"], object["out"] = p.flags.Features, p.flags.Out
	}
	answers := []answer{}
	for _, r := range p.done {
		a := answer{Picture: r.name}
		for _, c := range p.top(r.Answer) {
			a.Top = append(a.Top, class{p.model.Info.Classes[c], c, r.Probabilities[c]})
		}
		if p.flags.Logits {
			a.Logits = r.Answer.Logits
		}
		answers = append(answers, a)
	}
	object["pictures"] = answers
	return errors.Wrap(json.NewEncoder(w).Encode(object), "--json")
}
