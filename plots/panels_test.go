package plots

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

func decode(t *testing.T, encoded []byte) image.Image {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

// TestTileCoordinates adds a dot at column 2 and row 1 of the figures made of tiles, and finds it in the middle of the
// only tile of its colour, which is there.
func TestTileCoordinates(t *testing.T) {
	blue, grey := color.RGBA{0, 0, 255, 255}, color.Gray{200}
	rows := make([]SheetRow, 3)
	for i := range rows {
		for range 4 {
			rows[i].Pictures = append(rows[i].Pictures, plain(8, 6, grey))
		}
	}
	rows[1].Pictures[2] = plain(8, 6, blue)
	sheet, sheetErr := Sheet(rows, "", "")

	classes := []string{"a", "b", "c"}
	colors, err := shareColors()
	if err != nil {
		t.Fatal(err)
	}
	confusion, confusionErr := Confusion(classes, [][]int{{4, 0, 0}, {3, 0, 1}, {0, 0, 4}}, "")

	w := filters(16, 1, 3)
	clear(w.Data)
	for i := range 9 {
		w.Data[9*(8+2)+i] = -1
	}
	first, filtersErr := Filters(w)

	for _, c := range []struct {
		name   string
		figure *Figure
		err    error
		tile   color.RGBA
	}{
		{"sheet", sheet, sheetErr, blue},
		{"confusion", confusion, confusionErr, colors[64]}, // a quarter
		{"filters", first, filtersErr, color.RGBA{0, 0, 0, 255}},
	} {
		if c.err != nil {
			t.Fatal(c.err)
		}
		middle := func(clr color.RGBA) image.Point {
			box := patches(decode(t, encode(t, c.figure, "png")))[clr].box
			if box.Empty() {
				t.Fatalf("%s: no pixel is %v", c.name, clr)
			}
			return box.Min.Add(box.Max)
		}
		want := middle(c.tile)
		red := color.RGBA{255, 0, 0, 255}
		c.figure.Panels[0][0].Add(&plotter.Scatter{
			XYs:        plotter.XYs{{X: 2, Y: 1}},
			GlyphStyle: draw.GlyphStyle{Color: red, Radius: 2, Shape: draw.BoxGlyph{}},
		})
		if off := middle(red).Sub(want); max(off.X, -off.X, off.Y, -off.Y) > 2 {
			t.Errorf("%s: the middle of the dot is %v half pixels from that of the tile", c.name, off)
		}
	}
}

// TestDraw: a figure is the same in any place of a larger canvas.
func TestDraw(t *testing.T) {
	curves, err := Curves(run(12, 60, 12, 8), "curves")
	if err != nil {
		t.Fatal(err)
	}
	classes, counts := confused(10, 100)
	confusion, err := Confusion(classes, counts, "confusion")
	if err != nil {
		t.Fatal(err)
	}
	first, err := Filters(filters(16, 1, 3))
	if err != nil {
		t.Fatal(err)
	}
	sheet, err := Sheet([]SheetRow{{"row", []image.Image{plain(8, 6, color.Black)}}}, "sheet", "note")
	if err != nil {
		t.Fatal(err)
	}
	for name, figure := range map[string]*Figure{"curves": curves, "confusion": confusion, "filters": first, "sheet": sheet} {
		const right, up = 50, 25 // pixels
		width, height := figure.Size()
		canvas := vgimg.NewWith(vgimg.UseWH(width+vg.Inch, height+vg.Inch), vgimg.UseDPI(pngDPI))
		page := draw.New(canvas)
		page.Min = vg.Point{X: right * pixel, Y: up * pixel}
		figure.Draw(page)
		var b bytes.Buffer
		if _, err := (vgimg.PngCanvas{Canvas: canvas}).WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		moved, want := decode(t, b.Bytes()).(*image.RGBA), decode(t, encode(t, figure, "png"))
		top := moved.Rect.Dy() - want.Bounds().Dy() - up
		var part bytes.Buffer
		if err := png.Encode(&part, moved.SubImage(want.Bounds().Add(image.Pt(right, top)))); err != nil {
			t.Fatal(err)
		}
		if err := compare(part.Bytes(), encode(t, figure, "png")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
