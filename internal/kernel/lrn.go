package kernel

import (
	"math"

	"github.com/pkg/errors"
)

// An LRN is local response normalisation across the channels of each of Rows pixels (the net A-LRN of section 2.1):
//
//	b[i] = a[i] / (K + Alpha * sum of a[j]² over the Size channels around i)^Beta
//
// with the window cut off at the first and the last channel. Alpha is not divided by Size.
type LRN struct {
	Rows, Channels, Size int
	Alpha, Beta, K       float32
}

// Validate reports a shape or parameter that the methods cannot work on.
func (l LRN) Validate() error {
	if l.Rows < 1 || l.Channels < 1 || l.Size < 1 {
		return errors.Errorf("local response normalisation of %d pixels of %d channels over %d of them: every size must be at least 1", l.Rows, l.Channels, l.Size)
	}
	if !(l.K > 0) || !(l.Alpha >= 0) || math.IsNaN(float64(l.Beta)) {
		return errors.Errorf("local response normalisation with k %g, alpha %g, beta %g: k must be above 0 and alpha not below", l.K, l.Alpha, l.Beta)
	}
	return nil
}

// Forward writes the normalised x (Rows, Channels) to y.
func (l LRN) Forward(y, x []float32) {
	n := l.Rows * l.Channels
	x, y = x[:n:n], y[:n:n]
	l.pixels(func(at int, p, squares, _ []float32) {
		if cpu.lrnForward != nil && l.Beta == 0.75 {
			cpu.lrnForward(&y[at], &x[at], &squares[0], l.Channels, l.lead(), l.Size, l.Alpha, l.K)
			return
		}
		in, out := x[at:][:l.Channels], y[at:][:l.Channels]
		for i, v := range in {
			squares[l.lead()+i] = v * v
		}
		for i, v := range in {
			out[i] = v * power(l.scale(squares, i), -l.Beta)
		}
	})
}

// Gradient writes the gradient of the input x to dx, given that of the output.
func (l LRN) Gradient(dx, dy, x []float32) {
	n := l.Rows * l.Channels
	dx, dy, x = dx[:n:n], dy[:n:n], x[:n:n]
	factor := -2 * l.Alpha * l.Beta
	// Channel i is in the windows of the Size channels up to i+Size/2.
	lead := l.Size - 1 - l.lead()
	l.pixels(func(at int, p, squares, terms []float32) {
		if cpu.lrnTerms != nil && l.Beta == 0.75 {
			cpu.lrnTerms(&p[0], &terms[lead], &dy[at], &x[at], &squares[0], l.Channels, l.lead(), l.Size, l.Alpha, l.K)
			cpu.lrnGradient(&dx[at], &dy[at], &x[at], &p[0], &terms[0], l.Channels, l.Size, factor)
			return
		}
		in, up, out := x[at:][:l.Channels], dy[at:][:l.Channels], dx[at:][:l.Channels]
		for i, v := range in {
			squares[l.lead()+i] = v * v
		}
		for i, v := range in {
			s := l.scale(squares, i)
			p[i] = power(s, -l.Beta)
			terms[lead+i] = up[i] * v * p[i] / s
		}
		for i, v := range in {
			out[i] = up[i]*p[i] + factor*v*sum(terms[i:][:l.Size])
		}
	})
}

// lead is the number of channels of a window before its own.
func (l LRN) lead() int { return l.Size / 2 }

// scale returns K + Alpha*sum for a channel, given the squares after lead zeros.
func (l LRN) scale(squares []float32, channel int) float32 {
	return l.K + l.Alpha*sum(squares[channel:][:l.Size])
}

func sum(x []float32) float32 {
	var s float32
	for _, v := range x {
		s += v
	}
	return s
}

func power(x, exponent float32) float32 { return float32(math.Pow(float64(x), float64(exponent))) }

// pixels calls f with the offset of each pixel and buffers: one of its channels, and two of Size more, which are zero
// where f does not write.
func (l LRN) pixels(f func(at int, p, squares, terms []float32)) {
	c, wide := l.Channels, l.Channels+l.Size
	parallel(l.Rows, 1+elementwiseGrain/c, func(lo, hi int) {
		buffer := scratch.get(c + 2*wide)
		defer scratch.put(buffer)
		clear(buffer)
		for row := lo; row < hi; row++ {
			f(row*c, buffer[:c], buffer[c:][:wide], buffer[c+wide:])
		}
	})
}
