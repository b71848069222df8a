package augment

import (
	"math"
	"slices"

	"github.com/pkg/errors"

	"vgg/internal/kernel"
)

// catmullRom is the cubic filter of that name, a = -1/2, at a distance of t pixels; it ends at 2.
func catmullRom(t float64) float64 {
	switch t = math.Abs(t); {
	case t < 1:
		return (1.5*t-2.5)*t*t + 1
	case t < 2:
		return ((-0.5*t+2.5)*t-4)*t + 2
	}
	return 0
}

// side resizes a side from length pixels to resized, and makes count pixels of it from start on. The filters are
// Catmull-Rom, as wide as a pixel of the coarser side, so that shrinking averages, and cut off at the edges.
func side(length, resized, start, count int) kernel.Side {
	ratio := float64(length) / float64(resized)
	width := max(1, ratio)
	s := kernel.Side{First: make([]int, count)}
	if length == resized {
		s.N, s.Weights = 1, slices.Repeat([]float32{1}, count)
		for i := range s.First {
			s.First[i] = start + i
		}
		return s
	}
	s.N = min(length, int(math.Ceil(4*width))) // the filter reaches 2 widths to each side
	s.Weights = make([]float32, count*s.N)
	exact := make([]float64, s.N)
	for i := range s.First {
		centre := (float64(start+i)+0.5)*ratio - 0.5
		first := min(max(0, int(math.Floor(centre-2*width))+1), length-s.N)
		sum := 0.0
		for k := range exact {
			exact[k] = catmullRom((float64(first+k) - centre) / width)
			sum += exact[k]
		}
		s.First[i] = first
		for k, w := range exact {
			s.Weights[i*s.N+k] = float32(w / sum)
		}
	}
	return s
}

// mostPixels is the size of the largest picture that Resize makes.
const mostPixels = 1 << 26

// Resized gives the sides of the picture after isotropic resizing (section 3.1) that makes the smaller one s pixels;
// s = 0 gives its own sides.
func (p Picture) Resized(s int) (width, height int) {
	if s == 0 {
		return p.Width, p.Height
	}
	smaller := float64(min(p.Width, p.Height))
	side := func(length int) int { return max(s, int(math.Round(float64(length)*float64(s)/smaller))) }
	return side(p.Width), side(p.Height)
}

// Resize resizes a picture isotropically so that the smaller side has s pixels, with a Catmull-Rom filter that averages
// where it shrinks. It is an error if the picture does not pass Check, s is not positive, or the result would have more
// than 2²⁶ pixels.
func Resize(p Picture, s int) (Picture, error) {
	if err := p.Check(); err != nil {
		return p, err
	}
	width, height := p.Resized(s)
	if s < 1 || width > mostPixels/height {
		return p, errors.Errorf("augment: a picture of %d×%d, resized so that the smaller side is %d: want 1 to %d pixels", p.Width, p.Height, s, mostPixels)
	}
	size := width * height
	resized := make([]float32, p.Channels*size)
	kernel.Resampling{
		Across: side(p.Width, width, 0, width), Down: side(p.Height, height, 0, height),
		Factor: []float32{1, 1, 1}[:p.Channels], Offset: make([]float32, p.Channels),
	}.Run(resized, size, width, p.Pix, p.Width)
	out := Picture{width, height, p.Channels, make([]uint8, len(resized))}
	for i, v := range resized {
		out.Pix[i%size*p.Channels+i/size] = uint8(v + 0.5)
	}
	return out, nil
}
