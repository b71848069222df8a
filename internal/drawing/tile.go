package drawing

import (
	"image"
	"image/color"
	"strings"

	"golang.org/x/image/draw"
)

// Tile is a square of some side with a picture as large as fits in it, in a frame, and a strip with a text below, both
// of one colour. The strip is a fifth of the side high, or a sixth for each line of a text of several.
func (p *Pen) Tile(picture image.Image, side int, text string, colour color.RGBA) (*image.RGBA, error) {
	lines := strings.Split(text, "\n")
	strip, line := side/5, max(1, side/30)
	if len(lines) > 1 {
		strip = side / 6
	}
	c, err := p.canvas(image.Pt(side, side+strip*len(lines)), strip)
	if err != nil {
		return nil, err
	}
	c.fill(c.Rect, colour)
	inner := image.Rect(line, line, side-line, side-line)
	c.fill(inner, color.RGBA{0xe8, 0xe8, 0xe8, 0xff})
	size := picture.Bounds().Size()
	fitted := image.Pt(inner.Dx(), max(1, size.Y*inner.Dx()/size.X))
	if size.Y*inner.Dx() > size.X*inner.Dy() {
		fitted = image.Pt(max(1, size.X*inner.Dy()/size.Y), inner.Dy())
	}
	corner := inner.Min.Add(inner.Size().Sub(fitted).Div(2))
	draw.ApproxBiLinear.Scale(c.RGBA, image.Rectangle{Min: corner, Max: corner.Add(fitted)}, picture, picture.Bounds(), draw.Src, nil)
	for i, text := range lines {
		text = c.fit(text, side-2*line)
		c.write(text, image.Pt((side-c.measure(text))/2, side+i*strip-line/2), contrast(colour))
	}
	return c.RGBA, c.err
}
