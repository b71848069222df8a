package scenes

import (
	"math"
	"math/rand/v2"
	"slices"

	"vgg/boxes"
)

// owner is what a pixel of a canvas belongs to.
type owner uint8

const (
	background owner = iota
	distractor
	firstGarment       // and those from here on
	nothing      owner = 255
)

// canvas is a scene while it is drawn.
type canvas struct {
	side    int
	pix     []uint8               // (side, side, 3)
	owners  []owner               // (side, side)
	painted [firstGarment + 2]int // pixels of each owner before others covered them
	visible [firstGarment + 2]int // pixels of each owner but the background
	hidden  owner
}

func newCanvas(side int, hidden owner) *canvas {
	return &canvas{side: side, pix: make([]uint8, 3*side*side), owners: make([]owner, side*side), hidden: hidden}
}

// fraction is the number of bits after the point in the sums of texture.
const fraction = 16

// texture fills the canvas with a smooth random change of a colour: between random colours at the corners of cells,
// interpolated.
func (c *canvas) texture(r *rand.Rand, base [3]float32, difficulty float64) {
	amplitude := 255 * difficulty * between(r, lowTexture, texture) / 2
	var corners [cells + 1][cells + 1][3]int
	for y := range corners {
		for x := range corners[y] {
			for k, middle := range base {
				corners[y][x][k] = int((float64(middle) + symmetric(r, amplitude)) * (1 << fraction))
			}
		}
	}
	edge := func(cell int) int { return cell * c.side / cells } // of a cell
	for row := range cells {
		above, below, height := &corners[row], &corners[row+1], edge(row+1)-edge(row)
		for y := edge(row); y < edge(row+1); y++ {
			down := y - edge(row)
			for column := range cells {
				var at, step [3]int
				width := edge(column+1) - edge(column)
				for k := range at {
					left := above[column][k] + (below[column][k]-above[column][k])*down/height
					right := above[column+1][k] + (below[column+1][k]-above[column+1][k])*down/height
					at[k], step[k] = left, (right-left)/width
				}
				to := c.pix[3*(y*c.side+edge(column)):][:3*width]
				for len(to) >= 3 {
					for k := range at {
						to[k] = level(at[k] >> fraction)
						at[k] += step[k]
					}
					to = to[3:]
				}
			}
		}
	}
}

// noise adds noise of a standard deviation to each value, evenly distributed.
func (c *canvas) noise(r *rand.Rand, deviation float64) {
	var of [256]int // by the random bits
	for bits := range of {
		of[bits] = int(math.Round(deviation * math.Sqrt(3) / 128 * (float64(bits) - 127.5)))
	}
	for eight := range slices.Chunk(c.pix, 8) {
		bits := r.Uint64()
		for k := range eight {
			eight[k] = level(int(eight[k]) + of[bits>>(8*k)&255])
		}
	}
}

func level(v int) uint8 { return uint8(min(max(v, 0), 255)) }

// paint lays a sprite in some colour over what is there.
func (c *canvas) paint(p sprite, tint [3]float32, of owner) {
	p.each(c.side, func(at int, opacity, shade float32) {
		if opacity >= visible {
			c.visible[c.owners[at]]--
			c.visible[of]++
			c.owners[at] = of
			c.painted[of]++
		}
		if of == c.hidden {
			return
		}
		to := c.pix[3*at:][:3]
		for k, t := range tint {
			to[k] = level(int(float32(to[k]) + opacity*(shade*t-float32(to[k])) + 0.5))
		}
	})
}

// covers tells whether a sprite would leave less than the rest of a share of some garment visible.
func (c *canvas) covers(p sprite, share float64) bool {
	left := c.visible
	touched := false
	p.each(c.side, func(at int, opacity, _ float32) {
		if of := c.owners[at]; opacity >= visible && of >= firstGarment {
			left[of]--
			touched = true
		}
	})
	for of := firstGarment; touched && int(of) < len(left); of++ {
		if float64(left[of]) < (1-share)*float64(c.painted[of]) {
			return true
		}
	}
	return false
}

// boxes are those around the visible pixels of each garment.
func (c *canvas) boxes() (all []boxes.Box) {
	for of := firstGarment; int(of) < len(c.painted); of++ {
		if c.painted[of] == 0 {
			continue
		}
		b := boxes.Box{XMin: float64(c.side), YMin: float64(c.side)}
		for at, o := range c.owners {
			if o == of {
				x, y := float64(at%c.side), float64(at/c.side)
				b = boxes.Box{XMin: min(b.XMin, x), YMin: min(b.YMin, y), XMax: max(b.XMax, x+1), YMax: max(b.YMax, y+1)}
			}
		}
		all = append(all, b)
	}
	return all
}
