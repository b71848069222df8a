package main

import (
	"fmt"
	"image"
	"math"
	"path/filepath"
	"strings"

	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/configs"
	"vgg/plots"
	"vgg/trainer"
)

// sheetSide is the number of classes, and of pictures of each, on a contact sheet at most.
const sheetSide = 10

// sheet draws the views that training by the recipe takes of some pictures in an epoch.
func (s *survey) sheet(r configs.Recipe, epoch int) (*plots.Figure, error) {
	if s.statistics.Pictures == 0 {
		return nil, errors.New("no training picture can be read")
	}
	byClass := make([][]int, len(s.set.Classes))
	for i := range s.train.Len() {
		if label := s.train.Label(i); !s.unreadable[s.train.Name(i)] {
			byClass[label] = append(byClass[label], i)
		}
	}
	view := trainer.View(r, s.set.Channels, s.statistics)
	var rows []plots.SheetRow
	for _, c := range evenly(len(byClass), sheetSide) {
		row := plots.SheetRow{Label: s.set.Classes[c]}
		for _, k := range evenly(len(byClass[c]), sheetSide) {
			tile, err := s.tile(view, r.Training.Seed, epoch, byClass[c][k])
			if err != nil {
				return nil, err
			}
			row.Pictures = append(row.Pictures, tile)
		}
		rows = append(rows, row)
	}
	title := fmt.Sprintf("%s as training sees it: recipe %s, seed %d, epoch %d", filepath.Base(s.set.Name), r.Name, r.Training.Seed, epoch)
	return plots.Sheet(rows, title, describe(view))
}

// tile is the view of picture i of the training split, whose draws depend on i.
func (s *survey) tile(view augment.View, seed uint64, epoch, i int) (image.Image, error) {
	p, err := s.train.Picture(i)
	if err != nil {
		return nil, suggestCheck(err)
	}
	values := make([]float32, s.set.Channels*view.Size*view.Size)
	if err := view.Training(values, p, seed, epoch, i); err != nil {
		return nil, errors.Wrap(err, s.train.Name(i))
	}
	return shown(view, values), nil
}

// evenly gives the places of at most most of count things, evenly spaced.
func evenly(count, most int) []int {
	places := make([]int, min(count, most))
	for i := range places {
		places[i] = i * count / len(places)
	}
	return places
}

// shown takes the normalisation of a view (C, Size, Size) back.
func shown(view augment.View, values []float32) image.Image {
	channels, area := len(view.Mean), view.Size*view.Size
	p := augment.Picture{Width: view.Size, Height: view.Size, Channels: channels, Pix: make([]uint8, len(values))}
	for i, v := range values {
		c := i / area
		level := math.Round(float64(v)*view.Std[c] + view.Mean[c])
		p.Pix[i%area*channels+c] = uint8(min(max(level, 0), 255))
	}
	return p.Image()
}

// describe says in words what a view does in training.
func describe(v augment.View) string {
	parts := []string{"not rescaled, small ones surrounded by the mean"}
	switch {
	case v.Scale.Min < v.Scale.Max:
		parts[0] = fmt.Sprintf("rescaled to S in [%d; %d]", v.Scale.Min, v.Scale.Max)
	case v.Scale.Min > 0:
		parts[0] = fmt.Sprintf("rescaled to S = %d", v.Scale.Min)
	}
	if v.Pad > 0 {
		parts = append(parts, fmt.Sprintf("border of %d with the mean", v.Pad))
	}
	from := "the centre"
	if v.Crop {
		from = "a random place"
	}
	parts = append(parts, fmt.Sprintf("%d×%d from %s", v.Size, v.Size, from))
	if v.Flip {
		parts = append(parts, "mirrored at random")
	}
	if v.ColourShift > 0 {
		parts = append(parts, fmt.Sprintf("colour shift %g", v.ColourShift))
	}
	return strings.Join(parts, ", ")
}
