package scenes

import (
	"math"
	"math/rand/v2"

	"vgg/augment"
	"vgg/boxes"
	"vgg/internal/splitmix"
)

// Side is that of the square canvas in pixels: 1.5 times a net's input of 64.
const Side = 96

// How scenes are drawn. Lengths are in pixels; ranges of lengths are drawn evenly in the logarithm.
const (
	smallest, largest           = 24, 76    // a garment's longer side, before it is turned
	largestOfTwo                = 48        // that of each of two
	mostAngle                   = 15        // of a garment, in degrees to either side
	spread                      = 22        // of a garment's centre around the middle, at most
	two                         = 0.1       // probability of a second garment of the same class
	mostPieces                  = 2         // of other garments
	rectangle                   = 0.5       // probability of a rectangle
	leastVisible                = 0.7       // share of a garment's pixels that nothing covers
	lowTexture, texture         = 0.1, 0.35 // amplitude, as a share of the colours' range
	cells                       = 6         // of the texture, along a side: a divisor of Side
	lowNoise, noise             = 1, 6      // standard deviation, in levels of 255
	leastContrast               = 90        // distance of a garment's colour from the canvas's, in levels
	tries                       = 30        // to place what must not cover too much
	garmentSide                 = 28
	garmentSize                 = garmentSide * garmentSide
	visible             float32 = 0.5 // opacity from which a pixel is a garment's
)

// Scenes has a scene for each garment.
type Scenes struct {
	pixels, labels []byte
	seed           uint64
	byClass        [256][]int32
	bounds         []window
}

// New makes scenes from grey garments (N, 28, 28) on black, and their labels.
func New(pixels, labels []byte, seed uint64) *Scenes {
	s := &Scenes{pixels: pixels, labels: labels, seed: seed, bounds: make([]window, len(labels))}
	for i, label := range labels {
		s.byClass[label] = append(s.byClass[label], int32(i))
		s.bounds[i] = boundsOf(s.garment(i))
	}
	return s
}

// Len is the number of scenes.
func (s *Scenes) Len() int { return len(s.labels) }

// Label is the class of the garments in scene i.
func (s *Scenes) Label(i int) int { return int(s.labels[i]) }

func (s *Scenes) garment(i int) []byte { return s.pixels[i*garmentSize : (i+1)*garmentSize] }

// Draw draws scene i: a picture (Side, Side) of 3 channels and a box, in pixels, around the visible pixels of each
// garment of its class, of which there are one or two.
func (s *Scenes) Draw(i int) (augment.Picture, []boxes.Box) {
	c := s.draw(i, nothing)
	return augment.Picture{Width: Side, Height: Side, Channels: 3, Pix: c.pix}, c.boxes()
}

// draw draws a scene; the colours of one thing on it may be left out, for tests.
func (s *Scenes) draw(i int, hidden owner) *canvas {
	r := rand.New(rand.NewPCG(s.seed, splitmix.Mix(uint64(i))))
	c := &canvas{pix: make([]uint8, 3*Side*Side), hidden: hidden}
	base := dim(r)
	c.texture(r, base)
	s.addGarments(c, r, base, i)
	for range r.IntN(mostPieces + 1) {
		s.addPiece(c, r)
	}
	if r.Float64() < rectangle {
		addRectangle(c, r)
	}
	c.noise(r, between(r, lowNoise, noise))
	return c
}

// addGarments adds the garment of a scene, and maybe another of its class that covers little of it.
func (s *Scenes) addGarments(c *canvas, r *rand.Rand, base [3]float32, i int) {
	most := float64(largest)
	second := r.Float64() < two
	if second {
		most = largestOfTwo
	}
	c.paint(s.placed(r, i, most), contrasting(r, base), firstGarment)
	if !second {
		return
	}
	same := s.byClass[s.labels[i]]
	for range tries {
		other := s.placed(r, int(same[r.IntN(len(same))]), most)
		if c.covers(other, 1-leastVisible) {
			continue
		}
		c.paint(other, contrasting(r, base), firstGarment+1)
		return
	}
}

// placed draws size, angle and place of a garment, which stays on the canvas.
func (s *Scenes) placed(r *rand.Rand, i int, most float64) sprite {
	p := sprite{source: s.garment(i), window: s.bounds[i], mirrored: r.IntN(2) == 1}
	p.turn(symmetric(r, mostAngle))
	p.scale = logarithmic(r, smallest, most) / float64(max(p.window.width(), p.window.height()))
	halfWidth, halfHeight := p.reach()
	p.x, p.y = around(r, halfWidth), around(r, halfHeight)
	return p
}

// around draws a centre along one side of the canvas.
func around(r *rand.Rand, half float64) float64 {
	return Side/2 + symmetric(r, min(spread, max(0, Side/2-half)))
}

// addPiece adds a part of any garment, smaller than whole ones, where it covers little of those that count.
func (s *Scenes) addPiece(c *canvas, r *rand.Rand) {
	i := r.IntN(s.Len())
	p := sprite{source: s.garment(i), window: s.bounds[i].part(r)}
	addDistractor(c, r, p)
}

func addRectangle(c *canvas, r *rand.Rand) {
	addDistractor(c, r, sprite{window: window{0, 0, 4 + r.IntN(12), 4 + r.IntN(12)}})
}

// addDistractor paints a sprite at a place where it covers little, if one is found.
func addDistractor(c *canvas, r *rand.Rand, p sprite) {
	p.turn(symmetric(r, 180))
	p.scale = between(r, 0.8, 2)
	tint := bright(r)
	for range tries {
		p.x, p.y = between(r, 0, Side), between(r, 0, Side)
		if !c.covers(p, 1-leastVisible) {
			c.paint(p, tint, distractor)
			return
		}
	}
}

// contrasting draws a colour that can be seen on another.
func contrasting(r *rand.Rand, base [3]float32) (drawn [3]float32) {
	for range tries {
		drawn = bright(r)
		distance := 0.0
		for k := range drawn {
			distance += float64((drawn[k] - base[k]) * (drawn[k] - base[k]))
		}
		if math.Sqrt(distance) >= leastContrast {
			break
		}
	}
	return drawn
}

// dim draws the colour of a canvas, bright that of what lies on it.
func dim(r *rand.Rand) [3]float32    { return colour(r, 15, 110) }
func bright(r *rand.Rand) [3]float32 { return colour(r, 120, 255) }

func colour(r *rand.Rand, low, high float64) (drawn [3]float32) {
	for k := range drawn {
		drawn[k] = float32(between(r, low, high))
	}
	return drawn
}

func between(r *rand.Rand, low, high float64) float64 { return low + (high-low)*r.Float64() }

func symmetric(r *rand.Rand, most float64) float64 { return between(r, -most, most) }

func logarithmic(r *rand.Rand, low, high float64) float64 {
	return low * math.Pow(high/low, r.Float64())
}
