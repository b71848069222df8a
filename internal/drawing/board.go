package drawing

import (
	"image"
	"image/color"

	"github.com/pkg/errors"
	"golang.org/x/image/draw"
)

// BoardRow is a row of pictures below a caption.
type BoardRow struct {
	Caption  string
	Pictures []image.Image
}

// leastTile is the side in pixels to which the pictures of a board are enlarged.
const leastTile = 224

// Board puts rows of pictures of one size on white: a title above all, a heading above each column, a caption above each
// row. Small pictures are enlarged by a whole factor. Letters are large enough to be read when the board is shrunk to a
// third.
func (p *Pen) Board(title string, headings []string, rows []BoardRow) (*image.RGBA, error) {
	if len(rows) == 0 || len(headings) == 0 {
		return nil, errors.New("drawing: a board without pictures")
	}
	for _, row := range rows {
		if len(row.Pictures) != len(headings) {
			return nil, errors.Errorf("drawing: row %s has %d pictures for %d columns", row.Caption, len(row.Pictures), len(headings))
		}
	}
	size := rows[0].Pictures[0].Bounds().Size()
	factor := max(1, (leastTile+min(size.X, size.Y)-1)/min(size.X, size.Y))
	tile := size.Mul(factor)
	line := max(min(tile.X, tile.Y)/8, leastText) // the height of a line of text
	gap := line / 3
	width := len(headings)*(tile.X+gap) + gap
	head := 2*line + gap
	c, err := p.canvas(image.Pt(width, head+len(rows)*(line+tile.Y+gap)+gap), line)
	if err != nil {
		return nil, err
	}
	c.fill(c.Rect, White)
	write := func(text string, at image.Point, width int) { c.write(c.fit(text, width), at, color.Black) }
	write(title, image.Pt(gap, gap/2), width-2*gap)
	for column, heading := range headings {
		write(heading, image.Pt(gap+column*(tile.X+gap), line+gap/2), tile.X)
	}
	for i, row := range rows {
		top := head + i*(line+tile.Y+gap)
		write(row.Caption, image.Pt(gap, top), width-2*gap)
		for column, picture := range row.Pictures {
			corner := image.Pt(gap+column*(tile.X+gap), top+line)
			draw.NearestNeighbor.Scale(c.RGBA, image.Rectangle{Min: corner, Max: corner.Add(tile)}, picture, picture.Bounds(), draw.Src, nil)
		}
	}
	return c.RGBA, c.err
}
