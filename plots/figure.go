// Package plots draws what a run and its tests leave behind, at the width of a
// report's column.
// Histories flow in from trainer, first-layer filters from weights, errors and
// confusions of tests as plain numbers; pictures in PNG, SVG or PDF come out.
// The curves show the training of section 3.1 of the paper: the learning rate
// divided by 10 wherever the validation error stood still; Depth and Bars hold
// the errors of nets against each other and the paper's, as its section 4 does.
package plots

import (
	"bytes"
	"image/color"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/google/renameio/v2"
	"github.com/pkg/errors"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"
)

// A two-column page's column is about 3.5 inches wide; type under 7 points is
// hard to read in print.
const (
	columnWidth = 3.5 * vg.Inch
	margin      = vg.Length(4) // in points, as all lengths here
	titleSize   = vg.Length(9)
	labelSize   = vg.Length(8)
	tickSize    = vg.Length(7)
	pngDPI      = 300
)

// The palette of Okabe and Ito, which colour-blind readers can tell apart, in
// the order of use; its yellow is left out as too faint on white.
var (
	palette = []color.Color{
		color.RGBA{0x00, 0x72, 0xb2, 0xff}, // blue
		color.RGBA{0xd5, 0x5e, 0x00, 0xff}, // vermilion
		color.RGBA{0x00, 0x9e, 0x73, 0xff}, // bluish green
		color.RGBA{0xcc, 0x79, 0xa7, 0xff}, // reddish purple
		color.RGBA{0xe6, 0x9f, 0x00, 0xff}, // orange
		color.RGBA{0x56, 0xb4, 0xe9, 0xff}, // sky blue
		color.RGBA{0x00, 0x00, 0x00, 0xff},
	}
	ink   = color.Gray{0x20}
	grey  = color.Gray{0x80}
	faint = color.Gray{0xe0}
)

// Figure is a finished drawing.
type Figure struct {
	width, height vg.Length
	paint         func(draw.Canvas)
}

// Save writes the figure to path in the format of its extension: .png at 300
// dots per inch, .svg or .pdf. The file is written whole or not at all: under
// another name in the same folder, synced, then renamed.
func (f *Figure) Save(path string) error {
	picture, err := f.encode(strings.ToLower(filepath.Ext(path)))
	if err == nil {
		err = renameio.WriteFile(path, picture, 0o644, renameio.WithTempDir(filepath.Dir(path)))
	}
	return errors.Wrapf(err, "cannot write the picture %s", path)
}

// encode draws the figure in the format of a file extension.
func (f *Figure) encode(extension string) ([]byte, error) {
	var canvas vg.CanvasWriterTo
	switch extension {
	case ".png":
		canvas = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(f.width, f.height), vgimg.UseDPI(pngDPI))}
	case ".svg":
		canvas = vgsvg.New(f.width, f.height)
	case ".pdf":
		canvas = vgpdf.New(f.width, f.height)
	default:
		return nil, errors.Errorf("unknown format %q: give .png, .svg or .pdf", extension)
	}
	page := draw.NewCanvas(canvas, f.width, f.height)
	fillRectangle(page, color.White, page.Rectangle) // readable on dark pages too
	f.paint(page)
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, errors.WithStack(err)
	}
	if extension == ".svg" {
		// Not every reader has Liberation Sans; Arial and Helvetica have its metrics.
		return bytes.ReplaceAll(b.Bytes(), []byte("font-family:Liberation Sans;"),
			[]byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;")), nil
	}
	return b.Bytes(), nil
}

func fillRectangle(c draw.Canvas, clr color.Color, r vg.Rectangle) {
	c.FillPolygon(clr, []vg.Point{r.Min, {X: r.Max.X, Y: r.Min.Y}, r.Max, {X: r.Min.X, Y: r.Max.Y}})
}

// textStyle is the figures' type at a size, its origin bottom left.
func textStyle(size vg.Length) text.Style {
	return text.Style{
		Color:   ink,
		Font:    font.Font{Typeface: "Liberation", Variant: "Sans", Size: size},
		Handler: text.Plain{Fonts: font.DefaultCache},
	}
}

// beneath is how far under the middle of a letter of the given height a text's
// origin lies, where the style has it bottom left.
func beneath(style text.Style, height vg.Length) vg.Length {
	return height/2 + style.Font.Size - style.FontExtents().Ascent
}

// digitHeight is that of figures and capitals in a type of a size.
func digitHeight(size vg.Length) vg.Length { return 0.7 * size }

// fit makes s one printable line of at most width, its end cut off if need be.
func fit(style text.Style, s string, width vg.Length) string {
	line := []rune(strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(s, "?")))
	if style.Width(string(line)) <= width {
		return string(line)
	}
	for len(line) > 0 && style.Width(string(line)+"…") > width {
		line = line[:len(line)-1]
	}
	return string(line) + "…"
}

// chart is a title, a legend under it, and rows of panels whose axes line up.
type chart struct {
	title  string
	legend []legendItem
	rows   [][]*plot.Plot // from the top, all of one length
	height vg.Length      // of a row with its axes; 0: panelHeight
}

type legendItem struct {
	text   string
	sample plot.Thumbnailer
}

const (
	panelHeight = 1.5 * vg.Inch
	titleHeight = titleSize * 1.5
	lineHeight  = labelSize * 1.4
	sampleWidth = vg.Length(18)
	sampleGap   = vg.Length(3)
	itemGap     = vg.Length(12)
	textWidth   = columnWidth - 2*margin - sampleWidth - sampleGap // of an item alone in its row
)

// figure lays the chart out.
func (c chart) figure() *Figure {
	title := textStyle(titleSize)
	title.XAlign, title.YAlign = draw.XCenter, draw.YTop
	heading := fit(title, c.title, columnWidth-2*margin)
	legend := layLegend(c.legend)
	head := margin + legend.height + margin
	if heading != "" {
		head += titleHeight
	}
	height := c.height
	if height == 0 {
		height = panelHeight
	}
	alignLabels(c.rows)

	paint := func(page draw.Canvas) {
		top := page.Max.Y - margin
		if heading != "" {
			page.FillText(title, vg.Point{X: page.Center().X, Y: top}, heading)
			top -= titleHeight
		}
		legend.paint(page, top)

		body := draw.Crop(page, margin, -margin, margin, -head)
		tiles := draw.Tiles{Rows: len(c.rows), Cols: len(c.rows[0]), PadX: margin, PadY: margin}
		for i, row := range plot.Align(c.rows, tiles, body) {
			for j, canvas := range row {
				c.rows[i][j].Draw(canvas)
			}
		}
	}
	return &Figure{columnWidth, head + margin + vg.Length(len(c.rows))*height, paint}
}

// alignLabels puts the vertical labels of the first column under each other,
// whatever the width of the numbers beside them.
func alignLabels(rows [][]*plot.Plot) {
	widths, widest := make([]vg.Length, len(rows)), vg.Length(0)
	for i, row := range rows {
		p := row[0]
		for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
			widths[i] = max(widths[i], p.Y.Tick.Label.Width(t.Label))
		}
		widest = max(widest, widths[i])
	}
	for i, row := range rows {
		row[0].Y.Label.Padding += widest - widths[i]
	}
}

// legend is a grid of items: one row where they all fit, equal columns
// otherwise.
type legend struct {
	items  []legendItem
	at     []vg.Point // each item's top left, from the top centre of the legend
	height vg.Length
}

func layLegend(items []legendItem) legend {
	style := textStyle(labelSize)
	l := legend{items: items}
	total, widest := -itemGap, vg.Length(0)
	widths := make([]vg.Length, len(items))
	for i, item := range items {
		widths[i] = sampleWidth + sampleGap + style.Width(item.text)
		total += widths[i] + itemGap
		widest = max(widest, widths[i])
	}
	columns := len(items)
	if total > columnWidth-2*margin {
		columns = max(1, int((columnWidth-2*margin+itemGap)/(widest+itemGap)))
		total = vg.Length(columns)*(widest+itemGap) - itemGap
		for i := range widths {
			widths[i] = widest
		}
	}
	x := vg.Length(0)
	for i := range items {
		if i%columns == 0 {
			x = -total / 2
			l.height += lineHeight
		}
		l.at = append(l.at, vg.Point{X: x, Y: lineHeight - l.height})
		x += widths[i] + itemGap
	}
	return l
}

// paint draws the legend under top, in the middle of the page.
func (l legend) paint(page draw.Canvas, top vg.Length) {
	style := textStyle(labelSize)
	// A text's middle, as the eye takes it, is that of its small letters, about
	// half the size high.
	below := beneath(style, labelSize/2)
	for i, item := range l.items {
		corner := l.at[i].Add(vg.Point{X: page.Center().X, Y: top})
		box := draw.Canvas{Canvas: page.Canvas, Rectangle: vg.Rectangle{
			Min: corner.Sub(vg.Point{Y: lineHeight}), Max: corner.Add(vg.Point{X: sampleWidth})}}
		item.sample.Thumbnail(&box)
		page.FillText(style, vg.Point{X: box.Max.X + sampleGap, Y: box.Center().Y - below}, item.text)
	}
}
