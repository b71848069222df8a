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
func (p sprite) reach() (x, y float64) {
	halfWidth, halfHeight := p.scale*float64(p.window.width())/2, p.scale*float64(p.window.height())/2
	sin, cos := math.Abs(p.sin), math.Abs(p.cos)
	return halfWidth*cos + halfHeight*sin, halfWidth*sin + halfHeight*cos
}

// each calls paint for each pixel of a canvas that the sprite touches, with its opacity and its brightness from 0 to 1.
func (p sprite) each(side int, paint func(at int, opacity, shade float32)) {
	reachX, reachY := p.reach()
	w := p.window
	middleX, middleY := float64(w.left+w.right)/2, float64(w.top+w.bottom)/2
	for y := max(0, int(p.y-reachY)-1); y < min(side, int(p.y+reachY)+2); y++ {
		for x := max(0, int(p.x-reachX)-1); x < min(side, int(p.x+reachX)+2); x++ {
			dx, dy := (float64(x)+0.5-p.x)/p.scale, (float64(y)+0.5-p.y)/p.scale
			u, v := dx*p.cos+dy*p.sin, dy*p.cos-dx*p.sin
			if p.mirrored {
				u = -u
			}
			if u, v = u+middleX, v+middleY; u < float64(w.left) || u >= float64(w.right) || v < float64(w.top) || v >= float64(w.bottom) {
				continue
			}
			if p.source == nil {
				paint(y*side+x, 1, 1)
			} else if opacity, shade := p.sample(float32(u)-0.5, float32(v)-0.5); opacity > 0 {
				paint(y*side+x, opacity, shade)
			}
		}
	}
}

// sample interpolates the source between the centres of its pixels: how much of it is cloth, and how bright that is.
func (p sprite) sample(u, v float32) (opacity, shade float32) {
	left, top := int(u+1)-1, int(v+1)-1
	across, down := u-float32(left), v-float32(top)
	sum := float32(0)
	for k, weight := range [4]float32{(1 - across) * (1 - down), across * (1 - down), (1 - across) * down, across * down} {
		x, y := left+k%2, top+k/2
		if x < 0 || y < 0 || x >= garmentSide || y >= garmentSide {
			continue
		}
		if value := p.source[y*garmentSide+x]; value >= cloth {
			opacity += weight
			sum += weight * float32(value)
		}
	}
	if opacity == 0 {
		return 0, 0
	}
	return opacity, 0.4 + 0.6*sum/opacity/255
}
