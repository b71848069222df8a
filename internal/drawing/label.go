package drawing

import (
	"image"

	"github.com/pkg/errors"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// canvas is a picture that is drawn on.
type canvas struct {
	*image.RGBA
	line   int // the width of lines
	font   font.Face
	labels []image.Rectangle // where labels are
}

// setFont loads the font of Go, which has Latin, Greek and Cyrillic letters, with lines of some height in pixels.
func (c *canvas) setFont(height int) error {
	parsed, err := opentype.Parse(gomedium.TTF)
	if err != nil {
		return errors.Wrap(err, "drawing: font")
	}
	const ofLine = 0.85 // the size of letters in that of their line
	c.font, err = opentype.NewFace(parsed, &opentype.FaceOptions{Size: ofLine * float64(height), DPI: 72, Hinting: font.HintingFull})
	return errors.Wrap(err, "drawing: font")
}

// label writes a mark's label on its colour, where it covers the least of other labels: above the box, inside it, or
// below.
func (c *canvas) label(m Mark) {
	if m.Label == "" {
		return
	}
	metrics := c.font.Metrics()
	ascent, height, margin := metrics.Ascent.Ceil(), (metrics.Ascent + metrics.Descent).Ceil(), 2*c.line
	text := c.fit(m.Label, c.Rect.Dx()-2*margin)
	size := image.Pt(font.MeasureString(c.font, text).Ceil()+2*margin, height)
	at := c.place(c.pixels(m), size)
	c.labels = append(c.labels, at)
	c.fill(at.Inset(-max(1, c.line/2)), contrast(m.Colour))
	c.fill(at, m.Colour)
	writer := font.Drawer{Dst: c.RGBA, Src: image.NewUniform(contrast(m.Colour)), Face: c.font, Dot: fixed.P(at.Min.X+margin, at.Min.Y+ascent)}
	writer.DrawString(text)
}

// place finds the place of a label for a box.
func (c *canvas) place(box image.Rectangle, size image.Point) (best image.Rectangle) {
	least := -1
	for _, top := range []int{box.Min.Y - size.Y, box.Min.Y, box.Max.Y, box.Max.Y - size.Y} {
		for _, left := range []int{box.Min.X, box.Max.X - size.X} {
			corner := image.Pt(within(left, c.Rect.Dx()-size.X), within(top, c.Rect.Dy()-size.Y))
			at, covered := image.Rectangle{Min: corner, Max: corner.Add(size)}, 0
			for _, other := range c.labels {
				both := at.Intersect(other)
				covered += both.Dx() * both.Dy()
			}
			if corner.Y != top {
				covered++ // rather where there is room
			}
			if least < 0 || covered < least {
				best, least = at, covered
			}
		}
	}
	return best
}

func within(v, most int) int { return max(0, min(v, most)) }

// fit shortens a text to a width in pixels.
func (c *canvas) fit(text string, width int) string {
	letters := []rune(text)
	for n := len(letters); font.MeasureString(c.font, text).Ceil() > width && n > 0; n-- {
		text = string(letters[:n-1]) + "…"
	}
	return text
}
