package evaluate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/dataset"
	"vgg/internal/mpi"
	"vgg/internal/text"
)

// DefaultBatch is large enough that reading the weights of the fully connected layers takes little of a crop's time
// (go test -run x -bench Center ./evaluate), and small enough that activations take less memory than weights.
const DefaultBatch = 16

// Options say which crops of a picture nets see and what is wanted of them.
type Options struct {
	Protocol configs.Protocol // "" = center
	Scales   []int            // Q, the smaller side of the resized picture; several are averaged. nil = each net's own (Model.Scale)
	Batch    int              // most crops computed at a time, also of several pictures; 0 = DefaultBatch

	// Features is a layer of a single net, any but the last, whose outputs after the ReLU are wanted as features of the
	// picture (appendix B), those of a convolution or a pooling averaged over the places of its map; "" = none.
	Features string

	// Skip, if not nil, is called for each picture that cannot be read, in their order. If it returns nil, the picture is
	// skipped. An error from it ends the test, after the predictions of the pictures before; nil stops at the first
	// picture that cannot be read.
	Skip func(picture int, reason error) error

	// World are ranks that share the pictures: each calls Run or Predict in the same way, for the same pictures, and gets
	// all predictions, with the bits that one process would get. They return the same error, except that an error of the
	// function that takes the predictions is returned by its rank alone. nil = a single process.
	World *mpi.World
}

func (o Options) withDefaults() Options {
	if o.Protocol == "" {
		o.Protocol = configs.Center
	}
	if o.Batch == 0 {
		o.Batch = DefaultBatch
	}
	return o
}

// ScalesFor gives the scales Q at which the options test a model; 0 does not resize.
func (o Options) ScalesFor(m *Model) []int {
	if len(o.Scales) == 0 {
		return []int{m.Scale()}
	}
	return o.Scales
}

// Unresized tells whether a model sees one crop from the middle of pictures that are not resized.
func (o Options) Unresized(m *Model) bool {
	return o.withDefaults().Protocol == configs.Center && slices.Equal(o.ScalesFor(m), []int{0})
}

// Check refuses, as Predict does, options that do not fit models. It computes nothing.
func (o Options) Check(models ...*Model) error { return o.withDefaults().check(models) }

// check refuses options that do not fit the models.
func (o Options) check(models []*Model) error {
	switch {
	case !slices.Contains(configs.Protocols(), o.Protocol):
		return errors.Errorf("evaluate: protocol %q: want one of %v", o.Protocol, configs.Protocols())
	case o.Batch < 1:
		return errors.Errorf("evaluate: a batch of %d crops: want at least 1", o.Batch)
	case o.Features != "" && len(models) > 1:
		return errors.Errorf("evaluate: features of %d nets: want those of one", len(models))
	}
	for _, m := range models {
		if err := m.checkScales(o.ScalesFor(m)); err != nil {
			return err
		}
		if o.Features == "" {
			continue
		}
		if _, err := m.FeatureWidth(o.Features); err != nil {
			return err
		}
	}
	return nil
}

// checkScales refuses scales at which pictures are smaller than the model's input.
func (m *Model) checkScales(scales []int) error {
	for _, q := range scales {
		if q != 0 && q < m.Info.Input {
			return errors.Errorf("evaluate: pictures resized to Q = %d are smaller than the input of %s, %d×%[3]d: want scales of at least %[3]d", q, m.Name, m.Info.Input)
		}
		if q > mostScale {
			return errors.Errorf("evaluate: pictures resized to Q = %d: want scales of at most %d", q, mostScale)
		}
	}
	return nil
}

// mostScale is the largest test scale: far beyond use, and the sides of such a picture still are an int.
const mostScale = 1 << 30

// check refuses models that cannot be fused, and pictures of classes that they do not know.
func check(models []*Model, split dataset.Split, o Options) error {
	if len(models) == 0 {
		return errors.New("evaluate: no nets")
	}
	for _, m := range models {
		if err := m.Info.Classifies(); err != nil {
			return errors.Wrapf(err, "evaluate: %s", m.Name)
		}
	}
	if err := o.check(models); err != nil {
		return err
	}
	return checkClasses(models, split)
}

// checkClasses refuses models of other classes or channels than the first, and pictures of classes that they do not
// know.
func checkClasses(models []*Model, split dataset.Split) error {
	first := models[0]
	for _, m := range models {
		if !slices.Equal(m.Info.Classes, first.Info.Classes) {
			together := "fused"
			if first.Info.Boxes != m.Info.Boxes {
				together = "used together"
			}
			return errors.Errorf("evaluate: %s and %s cannot be %s: they know other classes: %s", first.Name, m.Name, together, difference(first.Info.Classes, m.Info.Classes))
		}
		if m.Info.Channels != first.Info.Channels {
			return errors.Errorf("evaluate: %s is for %d channels, %s for %d", first.Name, first.Info.Channels, m.Name, m.Info.Channels)
		}
	}
	for i := range split.Len() {
		if class := split.Label(i); class >= len(first.Info.Classes) {
			return errors.Errorf("evaluate: %s is of class %d, and %s knows %d classes", split.Name(i), class, first.Name, len(first.Info.Classes))
		}
	}
	return nil
}

// difference lists the classes that only one of two nets knows, or says where their order differs.
func difference(a, b []string) string {
	const most = 10
	var all []string
	if only := without(a, b); len(only) > 0 {
		all = append(all, "only the first knows "+text.FirstFew(only, most))
	}
	if only := without(b, a); len(only) > 0 {
		all = append(all, "only the second knows "+text.FirstFew(only, most))
	}
	if len(all) > 0 {
		return strings.Join(all, "; ")
	}
	for i, name := range a {
		if i >= len(b) || b[i] != name {
			return fmt.Sprintf("in another order, from class %d (%s) on", i, name)
		}
	}
	return fmt.Sprintf("%d of them and %d", len(a), len(b))
}

// without lists the names that others does not contain.
func without(names, others []string) (only []string) {
	for _, name := range names {
		if !slices.Contains(others, name) {
			only = append(only, name)
		}
	}
	return only
}
