package plots

import (
	"image"
	"image/color"
	"math"

	"github.com/pkg/errors"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// SheetRow is a row of a contact sheet: pictures and what they have in common.
type SheetRow struct {
	Label    string
	Pictures []image.Image
}

// Sizes of a sheet in pixels of the PNG, so that the edges of enlarged pixels are sharp.
const (
	sheetWidth = 7 * pngDPI // of a page
	maxTile    = pngDPI * 3 / 4
	tileGap    = 6
)

// Sheet draws a contact sheet: rows of pictures of one size, with a title above and a note below them. Rows may differ
// in length. Each pixel of a picture becomes a square of whole pixels, as large as the width of a page allows; very
// large pictures make the sheet wider instead. The axes of the panel count columns, and rows from the top.
func Sheet(rows []SheetRow, title, note string) (*Figure, error) {
	tile, columns, err := sheetSize(rows)
	if err != nil {
		return nil, err
	}
	pixels := func(l vg.Length) int { return int(math.Ceil(float64(l / pixel))) }
	caption, widest := textStyle(labelSize), vg.Length(0)
	captions, pictures := make([]string, len(rows)), make([][]image.Image, len(rows))
	for i, row := range rows {
		captions[i] = fit(caption, row.Label, vg.Inch)
		widest = max(widest, caption.Width(captions[i]))
		pictures[i] = row.Pictures
	}
	left, right := pixels(margin+widest+margin), pixels(margin)
	room := min((sheetWidth-left-right)/columns-tileGap, maxTile)
	tile = tile.Mul(max(1, room/max(tile.X, tile.Y)))
	picture := mosaic(pictures, tile, tileGap)

	heading, remark := textStyle(titleSize), textStyle(tickSize)
	heading.YAlign = draw.YTop
	remark.Color, remark.YAlign = color.Gray{0x60}, draw.YBottom
	caption.XAlign, caption.YAlign = draw.XRight, draw.YCenter
	size := picture.picture.Bounds().Size()
	head, foot := pixels(margin+titleSize*1.6), pixels(margin+tickSize*1.8)
	width := max(columnWidth, vg.Length(left+size.X+right)*pixel)
	title, note = fit(heading, title, width-2*margin), fit(remark, note, width-2*margin)
	return &Figure{
		Panels: [][]*plot.Plot{{newTilePanel(picture)}},
		width:  width,
		height: vg.Length(head+size.Y+foot) * pixel,
		around: func(page draw.Canvas) {
			page.FillText(heading, vg.Point{X: page.Min.X + margin, Y: page.Max.Y - margin}, title)
			page.FillText(remark, vg.Point{X: page.Min.X + margin, Y: page.Min.Y + margin}, note)
			for i, text := range captions {
				down := head + i*(tile.Y+tileGap) + tile.Y/2
				page.FillText(caption, vg.Point{X: page.Min.X + vg.Length(left-right)*pixel, Y: page.Max.Y - vg.Length(down)*pixel}, text)
			}
		},
		place: onePanel(vg.Point{X: vg.Length(left) * pixel, Y: vg.Length(foot) * pixel}, picture.size()),
	}, nil
}

// sheetSize gives the size that all pictures have, and the length of the longest row.
func sheetSize(rows []SheetRow) (size image.Point, columns int, err error) {
	for _, row := range rows {
		for i, p := range row.Pictures {
			if columns == 0 && i == 0 {
				size = p.Bounds().Size()
			}
			if p.Bounds().Empty() || p.Bounds().Size() != size {
				return size, 0, errors.Errorf("row %s: picture %d has the size %v, the first of the sheet %v: all must have the same",
					row.Label, i, p.Bounds().Size(), size)
			}
		}
		columns = max(columns, len(row.Pictures))
	}
	if columns == 0 {
		return size, 0, errors.New("the sheet has no picture")
	}
	return size, columns, nil
}
