package plots

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image/color"
	"io"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/pkg/errors"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"

	"vgg/internal/atomicfile"
)

// Figure is a page of plots with what stands around them: a title, a legend, notes.
type Figure struct {
	// Panels are the plots in rows from the top. They can be added to and changed before the figure is drawn. What
	// their axes count is said at the function that makes the figure.
	Panels [][]*plot.Plot

	width, height vg.Length
	around        func(page draw.Canvas)                 // draws everything but the panels
	place         func(page draw.Canvas) [][]draw.Canvas // gives each panel its part of the page
}

// Size gives the width and the height in points (1/72 inch).
func (f *Figure) Size() (width, height vg.Length) { return f.width, f.height }

// Draw draws the figure on white in the lower left corner of c, which should have the figure's size.
func (f *Figure) Draw(c draw.Canvas) {
	page := draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{Min: c.Min, Max: c.Min.Add(vg.Point{X: f.width, Y: f.height})}}
	fillRectangle(page, color.White, page.Rectangle) // readable on dark pages too
	f.around(page)
	for i, row := range f.place(page) {
		for j, canvas := range row {
			f.Panels[i][j].Draw(canvas)
		}
	}
}

// Encode draws the figure and writes it to w in a format: "png", with 300 pixels per inch, which the file says, "svg" or
// "pdf". Texts that Liberation Sans cannot write are set in a font of the system: drawn in PNG, as text that names the
// font in SVG, and as shapes in PDF, as are all texts there that the code page 1252 lacks. See [Figure.Notes].
func (f *Figure) Encode(w io.Writer, format string) error {
	var canvas vg.CanvasWriterTo
	switch format {
	case "png":
		canvas = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(f.width, f.height), vgimg.UseDPI(pngDPI))}
	case "svg":
		canvas = vgsvg.New(f.width, f.height)
	case "pdf":
		canvas = vgpdf.New(f.width, f.height)
	default:
		return errors.Errorf("unknown format %q: want png, svg or pdf", format)
	}
	f.Draw(draw.NewCanvas(canvas, f.width, f.height))
	var picture bytes.Buffer
	if _, err := canvas.WriteTo(&picture); err != nil {
		return errors.Wrapf(err, "draw as %s", format)
	}
	encoded := picture.Bytes()
	switch format {
	case "png":
		encoded = withResolution(encoded)
	case "svg":
		// Not every reader has Liberation Sans; Arial and Helvetica have its metrics.
		encoded = bytes.ReplaceAll(encoded, []byte("font-family:Liberation Sans;"),
			[]byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;"))
		encoded = otherFamily.ReplaceAll(encoded, []byte("font-family:'$1',sans-serif;"))
	}
	_, err := w.Write(encoded)
	return errors.Wrap(err, "write the picture")
}

// otherFamily is a font of the system in SVG.
var otherFamily = regexp.MustCompile(`font-family:([^,;"']+);`)

// withResolution puts the pixels per metre into a PNG file, after its signature and its first chunk, so that programs
// that lay out pages give it its size. (The chunk pHYs, section 11.3.4.3 of the PNG specification.)
func withResolution(picture []byte) []byte {
	const first = 8 + 4 + 4 + 13 + 4
	chunk := []byte("pHYs")
	for range 2 { // across and down
		chunk = binary.BigEndian.AppendUint32(chunk, uint32(math.Round(pngDPI/0.0254)))
	}
	chunk = append(chunk, 1) // the unit is the metre
	whole := binary.BigEndian.AppendUint32(slices.Clone(picture[:first]), uint32(len(chunk)-4))
	whole = binary.BigEndian.AppendUint32(append(whole, chunk...), crc32.ChecksumIEEE(chunk))
	return append(whole, picture[first:]...)
}

// Save writes the figure to a file, whole or not at all, in the format of its extension: .png, .svg or .pdf.
func (f *Figure) Save(path string) error {
	format := strings.ToLower(strings.TrimPrefix(filepath.Ext(path), "."))
	err := atomicfile.Encode(path, func(w io.Writer) error { return f.Encode(w, format) })
	return errors.Wrapf(err, "cannot write the picture %s", path)
}

// onePanel is a place for a lone panel: from a corner, seen from the lower left of the page, as large as size.
func onePanel(corner, size vg.Point) func(page draw.Canvas) [][]draw.Canvas {
	return func(page draw.Canvas) [][]draw.Canvas {
		from := page.Min.Add(corner)
		return [][]draw.Canvas{{{Canvas: page.Canvas, Rectangle: vg.Rectangle{Min: from, Max: from.Add(size)}}}}
	}
}
