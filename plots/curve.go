package plots

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// curve is a plotter of a line through points. A value that is not finite leaves a gap.
type curve struct {
	points plotter.XYs
	line   draw.LineStyle
	marker draw.GlyphStyle // on points between two gaps, which have no line, and
	every  int             // on every n-th point; 0: on no others
}

// dashes are the lines of the series of a panel, and shapes their markers, which tell them apart without colours. The
// solid line is the first.
var (
	dashes = [][]vg.Length{nil, {5, 2}, {1.2, 1.6}, {6, 1.6, 1.2, 1.6}, {9, 2.5}, {6, 1.4, 1.2, 1.4, 1.2, 1.4}, {2.5, 1.2}}
	shapes = []draw.GlyphDrawer{
		draw.CircleGlyph{}, draw.SquareGlyph{}, draw.PyramidGlyph{}, draw.CrossGlyph{}, draw.RingGlyph{}, draw.BoxGlyph{}, draw.PlusGlyph{},
	}
)

// styledCurve is an empty curve in the style of the i-th in a panel of several. Seven differ in colour, line and
// marker each. Each further seven shift lines and markers against the colours, by different steps, so that any two of
// the three tell 49 apart; the 50th is like the first.
func styledCurve(i int) curve {
	n := len(palette)
	colour, shift := palette[i%n], i/n
	return curve{
		line:   draw.LineStyle{Color: colour, Width: 1, Dashes: dashes[(i+shift)%n]},
		marker: draw.GlyphStyle{Color: colour, Radius: 1.9, Shape: shapes[(i+2*shift)%n]},
	}
}

// segments are the runs of finite points, as places on the page.
func (v *curve) segments(c draw.Canvas, p *plot.Plot) [][]vg.Point {
	x, y := p.Transforms(&c)
	var all [][]vg.Point
	var run []vg.Point
	for _, point := range v.points {
		if finite(point.Y) {
			run = append(run, vg.Point{X: x(point.X), Y: y(point.Y)})
		} else if run != nil {
			all, run = append(all, run), nil
		}
	}
	if run != nil {
		all = append(all, run)
	}
	return all
}

// Plot implements plot.Plotter.
func (v *curve) Plot(c draw.Canvas, p *plot.Plot) {
	segments := v.segments(c, p)
	c.StrokeLines(v.line, segments...)
	for _, s := range segments {
		if len(s) == 1 {
			c.DrawGlyphNoClip(v.marker, s[0])
			continue
		}
		for i := 0; v.every > 0 && i < len(s); i += v.every {
			c.DrawGlyphNoClip(v.marker, s[i])
		}
	}
}

// Thumbnail implements plot.Thumbnailer.
func (v *curve) Thumbnail(c *draw.Canvas) {
	c.StrokeLine2(v.line, c.Min.X, c.Center().Y, c.Max.X, c.Center().Y)
	if v.every > 0 || len(v.points) == 1 {
		c.DrawGlyphNoClip(v.marker, c.Center())
	}
}

// verticals is a plotter of lines over the height of the panel.
type verticals struct {
	at   []float64
	line draw.LineStyle
}

// Plot implements plot.Plotter.
func (v verticals) Plot(c draw.Canvas, p *plot.Plot) {
	for _, at := range v.at {
		x := c.X(p.X.Norm(at))
		c.StrokeLine2(v.line, x, c.Min.Y, x, c.Max.Y)
	}
}

// Thumbnail implements plot.Thumbnailer.
func (v verticals) Thumbnail(c *draw.Canvas) {
	c.StrokeLine2(v.line, c.Center().X, c.Min.Y+1, c.Center().X, c.Max.Y-1)
}
