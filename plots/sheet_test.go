package plots

import (
	"image"
	"image/color"
	"image/draw"
	"strings"
	"testing"
)

// plain is a picture of one colour whose bounds do not start at the origin.
func plain(width, height int, c color.Color) image.Image {
	p := image.NewRGBA(image.Rect(3, 4, 3+width, 4+height))
	draw.Draw(p, p.Rect, image.NewUniform(c), image.Point{}, draw.Src)
	return p
}

// sheetPNG draws a sheet and decodes it again.
func sheetPNG(t *testing.T, rows []SheetRow, title, note string) image.Image {
	t.Helper()
	figure, err := Sheet(rows, title, note)
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, encode(t, figure, "png"))
}

// patch is where a colour is: the smallest rectangle around its pixels, and their number.
type patch struct {
	box   image.Rectangle
	count int
}

func patches(p image.Image) map[color.Color]patch {
	all := map[color.Color]patch{}
	b := p.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			at := all[p.At(x, y)]
			all[p.At(x, y)] = patch{at.box.Union(image.Rect(x, y, x+1, y+1)), at.count + 1}
		}
	}
	return all
}

// TestSheet finds each picture again, sharp, enlarged by a whole factor, and in its row and column.
func TestSheet(t *testing.T) {
	for _, c := range []struct{ width, height, columns, zoom int }{
		{2, 3, 3, 75}, // as large as tiles become
		{32, 32, 10, 5},
		{64, 64, 10, 2},
		{224, 224, 10, 1}, // wider than a page
		{1, 1, 150, 5},
	} {
		colour := func(y, x int) color.RGBA { return color.RGBA{255, uint8(x), uint8(100 * y), 255} }
		rows := []SheetRow{{Label: "first"}, {Label: "none"}, {Label: strings.Repeat("second ", 20)}}
		for y, n := range []int{c.columns, 0, c.columns - 1} {
			for x := range n {
				rows[y].Pictures = append(rows[y].Pictures, plain(c.width, c.height, colour(y, x)))
			}
		}
		drawn := sheetPNG(t, rows, "title", "note")
		found := patches(drawn)
		first := found[colour(0, 0)].box
		tile := image.Pt(c.width*c.zoom, c.height*c.zoom)
		for y, row := range rows {
			for x := range row.Pictures {
				corner := first.Min.Add(image.Pt(x*(tile.X+tileGap), y*(tile.Y+tileGap)))
				want := patch{image.Rectangle{Min: corner, Max: corner.Add(tile)}, tile.X * tile.Y}
				if got := found[colour(y, x)]; got != want {
					t.Errorf("%+v: picture %d of row %d: %v, want %v", c, x, y, got, want)
				}
			}
		}
		captions := drawn.(*image.RGBA).SubImage(image.Rect(0, first.Min.Y, first.Min.X, first.Max.Y))
		if len(patches(captions)) < 2 {
			t.Errorf("%+v: no caption beside the first row", c)
		}
	}
}

// TestSheetFits: a title longer than the sheet is cut off, and a lone small picture leaves room for words.
func TestSheetFits(t *testing.T) {
	rows := []SheetRow{{Pictures: []image.Image{plain(1, 1, color.Black)}}}
	p := sheetPNG(t, rows, strings.Repeat("title ", 100), strings.Repeat("note ", 100))
	if got, want := p.Bounds().Dx(), int(columnWidth/72*pngDPI); got != want {
		t.Errorf("%d pixels wide, want %d", got, want)
	}
	for x := p.Bounds().Dx() - 8; x < p.Bounds().Dx(); x++ {
		for y := range p.Bounds().Dy() {
			if r, _, _, _ := p.At(x, y).RGBA(); r != 0xffff {
				t.Fatalf("ink at (%d, %d), in the margin", x, y)
			}
		}
	}
}

func TestNoSheet(t *testing.T) {
	for want, rows := range map[string][]SheetRow{
		"no picture":         {{Label: "a"}, {Label: "b"}},
		"row b: picture 1":   {{"a", []image.Image{plain(2, 2, ink)}}, {"b", []image.Image{plain(2, 2, ink), plain(2, 3, ink)}}},
		"row c: picture 0":   {{Label: "a"}, {"c", []image.Image{plain(0, 2, ink)}}},
		"must have the same": {{"a", []image.Image{plain(2, 2, ink), plain(3, 2, ink)}}},
	} {
		if _, err := Sheet(rows, "", ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
