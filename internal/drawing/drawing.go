package drawing

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/image/draw"

	"vgg/boxes"
)

// Mark is a box on a picture.
type Mark struct {
	boxes.Box        // in shares of the picture's sides
	Label     string // "" for none
	Colour    color.RGBA
	Dashed    bool
}

// Colours that can be told apart on any picture, also by those who cannot tell red from green (Okabe and Ito, 2008).
var (
	White     = color.RGBA{255, 255, 255, 255}
	Blue      = color.RGBA{0, 114, 178, 255}
	Vermilion = color.RGBA{213, 94, 0, 255}
	Palette   = []color.RGBA{{230, 159, 0, 255}, {86, 180, 233, 255}, {0, 158, 115, 255}, {240, 228, 66, 255}, {204, 121, 167, 255}}
)

// Sizes in pixels of the drawing.
const (
	leastSide   = 480  // a smaller picture is enlarged by a whole factor, so that labels have room
	longestSide = 8000 // but not beyond this
	textsOfSide = 30   // the shorter side is as long as so many lines of text are high
	leastText   = 16
	mostText    = 64
)

// Boxes draws marks on a picture; a mark covers those before it, and labels cover boxes. A small picture is enlarged by
// a whole factor.
func (p *Pen) Boxes(picture image.Image, marks []Mark) (*image.RGBA, error) {
	size := picture.Bounds().Size()
	factor := max(1, min((leastSide+min(size.X, size.Y)-1)/min(size.X, size.Y), longestSide/max(size.X, size.Y)))
	height := min(max(min(size.X, size.Y)*factor/textsOfSide, leastText), mostText)
	c, err := p.canvas(size.Mul(factor), height)
	if err != nil {
		return nil, err
	}
	c.line = max(2, height/7)
	draw.NearestNeighbor.Scale(c.RGBA, c.Rect, picture, picture.Bounds(), draw.Src, nil)
	for _, m := range marks {
		c.outline(m)
	}
	for _, m := range marks {
		c.label(m)
	}
	return c.RGBA, c.err
}

// pixels is where a mark is on the canvas: at least one line wide and high.
func (c *canvas) pixels(m Mark) image.Rectangle {
	b := m.Clip(boxes.Unit).Scale(float64(c.Rect.Dx()), float64(c.Rect.Dy()))
	round := func(v float64) int { return int(math.Round(v)) }
	r := image.Rect(round(b.XMin), round(b.YMin), round(b.XMax), round(b.YMax))
	r.Max.X, r.Max.Y = max(r.Max.X, r.Min.X+c.line), max(r.Max.Y, r.Min.Y+c.line)
	return r
}

// outline draws the edge of a box inside it, between lines that contrast with it, so that it is seen on any picture.
func (c *canvas) outline(m Mark) {
	r, edge := c.pixels(m), max(1, c.line/2)
	c.frame(r.Inset(-edge), edge, contrast(m.Colour), false)
	c.frame(r.Inset(c.line), edge, contrast(m.Colour), false)
	if m.Dashed {
		c.frame(r, c.line, contrast(m.Colour), false)
	}
	c.frame(r, c.line, m.Colour, m.Dashed)
}

// frame draws the edge of a rectangle, of some width, inside it.
func (c *canvas) frame(r image.Rectangle, width int, colour color.RGBA, dashed bool) {
	if r.Empty() {
		return
	}
	inner := r.Inset(width)
	for _, side := range []image.Rectangle{
		{r.Min, image.Pt(r.Max.X, min(r.Min.Y+width, r.Max.Y))}, {image.Pt(r.Min.X, max(r.Max.Y-width, r.Min.Y)), r.Max},
		{image.Pt(r.Min.X, inner.Min.Y), image.Pt(min(r.Min.X+width, r.Max.X), inner.Max.Y)}, {image.Pt(max(r.Max.X-width, r.Min.X), inner.Min.Y), image.Pt(r.Max.X, inner.Max.Y)},
	} {
		if !dashed {
			c.fill(side, colour)
			continue
		}
		dash := 4 * width
		for x := side.Min.X; x < side.Max.X; x += 2 * dash {
			if side.Dx() <= width {
				break
			}
			c.fill(image.Rect(x, side.Min.Y, min(x+dash, side.Max.X), side.Max.Y), colour)
		}
		for y := side.Min.Y; y < side.Max.Y; y += 2 * dash {
			if side.Dy() <= width {
				break
			}
			c.fill(image.Rect(side.Min.X, y, side.Max.X, min(y+dash, side.Max.Y)), colour)
		}
	}
}

// contrast is black or white, whichever differs more from a colour.
func contrast(c color.RGBA) color.RGBA {
	linear := func(v uint8) float64 { return math.Pow(float64(v)/255, 2.2) }
	luminance := 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
	if (luminance+0.05)*(luminance+0.05) < 0.05*1.05 { // the contrast ratio with white is larger (WCAG 2)
		return color.RGBA{255, 255, 255, 255}
	}
	return color.RGBA{0, 0, 0, 255}
}

// FileName is the name of the PNG file for a picture with a number, which makes names differ, and a name or path.
func FileName(number int, name string) string {
	base := path.Base(filepath.ToSlash(name))
	if ext := path.Ext(base); !strings.Contains(ext, ",") { // else a picture's number follows its file
		base = strings.TrimSuffix(base, ext)
	}
	clean := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`<>:"/\|?*, `, r) || r < ' ' {
			return '_'
		}
		return r
	}, base)
	return fmt.Sprintf("%05d-%s.png", number, clean)
}
