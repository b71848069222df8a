package drawing

import (
	"image"
	"image/color"
	"testing"
)

// TestHeat: without a value the picture is dark and grey; the higher a value, the lighter its pixel, in grey too and
// on any picture.
func TestHeat(t *testing.T) {
	for _, colour := range []color.RGBA{{0, 0, 0, 255}, {255, 255, 255, 255}, {40, 120, 200, 255}} {
		const n = 64
		values := make([]float32, n)
		for i := range values {
			values[i] = float32(i - 1)
		}
		drawn := Heat(plain(n, 1, colour), values)
		first := drawn.RGBAAt(0, 0)
		if first != drawn.RGBAAt(1, 0) || first.R != first.G || first.G != first.B || first.R > 128 {
			t.Errorf("%v without heat is %v and %v", colour, first, drawn.RGBAAt(1, 0))
		}
		last := -1
		for x := range n {
			if grey := int(color.GrayModel.Convert(drawn.RGBAAt(x, 0)).(color.Gray).Y); x >= n/3 && grey < last {
				t.Errorf("%v: value %d is darker (%d) than the one before (%d)", colour, x-1, grey, last)
			} else {
				last = grey
			}
		}
		if hottest := drawn.RGBAAt(n-1, 0); hottest.R < 200 || hottest.B < 200 || last < 200 {
			t.Errorf("%v: the hottest is %v", colour, hottest)
		}
	}
	if cold := Heat(plain(2, 1, White), []float32{-1, 0}); cold.RGBAAt(0, 0) != cold.RGBAAt(1, 0) {
		t.Error("values of 0 and less differ")
	}
}

// TestLight: in proportion to the value, up to all but the largest of many.
func TestLight(t *testing.T) {
	values := make([]float32, 400)
	for i := range values {
		values[i] = float32(i % 100)
	}
	values[7], values[8] = 1e6, 99
	drawn := Light(values, 20)
	if drawn.Rect.Size() != image.Pt(20, 20) || drawn.Pix[0] != 0 || drawn.Pix[7] != 255 || drawn.Pix[99] != 255 || drawn.Pix[50] != 129 {
		t.Errorf("%v: %v", drawn.Rect, drawn.Pix[:100])
	}
	if dark := Light(make([]float32, 4), 2); dark.Pix[3] != 0 {
		t.Error("zeros shine")
	}
}

// TestBoard: pictures in rows, enlarged by a whole factor, on white, with letters above.
func TestBoard(t *testing.T) {
	red, blue := color.RGBA{200, 0, 0, 255}, color.RGBA{0, 0, 200, 255}
	rows := []BoardRow{{"one 12.3 %", []image.Image{plain(50, 40, red), plain(50, 40, blue)}}, {"other", []image.Image{plain(50, 40, blue), plain(50, 40, red)}}}
	drawn, err := new(Pen).Board("a title", []string{"left", "right"}, rows)
	if err != nil {
		t.Fatal(err)
	}
	found := map[color.RGBA]int{}
	for y := range drawn.Rect.Dy() {
		for x := range drawn.Rect.Dx() {
			found[drawn.RGBAAt(x, y)]++
		}
	}
	const factor = 6 // to 240 pixels of the shorter side
	if want := 2 * 50 * 40 * factor * factor; found[red] != want || found[blue] != want {
		t.Errorf("%d red pixels, %d blue ones, want %d", found[red], found[blue], want)
	}
	if found[color.RGBA{0, 0, 0, 255}] < 500 || drawn.RGBAAt(0, 0) != White {
		t.Errorf("%d black pixels; the corner is %v", found[color.RGBA{0, 0, 0, 255}], drawn.RGBAAt(0, 0))
	}
	if _, err := new(Pen).Board("", []string{"one"}, rows); err == nil {
		t.Error("two pictures for one column")
	}
	if _, err := new(Pen).Board("", nil, nil); err == nil {
		t.Error("a board of nothing")
	}
}
