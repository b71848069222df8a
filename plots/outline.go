package plots

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"vgg/boxes"
)

// Outline draws the edges of a box, in pixels of a picture, with lines of some width that lie inside it, between thin
// dark ones, so that they show on any colour.
func Outline(to draw.Image, b boxes.Box, c color.Color, width int) {
	origin := to.Bounds().Min
	r := image.Rect(int(math.Round(b.XMin)), int(math.Round(b.YMin)), int(math.Round(b.XMax)), int(math.Round(b.YMax))).Add(origin)
	frame(to, r.Inset(-1), color.Black, 1)
	frame(to, r, c, width)
	if inner := r.Inset(width); !inner.Empty() {
		frame(to, inner, color.Black, 1)
	}
}

// frame fills what is between a rectangle and the one that is smaller by width on each side.
func frame(to draw.Image, r image.Rectangle, c color.Color, width int) {
	fill := image.NewUniform(c)
	for _, side := range []image.Rectangle{
		{r.Min, image.Pt(r.Max.X, r.Min.Y+width)}, {image.Pt(r.Min.X, r.Max.Y-width), r.Max},
		{r.Min, image.Pt(r.Min.X+width, r.Max.Y)}, {image.Pt(r.Max.X-width, r.Min.Y), r.Max},
	} {
		draw.Draw(to, side.Intersect(r), fill, image.Point{}, draw.Src)
	}
}
