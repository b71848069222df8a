package cli

import (
	"fmt"
	"slices"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/dataset"
	"vgg/evaluate"
)

// Protocols are flags, for commands to embed, that say which crops of a picture nets see.
type Protocols struct {
	Protocol string `help:"What a net sees of a picture: center (one crop), dense (all of it), multi-crop (50 crops a scale) or both." default:"center" placeholder:"NAME"`
	Scales   string `help:"Test scales Q: one (the net's own), several (as section 4.2 has them for the net), or numbers such as 256,384,512." default:"one" placeholder:"LIST"`
	Batch    int    `help:"Crops to compute at a time, of several pictures if they have the same shape." default:"16" placeholder:"N"`
}

// Check refuses flags that make no sense for any net.
func (p Protocols) Check() error {
	if !slices.Contains(configs.Protocols(), configs.Protocol(p.Protocol)) {
		return Usage(errors.Errorf("--protocol %q: want one of %v", p.Protocol, configs.Protocols()))
	}
	if p.Batch < 1 {
		return Usage(errors.Errorf("--batch %d: want at least 1", p.Batch))
	}
	return nil
}

// Options are what the flags mean for nets.
func (p Protocols) Options(models ...*evaluate.Model) (evaluate.Options, error) {
	if len(models) == 0 {
		return evaluate.Options{Protocol: configs.Protocol(p.Protocol), Batch: p.Batch}, nil
	}
	scales, err := p.scales(models)
	return evaluate.Options{Protocol: configs.Protocol(p.Protocol), Scales: scales, Batch: p.Batch}, Usage(err)
}

// NoteNarrowView adds a note if a model sees less than half of the first picture that can be read, with the flag that
// changes the scale.
func NoteNarrowView(notes *Notes, o evaluate.Options, flag string, pictures dataset.Split, models ...*evaluate.Model) {
	models = slices.DeleteFunc(slices.Clone(models), func(m *evaluate.Model) bool { return !o.Unresized(m) })
	if len(models) == 0 {
		return
	}
	for i := range min(pictures.Len(), 10) {
		p, err := pictures.Picture(i)
		if err != nil {
			continue // whoever reads all pictures says so
		}
		for _, m := range models {
			if view := p.NarrowView(m.Info.Input); view != "" {
				notes.Add(fmt.Sprintf("%s: %s, in the middle (%s %d resizes them)", m.Name, view, flag, m.Info.Input))
			}
		}
		return
	}
}

// OtherClasses adds to the error of weights whose classes are not those of the data what helps.
func OtherClasses(data string, err error) error {
	return errors.Errorf("--data %s and --weights %v: --classes FILE names the outputs of the weights, a line each, in their order", data, err)
}

// scales reads --scales; nil is each net's own.
func (p Protocols) scales(models []*evaluate.Model) ([]int, error) {
	switch p.Scales {
	case "one":
		return nil, nil
	case "several":
		all := models[0].Scales()
		for _, m := range models[1:] {
			if !slices.Equal(m.Scales(), all) {
				return nil, errors.Errorf("--scales several: %s takes %v, %s %v: give the numbers", models[0].Name, all, m.Name, m.Scales())
			}
		}
		if slices.Equal(all, []int{0}) {
			return nil, errors.Errorf("--scales several: %s was trained on pictures that were not resized: give the numbers", models[0].Name)
		}
		return all, nil
	}
	all, err := numbers(p.Scales)
	if err != nil {
		return nil, errors.Errorf("--scales %q: want one, several, or numbers such as 256,384,512", p.Scales)
	}
	return all, nil
}
