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
	"gonum.org/v1/plot/palette/moreland"
	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"
)

const (
	namedClasses = 40             // at most; the rows of more are too thin for names
	className    = 0.75 * vg.Inch // at most
	largestCell  = 0.5 * vg.Inch  // few classes need not fill the column
	axisLabel    = lineHeight     // of an axis of the matrix
	keyLength    = vg.Length(60)  // of the scale of colours
	keyHeight    = vg.Length(6)
	onePixel     = vg.Inch / pngDPI
)

// Confusion draws how often pictures of a class, a row, were taken for another,
// a column: counts[i][j] of class i for class j. The colour is the share of the
// row, from none, white, to all of it, so that classes of any size compare, as
// dark as the share is large. Cells with room for all counts show theirs, but
// for 0. Up to 40 classes have their names; more stand in the order of classes,
// too small for that. The figure is as wide as a column, and wider where names,
// or more classes than a column has dots, need it.
func Confusion(classes []string, counts [][]int, title string) (*Figure, error) {
	shares, err := rowShares(classes, counts)
	if err != nil {
		return nil, err
	}
	colors, err := shareColors()
	if err != nil {
		return nil, err
	}
	m := matrix{counts: counts, shares: shares, colors: colors}
	m.lay(classes)

	heading := textStyle(titleSize)
	width := max(columnWidth, 2*margin+m.beside+m.side)
	title = fit(heading, title, width-2*margin)
	head := margin
	if title != "" {
		head += titleHeight + margin/2
	}
	m.left = wholeDots((width + m.beside - m.side) / 2) // all in the middle
	paint := func(page vgdraw.Canvas) {
		heading.XAlign, heading.YAlign = vgdraw.XCenter, vgdraw.YTop
		page.FillText(heading, vg.Point{X: page.Center().X, Y: page.Max.Y - margin}, title)
		m.paint(page)
	}
	return &Figure{width, m.foot + m.side + head, paint}, nil
}

// rowShares are the counts in shares of their row, 0 in a row of none.
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

// shareColors are the colours of the shares 0 to 1 in equal steps, their
// lightness in CIE Lab a straight line from white down to a dark blue.
func shareColors() ([]color.RGBA, error) {
	navy := color.RGBA{0x08, 0x1d, 0x4a, 0xff}
	scale, err := moreland.NewLuminance([]color.Color{navy, palette[0], palette[5], color.White})
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

// matrix is the squares of a confusion matrix and what stands around them.
type matrix struct {
	counts [][]int
	shares [][]float64
	colors []color.RGBA // of shares from 0 to 1

	names    []string // nil: none
	turned   bool     // the names of the columns
	numbered bool
	side     vg.Length // of all the squares
	beside   vg.Length // the width of what is to their left, without a margin
	left     vg.Length // the place of their left edge on the page
	foot     vg.Length // and of their lower edge
}

// lay finds the sizes, in whole dots of the PNG, so that the edges are sharp.
func (m *matrix) lay(classes []string) {
	n := vg.Length(len(classes))
	style := textStyle(tickSize)
	widest := vg.Length(0)
	least := onePixel
	if len(classes) <= namedClasses {
		least = tickSize
		for _, c := range classes {
			m.names = append(m.names, fit(style, c, className))
			widest = max(widest, style.Width(m.names[len(m.names)-1]))
		}
	}
	m.beside = axisLabel + widest + numberGap
	cell := max(least, min((columnWidth-2*margin-m.beside)/n, largestCell))
	m.side = wholeDots(cell * n)

	m.turned = widest > cell-numberGap
	under := tickSize
	if m.turned {
		under = widest
	}
	if m.names == nil {
		under = 0
	}
	m.foot = wholeDots(margin + lineHeight + axisLabel + under + numberGap)

	largest := 0
	for _, row := range m.counts {
		largest = max(largest, slices.Max(row))
	}
	m.numbered = m.names != nil && style.Width(strconv.Itoa(largest)) <= cell-2 && tickSize <= cell-2
}

// wholeDots rounds a length down to dots of the PNG.
func wholeDots(l vg.Length) vg.Length {
	const slack = 1e-6 // for lengths that are whole but for rounding
	return vg.Length(math.Floor(float64(l/onePixel)+slack)) * onePixel
}

// paint draws everything but the title.
func (m *matrix) paint(page vgdraw.Canvas) {
	box := vg.Rectangle{Min: vg.Point{X: m.left, Y: m.foot}}
	box.Max = box.Min.Add(vg.Point{X: m.side, Y: m.side})
	page.DrawImage(box, m.picture())

	n := len(m.counts)
	cell := m.side / vg.Length(n)
	if m.names != nil {
		m.paintNames(page, box, cell)
		for i := 1; i < n; i++ {
			line := vgdraw.LineStyle{Color: faint, Width: 0.4}
			at := vg.Length(i) * cell
			page.StrokeLine2(line, box.Min.X, box.Min.Y+at, box.Max.X, box.Min.Y+at)
			page.StrokeLine2(line, box.Min.X+at, box.Min.Y, box.Min.X+at, box.Max.Y)
		}
	}
	page.StrokeLines(vgdraw.LineStyle{Color: ink, Width: 0.5}, []vg.Point{
		box.Min, {X: box.Max.X, Y: box.Min.Y}, box.Max, {X: box.Min.X, Y: box.Max.Y}, box.Min})
	if m.numbered {
		m.paintNumbers(page, box, cell)
	}
	m.paintKey(page, box)
}

// picture is the squares in dots of the PNG, so that their edges are sharp. Each
// gets its share of the dots but for one.
func (m *matrix) picture() image.Image {
	n := len(m.shares)
	squares := image.NewRGBA(image.Rect(0, 0, n, n))
	for y, row := range m.shares {
		for x, share := range row {
			squares.SetRGBA(x, y, m.color(share))
		}
	}
	side := int(math.Round(float64(m.side / onePixel)))
	picture := image.NewRGBA(image.Rect(0, 0, side, side))
	draw.NearestNeighbor.Scale(picture, picture.Rect, squares, squares.Rect, draw.Src, nil)
	return picture
}

func (m *matrix) color(share float64) color.RGBA {
	return m.colors[int(math.Round(share*float64(len(m.colors)-1)))]
}

// paintNames puts the classes beside the rows and under the columns.
func (m *matrix) paintNames(page vgdraw.Canvas, box vg.Rectangle, cell vg.Length) {
	row, column := textStyle(tickSize), textStyle(tickSize)
	row.XAlign = vgdraw.XRight
	column.XAlign, column.YAlign = vgdraw.XCenter, vgdraw.YTop
	if m.turned {
		column.Rotation = math.Pi / 2
		column.XAlign, column.YAlign = vgdraw.XRight, vgdraw.YBottom
	}
	middle := beneath(row, digitHeight(tickSize)) // on a line with the numbers
	for i, name := range m.names {
		at := (vg.Length(i) + 0.5) * cell
		page.FillText(row, vg.Point{X: box.Min.X - numberGap, Y: box.Max.Y - at - middle}, name)
		under := vg.Point{X: box.Min.X + at, Y: box.Min.Y - numberGap}
		if m.turned {
			under.X += middle
		}
		page.FillText(column, under, name)
	}
}

// paintNumbers writes the counts other than 0, light on dark squares.
func (m *matrix) paintNumbers(page vgdraw.Canvas, box vg.Rectangle, cell vg.Length) {
	style := textStyle(tickSize)
	style.XAlign = vgdraw.XCenter
	below := beneath(style, digitHeight(tickSize))
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
			page.FillText(style, middle.Sub(vg.Point{Y: below}), strconv.Itoa(count))
		}
	}
}

// paintKey labels the axes and explains the colours.
func (m *matrix) paintKey(page vgdraw.Canvas, box vg.Rectangle) {
	across, down := "predicted class", "true class"
	if m.names == nil {
		across, down = fmt.Sprintf("%s (of %d)", across, len(m.counts)), fmt.Sprintf("%s (of %d)", down, len(m.counts))
	}
	center := box.Min.Add(box.Size().Scale(0.5))
	label := textStyle(labelSize)
	label.XAlign = vgdraw.XCenter
	page.FillText(label, vg.Point{X: center.X, Y: margin + lineHeight}, across)
	label.YAlign = vgdraw.YTop
	label.Rotation = math.Pi / 2
	page.FillText(label, vg.Point{X: box.Min.X - m.beside, Y: center.Y}, down)

	style := textStyle(tickSize)
	const from, to = "0", "100 % of the true class"
	length := style.Width(from) + numberGap + keyLength + numberGap + style.Width(to)
	at := vg.Point{X: page.Center().X - length/2, Y: margin}
	page.FillText(style, at, from)
	key := image.NewRGBA(image.Rect(0, 0, len(m.colors), 1))
	for i, c := range m.colors {
		key.SetRGBA(i, 0, c)
	}
	at.X += style.Width(from) + numberGap
	bar := vg.Rectangle{Min: at, Max: at.Add(vg.Point{X: keyLength, Y: keyHeight})}
	page.DrawImage(bar, key)
	page.StrokeLines(vgdraw.LineStyle{Color: ink, Width: 0.5}, []vg.Point{
		bar.Min, {X: bar.Max.X, Y: bar.Min.Y}, bar.Max, {X: bar.Min.X, Y: bar.Max.Y}, bar.Min})
	page.FillText(style, vg.Point{X: bar.Max.X + numberGap, Y: margin}, to)
}
