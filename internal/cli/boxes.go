package cli

import (
	"os"
	"strconv"
	"strings"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/evaluate"
)

// Boxes are flags, for commands to embed, that say which nets predict boxes, and how these become guesses (appendix A).
type Boxes struct {
	Boxes       []string `help:"Weights of a net that predicts boxes, and the scales Q at which it does, such as FILE@352,384; its own if none are given. Repeated, the boxes of all nets are joined." placeholder:"FILE[@Q,…]" sep:"none" group:"Boxes (appendix A):"`
	BoxProtocol string   `help:"What these nets see of a picture: dense (all of it), multi-crop (5×5 crops and their mirrored ones) or center (one crop)." default:"dense" enum:"dense,multi-crop,center" placeholder:"dense|…" group:"Boxes (appendix A):"`
	BoxClasses  int      `help:"Most probable classes whose boxes are guesses: 1 to 5." default:"5" placeholder:"N" group:"Boxes (appendix A):"`
	BoxMerge    float64  `help:"Match score up to which boxes are merged, above 0 and at most 1; 0 for equal boxes, above 1 for those that do not overlap." default:"0.7" placeholder:"T" group:"Boxes (appendix A):"`
	Draw        string   `help:"Folder for the pictures with their boxes drawn." placeholder:"DIR" group:"Boxes (appendix A):"`
}

// Check refuses flags that make no sense for any net.
func (b Boxes) Check() error {
	switch {
	case len(b.Boxes) == 0 && b.Draw != "":
		return Usage(errors.New("--draw DIR draws boxes: give the net that predicts them too, with --boxes FILE"))
	case len(b.Boxes) == 0 && (b.BoxProtocol != string(configs.Dense) || b.BoxClasses != evaluate.MostGuesses || b.BoxMerge != evaluate.DefaultMergeLimit):
		return Usage(errors.New("--box-protocol, --box-classes and --box-merge are about boxes: give the net that predicts them too, with --boxes FILE"))
	case b.BoxClasses < 1 || b.BoxClasses > evaluate.MostGuesses:
		return Usage(errors.Errorf("--box-classes %d: want 1 to %d", b.BoxClasses, evaluate.MostGuesses))
	case !(b.BoxMerge > 0 && b.BoxMerge <= 1):
		return Usage(errors.Errorf("--box-merge %g: want a score above 0 and at most 1", b.BoxMerge))
	}
	if b.Draw == "" {
		return nil
	}
	return errors.Wrap(os.MkdirAll(b.Draw, 0o777), "--draw")
}

// Options are what the flags mean, beside those of the nets that classify.
func (b Boxes) Options(o evaluate.Options) evaluate.BoxOptions {
	return evaluate.BoxOptions{Options: o, Boxes: configs.Protocol(b.BoxProtocol), Classes: b.BoxClasses, Limit: b.BoxMerge}
}

// Read reads the nets.
func (b Boxes) Read(notes *Notes) (all []evaluate.Localiser, err error) {
	for _, text := range b.Boxes {
		file, scales, err := fileAndScales(text)
		if err != nil {
			return nil, Usage(errors.Wrapf(err, "--boxes %s", text))
		}
		w, err := Overrides{}.ReadWeights(file)
		if err != nil {
			return nil, errors.Wrap(err, "--boxes")
		}
		m, err := evaluate.NewModel(file, w)
		if err == nil {
			err = errors.Wrap(m.Info.PredictsBoxes(), file)
		}
		if err != nil {
			return nil, errors.Wrap(err, "--boxes")
		}
		notes.Add(w.Notes...)
		all = append(all, evaluate.Localiser{Model: m, Scales: scales})
	}
	return all, nil
}

// fileAndScales takes FILE@Q,… apart. A file whose own name ends so is that file.
func fileAndScales(text string) (file string, scales []int, err error) {
	at := strings.LastIndex(text, "@")
	if _, err := os.Stat(text); at < 0 || err == nil {
		return text, nil, nil
	}
	scales, err = numbers(text[at+1:])
	return text[:at], scales, err
}

// numbers reads positive numbers with commas between them.
func numbers(text string) (all []int, err error) {
	for _, part := range strings.Split(text, ",") {
		q, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || q < 1 {
			return nil, errors.Errorf("scales %q: want numbers such as 256,384,512", text)
		}
		all = append(all, q)
	}
	return all, nil
}
