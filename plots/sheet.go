package plots

import (
	"image"
	"image/color"
	"math"

	"github.com/pkg/errors"
	"golang.org/x/image/draw"
	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"
)

// SheetRow is a row of a contact sheet: pictures and what they have in common.
type SheetRow struct {
	Label    string
	Pictures []image.Image
}

// Sizes of a sheet, in dots of the PNG, so that the edges of pixels are sharp.
const (
	sheetWidth  = 7 * pngDPI // of a page
	largestTile = pngDPI * 3 / 4
	tileGap     = 6
)

// Sheet draws rows of pictures of one size, with a title above and a note below
// them. Each pixel becomes a square of as many whole dots as let the sheet fit
// on a page; very large pictures make the sheet wider instead. Rows may differ
// in length.
func Sheet(rows []SheetRow, title, note string) (*Figure, error) {
	tile, columns, err := sheetSize(rows)
	if err != nil {
		return nil, err
	}
	const dot = vg.Inch / pngDPI
	dots := func(l vg.Length) int { return int(math.Ceil(float64(l / dot))) }
	caption, widest := textStyle(labelSize), vg.Length(0)
	captions := make([]string, len(rows))
	for i, row := range rows {
		captions[i] = fit(caption, row.Label, vg.Inch)
		widest = max(widest, caption.Width(captions[i]))
	}
	left, right := dots(margin+widest+margin), dots(margin)
	room := min((sheetWidth-left-right)/columns-tileGap, largestTile)
	tile = tile.Mul(max(1, room/max(tile.X, tile.Y)))
	picture := mosaic(rows, columns, tile)

	heading, remark := textStyle(titleSize), textStyle(tickSize)
	head, foot := dots(margin+titleSize*1.6), dots(margin+tickSize*1.8)
	width := max(columnWidth, vg.Length(left+picture.Rect.Dx()+right)*dot)
	height := vg.Length(head+picture.Rect.Dy()+foot) * dot
	title, note = fit(heading, title, width-2*margin), fit(remark, note, width-2*margin)
	paint := func(page vgdraw.Canvas) {
		at := func(x, y int) vg.Point { return vg.Point{X: vg.Length(x) * dot, Y: page.Max.Y - vg.Length(y)*dot} } // from the top left
		bottom := head + picture.Rect.Dy()
		page.DrawImage(vg.Rectangle{Min: at(left, bottom), Max: at(left+picture.Rect.Dx(), head)}, picture)
		caption.XAlign, caption.YAlign = vgdraw.XRight, vgdraw.YCenter
		for i, text := range captions {
			page.FillText(caption, at(left-right, head+i*(tile.Y+tileGap)+tile.Y/2), text)
		}
		heading.YAlign = vgdraw.YTop
		page.FillText(heading, vg.Point{X: margin, Y: page.Max.Y - margin}, title)
		remark.Color, remark.YAlign = color.Gray{0x60}, vgdraw.YBottom
		page.FillText(remark, vg.Point{X: margin, Y: margin}, note)
	}
	return &Figure{width, height, paint}, nil
}

// sheetSize gives the size that all pictures have, and the length of the
// longest row.
func sheetSize(rows []SheetRow) (size image.Point, columns int, err error) {
	for _, row := range rows {
		for i, p := range row.Pictures {
			if columns == 0 && i == 0 {
				size = p.Bounds().Size()
			}
			if p.Bounds().Empty() || p.Bounds().Size() != size {
				return size, 0, errors.Errorf("row %s: picture %d has the size %v, the first of the sheet %v: all must have the same", row.Label, i, p.Bounds().Size(), size)
			}
		}
		columns = max(columns, len(row.Pictures))
	}
	if columns == 0 {
		return size, 0, errors.New("the sheet has no picture")
	}
	return size, columns, nil
}

// mosaic lays the pictures out, each enlarged to the size of a tile.
func mosaic(rows []SheetRow, columns int, tile image.Point) *image.RGBA {
	all := image.NewRGBA(image.Rect(0, 0, columns*(tile.X+tileGap)-tileGap, len(rows)*(tile.Y+tileGap)-tileGap))
	draw.Draw(all, all.Rect, image.White, image.Point{}, draw.Src)
	for y, row := range rows {
		for x, p := range row.Pictures {
			corner := image.Pt(x*(tile.X+tileGap), y*(tile.Y+tileGap))
			draw.NearestNeighbor.Scale(all, image.Rectangle{Min: corner, Max: corner.Add(tile)}, p, p.Bounds(), draw.Over, nil)
		}
	}
	return all
}
