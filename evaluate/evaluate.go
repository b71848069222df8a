// Package evaluate tests trained nets as section 3.2 of the paper (arXiv 1409.1556) does: on one crop of a picture, on
// the whole of it (dense), on a grid of crops, or on both; at one scale Q or several; with one net or several whose
// soft-max outputs are averaged.
//
// In go weights files and a split of a data set; out come top-1 and top-5 errors with their intervals, a confusion
// matrix, and each picture's prediction. Model.Predict sees pictures of unknown class in the same ways, and gives the
// features of appendix B too.
package evaluate

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/configs"
	"vgg/dataset"
)

// grid is the number of crops along a side, section 3.2's 5.
const grid = 5

// Options say how nets are tested.
type Options struct {
	Protocol configs.Protocol // "" = center
	Scales   []int            // Q, the smaller side of the rescaled picture; several are averaged. nil = each net's own (Model.Scale)
	Batch    int              // crops at a time; 0 = 10
	Skips    *dataset.Skips
}

func (o Options) withDefaults() Options {
	if o.Protocol == "" {
		o.Protocol = configs.Center
	}
	if o.Batch == 0 {
		o.Batch = 10
	}
	return o
}

func (o Options) check() error {
	switch {
	case !slices.Contains(configs.Protocols(), o.Protocol):
		return errors.Errorf("evaluate: protocol %q: want one of %v", o.Protocol, configs.Protocols())
	case o.Batch < 1:
		return errors.Errorf("evaluate: a batch of %d crops: want at least 1", o.Batch)
	}
	return nil
}

// checkScales refuses pictures that are smaller than the net's input.
func (m *Model) checkScales(o Options) error {
	for _, q := range m.scales(o) {
		if q != 0 && q < m.Info.Input {
			return errors.Errorf("evaluate: pictures rescaled to Q = %d are smaller than the input of %s, %d×%[3]d: want scales of at least %[3]d", q, m.Name, m.Info.Input)
		}
	}
	return nil
}

// Prediction is what the nets make of a picture.
type Prediction struct {
	Picture       int // in the split
	Class         int // the true one
	Probabilities []float64
}

// Ranking gives the classes, the most probable first, of equals the lower one.
func (p Prediction) Ranking() []int {
	order := make([]int, len(p.Probabilities))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch pa, pb := p.Probabilities[a], p.Probabilities[b]; {
		case pa > pb:
			return -1
		case pa < pb:
			return 1
		}
		return 0
	})
	return order
}

// Run tests models together on the pictures of a split, and tells each prediction, in their order, to each (nil: nobody).
func Run(ctx context.Context, models []*Model, split dataset.Split, o Options, each func(Prediction) error) (*Result, error) {
	o = o.withDefaults()
	if err := check(models, split, o); err != nil {
		return nil, err
	}
	looks := map[*Model][]look{}
	for _, m := range models {
		looks[m] = m.looks(o)
	}
	result := newResult(models[0].Info.Classes)
	for picture, err := range prepared(ctx, split, models, looks, o.Skips) {
		if err != nil {
			return nil, err
		}
		if picture.views == nil {
			continue // passed over
		}
		p := Prediction{Picture: picture.index, Class: split.Label(picture.index), Probabilities: make([]float64, len(models[0].Info.Classes))}
		for i, m := range models {
			if err := m.add(p.Probabilities, looks[m], picture.views[i], o.Batch, 1/float64(len(models))); err != nil {
				return nil, err
			}
		}
		result.add(p)
		if each != nil {
			if err := each(p); err != nil {
				return nil, err
			}
		}
	}
	return result, ctx.Err()
}

func check(models []*Model, split dataset.Split, o Options) error {
	switch {
	case len(models) == 0:
		return errors.New("evaluate: no nets")
	case split.Len() == 0:
		return errors.New("evaluate: no pictures to test on")
	}
	if err := o.check(); err != nil {
		return err
	}
	for _, m := range models {
		if !slices.Equal(m.Info.Classes, models[0].Info.Classes) {
			return errors.Errorf("evaluate: %s and %s cannot be fused: they know other classes: %s", models[0].Name, m.Name, difference(models[0].Info.Classes, m.Info.Classes))
		}
		if m.Info.Channels != models[0].Info.Channels {
			return errors.Errorf("evaluate: %s is for %d channels, %s for %d", models[0].Name, models[0].Info.Channels, m.Name, m.Info.Channels)
		}
		if err := m.checkScales(o); err != nil {
			return err
		}
	}
	for i := range split.Len() {
		if l := split.Label(i); l >= len(models[0].Info.Classes) {
			return errors.Errorf("evaluate: %s is of class %d, and %s knows %d classes", split.Name(i), l, models[0].Name, len(models[0].Info.Classes))
		}
	}
	return nil
}

// difference lists the classes that only one of two nets knows, or says where their order differs.
func difference(a, b []string) string {
	var all []string
	for _, side := range []struct {
		which       string
		mine, other []string
	}{{"first", a, b}, {"second", b, a}} {
		if only := missing(side.mine, side.other); len(only) > 0 {
			all = append(all, fmt.Sprintf("only the %s knows %s", side.which, list(only)))
		}
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

// missing are those of the names that others does not hold.
func missing(names, others []string) (only []string) {
	for _, name := range names {
		if !slices.Contains(others, name) {
			only = append(only, name)
		}
	}
	return only
}

// list names the first few.
func list(names []string) string {
	const most = 10
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// look is one way to see a picture: windows of which the soft-max outputs are averaged with a weight in all.
type look struct {
	protocol configs.Protocol // but both
	scale    int
	weight   float64
}

// looks are those of a protocol at all scales.
func (m *Model) looks(o Options) (all []look) {
	protocols := []configs.Protocol{o.Protocol}
	if o.Protocol == configs.Both {
		protocols = []configs.Protocol{configs.Dense, configs.MultiCrop}
	}
	scales := m.scales(o)
	for _, p := range protocols {
		for _, q := range scales {
			all = append(all, look{p, q, 1 / float64(len(protocols)*len(scales))})
		}
	}
	return all
}

func (m *Model) scales(o Options) []int {
	if o.Scales == nil {
		return []int{m.Scale()}
	}
	return o.Scales
}

// windows are what a look sees of a picture.
func (l look) windows(p augment.Picture, input, multiple int) []augment.Crop {
	width, height := p.Resized(l.scale)
	switch l.protocol {
	case configs.Dense:
		// The net halves pictures: what does not divide is left out at the edges.
		return bothWays(p.Centre(l.scale, max(input, width/multiple*multiple), max(input, height/multiple*multiple)))
	case configs.MultiCrop:
		var all []augment.Crop
		for _, top := range positions(height, input) {
			for _, left := range positions(width, input) {
				all = append(all, bothWays(augment.Crop{Scale: l.scale, Left: left, Top: top, Width: input, Height: input})...)
			}
		}
		return all
	}
	return []augment.Crop{p.Centre(l.scale, input, input)}
}

// positions are those of a regular grid of crops along a side, from one end to the other; a single one where all are.
func positions(side, input int) []int {
	if side == input {
		return []int{0}
	}
	at := make([]int, grid)
	for i := range at {
		at[i] = int(math.Round(float64(i*(side-input)) / (grid - 1)))
	}
	return at
}

func bothWays(w augment.Crop) []augment.Crop {
	mirrored := w
	mirrored.Mirrored = true
	return []augment.Crop{w, mirrored}
}
