package scenes

import (
	"math"
	"math/rand/v2"
)

// window is a part of a garment's picture, in its pixels, the last excluded.
type window struct{ left, top, right, bottom int }

func (w window) width() int  { return w.right - w.left }
func (w window) height() int { return w.bottom - w.top }

// cloth is the level from which a garment's pixel is not the black behind it.
const cloth = 16

// boundsOf is the window around the pixels of a garment; the middle pixel if there are none.
func boundsOf(garment []byte) window {
	w := window{garmentSide, garmentSide, 0, 0}
	for i, v := range garment {
		if x, y := i%garmentSide, i/garmentSide; v >= cloth {
			w = window{min(w.left, x), min(w.top, y), max(w.right, x+1), max(w.bottom, y+1)}
		}
	}
	if w.right == 0 {
		return window{garmentSide / 2, garmentSide / 2, garmentSide/2 + 1, garmentSide/2 + 1}
	}
	return w
}

// part draws a part of a window, about half as long and wide.
func (w window) part(r *rand.Rand) window {
	cut := func(low, high int) (int, int) {
		length := max(1, int(float64(high-low)*between(r, 0.35, 0.6)))
		low += r.IntN(high - low - length + 1)
		return low, low + length
	}
	w.left, w.right = cut(w.left, w.right)
	w.top, w.bottom = cut(w.top, w.bottom)
	return w
}

// sprite is a part of a garment, or a plain rectangle, with its place on the canvas.
type sprite struct {
	source   []byte // (28, 28); nil: all of the window is white
	window   window
	x, y     float64 // centre, in pixels of the canvas
	scale    float64 // pixels of the canvas for one of the source
	sin, cos float64
	mirrored bool
}

func (p *sprite) turn(degrees float64) { p.sin, p.cos = math.Sincos(degrees * math.Pi / 180) }

// reach is half of the sprite's extent on the canvas, to the sides and up and down.
func (p *sprite) reach() (x, y float64) {
	halfWidth, halfHeight := p.scale*float64(p.window.width())/2, p.scale*float64(p.window.height())/2
	sin, cos := math.Abs(p.sin), math.Abs(p.cos)
	return halfWidth*cos + halfHeight*sin, halfWidth*sin + halfHeight*cos
}

// each calls paint for each pixel of a canvas whose middle is in the sprite, with the place (u, v) in the garment's
// picture that lies there.
func (p *sprite) each(side int, paint func(at int, u, v float64)) {
	reachX, reachY := p.reach()
	w := p.window
	left, right, top, bottom := float64(w.left), float64(w.right), float64(w.top), float64(w.bottom)
	middleX, middleY := (left+right)/2, (top+bottom)/2
	firstX, afterX := max(0, int(p.x-reachX)-1), min(side, int(p.x+reachX)+2)
	for y := max(0, int(p.y-reachY)-1); y < min(side, int(p.y+reachY)+2); y++ {
		dy := (float64(y) + 0.5 - p.y) / p.scale
		across, down := dy*p.sin, dy*p.cos
		for x := firstX; x < afterX; x++ {
			dx := (float64(x) + 0.5 - p.x) / p.scale
			u, v := dx*p.cos+across, down-dx*p.sin
			if p.mirrored {
				u = -u
			}
			u, v = u+middleX, v+middleY
			if u >= left && u < right && v >= top && v < bottom {
				paint(y*side+x, u, v)
			}
		}
	}
}

// sample interpolates the source between the centres of its pixels: how much of it is cloth, from 0 to 1, and how bright
// that is.
func (p *sprite) sample(u, v float64) (opacity, shade float32) {
	if p.source == nil {
		return 1, 1
	}
	right, below := float32(u)-0.5, float32(v)-0.5
	x, y := int(right+1)-1, int(below+1)-1
	right, below = right-float32(x), below-float32(y)
	left, above := 1-right, 1-below
	sum := float32(0)
	add := func(x, y int, weight float32) {
		if uint(x) >= garmentSide || uint(y) >= garmentSide {
			return
		}
		if value := p.source[y*garmentSide+x]; value >= cloth {
			opacity += weight
			sum += weight * float32(value)
		}
	}
	add(x, y, left*above)
	add(x+1, y, right*above)
	add(x, y+1, left*below)
	add(x+1, y+1, right*below)
	if opacity == 0 {
		return 0, 0
	}
	return opacity, 0.4 + 0.6*sum/opacity/255
}
