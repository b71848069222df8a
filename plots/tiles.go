package plots

import (
	"image"
	"math"

	"golang.org/x/image/draw"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"
)

// tiles is a plotter of a picture that is made of tiles in columns and rows, from the top left. In the plot's
// coordinates, the middle of a tile is its (column, row), counted from 0.
type tiles struct {
	picture       image.Image
	columns, rows int
	halfX, halfY  float64 // half the size of a tile, in the plot's coordinates
}

// DataRange implements plot.DataRanger.
func (t tiles) DataRange() (xmin, xmax, ymin, ymax float64) {
	return -t.halfX, float64(t.columns-1) + t.halfX, -t.halfY, float64(t.rows-1) + t.halfY
}

// box is the place of the picture on the page.
func (t tiles) box(c vgdraw.Canvas, p *plot.Plot) vg.Rectangle {
	x, y := p.Transforms(&c)
	left, right, top, bottom := t.DataRange()
	return vg.Rectangle{Min: vg.Point{X: x(left), Y: y(bottom)}, Max: vg.Point{X: x(right), Y: y(top)}}
}

// Plot implements plot.Plotter.
func (t tiles) Plot(c vgdraw.Canvas, p *plot.Plot) { c.DrawImage(t.box(c, p), t.picture) }

// newTilePanel is a plot of tiles, without axes.
func newTilePanel(content plot.Plotter) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.HideAxes()
	p.X.Padding, p.Y.Padding = 0, 0
	p.Y.Scale = plot.InvertedScale{Normalizer: plot.LinearScale{}} // rows count from the top
	p.Add(content)
	return p
}

// mosaic puts rows of pictures together, each scaled to the size of a tile, on white.
func mosaic(rows [][]image.Image, tile image.Point, gap int) tiles {
	columns := 0
	for _, row := range rows {
		columns = max(columns, len(row))
	}
	all := image.NewRGBA(image.Rect(0, 0, columns*(tile.X+gap)-gap, len(rows)*(tile.Y+gap)-gap))
	draw.Draw(all, all.Rect, image.White, image.Point{}, draw.Src)
	for y, row := range rows {
		for x, p := range row {
			corner := image.Pt(x*(tile.X+gap), y*(tile.Y+gap))
			draw.NearestNeighbor.Scale(all, image.Rectangle{Min: corner, Max: corner.Add(tile)}, p, p.Bounds(), draw.Over, nil)
		}
	}
	half := func(size int) float64 { return 0.5 * float64(size) / float64(size+gap) }
	return tiles{picture: all, columns: columns, rows: len(rows), halfX: half(tile.X), halfY: half(tile.Y)}
}

// size is the picture's at the resolution of the PNG.
func (t tiles) size() vg.Point {
	size := t.picture.Bounds().Size()
	return vg.Point{X: vg.Length(size.X) * pixel, Y: vg.Length(size.Y) * pixel}
}

// wholePixels rounds a length down to pixels of the PNG, so that edges are sharp.
func wholePixels(l vg.Length) vg.Length {
	const slack = 1e-6 // for lengths that are whole but for rounding
	return vg.Length(math.Floor(float64(l/pixel)+slack)) * pixel
}
