package plots

import (
	"image"
	"math"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
	"gonum.org/v1/plot/font"
	plottext "gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"
	"gonum.org/v1/plot/vg/vgpdf"

	"vgg/internal/fonts"
)

// systemFonts have the letters that Liberation Sans lacks, which has Latin, Greek and Cyrillic ones.
var systemFonts = fonts.System()

// typeface is a text.Handler of lines of plain text. The whole of a text is set in Liberation Sans if that has all its
// letters, otherwise in a font of the system. Lines are as high as those of Liberation Sans in any case.
type typeface struct{ plottext.Plain }

// face is the font for a text.
func (t typeface) face(txt string, f font.Font) font.Face {
	face := t.Fonts.Lookup(f, f.Size)
	if found, _ := systemFonts.Choose(face.Face, txt); found != face.Face {
		return font.Face{Font: font.Font{Typeface: "system", Size: f.Size}, Face: found}
	}
	return face
}

// Lines implements text.Handler. Letters are composed, for fonts have few marks to put on others.
func (t typeface) Lines(txt string) []string { return t.Plain.Lines(norm.NFC.String(txt)) }

// Box implements text.Handler.
func (t typeface) Box(txt string, f font.Font) (width, height, depth vg.Length) {
	face, lines := t.face(txt, f), t.Extents(f)
	return face.Width(txt), lines.Ascent, lines.Descent
}

// Draw implements text.Handler.
func (t typeface) Draw(c vg.Canvas, txt string, style plottext.Style, at vg.Point) {
	face := t.face(txt, style.Font)
	c.SetColor(style.Color)
	if style.Rotation != 0 {
		c.Push()
		defer c.Pop()
		c.Rotate(style.Rotation)
		sin, cos := math.Sincos(style.Rotation)
		at = vg.Point{X: at.X*vg.Length(cos) + at.Y*vg.Length(sin), Y: at.Y*vg.Length(cos) - at.X*vg.Length(sin)}
	}
	at.Y += style.Height(txt)*vg.Length(style.YAlign) - t.Extents(style.Font).Ascent
	lines := t.Lines(txt)
	for i, line := range lines {
		from := at.Add(vg.Point{X: vg.Length(style.XAlign) * face.Width(line), Y: vg.Length(len(lines)-i) * style.Font.Size})
		if inPDF(c) && !pdfHas(line) {
			fillOutlines(c, face, from, line)
		} else {
			c.FillString(face, from, line)
		}
	}
}

// inPDF tells whether a canvas writes PDF.
func inPDF(c vg.Canvas) bool {
	for {
		switch on := c.(type) {
		case *vgpdf.Canvas:
			return true
		case *draw.Canvas:
			c = on.Canvas
		case draw.Canvas:
			c = on.Canvas
		default:
			return false
		}
	}
}

// pdfHas tells whether vgpdf can write a text as text: it encodes letters in the code page 1252.
func pdfHas(txt string) bool {
	_, err := charmap.Windows1252.NewEncoder().String(txt)
	return err == nil
}

// fillOutlines draws a line of text as shapes.
func fillOutlines(c vg.Canvas, face font.Face, at vg.Point, line string) {
	var buffer sfnt.Buffer
	units := fixed.Int26_6(face.Face.UnitsPerEm())
	scale := face.Font.Size / vg.Length(units)
	place := func(p fixed.Point26_6) vg.Point {
		return at.Add(vg.Point{X: vg.Length(p.X) * scale, Y: -vg.Length(p.Y) * scale})
	}
	for _, letter := range line {
		glyph, err := face.Face.GlyphIndex(&buffer, letter)
		if err != nil {
			continue // such letters are among those that Notes names
		}
		outline, err := face.Face.LoadGlyph(&buffer, glyph, units, nil)
		if err != nil {
			continue
		}
		var path vg.Path
		for _, s := range outline {
			switch s.Op {
			case sfnt.SegmentOpMoveTo:
				path.Move(place(s.Args[0]))
			case sfnt.SegmentOpLineTo:
				path.Line(place(s.Args[0]))
			case sfnt.SegmentOpQuadTo:
				path.QuadTo(place(s.Args[0]), place(s.Args[1]))
			case sfnt.SegmentOpCubeTo:
				path.CubeTo(place(s.Args[0]), place(s.Args[1]), place(s.Args[2]))
			}
		}
		if len(path) > 0 {
			c.Fill(path)
		}
		advance, err := face.Face.GlyphAdvance(&buffer, glyph, units, 0)
		if err == nil {
			at.X += vg.Length(advance) * scale
		}
	}
}

// Notes say which letters of the figure no font of the system has; nil if none is missing.
func (f *Figure) Notes() []string { return fonts.Lacking(f.Missing()).Notes() }

// Missing are the letters of the figure that no font of the system has.
func (f *Figure) Missing() []rune {
	var canvas textCanvas
	f.Draw(draw.Canvas{Canvas: &canvas, Rectangle: vg.Rectangle{Max: vg.Point{X: f.width, Y: f.height}}})
	style := textStyle(labelSize)
	var letters fonts.Lacking
	for _, action := range canvas.Actions {
		written, ok := action.(*recorder.FillString)
		if !ok {
			continue
		}
		face := style.Handler.(typeface).face(written.String, style.Font)
		letters.Add(fonts.Missing(face.Face, written.String)...)
	}
	return letters
}

// textCanvas keeps the texts that are written, and forgets pictures.
type textCanvas struct{ recorder.Canvas }

// DrawImage implements vg.Canvas.
func (*textCanvas) DrawImage(vg.Rectangle, image.Image) {}
