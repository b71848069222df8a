package drawing

import (
	"image"
	"image/color"

	"github.com/pkg/errors"
	"golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/norm"

	"vgg/internal/fonts"
)

// systemFonts have the letters that Go's font lacks, which has Latin, Greek and Cyrillic ones.
var systemFonts = fonts.System()

// Pen draws, and remembers the letters that no font has. The zero value is ready; it is not safe for concurrent use.
type Pen struct{ fonts.Lacking }

// canvas is a picture that is drawn on.
type canvas struct {
	*image.RGBA
	pen    *Pen
	line   int               // the width of lines
	labels []image.Rectangle // where labels are

	size            float64 // of letters, in pixels
	own             *sfnt.Font
	ascent, descent int // of all lines, those of Go's font
	faces           map[*sfnt.Font]font.Face
	err             error // the first of a font
}

// canvas makes a canvas with lines of text of some height in pixels.
func (p *Pen) canvas(size image.Point, height int) (*canvas, error) {
	own, err := opentype.Parse(gomedium.TTF)
	if err != nil {
		return nil, errors.Wrap(err, "drawing: font")
	}
	const ofLine = 0.85 // the size of letters in that of their line
	c := &canvas{RGBA: image.NewRGBA(image.Rectangle{Max: size}), pen: p, size: ofLine * float64(height), own: own, faces: map[*sfnt.Font]font.Face{}}
	face, err := c.open(own)
	if err != nil {
		return nil, err
	}
	metrics := face.Metrics()
	c.ascent, c.descent = metrics.Ascent.Ceil(), metrics.Descent.Ceil()
	return c, nil
}

// open gives a font at the size of the canvas.
func (c *canvas) open(f *sfnt.Font) (font.Face, error) {
	if face, ok := c.faces[f]; ok {
		return face, nil
	}
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: c.size, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		return nil, errors.Wrap(err, "drawing: font")
	}
	c.faces[f] = face
	return face, nil
}

// face is the font for a text, all of it.
func (c *canvas) face(text string) font.Face {
	chosen, _ := systemFonts.Choose(c.own, text)
	face, err := c.open(chosen)
	if err != nil {
		c.err = err
		return c.faces[c.own]
	}
	return face
}

// measure gives the width of a text in pixels.
func (c *canvas) measure(text string) int { return font.MeasureString(c.face(text), text).Ceil() }

// fit shortens a text to a width in pixels. Letters are composed, for fonts have few marks to put on others.
func (c *canvas) fit(text string, width int) string {
	text = norm.NFC.String(text)
	letters := []rune(text)
	for n := len(letters); c.measure(text) > width && n > 0; n-- {
		text = string(letters[:n-1]) + "…"
	}
	return text
}

// write writes a text; its left upper corner is at a point.
func (c *canvas) write(text string, at image.Point, colour color.Color) {
	_, missing := systemFonts.Choose(c.own, text)
	c.pen.Add(missing...)
	writer := font.Drawer{Dst: c.RGBA, Src: image.NewUniform(colour), Face: c.face(text), Dot: fixed.P(at.X, at.Y+c.ascent)}
	writer.DrawString(text)
}

func (c *canvas) fill(r image.Rectangle, colour color.RGBA) {
	draw.Draw(c.RGBA, r.Intersect(c.Rect), image.NewUniform(colour), image.Point{}, draw.Src)
}
