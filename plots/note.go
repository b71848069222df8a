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
	avoid []*curve  // which the text should not hide
	drops []float64 // where vertical lines are that it should not hide either
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
	near := vg.Point{X: max(box.Min.X, min(point.X, box.Max.X)), Y: max(box.Min.Y, min(point.Y, box.Max.Y))}
	toBox := near.Sub(point)
	if away := vg.Length(math.Hypot(float64(toBox.X), float64(toBox.Y))); away > 3*ring { // too far for the position alone to connect them
		from := point.Add(toBox.Scale(ring / away))
		c.StrokeLine2(draw.LineStyle{Color: ink, Width: 0.5}, from.X, from.Y, near.X, near.Y)
	}
	c.DrawGlyphNoClip(draw.GlyphStyle{Color: ink, Radius: ring, Shape: draw.RingGlyph{}}, point)
	style.XAlign, style.YAlign = draw.XCenter, draw.YCenter
	c.FillText(style, vg.Point{X: (box.Min.X + box.Max.X) / 2, Y: (box.Min.Y + box.Max.Y) / 2}, n.text)
}

// place finds the box of the given size that hides the least of the lines, and of equals the nearest to the point.
func (n note) place(c draw.Canvas, p *plot.Plot, point, size vg.Point) vg.Rectangle {
	var best vg.Rectangle
	least := math.Inf(1)
	const across, step = 16, 4
	for i := range across + 1 {
		for away := vg.Length(5); away < c.Max.Y-c.Min.Y; away += step {
			for _, bottom := range []vg.Length{point.Y + away, point.Y - away - size.Y} {
				left := c.Min.X + (c.Max.X-c.Min.X-size.X)*vg.Length(i)/across
				box := vg.Rectangle{Min: vg.Point{X: left, Y: bottom}, Max: vg.Point{X: left + size.X, Y: bottom + size.Y}}
				if box.Min.Y < c.Min.Y || box.Max.Y > c.Max.Y {
					continue
				}
				aside := float64(max(0, box.Min.X-point.X, point.X-box.Max.X))
				center := math.Abs(float64((box.Min.X+box.Max.X)/2 - point.X))
				// A point of a line that is hidden weighs more than any distance.
				if cost := 1e4*n.hidden(c, p, box) + float64(away) + 2*aside + center/8; cost < least {
					least, best = cost, box
				}
			}
		}
	}
	return best
}

// hidden is the length of the lines inside the box, in points.
func (n note) hidden(c draw.Canvas, p *plot.Plot, box vg.Rectangle) float64 {
	const step = 1
	sum := 0.0
	for _, at := range n.drops {
		if x := c.X(p.X.Norm(at)); x > box.Min.X-2 && x < box.Max.X+2 {
			sum += float64(box.Max.Y - box.Min.Y)
		}
	}
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
