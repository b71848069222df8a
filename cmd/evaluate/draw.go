package main

import (
	"fmt"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"

	"github.com/pkg/errors"

	"vgg/boxes"
	"vgg/dataset"
	"vgg/evaluate"
	"vgg/internal/atomicfile"
	"vgg/internal/drawing"
)

// artist draws some of the pictures of a test, those with the right answer and the others apart.
type artist struct {
	dir     string // "" draws none
	split   dataset.Boxed
	classes []string
	every   int // of the pictures is drawn
	drawing.Pen
}

func newArtist(dir string, split dataset.Boxed, classes []string, most int) *artist {
	return &artist{dir: dir, split: split, classes: classes, every: (split.Len() + most - 1) / most}
}

// drawn is the number of pictures that are drawn if all can be read.
func (a *artist) drawn() int { return (a.split.Len() + a.every - 1) / a.every }

// draw draws a picture with its true boxes and the first guess, or the box of test 1 if there are no guesses; and, if
// that is wrong, with the guess that is right.
func (a *artist) draw(l evaluate.Localisation) error {
	if a.dir == "" || l.Picture%a.every != 0 {
		return nil
	}
	p, err := a.split.Picture(l.Picture)
	if err != nil {
		return err
	}
	var marks []drawing.Mark
	for _, o := range l.Objects {
		if o.Class >= 0 {
			marks = append(marks, drawing.Mark{Box: o.Box, Label: "true: " + a.classes[o.Class], Colour: drawing.White, Dashed: true})
		}
	}
	answer, right := a.answers(l)
	picture, err := a.Boxes(p.Image(), append(marks, answer...))
	if err != nil {
		return err
	}
	folder := filepath.Join(a.dir, map[bool]string{true: "right", false: "wrong"}[right])
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return errors.Wrap(err, "--draw")
	}
	file := filepath.Join(folder, drawing.FileName(l.Picture, a.split.Name(l.Picture)))
	return errors.Wrap(atomicfile.Encode(file, func(w io.Writer) error { return png.Encode(w, picture) }), "--draw")
}

// answers are the boxes that nets gave, and whether the first is right.
func (a *artist) answers(l evaluate.Localisation) (marks []drawing.Mark, right bool) {
	if l.Guesses == nil {
		right = boxes.RightInTest1(l.CentralOverlap(0))
		return []drawing.Mark{{Box: l.Central[0], Label: fmt.Sprintf("%s, IoU %.2f", a.classes[l.Class], l.CentralOverlap(0)), Colour: colourOf(right)}}, right
	}
	rank := l.Rank()
	for i, g := range l.Guesses {
		if i == 0 || i == rank {
			label := fmt.Sprintf("%d: %s %.2f", i+1, a.classes[g.Class], g.Probability)
			marks = append(marks, drawing.Mark{Box: g.Box, Label: label, Colour: colourOf(i == rank)})
		}
	}
	return marks, rank == 0
}

func colourOf(right bool) color.RGBA {
	if right {
		return drawing.Blue
	}
	return drawing.Vermilion
}
