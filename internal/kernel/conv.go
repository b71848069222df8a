package kernel

import "github.com/pkg/errors"

// A Conv is a convolution with stride 1 that keeps the map's size: Kernel is odd and Kernel/2 zeros are padded on each
// side. x is (N, H, W, In), y (N, H, W, Out), w (Out, In, Kernel, Kernel), bias (Out).
type Conv struct{ N, H, W, In, Out, Kernel int }

// Validate reports a shape that the methods cannot work on.
func (c Conv) Validate() error {
	if c.N < 1 || c.H < 1 || c.W < 1 || c.In < 1 || c.Out < 1 {
		return errors.Errorf("convolution of %d pictures of %d×%d pixels, %d to %d channels: every size must be at least 1", c.N, c.H, c.W, c.In, c.Out)
	}
	if c.Kernel < 1 || c.Kernel%2 == 0 {
		return errors.Errorf("convolution kernel %d×%d: want an odd side", c.Kernel, c.Kernel)
	}
	return nil
}

func (c Conv) sizes() (x, y, w int) {
	pixels := c.N * c.H * c.W
	return pixels * c.In, pixels * c.Out, c.Out * c.In * c.Kernel * c.Kernel
}

// Forward computes y = x*w + bias, and max(0, y) if relu. A nil bias is zero.
func (c Conv) Forward(y, x, w, bias []float32, relu bool) {
	nx, ny, nw := c.sizes()
	x, y, w = x[:nx:nx], y[:ny:ny], w[:nw:nw]
	c.convolve(y, x, c.taps(w), bias, relu, nil)
}

// DataGradient computes dx, the gradient of the input, from dy, that of the output: a convolution of dy with the
// weights turned by 180° and with In and Out exchanged. If the input is a ReLU's output and y, it, is not nil, dx is the
// gradient of the ReLU's input: zero where y is not positive.
func (c Conv) DataGradient(dx, dy, w, y []float32) {
	nx, ny, nw := c.sizes()
	dx, dy, w = dx[:nx:nx], dy[:ny:ny], w[:nw:nw]
	if y != nil {
		y = y[:nx:nx]
	}
	t := c.taps(w).turn()
	c.In, c.Out = c.Out, c.In
	c.convolve(dx, dy, t, nil, false, y)
}

// convolve computes y from x and the weights with the algorithm that is chosen for the shape. Where mask is not
// positive, y is zero; a nil mask masks nothing.
func (c Conv) convolve(y, x []float32, weights taps, bias []float32, relu bool, mask []float32) {
	if f := c.winograd(false); f != nil {
		f.convolve(c, y, x, weights, bias, relu, mask)
		return
	}
	form := c.directFilters()
	p := form.newPanels()
	defer p.release()
	form.pack(p, weights)
	c.directForward(y, x, p, bias, relu, mask)
}

// Filters says what form weights have that are prepared for an algorithm: transformed and packed. Convolutions of equal
// Filters can use the same.
type Filters struct {
	In, Out, Kernel int
	Minimal         int // m of the minimal filtering F(m×m, Kernel×Kernel); 0 for the direct convolution
	Joined          int // neighbouring positions that the direct convolution computes as one, see joined.go
}

// Filters gives the form that ForwardPrepared takes. It depends on the machine and on the shape.
func (c Conv) Filters() Filters {
	if f := c.winograd(true); f != nil {
		return Filters{c.In, c.Out, c.Kernel, f.m, 0}
	}
	return c.directFilters()
}

// conv is a convolution with these filters.
func (f Filters) conv() Conv { return Conv{1, 1, 1, f.In, f.Out, f.Kernel} }

// winograd is the algorithm, nil for the direct convolution. Minimal filtering of kernels other than 3×3 is a Dense
// layer's.
func (f Filters) winograd() *winograd {
	switch {
	case f.Minimal == 0:
		return nil
	case f.Kernel != 3:
		return winogradOf(f.Minimal, f.Kernel)
	case f.Minimal == 7:
		return winogradF7()
	case f.Minimal == 5:
		return winogradF5()
	case f.Minimal == 4:
		return winogradF4()
	}
	return winogradF2()
}

// Size is the number of floats of prepared weights.
func (f Filters) Size() int {
	if w := f.winograd(); w != nil {
		l := w.layer(f.conv(), nil)
		return l.filtersSize()
	}
	return f.panels(nil).size()
}

// Prepare transforms and packs the weights for ForwardPrepared: worthwhile if they stay the same.
func (f Filters) Prepare(prepared, w []float32) {
	c := f.conv()
	_, _, nw := c.sizes()
	prepared, w = prepared[:f.Size()], w[:nw:nw]
	if algorithm := f.winograd(); algorithm != nil {
		l := algorithm.layer(c, nil)
		l.prepare(l.filters(prepared), c.taps(w))
		return
	}
	f.pack(f.panels(prepared), c.taps(w))
}

// ForwardPrepared is Forward with weights from Prepare of c.Filters().
func (c Conv) ForwardPrepared(y, x, prepared, bias []float32, relu bool) {
	nx, ny, _ := c.sizes()
	filters := c.Filters()
	x, y, prepared = x[:nx:nx], y[:ny:ny], prepared[:filters.Size()]
	if f := filters.winograd(); f != nil {
		f.convolvePrepared(c, y, x, prepared, bias, relu)
		return
	}
	c.directForward(y, x, filters.panels(prepared), bias, relu, nil)
}

// WeightGradient computes dw, the gradient of the weights, or adds it to dw if accumulate.
func (c Conv) WeightGradient(dw, x, dy []float32, accumulate bool) {
	nx, ny, nw := c.sizes()
	x, dy, dw = x[:nx:nx], dy[:ny:ny], dw[:nw:nw]
	if f := c.winograd(false); f != nil {
		f.weightGradient(c, c.taps(dw), x, dy, accumulate)
		return
	}
	c.directWeightGradient(c.taps(dw), x, dy, accumulate)
}
