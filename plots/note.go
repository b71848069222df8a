package plots

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// note is a plotter of a ring around a point and a text beside it.
type note struct {
	at    plotter.XY
	text  string
	avoid []*curve // which the text should not hide
}

// Plot implements plot.Plotter.
func (n note) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	point := vg.Point{X: x(n.at.X), Y: y(n.at.Y)}
	style := textStyle(tickSize)
	size := style.Rectangle(n.text).Size()
	box := n.place(c, p, point, size)

	const ring = 3
	fillRectangle(c, color.White, box) // hides the lines of the grid
	edge := size.X / 4                 // a line to the end of the text would read as a letter
	toward := vg.Point{X: min(max(point.X, box.Min.X+edge), box.Max.X-edge), Y: box.Min.Y}
	if point.Y > box.Max.Y {
		toward.Y = box.Max.Y
	}
	toBox := toward.Sub(point)
	if math.Abs(float64(toBox.Y)) > 3*ring { // too far for the position alone to connect them
		from := point.Add(toBox.Scale(ring / vg.Length(math.Hypot(float64(toBox.X), float64(toBox.Y)))))
		c.StrokeLine2(draw.LineStyle{Color: ink, Width: 0.5}, from.X, from.Y, toward.X, toward.Y)
	}
	c.DrawGlyphNoClip(draw.GlyphStyle{Color: ink, Radius: ring, Shape: draw.RingGlyph{}}, point)
	style.XAlign, style.YAlign = draw.XCenter, draw.YCenter
	c.FillText(style, vg.Point{X: (box.Min.X + box.Max.X) / 2, Y: (box.Min.Y + box.Max.Y) / 2}, n.text)
}

// place finds the box of the given size that hides the least of the curves, and of equals the nearest to the point.
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

// hidden is the length of the curves inside the box, in points.
func (n note) hidden(c draw.Canvas, p *plot.Plot, box vg.Rectangle) float64 {
	const step = 1
	sum := 0.0
	inside := func(at vg.Point) bool {
		return at.X > box.Min.X-2 && at.X < box.Max.X+2 && at.Y > box.Min.Y-1 && at.Y < box.Max.Y+1
	}
	for _, v := range n.avoid {
		for _, s := range v.segments(c, p) {
			for i := range s {
				line := s[min(i+1, len(s)-1)].Sub(s[i])
				steps := max(1, math.Ceil(math.Hypot(float64(line.X), float64(line.Y))/step))
				for k := range int(steps) {
					if inside(s[i].Add(line.Scale(vg.Length(float64(k) / steps)))) {
						sum += step
					}
				}
			}
		}
	}
	return sum
}
