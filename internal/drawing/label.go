package drawing

import "image"

// label writes a mark's label on its colour, where it covers the least of other labels: above the box, inside it, or
// below.
func (c *canvas) label(m Mark) {
	if m.Label == "" {
		return
	}
	margin := 2 * c.line
	text := c.fit(m.Label, c.Rect.Dx()-2*margin)
	size := image.Pt(c.measure(text)+2*margin, c.ascent+c.descent)
	at := c.place(c.pixels(m), size)
	c.labels = append(c.labels, at)
	c.fill(at.Inset(-max(1, c.line/2)), contrast(m.Colour))
	c.fill(at, m.Colour)
	c.write(text, image.Pt(at.Min.X+margin, at.Min.Y), contrast(m.Colour))
}

// place finds the place of a label for a box.
func (c *canvas) place(box image.Rectangle, size image.Point) (best image.Rectangle) {
	least := -1
	for _, top := range []int{box.Min.Y - size.Y, box.Min.Y, box.Max.Y, box.Max.Y - size.Y} {
		for _, left := range []int{box.Min.X, box.Max.X - size.X} {
			corner := image.Pt(within(left, c.Rect.Dx()-size.X), within(top, c.Rect.Dy()-size.Y))
			at, covered := image.Rectangle{Min: corner, Max: corner.Add(size)}, 0
			for _, other := range c.labels {
				both := at.Intersect(other)
				covered += both.Dx() * both.Dy()
			}
			if corner.Y != top {
				covered++ // rather where there is room
			}
			if least < 0 || covered < least {
				best, least = at, covered
			}
		}
	}
	return best
}

func within(v, most int) int { return max(0, min(v, most)) }
