package augment

import (
	"math"
	"slices"

	"github.com/pkg/errors"
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

// taps are the filters along one side of a resized picture: its pixel i is the sum of n pixels of the original, from
// first[i] on, each times its weight, weights[i*n:].
type taps struct {
	n       int
	first   []int
	weights []float32
}

// newTaps makes the filters of count pixels from start on, of a side that is resized from length pixels to resized.
// They are Catmull-Rom, as wide as a pixel of the coarser side, so that shrinking averages, and cut off at the edges.
func newTaps(length, resized, start, count int) taps {
	ratio := float64(length) / float64(resized)
	width := max(1, ratio)
	t := taps{first: make([]int, count)}
	if length == resized {
		t.n, t.weights = 1, slices.Repeat([]float32{1}, count)
		for i := range t.first {
			t.first[i] = start + i
		}
		return t
	}
	t.n = min(length, int(math.Ceil(4*width))) // the filter reaches 2 widths to each side
	t.weights = make([]float32, count*t.n)
	exact := make([]float64, t.n)
	for i := range t.first {
		centre := (float64(start+i)+0.5)*ratio - 0.5
		first := min(max(0, int(math.Floor(centre-2*width))+1), length-t.n)
		sum := 0.0
		for k := range exact {
			exact[k] = catmullRom((float64(first+k) - centre) / width)
			sum += exact[k]
		}
		t.first[i] = first
		for k, w := range exact {
			t.weights[i*t.n+k] = float32(w / sum)
		}
	}
	return t
}

// of gives the weights of pixel i.
func (t taps) of(i int) []float32 { return t.weights[i*t.n : (i+1)*t.n] }

// span is the range of pixels that the filters read.
func (t taps) span() (first, end int) { return t.first[0], t.first[len(t.first)-1] + t.n }

// resample computes the part of a resized picture that the columns of across and the rows of down make up, in colours
// from 0 to 255, not rounded. It calls each with one row after another, (C, columns), which is valid during the call.
func resample(p Picture, across, down taps, each func(y int, row []float32)) {
	if across.n == 1 && down.n == 1 {
		pick(p, across, down, each)
		return
	}
	columns := len(across.first)
	size := p.Channels * columns
	left, right := across.span()
	line := make([]float32, (right-left)*p.Channels) // a row of the picture
	ring := make([]float32, down.n*size)             // the last rows, resampled across
	row := make([]float32, size)
	next, _ := down.span() // row of the picture
	for y := range down.first {
		first := down.first[y]
		for next = max(next, first); next < first+down.n; next++ {
			for i, v := range p.Pix[(next*p.Width+left)*p.Channels:][:len(line)] {
				line[i] = float32(v)
			}
			resampleLine(ring[next%down.n*size:][:size], line, across, p.Channels)
		}
		clear(row)
		sumRows(row, ring, first, down.of(y))
		for i, v := range row {
			row[i] = min(max(v, 0), 255)
		}
		each(y, row)
	}
}

// pick is resample where each pixel is one of the picture's.
func pick(p Picture, across, down taps, each func(y int, row []float32)) {
	row := make([]float32, p.Channels*len(across.first))
	for y, at := range down.first {
		line := p.Pix[at*p.Width*p.Channels:]
		for c := range p.Channels {
			to := row[c*len(across.first):][:len(across.first)]
			for i, x := range across.first {
				to[i] = float32(line[x*p.Channels+c])
			}
		}
		each(y, row)
	}
}

// resampleLine resamples a line of interleaved pixels, which begins where the filters do, to dst (C, columns).
func resampleLine(dst, line []float32, across taps, channels int) {
	columns, left := len(across.first), across.first[0]
	if channels == 1 {
		for x, first := range across.first {
			sum := float32(0)
			from := line[first-left:][:across.n]
			for k, w := range across.of(x) {
				sum += w * from[k]
			}
			dst[x] = sum
		}
		return
	}
	red, green, blue := dst[:columns], dst[columns:2*columns], dst[2*columns:3*columns]
	for x, first := range across.first {
		var r, g, b float32
		from := line[3*(first-left):][:3*across.n]
		for _, w := range across.of(x) {
			r += w * from[0]
			g += w * from[1]
			b += w * from[2]
			from = from[3:]
		}
		red[x], green[x], blue[x] = r, g, b
	}
}

// sumRows adds to dst the rows from first on, in this order, each times its weight. The ring holds as many rows as
// there are weights, row y at y modulo their number. Each pass over dst adds four rows.
func sumRows(dst, ring []float32, first int, weights []float32) {
	at := func(k int) []float32 {
		return ring[(first+k)%len(weights)*len(dst):][:len(dst)]
	}
	k := 0
	for ; k+4 <= len(weights); k += 4 {
		a, b, c, d := at(k), at(k+1), at(k+2), at(k+3)
		w, x, y, z := weights[k], weights[k+1], weights[k+2], weights[k+3]
		for i, sum := range dst {
			dst[i] = sum + w*a[i] + x*b[i] + y*c[i] + z*d[i]
		}
	}
	for ; k < len(weights); k++ {
		a, w := at(k), weights[k]
		for i := range dst {
			dst[i] += w * a[i]
		}
	}
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
	out := Picture{width, height, p.Channels, make([]uint8, width*height*p.Channels)}
	resample(p, newTaps(p.Width, width, 0, width), newTaps(p.Height, height, 0, height), func(y int, row []float32) {
		to := out.Pix[y*width*p.Channels:]
		for i, v := range row {
			to[i%width*p.Channels+i/width] = uint8(v + 0.5)
		}
	})
	return out, nil
}
