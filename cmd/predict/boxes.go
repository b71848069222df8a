package main

import (
	"encoding/csv"
	"fmt"
	"image/png"
	"io"
	"path/filepath"
	"strconv"

	"github.com/pkg/errors"

	"vgg/boxes"
	"vgg/evaluate"
	"vgg/internal/atomicfile"
	"vgg/internal/cli"
	"vgg/internal/drawing"
)

// leastDrawn is the probability of a class from which on its boxes are drawn; the first guess always is.
const leastDrawn = 0.05

// checkBoxes refuses flags that do not go together.
func checkBoxes(f flags) error {
	switch with := len(f.Boxes.Boxes) > 0; {
	case f.CSV && !with:
		return cli.Usage(errors.New("--csv prints boxes: give the net that predicts them too, with --boxes FILE"))
	case f.CSV && f.JSON:
		return cli.Usage(errors.New("--csv and --json: want one of them"))
	case with && f.Features != "":
		return cli.Usage(errors.New("--features and --boxes: want one of them"))
	}
	return f.Boxes.Check()
}

// located is where a guess is in the picture as it is stored, in pixels: 0 is the left or upper edge of the first.
func (r prediction) located(g evaluate.Guess) boxes.Box {
	width, height := r.storedSize()
	return g.Box.TurnBack(r.orientation).Scale(float64(width), float64(height))
}

// storedSize is the picture's before it was turned upright.
func (r prediction) storedSize() (width, height int) {
	w, h := evaluate.StoredSize(r.Width, r.Height, r.orientation)
	return int(w), int(h)
}

// about says what the numbers of boxes mean.
func (r prediction) about() string {
	width, height := r.storedSize()
	about := fmt.Sprintf("boxes in pixels of %d×%d: left, top, right, bottom", width, height)
	if r.orientation > 1 {
		about += fmt.Sprintf(", of the picture as stored, with EXIF's orientation %d", r.orientation)
	}
	return about
}

// printBoxes prints the guesses of a picture as text.
func (p *predictor) printBoxes(r prediction) error {
	lines := fmt.Sprintf("%s (%s)\n", r.name, r.about())
	for _, g := range r.Guesses {
		b := r.located(g)
		lines += fmt.Sprintf("%9.2f %%  %7.1f %7.1f %7.1f %7.1f  %s\n", 100*g.Probability, b.XMin, b.YMin, b.XMax, b.YMax, p.classes[g.Class])
	}
	_, err := io.WriteString(p.text, lines)
	return errors.Wrap(err, "the answer cannot be written")
}

// printCSV prints all guesses, a line each.
func (p *predictor) printCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"picture", "width", "height", "orientation", "guess", "class", "probability", "score", "windows", "xmin", "ymin", "xmax", "ymax"}}
	number := func(v float64, digits int) string { return strconv.FormatFloat(v, 'f', digits, 64) }
	for _, r := range p.done {
		width, height := r.storedSize()
		for i, g := range r.Guesses {
			b := r.located(g)
			rows = append(rows, []string{r.name, strconv.Itoa(width), strconv.Itoa(height), strconv.Itoa(int(r.orientation)), strconv.Itoa(i + 1),
				p.classes[g.Class], number(g.Probability, 6), number(g.Score, 6), strconv.Itoa(g.Windows),
				number(b.XMin, 2), number(b.YMin, 2), number(b.XMax, 2), number(b.YMax, 2)})
		}
	}
	return errors.Wrap(out.WriteAll(rows), "--csv")
}

// printedBox is a guess in JSON.
type printedBox struct {
	Class       string     `json:"class"`
	Index       int        `json:"index"`
	Probability float64    `json:"probability"`
	Score       float64    `json:"score"`   // sum of the probabilities of the windows
	Windows     int        `json:"windows"` // from which the box was predicted
	Box         [4]float64 `json:"box"`     // xmin, ymin, xmax, ymax in pixels of the stored picture
}

// printedBoxes are what JSON says of the boxes in a picture.
type printedBoxes struct {
	Width       int          `json:"width,omitempty"` // of the stored picture
	Height      int          `json:"height,omitempty"`
	Orientation int          `json:"orientation,omitempty"` // EXIF's, from 1 to 8
	Boxes       []printedBox `json:"boxes,omitempty"`
}

func (p *predictor) printedBoxes(r prediction) (out printedBoxes) {
	if p.localisers == nil {
		return out
	}
	out.Orientation = int(r.orientation)
	out.Width, out.Height = r.storedSize()
	for _, g := range r.Guesses {
		b := r.located(g)
		out.Boxes = append(out.Boxes, printedBox{p.classes[g.Class], g.Class, g.Probability, g.Score, g.Windows, [4]float64{b.XMin, b.YMin, b.XMax, b.YMax}})
	}
	return out
}

// draw writes an upright picture with the boxes of its probable classes.
func (p *predictor) draw(r prediction) error {
	picture, err := p.files.Picture(r.Picture)
	if err != nil {
		return err
	}
	var marks []drawing.Mark
	for i, g := range r.Guesses {
		if i > 0 && g.Probability < leastDrawn {
			continue
		}
		label := fmt.Sprintf("%s %.2f", p.classes[g.Class], g.Probability)
		mark := drawing.Mark{Box: g.Box, Label: label, Colour: drawing.Palette[i%len(drawing.Palette)]}
		marks = append([]drawing.Mark{mark}, marks...) // the best last, on top
	}
	drawn, err := p.pen.Boxes(picture.Image(), marks)
	if err != nil {
		return err
	}
	file := filepath.Join(p.Draw, drawing.FileName(r.Picture, r.name))
	return errors.Wrap(atomicfile.Encode(file, func(w io.Writer) error { return png.Encode(w, drawn) }), "--draw")
}
