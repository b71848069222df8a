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
	"vgg/internal/cli"
	"vgg/plots"
	"vgg/trainer"
)

// sheetSide is the number of classes, and of pictures of each, on a contact sheet at most.
const sheetSide = 10

// sheet draws what training by the recipe takes of some pictures in an epoch.
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
	r.Statistics = s.statistics
	transform := trainer.Transform(r, s.set.Channels)
	var rows []plots.SheetRow
	for _, c := range evenly(len(byClass), sheetSide) {
		row := plots.SheetRow{Label: s.set.Classes[c]}
		for _, k := range evenly(len(byClass[c]), sheetSide) {
			tile, err := s.tile(transform, r.Training.Seed, epoch, byClass[c][k])
			if err != nil {
				return nil, err
			}
			row.Pictures = append(row.Pictures, tile)
		}
		rows = append(rows, row)
	}
	title := fmt.Sprintf("%s as training sees it: recipe %s, seed %d, epoch %d", filepath.Base(s.set.Name), r.Name, r.Training.Seed, epoch)
	note := describe(transform)
	if s.report.Boxes != nil {
		note += boxColours
	}
	return plots.Sheet(rows, title, note)
}

// draw writes the contact sheet, if one is wanted.
func (s *survey) draw(f flags, r configs.Recipe, notes *cli.Notes) error {
	if f.ContactSheet == "" {
		return nil
	}
	figure, err := s.sheet(r, f.Epoch)
	if err != nil {
		return err
	}
	notes.Add(figure.Notes()...)
	return figure.Save(f.ContactSheet)
}

// tile draws picture i of the training split, transformed as in training, where the random draws depend on i.
func (s *survey) tile(transform augment.Transform, seed uint64, epoch, i int) (image.Image, error) {
	p, err := s.train.Picture(i)
	if err != nil {
		return nil, suggestCheck(err)
	}
	values := make([]float32, s.set.Channels*transform.Size*transform.Size)
	if err := transform.Augment(values, p, seed, epoch, i); err != nil {
		return nil, errors.Wrap(err, s.train.Name(i))
	}
	img := shown(transform, values)
	if s.report.Boxes == nil {
		return img, nil
	}
	return s.outlined(img, transform.TrainingCrop(p, seed, epoch, i), i)
}

// evenly gives the places of at most most of count things, evenly spaced.
func evenly(count, most int) []int {
	places := make([]int, min(count, most))
	for i := range places {
		places[i] = i * count / len(places)
	}
	return places
}

// shown undoes the normalisation of an input (C, Size, Size).
func shown(transform augment.Transform, values []float32) image.Image {
	channels, area := len(transform.Mean), transform.Size*transform.Size
	p := augment.Picture{Width: transform.Size, Height: transform.Size, Channels: channels, Pix: make([]uint8, len(values))}
	for i, v := range values {
		c := i / area
		level := math.Round(float64(v)*transform.Std[c] + transform.Mean[c])
		p.Pix[i%area*channels+c] = uint8(min(max(level, 0), 255))
	}
	return p.Image()
}

// describe says in words what a transform does in training.
func describe(t augment.Transform) string {
	parts := []string{"not resized, small ones surrounded by the mean"}
	switch {
	case t.Scale.Min < t.Scale.Max:
		parts[0] = fmt.Sprintf("resized to S in [%d; %d]", t.Scale.Min, t.Scale.Max)
	case t.Scale.Min > 0:
		parts[0] = fmt.Sprintf("resized to S = %d", t.Scale.Min)
	}
	if t.Pad > 0 {
		parts = append(parts, fmt.Sprintf("border of %d with the mean", t.Pad))
	}
	from := "the centre"
	if t.RandomCrop {
		from = "a random place"
	}
	parts = append(parts, fmt.Sprintf("%d×%d from %s", t.Size, t.Size, from))
	if t.Flip {
		parts = append(parts, "mirrored at random")
	}
	if t.ColourShift > 0 {
		parts = append(parts, fmt.Sprintf("colour shift %g", t.ColourShift))
	}
	return strings.Join(parts, ", ")
}
