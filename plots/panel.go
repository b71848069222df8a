package plots

import (
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// newPanel is an empty plot of curves over the epochs from first to last, its
// vertical range that of the curves.
func newPanel(label string, first, last float64, curves ...*curve) *plot.Plot {
	p := emptyPanel()
	p.X.Min, p.X.Max = first, last
	if first == last { // a lone epoch stands in the middle
		p.X.Min, p.X.Max = first-0.5, last+0.5
	}
	p.Y.Min, p.Y.Max = valueRange(curves)
	p.Y.Label.Text = label
	p.X.Tick.Marker = ticks{most: 10, least: 1}
	p.Y.Tick.Marker = ticks{most: 6}
	p.Add(grid{})
	return p
}

// emptyPanel is a plot of nothing with axes in the figures' look.
func emptyPanel() *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Color, axis.Tick.Color = ink, ink
		axis.Padding, axis.Tick.Length = 2, 3
		axis.Label.Padding = 2
		axis.Label.TextStyle = restyle(axis.Label.TextStyle, labelSize)
		axis.Tick.Label = restyle(axis.Tick.Label, tickSize)
	}
	return p
}

// dataSize is the room that the axes of p leave on a canvas of a size.
func dataSize(p *plot.Plot, size vg.Point) vg.Point {
	return p.DataCanvas(draw.Canvas{Rectangle: vg.Rectangle{Max: size}}).Size()
}

// restyle keeps the alignment of a style of the axis.
func restyle(style text.Style, size vg.Length) text.Style {
	ours := textStyle(size)
	ours.XAlign, ours.YAlign = style.XAlign, style.YAlign
	return ours
}

// finite holds for a value that can be drawn: huge ones would overflow on the
// way to the page.
func finite(v float64) bool { return math.Abs(v) < 1e300 }

// valueRange is the range of the curves' finite values with some air, at least
// a hundredth of the values wide, and not below 0 where no value is.
func valueRange(curves []*curve) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, c := range curves {
		for _, p := range c.points {
			if finite(p.Y) {
				low, high = min(low, p.Y), max(high, p.Y)
			}
		}
	}
	if low > high { // no value at all
		return 0, 1
	}
	air := 0.05 * (high - low)
	if least := 0.01 * max(math.Abs(low), math.Abs(high)); high-low < least {
		air = least
	}
	if air < 1e-12 { // all 0, as far as a reader is concerned
		air = 1
	}
	if low >= 0 {
		return max(0, low-air), high + air
	}
	return low - air, high + air
}

// ticks marks the multiples of 1, 2 or 5 times a power of ten.
type ticks struct {
	most  int     // about so many marks
	least float64 // smallest step; 1 keeps to whole numbers
}

// Ticks implements plot.Ticker; an empty range has no marks.
func (t ticks) Ticks(low, high float64) []plot.Tick {
	if !(low < high) {
		return nil
	}
	raw := (high - low) / float64(t.most)
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	step := 10 * power
	for _, m := range []float64{5, 2, 1} {
		if m*power >= raw {
			step = m * power
		}
	}
	step = max(step, t.least)
	decimals := max(0, -int(math.Floor(math.Log10(step)+1e-9)))

	const slack = 1e-9 // of a step, for ends that are multiples but for rounding
	from, to := math.Ceil(low/step-slack), math.Floor(high/step+slack)
	var marks []plot.Tick
	for i := range int(to-from) + 1 {
		value := (from+float64(i))*step + 0 // not -0
		label := strconv.FormatFloat(value, 'f', decimals, 64)
		if decimals > 5 || math.Abs(high) >= 1e5 {
			label = strconv.FormatFloat(value, 'g', 3, 64)
		}
		marks = append(marks, plot.Tick{Value: value, Label: label})
	}
	return marks
}

// unlabelled hides the labels of an axis whose twin below has them.
type unlabelled struct{ plot.Ticker }

// Ticks implements plot.Ticker.
func (u unlabelled) Ticks(low, high float64) []plot.Tick {
	marks := u.Ticker.Ticks(low, high)
	for i := range marks {
		marks[i].Label = ""
	}
	return marks
}

// grid draws a faint line at each vertical mark.
type grid struct{}

// Plot implements plot.Plotter.
func (grid) Plot(c draw.Canvas, p *plot.Plot) {
	for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		y := c.Y(p.Y.Norm(t.Value))
		c.StrokeLine2(draw.LineStyle{Color: faint, Width: 0.5}, c.Min.X, y, c.Max.X, y)
	}
}

// curve is a line through points; a value that is not finite is a gap.
type curve struct {
	points plotter.XYs
	line   draw.LineStyle
	marker draw.GlyphStyle // on points between gaps, which have no line, and
	every  int             // on every so many points; 0: on no others
}

// styledCurve is the look of the i-th of several curves in a panel.
func styledCurve(i int) curve {
	// Seven colours and five shapes repeat together after 35 curves only.
	shapes := []draw.GlyphDrawer{
		draw.CircleGlyph{}, draw.SquareGlyph{}, draw.PyramidGlyph{}, draw.RingGlyph{}, draw.CrossGlyph{},
	}
	color := palette[i%len(palette)]
	return curve{
		line:   draw.LineStyle{Color: color, Width: 1},
		marker: draw.GlyphStyle{Color: color, Radius: 1.9, Shape: shapes[i%len(shapes)]},
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

// verticals are lines across the panel's height.
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

// note rings a point and says something about it where no curve runs.
type note struct {
	at    plotter.XY
	text  string
	avoid []*curve
}

// Plot implements plot.Plotter.
func (n note) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	point := vg.Point{X: x(n.at.X), Y: y(n.at.Y)}
	style := textStyle(tickSize)
	size := style.Rectangle(n.text).Size()
	box := n.place(c, p, point, size)

	const ring = 3
	fillRectangle(c, color.White, box) // over the lines behind the curves
	edge := size.X / 4                 // a leader at the text's end would read as a letter
	toward := vg.Point{X: min(max(point.X, box.Min.X+edge), box.Max.X-edge), Y: box.Min.Y}
	if point.Y > box.Max.Y {
		toward.Y = box.Max.Y
	}
	way := toward.Sub(point)
	if math.Abs(float64(way.Y)) > 3*ring { // too far off to be told by the place alone
		from := point.Add(way.Scale(ring / vg.Length(math.Hypot(float64(way.X), float64(way.Y)))))
		c.StrokeLine2(draw.LineStyle{Color: ink, Width: 0.5}, from.X, from.Y, toward.X, toward.Y)
	}
	c.DrawGlyphNoClip(draw.GlyphStyle{Color: ink, Radius: ring, Shape: draw.RingGlyph{}}, point)
	style.XAlign, style.YAlign = draw.XCenter, draw.YCenter
	c.FillText(style, vg.Point{X: (box.Min.X + box.Max.X) / 2, Y: (box.Min.Y + box.Max.Y) / 2}, n.text)
}

// place finds the box of the given size that hides least of the curves, the
// nearest to the point among equals.
func (n note) place(c draw.Canvas, p *plot.Plot, point, size vg.Point) vg.Rectangle {
	var best vg.Rectangle
	least := math.Inf(1)
	for _, away := range []vg.Length{5, 10, 16, 24, 34} {
		for _, up := range []bool{true, false} {
			for _, shift := range []vg.Length{0.5, 0, 1} {
				low := vg.Point{X: point.X - shift*size.X, Y: point.Y + away}
				if !up {
					low.Y = point.Y - away - size.Y
				}
				low.X = max(c.Min.X, min(low.X, c.Max.X-size.X))
				box := vg.Rectangle{Min: low, Max: low.Add(size)}
				if box.Min.Y < c.Min.Y || box.Max.Y > c.Max.Y {
					continue
				}
				if hidden := n.hidden(c, p, box); hidden < least {
					least, best = hidden, box
				}
			}
		}
	}
	return best
}

// hidden is the length of curve in the box, in points.
func (n note) hidden(c draw.Canvas, p *plot.Plot, box vg.Rectangle) float64 {
	const step = 1
	sum := 0.0
	inside := func(at vg.Point) bool {
		return at.X > box.Min.X-2 && at.X < box.Max.X+2 && at.Y > box.Min.Y-1 && at.Y < box.Max.Y+1
	}
	for _, v := range n.avoid {
		for _, s := range v.segments(c, p) {
			for i := range s {
				way := s[min(i+1, len(s)-1)].Sub(s[i])
				steps := max(1, math.Ceil(math.Hypot(float64(way.X), float64(way.Y))/step))
				for k := range int(steps) {
					if inside(s[i].Add(way.Scale(vg.Length(float64(k) / steps)))) {
						sum += step
					}
				}
			}
		}
	}
	return sum
}
