package kernel

import "github.com/pkg/errors"

// A Conv is a convolution with stride 1 that keeps the map's size: Kernel is odd and Kernel/2 zeros are padded on each side.
// x is (N, H, W, In), y (N, H, W, Out), w (Out, In, Kernel, Kernel), bias (Out).
type Conv struct{ N, H, W, In, Out, Kernel int }

// Validate reports a shape that the methods cannot work on.
func (c Conv) Validate() error {
	if c.N < 1 || c.H < 1 || c.W < 1 || c.In < 1 || c.Out < 1 {
		return errors.Errorf("convolution of %d pictures of %d×%d pixels, %d to %d channels: every size must be at least 1", c.N, c.H, c.W, c.In, c.Out)
	}
	if c.Kernel != 1 && c.Kernel != 3 && c.Kernel != 5 {
		return errors.Errorf("convolution kernel %d×%d: use 1, 3 or 5", c.Kernel, c.Kernel)
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
	c.multiply(y, x, c.taps(w), bias, relu)
}

// DataGradient computes dx, the gradient of the input, from dy, that of the output: a convolution of dy with the weights
// turned by 180° and with In and Out exchanged.
func (c Conv) DataGradient(dx, dy, w []float32) {
	nx, ny, nw := c.sizes()
	dx, dy, w = dx[:nx:nx], dy[:ny:ny], w[:nw:nw]
	t := c.taps(w).turn()
	c.In, c.Out = c.Out, c.In
	c.multiply(dx, dy, t, nil, false)
}

// multiply computes y from x and the weights, the faster way.
func (c Conv) multiply(y, x []float32, weights taps, bias []float32, relu bool) {
	if f, ok := c.winograd(false); ok {
		f.convolve(c, y, x, weights, bias, relu)
		return
	}
	p := newPanels(c.Kernel*c.Kernel*c.In, c.Out)
	defer p.release()
	weights.pack(p)
	c.convolve(y, x, p, bias, relu)
}

// Prepared is the number of floats into which Prepare puts the weights. Both depend on the machine and on the shape.
func (c Conv) Prepared() int {
	if f, ok := c.winograd(true); ok {
		l := f.layer(c, nil)
		return l.filtersSize()
	}
	return c.panels(nil).size()
}

// panels are those of the weights of the direct convolution.
func (c Conv) panels(data []float32) panels { return panelsIn(data, c.Kernel*c.Kernel*c.In, c.Out) }

// Prepare transforms and packs the weights for ForwardPrepared: worth while where they stay the same.
func (c Conv) Prepare(prepared, w []float32) {
	_, _, nw := c.sizes()
	prepared, w = prepared[:c.Prepared()], w[:nw:nw]
	if f, ok := c.winograd(true); ok {
		l := f.layer(c, nil)
		l.prepare(l.filters(prepared), c.taps(w))
		return
	}
	c.taps(w).pack(c.panels(prepared))
}

// ForwardPrepared is Forward with weights from Prepare.
func (c Conv) ForwardPrepared(y, x, prepared, bias []float32, relu bool) {
	nx, ny, _ := c.sizes()
	x, y, prepared = x[:nx:nx], y[:ny:ny], prepared[:c.Prepared()]
	if f, ok := c.winograd(true); ok {
		f.convolvePrepared(c, y, x, prepared, bias, relu)
		return
	}
	c.convolve(y, x, c.panels(prepared), bias, relu)
}

// channelBlock is the number of input channels whose weights in a panel stay in the cache together.
const channelBlock = 128

// convolve computes y from x and the weights (Kernel, Kernel, In, Out) in panels.
func (c Conv) convolve(y, x []float32, weights panels, bias []float32, relu bool) {
	g := newLines(c.N, c.H, c.W, c.In, c.In, c.Kernel)
	v := convolution{c, g, weights, y, bias, relu}
	block := max(1, (cacheFloats-2*g.reach*g.size)/(g.size+g.length*c.Out))
	parallelGrid(g.count, weights.count, func(line0, line1, panel0, panel1 int) {
		in := g.newRing(x, line0, block)
		defer in.release()
		taps := runs.get(g.groups)
		defer runs.put(taps)
		for first := line0; first < line1; first += block {
			last := min(first+block, line1)
			in.advance(last)
			for c0, n := range blocks(c.In, channelBlock) {
				for panel := panel0; panel < panel1; panel++ {
					for line := first; line < last; line++ {
						v.line(&in, taps[:0], line, panel, c0, n)
					}
				}
			}
		}
	})
}

type convolution struct {
	Conv
	lines
	weights panels
	y, bias []float32
	relu    bool
}

// line adds to the output channels of a panel in a line what n input channels from c0 on contribute.
func (v *convolution) line(in *ring, taps [][2]int, line, panel, c0, n int) {
	for group := range v.groups {
		if from, position, ok := v.source(line, group); ok {
			taps = append(taps, [2]int{in.offset(from) + position*v.pitch + c0, (group*v.span + c0) * v.weights.width})
		}
	}
	column, columns, b := v.weights.panel(panel)
	pixel, positions := v.at(line)
	t := gemm{m: positions, n: columns, k: v.span - v.In + n, rsc: v.step * v.Out, rsa: v.pitch, csa: 1, rsb: v.weights.width, floor: noFloor}
	if v.relu && c0+n == v.In {
		t.floor = 0
	}
	out, e := v.y[pixel*v.Out+column:], zeros
	if c0 > 0 {
		e, t.rse = out, t.rsc
	} else if v.bias != nil {
		e = v.bias[column:]
	}
	t.compute(out, in.data, b, e, taps)
}

// WeightGradient computes dw, the gradient of the weights, or adds it to dw if accumulate.
func (c Conv) WeightGradient(dw, x, dy []float32, accumulate bool) {
	nx, ny, nw := c.sizes()
	x, dy, dw = x[:nx:nx], dy[:ny:ny], dw[:nw:nw]
	if f, ok := c.winograd(false); ok {
		f.weightGradient(c, c.taps(dw), x, dy, accumulate)
		return
	}
	sums := newPanels(c.Kernel*c.Kernel*c.In, c.Out)
	defer sums.release()
	for c0, n := range blocks(c.In, channelBlock) {
		g := newLines(c.N, c.H, c.W, n, c.In, c.Kernel)
		correlation{c, g, sums, x[c0:], dy, c0}.compute()
	}
	c.taps(dw).unpack(sums, accumulate)
}

// A correlation computes the weight gradient of the input channels from c0 on that its lines hold, in panels: the sum
// over all positions of the products of what the taps see there with the output's gradient.
type correlation struct {
	Conv
	lines
	sums  panels
	x, dy []float32
	c0    int
}

// compute lets each worker walk all lines for the part of the matrix that it owns.
func (v correlation) compute() {
	block := (cacheFloats - 2*v.reach*v.size) / (v.size + v.length*v.sums.width)
	block = min(max(1, block), v.count)
	tiles := ceilDiv(v.span, cpu.mr) // of the rows of a group
	parallelGrid(v.groups*tiles, v.sums.count, func(tile0, tile1, panel0, panel1 int) {
		in := v.newRing(v.x, 0, block)
		defer in.release()
		packed := scratch.get(block * v.length * v.sums.width)
		defer scratch.put(packed)
		seen := runs.get(block)
		defer runs.put(seen)
		for first := 0; first < v.count; first += block {
			last := min(first+block, v.count)
			in.advance(last)
			for panel := panel0; panel < panel1; panel++ {
				column, n, sums := v.sums.panel(panel)
				b, rsb, lineStride := v.gradient(packed, first, last, column, n)
				t := gemm{n: n, k: v.length, rsc: v.sums.width, rsa: 1, csa: v.pitch, rsb: rsb, floor: noFloor}
				for i := tile0; i < tile1; i++ {
					group := i / tiles
					if i == tile0 || i%tiles == 0 {
						seen = seen[:0]
						for line := first; line < last; line++ {
							if from, position, ok := v.source(line, group); ok {
								seen = append(seen, [2]int{in.offset(from) + position*v.pitch, (line - first) * lineStride})
							}
						}
					}
					row := v.span * (i % tiles) / tiles
					t.m = v.span*(i%tiles+1)/tiles - row
					to := sums[(group*(v.span-v.channels+v.In)+v.c0+row)*t.rsc:]
					e := to
					t.rse = t.rsc
					if first == 0 {
						e, t.rse = zeros, 0
					}
					t.compute(to, in.data[row:], b, e, seen)
				}
			}
		}
	})
}

// gradient returns n columns of the output's gradient in the lines [first, last), the floats between its positions, and
// those between its lines: in place, or copied to packed where its rows would fall into few sets of the cache.
func (v *correlation) gradient(packed []float32, first, last, column, n int) (b []float32, rsb, lineStride int) {
	if !v.across && v.Out <= 128 {
		lineStride = v.length * v.Out
		return v.dy[first*lineStride+column:], v.Out, lineStride
	}
	lineStride = v.length * v.sums.width
	for line := first; line < last; line++ {
		pixel, positions := v.at(line)
		to := packed[(line-first)*lineStride:][:lineStride]
		copyRows(to, v.sums.width, v.dy[pixel*v.Out+column:], v.step*v.Out, positions, n)
		clear(to[positions*v.sums.width:])
	}
	return packed, v.sums.width, lineStride
}
