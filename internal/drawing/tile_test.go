package drawing

import (
	"image"
	"image/color"
	"image/draw"
	"testing"
)

// A picture of any shape lies in the middle of the square, in a frame, above a strip with a text.
func TestTile(t *testing.T) {
	white := color.RGBA{255, 255, 255, 255}
	for _, size := range []image.Point{{10, 10}, {100, 20}, {20, 100}, {10, 300}} {
		picture := image.NewRGBA(image.Rectangle{Max: size})
		draw.Draw(picture, picture.Rect, image.NewUniform(white), image.Point{}, draw.Src)
		tile, err := new(Pen).Tile(picture, 90, "+1.00 true", Blue)
		if err != nil || tile.Rect.Size() != image.Pt(90, 108) {
			t.Fatalf("%v, error %v", tile.Rect, err)
		}
		if tile.RGBAAt(45, 44) != white || tile.RGBAAt(0, 0) != Blue || tile.RGBAAt(89, 107) != Blue {
			t.Errorf("%v: %v in the middle, %v and %v at corners", size, tile.RGBAAt(45, 44), tile.RGBAAt(0, 0), tile.RGBAAt(89, 107))
		}
		letters := 0
		for y := 90; y < 108; y++ {
			for x := range 90 {
				if tile.RGBAAt(x, y) != Blue {
					letters++
				}
			}
		}
		if letters < 50 {
			t.Errorf("%v: %d pixels of letters", size, letters)
		}
	}
}

// A text of two lines has two strips.
func TestTileLines(t *testing.T) {
	tile, err := new(Pen).Tile(image.NewRGBA(image.Rect(0, 0, 10, 10)), 90, "Sneaker\n93 %", Blue)
	if err != nil || tile.Rect.Size() != image.Pt(90, 120) {
		t.Fatalf("%v, error %v", tile.Rect, err)
	}
	for _, top := range []int{90, 105} {
		letters := 0
		for y := top; y < top+15; y++ {
			for x := range 90 {
				if tile.RGBAAt(x, y) != Blue {
					letters++
				}
			}
		}
		if letters < 50 {
			t.Errorf("%d pixels of letters from row %d", letters, top)
		}
	}
}
