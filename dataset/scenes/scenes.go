package scenes

import (
	"math"
	"math/rand/v2"

	"vgg/augment"
	"vgg/boxes"
	"vgg/internal/splitmix"
)

// Options say how scenes are drawn.
type Options struct {
	// Side is that of the square canvas in pixels: all lengths are in proportion to it. 0 is DefaultSide.
	Side int
	// Difficulty multiplies the contrast of the texture, the noise, the angles and the number of distractors, from 0 to
	// MaxDifficulty.
	Difficulty float64
	// Seed draws other scenes of the same garments.
	Seed uint64
}

// DefaultSide is 1.5 times a net's input of 64.
const DefaultSide = 96

// The limits of Options.
const (
	MinSide, MaxSide = 24, 1024
	MaxDifficulty    = 2.5
)

// How scenes are drawn. Lengths are in pixels on a canvas of DefaultSide; ranges of lengths are drawn evenly in the
// logarithm. What stands with "hard" is multiplied by the difficulty.
const (
	smallest, largest           = 24, 76    // a garment's longer side, before it is turned
	largestOfTwo                = 48        // that of each of two
	mostAngle                   = 15        // of a garment, in degrees to either side; hard
	spread                      = 22        // of a garment's centre around the middle, at most
	two                         = 0.1       // probability of a second garment of the same class
	mostPieces                  = 2         // of other garments; hard
	rectangle                   = 0.5       // probability of a rectangle
	leastVisible                = 0.7       // share of a garment's pixels that nothing covers
	lowTexture, texture         = 0.1, 0.35 // amplitude, as a share of the colours' range; hard
	cells                       = 6         // of the texture, along a side
	lowNoise, noise             = 1, 6      // standard deviation, in levels of 255; hard
	leastContrast               = 90        // distance of a garment's colour from the canvas's, in levels
	tries                       = 30        // to place what must not cover too much
	garmentSide                 = 28
	garmentSize                 = garmentSide * garmentSide
	visible             float32 = 0.5 // opacity from which a pixel is a garment's
)

// Scenes has scenes without end, as different ones as asked for: scene i shows garment i modulo their number.
type Scenes struct {
	pixels, labels []byte
	o              Options
	unit           float64 // pixels of the canvas for one on a canvas of DefaultSide
	byClass        [256][]int32
	bounds         []window
}

// New makes scenes from grey garments (N, 28, 28) on black, N > 0, and their labels.
func New(pixels, labels []byte, o Options) *Scenes {
	if o.Side == 0 {
		o.Side = DefaultSide
	}
	s := &Scenes{pixels: pixels, labels: labels, o: o, unit: float64(o.Side) / DefaultSide, bounds: make([]window, len(labels))}
	for i, label := range labels {
		s.byClass[label] = append(s.byClass[label], int32(i))
		s.bounds[i] = boundsOf(s.Garment(i))
	}
	return s
}

// Garments is the number of garments.
func (s *Scenes) Garments() int { return len(s.labels) }

// Side is that of the canvas in pixels.
func (s *Scenes) Side() int { return s.o.Side }

// Label is the class of the garments in scene i.
func (s *Scenes) Label(i int) int { return int(s.labels[i%len(s.labels)]) }

// Garment is the picture (28, 28) of a garment.
func (s *Scenes) Garment(i int) []byte { return s.pixels[i*garmentSize : (i+1)*garmentSize] }

// Draw draws scene i: a picture (Side, Side) of 3 channels and a box, in pixels, around the visible pixels of each
// garment of its class, of which there are one or two.
func (s *Scenes) Draw(i int) (augment.Picture, []boxes.Box) {
	c := s.draw(i, nothing)
	return augment.Picture{Width: c.side, Height: c.side, Channels: 3, Pix: c.pix}, c.boxes()
}

// draw draws a scene; the colours of one thing on it may be left out, for tests.
func (s *Scenes) draw(i int, hidden owner) *canvas {
	r := rand.New(rand.NewPCG(s.o.Seed, splitmix.Mix(uint64(i))))
	c := newCanvas(s.o.Side, hidden)
	base := dim(r)
	c.texture(r, base, s.o.Difficulty)
	s.addGarments(c, r, base, i%len(s.labels))
	for range r.IntN(int(math.Round(mostPieces*s.o.Difficulty)) + 1) {
		s.addPiece(c, r)
	}
	if r.Float64() < rectangle {
		s.addRectangle(c, r)
	}
	c.noise(r, s.o.Difficulty*between(r, lowNoise, noise))
	return c
}

// addGarments adds garment i, and maybe another of its class that covers little of it.
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
func (s *Scenes) placed(r *rand.Rand, i int, most float64) *sprite {
	p := &sprite{source: s.Garment(i), window: s.bounds[i], mirrored: r.IntN(2) == 1}
	p.turn(symmetric(r, mostAngle*s.o.Difficulty))
	p.scale = s.unit * logarithmic(r, smallest, most) / float64(max(p.window.width(), p.window.height()))
	halfWidth, halfHeight := p.reach()
	p.x, p.y = s.around(r, halfWidth), s.around(r, halfHeight)
	return p
}

// around draws a centre along one side of the canvas.
func (s *Scenes) around(r *rand.Rand, half float64) float64 {
	middle := float64(s.o.Side) / 2
	return middle + symmetric(r, min(s.unit*spread, max(0, middle-half)))
}

// addPiece adds a part of any garment, smaller than whole ones, where it covers little of those that count.
func (s *Scenes) addPiece(c *canvas, r *rand.Rand) {
	i := r.IntN(len(s.labels))
	p := &sprite{source: s.Garment(i), window: s.bounds[i].part(r)}
	s.addDistractor(c, r, p)
}

func (s *Scenes) addRectangle(c *canvas, r *rand.Rand) {
	s.addDistractor(c, r, &sprite{window: window{0, 0, 4 + r.IntN(12), 4 + r.IntN(12)}})
}

// addDistractor paints a sprite at a place where it covers little, if one is found.
func (s *Scenes) addDistractor(c *canvas, r *rand.Rand, p *sprite) {
	p.turn(symmetric(r, 180))
	p.scale = s.unit * between(r, 0.8, 2)
	tint, side := bright(r), float64(c.side)
	for range tries {
		p.x, p.y = between(r, 0, side), between(r, 0, side)
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
