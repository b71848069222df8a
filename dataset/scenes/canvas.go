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
			var at [cells + 1][3]int // on the sides of the row's cells
			for column := range at {
				for k, top := range above[column] {
					at[column][k] = top + (below[column][k]-top)*down/height
				}
			}
			for column := range cells {
				left, right, width := at[column], at[column+1], edge(column+1)-edge(column)
				c.blend(y*c.side+edge(column), width, left, right)
			}
		}
	}
}

// blend fills pixels of a row with a change from one colour to another.
func (c *canvas) blend(at, width int, left, right [3]int) {
	red, green, blue := left[0], left[1], left[2]
	addRed, addGreen, addBlue := (right[0]-red)/width, (right[1]-green)/width, (right[2]-blue)/width
	to := c.pix[3*at:][:3*width]
	for ; len(to) >= 3; to = to[3:] {
		to[0], to[1], to[2] = level(red>>fraction), level(green>>fraction), level(blue>>fraction)
		red, green, blue = red+addRed, green+addGreen, blue+addBlue
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
		for k, v := range eight {
			eight[k] = level(int(v) + of[uint8(bits)])
			bits >>= 8
		}
	}
}

// level is the nearest value from 0 to 255; few are not one already.
func level(v int) uint8 {
	if uint(v) > 255 {
		return uint8(^v >> 63)
	}
	return uint8(v)
}

// paint lays a sprite in some colour over what is there.
func (c *canvas) paint(p *sprite, tint [3]float32, of owner) {
	p.each(c.side, func(at int, u, v float64) {
		opacity, shade := p.sample(u, v)
		if opacity >= visible {
			c.visible[c.owners[at]]--
			c.visible[of]++
			c.owners[at] = of
			c.painted[of]++
		}
		if opacity == 0 || of == c.hidden {
			return
		}
		to := c.pix[3*at:][:3]
		for k, t := range tint {
			to[k] = level(int(float32(to[k]) + opacity*(shade*t-float32(to[k])) + 0.5))
		}
	})
}

// covers tells whether a sprite would leave less than the rest of a share of some garment visible.
func (c *canvas) covers(p *sprite, share float64) bool {
	left := c.visible
	p.each(c.side, func(at int, u, v float64) {
		of := c.owners[at]
		if of < firstGarment {
			return
		}
		if opacity, _ := p.sample(u, v); opacity >= visible {
			left[of]--
		}
	})
	for of := firstGarment; int(of) < len(left); of++ {
		if left[of] < c.visible[of] && float64(left[of]) < (1-share)*float64(c.painted[of]) {
			return true
		}
	}
	return false
}

// boxes are those around the visible pixels of each garment.
func (c *canvas) boxes() (all []boxes.Box) {
	var found [len(c.painted)]boxes.Box
	for of := range found {
		found[of] = boxes.Box{XMin: float64(c.side), YMin: float64(c.side)}
	}
	for y := range c.side {
		row := c.owners[y*c.side:][:c.side]
		for x := 0; x < c.side; {
			first, of := x, row[x]
			for x++; x < c.side && row[x] == of; x++ {
			}
			b := &found[of]
			b.XMin, b.YMin = min(b.XMin, float64(first)), min(b.YMin, float64(y))
			b.XMax, b.YMax = max(b.XMax, float64(x)), float64(y+1)
		}
	}
	for of := firstGarment; int(of) < len(found); of++ {
		if c.painted[of] > 0 {
			all = append(all, found[of])
		}
	}
	return all
}
