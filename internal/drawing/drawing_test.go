package drawing

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"vgg/boxes"
)

// plain is a picture of one colour.
func plain(width, height int, colour color.RGBA) *image.RGBA {
	p := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range p.Pix {
		p.Pix[i] = []uint8{colour.R, colour.G, colour.B, colour.A}[i%4]
	}
	return p
}

// TestLegible: a drawing of a small picture is enlarged by a whole factor, and of each mark enough is seen on any
// ground. VGG_DRAWINGS=DIR writes two drawings to look at.
func TestLegible(t *testing.T) {
	marks := []Mark{
		{boxes.Box{XMin: 0.1, YMin: 0.1, XMax: 0.6, YMax: 0.7}, "true: Ankle boot", White, true},
		{boxes.Box{XMin: 0.15, YMin: 0.05, XMax: 0.7, YMax: 0.65}, "Ankle boot 0.97", Blue, false},
		{boxes.Box{XMin: 0.5, YMin: 0.5, XMax: 1.2, YMax: 1.1}, "Sneaker 0.02", Vermilion, false},
	}
	for _, size := range []image.Point{{64, 64}, {500, 333}, {1, 1}, {3000, 30}} {
		for _, colour := range []color.RGBA{{20, 20, 20, 255}, {250, 250, 250, 255}, {0, 114, 178, 255}} {
			drawn, err := new(Pen).Boxes(plain(size.X, size.Y, colour), marks)
			if err != nil {
				t.Fatal(err)
			}
			got := drawn.Rect.Size()
			if got.X%size.X != 0 || got.X/size.X != got.Y/size.Y || max(got.X, got.Y) < min(leastSide, longestSide) {
				t.Errorf("%v: drawn as %v", size, got)
			}
			found := map[color.RGBA]int{}
			for y := range got.Y {
				for x := range got.X {
					found[drawn.RGBAAt(x, y)]++
				}
			}
			if least := min(got.X, got.Y); least >= 400 {
				for _, m := range marks {
					if m.Colour != colour && found[m.Colour] < least {
						t.Errorf("%v on %v: %d pixels of %v", size, colour, found[m.Colour], m.Colour)
					}
				}
			}
		}
	}
	if dir := os.Getenv("VGG_DRAWINGS"); dir != "" {
		for _, side := range []int{64, 2000} {
			drawn, err := new(Pen).Boxes(plain(side, side*3/4, color.RGBA{90, 120, 60, 255}), marks)
			if err != nil {
				t.Fatal(err)
			}
			f, err := os.Create(filepath.Join(dir, map[int]string{64: "small.png", 2000: "large.png"}[side]))
			if err != nil {
				t.Fatal(err)
			}
			if err := png.Encode(f, drawn); err != nil {
				t.Fatal(err)
			}
			f.Close()
		}
	}
}

// TestFileName: the number, the folder's name without, and what tells pictures of one file apart.
func TestFileName(t *testing.T) {
	for name, want := range map[string]string{
		"a/cat.1.jpg":                       "00007-cat.1.png",
		"t10k-images.idx3-ubyte, picture 3": "00007-t10k-images.idx3-ubyte__picture_3.png",
		"embedded-scenes, training scene 2": "00007-embedded-scenes__training_scene_2.png",
	} {
		if got := FileName(7, name); got != want {
			t.Errorf("%s becomes %s, want %s", name, got, want)
		}
	}
}
