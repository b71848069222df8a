package evaluate

import (
	"context"

	"github.com/pkg/errors"

	"vgg/boxes"
	"vgg/dataset"
	"vgg/dataset/annotations"
	"vgg/internal/ordered"
	"vgg/internal/threads"
	"vgg/metrics"
)

// Entry is what a result file of ILSVRC's localisation task says of a picture: its guesses, with boxes in pixels of the
// picture as it is stored, which EXIF's orientation, from 1 to 8, turns upright. Classes are those of the guesses.
func (l Localisation) Entry(orientation uint16) []annotations.Guess {
	width, height := StoredSize(l.Width, l.Height, orientation)
	entry := make([]annotations.Guess, len(l.Guesses))
	for i, g := range l.Guesses {
		entry[i] = annotations.Guess{Class: g.Class, Box: g.Box.TurnBack(orientation).Scale(width, height)}
	}
	return entry
}

// guessesOf is the reverse of Entry. It is never nil.
func guessesOf(entry []annotations.Guess, width, height float64, orientation uint16) []Guess {
	guesses := make([]Guess, len(entry))
	for i, g := range entry {
		guesses[i] = Guess{Class: g.Class, Merged: boxes.Merged{Box: g.Box.Scale(1/width, 1/height).Turn(orientation)}}
	}
	return guesses
}

// StoredSize is the size of a picture before it was turned upright.
func StoredSize(width, height int, orientation uint16) (w, h float64) {
	if orientation >= 5 {
		width, height = height, width
	}
	return float64(width), float64(height)
}

// EntriesResult is the error of the entries of a result file.
type EntriesResult struct {
	LocalisationResult
	Classes metrics.Errors // with right class, wherever the box is: wrong in the first guess, and in all
}

// ScoreEntries compares the entries of a result file, one for each picture of a split, whose classes the entries' are,
// with the boxes of the pictures that have one of their class, as test 2. It calls each with every picture that counts.
func ScoreEntries(ctx context.Context, split dataset.Boxed, entries [][]annotations.Guess, each func()) (r EntriesResult, err error) {
	if len(entries) != split.Len() {
		return r, errors.Errorf("evaluate: entries for %d pictures, and the data have %d", len(entries), split.Len())
	}
	type compared struct {
		Localisation
		err error
	}
	var counted []int
	for i := range split.Len() {
		if split.HasBox(i) {
			counted = append(counted, i)
		}
	}
	for _, c := range ordered.Map(ctx, len(counted), 4*threads.Count(), func(k int) (c compared) {
		i := counted[k]
		p, objects, err := split.Located(i)
		if err != nil {
			c.err = err
			return c
		}
		orientation, err := split.Orientation(i)
		width, height := StoredSize(p.Width, p.Height, orientation)
		c.Localisation = Localisation{Objects: objects, Guesses: guessesOf(entries[i], width, height, orientation)}
		c.Class, c.err = split.Label(i), err
		return c
	}) {
		if c.err != nil {
			return r, c.err
		}
		r.Add(c.Localisation)
		r.Classes.Add(c.classRank())
		each()
	}
	return r, ctx.Err()
}

// classRank is the number of guesses before the first of the right class; MostGuesses if none is.
func (l Localisation) classRank() int {
	for i, g := range l.Guesses {
		if g.Class == l.Class {
			return i
		}
	}
	return MostGuesses
}
