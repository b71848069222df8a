package plots

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"
	"strconv"

	"github.com/pkg/errors"
	"golang.org/x/image/draw"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/palette/moreland"
	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"
)

const (
	maxNamedClasses = 40             // the rows of more are too thin for names
	maxNameWidth    = 0.75 * vg.Inch // of a class
	maxCell         = 0.5 * vg.Inch  // few classes need not fill the column
	nameGap         = vg.Length(3)   // between a name and the matrix
	keyWidth        = vg.Length(60)  // of the scale of colours
	keyHeight       = vg.Length(6)
)

// Confusion draws a confusion matrix: counts[i][j] pictures of class i, a row, were predicted as class j, a column. The
// colour is the share of the row, from none (white) to all of it (dark), so that classes of any size compare. Cells
// with room for all counts show theirs, except 0. Up to 40 classes are named; more stand in their order without names.
// The figure is as wide as a column, and wider where names or more classes than a column has pixels need it. The axes
// of the panel count columns, and rows from the top.
func Confusion(classes []string, counts [][]int, title string) (*Figure, error) {
	shares, err := rowShares(classes, counts)
	if err != nil {
		return nil, err
	}
	colors, err := shareColors()
	if err != nil {
		return nil, err
	}
	m := newMatrix(classes, counts, shares, colors)
	heading := textStyle(titleSize)
	heading.XAlign, heading.YAlign = vgdraw.XCenter, vgdraw.YTop
	width := max(columnWidth, 2*margin+m.beside+m.side)
	title = fit(heading, title, width-2*margin)
	head := margin
	if title != "" {
		head += titleHeight + margin/2
	}
	corner := vg.Point{X: wholePixels((width + m.beside - m.side) / 2), Y: m.below} // matrix and names in the middle
	size := vg.Point{X: m.side, Y: m.side}
	return &Figure{
		Panels: [][]*plot.Plot{{newTilePanel(m)}},
		width:  width,
		height: m.below + m.side + head,
		around: func(page vgdraw.Canvas) {
			page.FillText(heading, vg.Point{X: page.Center().X, Y: page.Max.Y - margin}, title)
			from := page.Min.Add(corner)
			m.drawLabels(page, vg.Rectangle{Min: from, Max: from.Add(size)})
			m.drawKey(page)
		},
		place: onePanel(corner, size),
	}, nil
}

// rowShares divides the counts by the sum of their row. A row without a count has shares of 0.
func rowShares(classes []string, counts [][]int) ([][]float64, error) {
	switch {
	case len(classes) == 0:
		return nil, errors.New("nothing to draw: no class is given")
	case len(counts) != len(classes):
		return nil, errors.Errorf("%d rows of counts for %d classes", len(counts), len(classes))
	}
	shares := make([][]float64, len(counts))
	all := 0.0
	for i, row := range counts {
		if len(row) != len(classes) {
			return nil, errors.Errorf("row %d (%s): %d counts for %d classes", i, classes[i], len(row), len(classes))
		}
		total := 0.0
		for j, n := range row {
			if n < 0 {
				return nil, errors.Errorf("row %d (%s), column %d (%s): a count of %d", i, classes[i], j, classes[j], n)
			}
			total += float64(n)
		}
		all += total
		shares[i] = make([]float64, len(row))
		for j, n := range row {
			shares[i][j] = float64(n) / max(total, 1)
		}
	}
	if all == 0 {
		return nil, errors.New("nothing to draw: the counts are of no picture")
	}
	return shares, nil
}

// shareColors are the colours of the shares 0 to 1 in equal steps. Their lightness in CIE Lab falls linearly from white
// to a dark blue.
func shareColors() ([]color.RGBA, error) {
	navy := color.RGBA{0x08, 0x1d, 0x4a, 0xff}
	scale, err := moreland.NewLuminance([]color.Color{navy, palette[0], skyBlue, color.White})
	if err != nil {
		return nil, errors.Wrap(err, "colours of the shares")
	}
	var colors []color.RGBA
	for _, c := range scale.Palette(256).Colors() {
		colors = append(colors, color.RGBAModel.Convert(c).(color.RGBA))
	}
	slices.Reverse(colors)
	return colors, nil
}

// matrix is a plotter of the cells of a confusion matrix with the names of its classes.
type matrix struct {
	tiles
	counts [][]int
	shares [][]float64
	colors []color.RGBA // of shares from 0 to 1

	names    []string // nil if there are too many
	turned   bool     // whether the names of the columns are written upwards
	numbered bool     // whether the cells show their counts
	side     vg.Length
	beside   vg.Length // the width of names and label to the left of the matrix
	below    vg.Length // the height of names, label and key below the matrix
}

// newMatrix finds the sizes, in whole pixels of the PNG, so that the edges are sharp.
func newMatrix(classes []string, counts [][]int, shares [][]float64, colors []color.RGBA) *matrix {
	m := &matrix{counts: counts, shares: shares, colors: colors}
	n := len(classes)
	style := textStyle(tickSize)
	widest, minCell := vg.Length(0), pixel
	if n <= maxNamedClasses {
		minCell = tickSize
		for _, c := range classes {
			name := fit(style, c, maxNameWidth)
			m.names = append(m.names, name)
			widest = max(widest, style.Width(name))
		}
	}
	m.beside = lineHeight + widest + nameGap
	cell := max(minCell, min((columnWidth-2*margin-m.beside)/vg.Length(n), maxCell))
	m.side = wholePixels(cell * vg.Length(n))

	m.turned = widest > cell-nameGap
	under := tickSize
	if m.turned {
		under = widest
	}
	if m.names == nil {
		under = 0
	}
	m.below = wholePixels(margin + lineHeight + lineHeight + under + nameGap)

	largest := 0
	for _, row := range m.counts {
		largest = max(largest, slices.Max(row))
	}
	m.numbered = m.names != nil && style.Width(strconv.Itoa(largest)) <= cell-2 && tickSize <= cell-2
	m.tiles = tiles{picture: m.cells(), columns: n, rows: n, halfX: 0.5, halfY: 0.5}
	return m
}

// cells is the picture of the cells at the resolution of the PNG, so that their edges are sharp. Their sizes differ by
// a pixel at most.
func (m *matrix) cells() image.Image {
	n := len(m.shares)
	small := image.NewRGBA(image.Rect(0, 0, n, n))
	for y, row := range m.shares {
		for x, share := range row {
			small.SetRGBA(x, y, m.colors[int(math.Round(share*float64(len(m.colors)-1)))])
		}
	}
	side := int(math.Round(float64(m.side / pixel)))
	picture := image.NewRGBA(image.Rect(0, 0, side, side))
	draw.NearestNeighbor.Scale(picture, picture.Rect, small, small.Rect, draw.Src, nil)
	return picture
}

// Plot implements plot.Plotter.
func (m *matrix) Plot(c vgdraw.Canvas, p *plot.Plot) {
	m.tiles.Plot(c, p)
	box := m.box(c, p)
	n := len(m.counts)
	cell := box.Size().X / vg.Length(n)
	if m.names != nil {
		m.drawNames(c, box, cell)
		line := vgdraw.LineStyle{Color: faint, Width: 0.4}
		for i := 1; i < n; i++ {
			at := vg.Length(i) * cell
			c.StrokeLine2(line, box.Min.X, box.Min.Y+at, box.Max.X, box.Min.Y+at)
			c.StrokeLine2(line, box.Min.X+at, box.Min.Y, box.Min.X+at, box.Max.Y)
		}
	}
	strokeRectangle(c, vgdraw.LineStyle{Color: ink, Width: 0.5}, box)
	if m.numbered {
		m.drawNumbers(c, box, cell)
	}
}

// drawNames puts the classes beside the rows and under the columns.
func (m *matrix) drawNames(c vgdraw.Canvas, box vg.Rectangle, cell vg.Length) {
	row, column := textStyle(tickSize), textStyle(tickSize)
	row.XAlign = vgdraw.XRight
	column.XAlign, column.YAlign = vgdraw.XCenter, vgdraw.YTop
	if m.turned {
		column.Rotation = math.Pi / 2
		column.XAlign, column.YAlign = vgdraw.XRight, vgdraw.YBottom
	}
	middle := belowMiddle(row, digitHeight(tickSize)) // on a line with the numbers
	for i, name := range m.names {
		at := (vg.Length(i) + 0.5) * cell
		c.FillText(row, vg.Point{X: box.Min.X - nameGap, Y: box.Max.Y - at - middle}, name)
		under := vg.Point{X: box.Min.X + at, Y: box.Min.Y - nameGap}
		if m.turned {
			under.X += middle
		}
		c.FillText(column, under, name)
	}
}

// drawNumbers writes the counts other than 0, in white on dark cells.
func (m *matrix) drawNumbers(c vgdraw.Canvas, box vg.Rectangle, cell vg.Length) {
	style := textStyle(tickSize)
	style.XAlign = vgdraw.XCenter
	below := belowMiddle(style, digitHeight(tickSize))
	for y, row := range m.counts {
		for x, count := range row {
			if count == 0 {
				continue
			}
			style.Color = ink
			if m.shares[y][x] > 0.5 { // half of the way down in lightness
				style.Color = color.White
			}
			middle := vg.Point{X: box.Min.X + (vg.Length(x)+0.5)*cell, Y: box.Max.Y - (vg.Length(y)+0.5)*cell}
			c.FillText(style, middle.Sub(vg.Point{Y: below}), strconv.Itoa(count))
		}
	}
}

// drawLabels says what the rows and columns of the matrix in box are.
func (m *matrix) drawLabels(page vgdraw.Canvas, box vg.Rectangle) {
	across, down := "predicted class", "true class"
	if m.names == nil {
		across, down = fmt.Sprintf("%s (of %d)", across, len(m.counts)), fmt.Sprintf("%s (of %d)", down, len(m.counts))
	}
	center := box.Min.Add(box.Size().Scale(0.5))
	label := textStyle(labelSize)
	label.XAlign = vgdraw.XCenter
	page.FillText(label, vg.Point{X: center.X, Y: page.Min.Y + margin + lineHeight}, across)
	label.YAlign = vgdraw.YTop
	label.Rotation = math.Pi / 2
	page.FillText(label, vg.Point{X: box.Min.X - m.beside, Y: center.Y}, down)
}

// drawKey explains the colours at the bottom of the page.
func (m *matrix) drawKey(page vgdraw.Canvas) {
	style := textStyle(tickSize)
	const low, high = "0", "100 % of the true class"
	width := style.Width(low) + nameGap + keyWidth + nameGap + style.Width(high)
	at := vg.Point{X: page.Center().X - width/2, Y: page.Min.Y + margin}
	page.FillText(style, at, low)
	key := image.NewRGBA(image.Rect(0, 0, len(m.colors), 1))
	for i, c := range m.colors {
		key.SetRGBA(i, 0, c)
	}
	at.X += style.Width(low) + nameGap
	bar := vg.Rectangle{Min: at, Max: at.Add(vg.Point{X: keyWidth, Y: keyHeight})}
	page.DrawImage(bar, key)
	strokeRectangle(page, vgdraw.LineStyle{Color: ink, Width: 0.5}, bar)
	page.FillText(style, vg.Point{X: bar.Max.X + nameGap, Y: at.Y}, high)
}
