package plots

import (
	"image/color"
	"math"
	"sort"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Sizes are in points where no unit is given. The column of a two-column page is about 3.5 inches wide; type under 7
// points is hard to read in print.
const (
	columnWidth = 3.5 * vg.Inch
	margin      = vg.Length(4)
	titleSize   = vg.Length(9)
	labelSize   = vg.Length(8)
	tickSize    = vg.Length(7)
	titleHeight = titleSize * 1.5
	lineHeight  = labelSize * 1.4
	pngDPI      = 300
	pixel       = vg.Inch / pngDPI // of the PNG
)

// The palette of Okabe and Ito, which colour-blind readers can tell apart, in the order of use. Its yellow is left out:
// it is too faint on white.
var (
	palette = []color.Color{
		color.RGBA{0x00, 0x72, 0xb2, 0xff}, // blue
		color.RGBA{0xd5, 0x5e, 0x00, 0xff}, // vermilion
		color.RGBA{0x00, 0x9e, 0x73, 0xff}, // bluish green
		color.RGBA{0xcc, 0x79, 0xa7, 0xff}, // reddish purple
		color.RGBA{0xe6, 0x9f, 0x00, 0xff}, // orange
		skyBlue,
		color.RGBA{0x00, 0x00, 0x00, 0xff},
	}
	skyBlue = color.RGBA{0x56, 0xb4, 0xe9, 0xff}
	ink     = color.Gray{0x20}
	grey    = color.Gray{0x80}
	faint   = color.Gray{0xe0}
)

// textStyle is the figures' typeface at a size, its origin bottom left.
func textStyle(size vg.Length) text.Style {
	return text.Style{
		Color:   ink,
		Font:    font.Font{Typeface: "Liberation", Variant: "Sans", Size: size},
		Handler: typeface{text.Plain{Fonts: font.DefaultCache}},
	}
}

// belowMiddle is the distance from the middle of a letter of the given height down to the origin of a text in a style
// with its origin bottom left.
func belowMiddle(style text.Style, height vg.Length) vg.Length {
	return height/2 + style.Font.Size - style.FontExtents().Ascent
}

// digitHeight is the height of digits and capitals at a type size.
func digitHeight(size vg.Length) vg.Length { return 0.7 * size }

// fit turns s into one printable line, and shortens it to a width with "…" if need be.
func fit(style text.Style, s string, width vg.Length) string {
	line := []rune(strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return ' '
	}, norm.NFC.String(strings.ToValidUTF8(s, "?"))))
	if style.Width(string(line)) <= width {
		return string(line)
	}
	tooLong := sort.Search(len(line), func(n int) bool { return style.Width(string(line[:n+1])+"…") > width })
	return string(line[:tooLong]) + "…"
}

// rounded writes a number with some decimals, of halves the one farther from 0, as readers round what commands print
// with more decimals.
func rounded(v float64, decimals int) string {
	power := math.Pow(10, float64(decimals))
	if scaled := v * power; math.Abs(scaled) < 1e15 {
		const slack = 1e-9 // for halves that binary numbers do not quite reach
		v = math.Copysign(math.Floor(math.Abs(scaled)+0.5+slack), scaled) / power
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

func fillRectangle(c draw.Canvas, clr color.Color, r vg.Rectangle) {
	c.FillPolygon(clr, []vg.Point{r.Min, {X: r.Max.X, Y: r.Min.Y}, r.Max, {X: r.Min.X, Y: r.Max.Y}})
}

func strokeRectangle(c draw.Canvas, line draw.LineStyle, r vg.Rectangle) {
	c.StrokeLines(line, []vg.Point{r.Min, {X: r.Max.X, Y: r.Min.Y}, r.Max, {X: r.Min.X, Y: r.Max.Y}, r.Min})
}
