package evaluate

import (
	"context"
	"slices"

	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/boxes"
	"vgg/configs"
	"vgg/dataset"
)

// Localiser is a net that predicts boxes (appendix A), with the scales Q at which it is applied; nil = its own.
type Localiser struct {
	*Model
	Scales []int
}

// TestScales are the scales at which the localiser is applied.
func (l Localiser) TestScales() []int {
	if len(l.Scales) == 0 {
		return []int{l.Scale()}
	}
	return l.Scales
}

// BoxOptions say how boxes are found. The scales, protocol and features of Options are the classification nets'.
type BoxOptions struct {
	Options
	Boxes   configs.Protocol // what localisation nets see: Dense, MultiCrop, or Center, the crop from the middle; "" = Dense
	Classes int              // the most probable classes whose boxes are guesses, at most MostGuesses; 0 = MostGuesses
	Limit   float64          // of the match scores of boxes that are merged: see boxes.Merge; 0 = DefaultMergeLimit
}

// MostGuesses is the number of guesses that ILSVRC allows for a picture.
const MostGuesses = 5

// DefaultMergeLimit was chosen on the embedded scenes (docs/localisation.md). Neither the paper nor OverFeat gives
// theirs.
const DefaultMergeLimit = 0.7

// Localisation is what nets find in a picture. Boxes are in shares of the sides of the upright picture; those of Guesses
// are clipped to it.
type Localisation struct {
	Prediction                       // of the classification nets; its probabilities are nil without any
	Width, Height int                // of the upright picture, in pixels
	Objects       []dataset.Instance // as the split has them; nil if it does not know
	Guesses       []Guess            // at most MostGuesses, the best first; nil without classification nets

	// Central is the box of the true class that each localiser predicts from the central crop at its own scale: test 1 of
	// appendix A. It is nil if the class is not known.
	Central []boxes.Box
}

// Guess is a class and where an object of it is.
type Guess struct {
	boxes.Merged
	Class       int
	Probability float64 // of the class, in the whole picture
}

// Localise calls each with what nets find in every picture of a split, in the order of the pictures: test 2 of appendix
// A. The classification nets together choose the classes. The boxes that all localisers predict for a class, at all
// places, scales and in the mirrored picture, are merged, and rated by the probabilities that the classification nets
// give to the class in the windows that the boxes are from. A guess for each class comes first, then further boxes by
// their score.
//
// Without classification nets there are no guesses, and without a class that the split knows, no central boxes.
func Localise(ctx context.Context, classifiers []*Model, localisers []Localiser, split dataset.Split, o BoxOptions, each func(Localisation) error) error {
	l, err := newLocalisation(classifiers, localisers, split, o)
	if err != nil {
		return err
	}
	return run(ctx, l.engine, l.find, each)
}

// localisation finds objects in the pictures of a test.
type localisation struct {
	classifiers int // of the engine's models, the others are localisers
	localisers  []Localiser
	options     BoxOptions
	engine      *engine
}

func newLocalisation(classifiers []*Model, localisers []Localiser, split dataset.Split, o BoxOptions) (*localisation, error) {
	o = o.withDefaults()
	localisers = slices.Clone(localisers)
	for i := range localisers {
		localisers[i].Scales = localisers[i].TestScales()
	}
	if err := o.check(classifiers, localisers, split); err != nil {
		return nil, err
	}
	var croppings [][]cropping
	models := slices.Clone(classifiers)
	for _, m := range classifiers {
		croppings = append(croppings, o.withMaps(m.croppings(o.Options, 1/float64(len(classifiers))), m, o.mapScales(localisers)))
	}
	for _, l := range localisers {
		models = append(models, l.Model)
		croppings = append(croppings, l.croppings(o.Boxes, split))
	}
	e, err := engineFor(models, croppings, split, o.Options)
	return &localisation{len(classifiers), localisers, o, e}, err
}

func (o BoxOptions) withDefaults() BoxOptions {
	o.Options = o.Options.withDefaults()
	if o.Boxes == "" {
		o.Boxes = configs.Dense
	}
	if o.Classes == 0 {
		o.Classes = MostGuesses
	}
	if o.Limit == 0 {
		o.Limit = DefaultMergeLimit
	}
	return o
}

// mapScales are those at which the classification nets rate the windows of localisers.
func (o BoxOptions) mapScales(localisers []Localiser) (all []int) {
	for _, l := range localisers {
		for _, q := range l.Scales {
			if o.Boxes != configs.Center && !slices.Contains(all, q) {
				all = append(all, q)
			}
		}
	}
	return all
}

// withMaps asks for the class scores of all windows at some scales, in those of the croppings that are as the
// localisers', and others that count in no mean.
func (o BoxOptions) withMaps(croppings []cropping, m *Model, scales []int) []cropping {
	for _, q := range scales {
		at := slices.IndexFunc(croppings, func(c cropping) bool { return c.protocol == o.Boxes && c.scale == q })
		if at < 0 {
			at = len(croppings)
			croppings = append(croppings, cropping{protocol: o.Boxes, scale: q})
		}
		croppings[at].layer, croppings[at].mapped = m.last(), true
	}
	return croppings
}

// croppings are what a localiser sees: for its boxes, and, if the split knows classes, the central crop for test 1.
func (l Localiser) croppings(protocol configs.Protocol, split dataset.Split) (all []cropping) {
	for _, q := range l.Scales {
		all = append(all, cropping{protocol: protocol, scale: q, layer: l.last(), mapped: true})
	}
	central := cropping{protocol: configs.Center, scale: l.Scale(), layer: l.last(), mapped: true}
	if !slices.Contains(all, central) && split.Len() > 0 && split.Label(0) >= 0 {
		all = append(all, central)
	}
	return all
}

// check refuses nets that do not fit together.
func (o BoxOptions) check(classifiers []*Model, localisers []Localiser, split dataset.Split) error {
	switch {
	case len(localisers) == 0:
		return errors.New("evaluate: no nets that predict boxes")
	case o.Boxes != configs.Dense && o.Boxes != configs.MultiCrop && o.Boxes != configs.Center:
		return errors.Errorf("evaluate: boxes by protocol %q: want %s, %s or %s", o.Boxes, configs.Dense, configs.MultiCrop, configs.Center)
	case o.Classes < 1 || o.Classes > MostGuesses:
		return errors.Errorf("evaluate: boxes of %d classes: want 1 to %d", o.Classes, MostGuesses)
	case !(o.Limit > 0 && o.Limit <= 1):
		return errors.Errorf("evaluate: boxes merged up to a match score of %v: want one above 0 and at most 1", o.Limit)
	case o.Features != "":
		return errors.New("evaluate: features and boxes: want one of them")
	}
	models := slices.Clone(classifiers)
	for _, m := range classifiers {
		if err := m.Info.Classifies(); err != nil {
			return errors.Wrapf(err, "evaluate: %s", m.Name)
		}
		if err := m.checkScales(o.mapScales(localisers)); err != nil {
			return err
		}
	}
	for _, l := range localisers {
		if err := l.Info.PredictsBoxes(); err != nil {
			return errors.Wrapf(err, "evaluate: %s", l.Name)
		}
		if err := l.checkScales(append(slices.Clone(l.Scales), l.Scale())); err != nil {
			return err
		}
		models = append(models, l.Model)
	}
	if len(classifiers) > 0 {
		if err := o.Options.check(classifiers); err != nil {
			return err
		}
	}
	return checkClasses(models, split)
}

// last is the name of the last layer.
func (m *Model) last() string {
	layers := m.config.FullyConnected()
	return layers[len(layers)-1].Name
}

// locate reads a picture, with its objects if the split knows them.
func locate(split dataset.Split, i int) (augment.Picture, []dataset.Instance, error) {
	if b, ok := split.(dataset.Boxed); ok {
		return b.Located(i)
	}
	p, err := split.Picture(i)
	return p, nil, err
}

// located is a picture's size, and its objects if the split knows them.
type located struct {
	size    augment.Picture // without its pixels
	objects []dataset.Instance
}
