package plots

import (
	"image"
	"image/color"
	"image/draw"
	"testing"

	"vgg/boxes"
)

// An outline lies inside its box, between dark lines, and leaves the rest as it is.
func TestOutline(t *testing.T) {
	white, red := color.RGBA{255, 255, 255, 255}, color.RGBA{255, 0, 0, 255}
	p := image.NewRGBA(image.Rect(3, 4, 43, 34))
	draw.Draw(p, p.Rect, image.White, image.Point{}, draw.Src)
	Outline(p, boxes.Box{XMin: 10.2, YMin: 5, XMax: 30, YMax: 20}, red, 2)
	all := patches(p)
	if got, want := all[red], (patch{image.Rect(10, 5, 30, 20).Add(p.Rect.Min), 2 * (2*20 + 2*11)}); got != want {
		t.Errorf("coloured %v, want %v", got, want)
	}
	if got, want := all[color.RGBA{0, 0, 0, 255}], (patch{image.Rect(9, 4, 31, 21).Add(p.Rect.Min), 2*22 + 2*15 + 2*16 + 2*9}); got != want {
		t.Errorf("dark %v, want %v", got, want)
	}
	if all[white].count != 40*30-all[red].count-all[color.RGBA{0, 0, 0, 255}].count {
		t.Errorf("%d pixels are as they were", all[white].count)
	}
	Outline(p, boxes.Box{XMin: -50, YMin: -50, XMax: 100, YMax: 100}, red, 2) // beyond the picture: nothing is seen
	Outline(p, boxes.Box{}, red, 2)
}
