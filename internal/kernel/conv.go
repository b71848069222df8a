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
	p := newPanels(c.Kernel*c.Kernel*c.In, c.Out)
	defer p.release()
	p.pack(w, c.In, c.Kernel*c.Kernel)
	c.convolve(y, x, p, bias, relu)
}

// DataGradient computes dx, the gradient of the input, from dy, that of the output: a convolution of dy with the weights
// turned by 180° and with In and Out exchanged.
func (c Conv) DataGradient(dx, dy, w []float32) {
	nx, ny, nw := c.sizes()
	dx, dy, w = dx[:nx:nx], dy[:ny:ny], w[:nw:nw]
	p := newPanels(c.Kernel*c.Kernel*c.Out, c.In)
	defer p.release()
	p.packTurned(w, c.Out, c.Kernel*c.Kernel)
	c.In, c.Out = c.Out, c.In
	c.convolve(dx, dy, p, nil, false)
}

// cacheFloats is what a thread's blocks of lines may take: half of a level 2 cache of 1 MB.
const cacheFloats = 1 << 17

// channelBlock is the number of input channels whose weights in a panel stay in the cache together.
const channelBlock = 128

// convolve computes y from x and the weights (Kernel, Kernel, In, Out) in panels.
func (c Conv) convolve(y, x []float32, weights panels, bias []float32, relu bool) {
	g := newLines(c.N, c.H, c.W, c.In, c.In, c.Kernel)
	block := max(1, (cacheFloats-2*g.reach*g.size)/(g.size+g.length*c.Out))
	blocks := ceilDiv(c.In, channelBlock)
	parallelGrid(g.count, weights.count, func(line0, line1, panel0, panel1 int) {
		in := g.newRing(x, line0, block)
		defer in.release()
		taps := runs.get(g.groups)
		defer runs.put(taps)
		for first := line0; first < line1; first += block {
			last := min(first+block, line1)
			in.advance(last)
			for i := range blocks {
				c0, c1 := c.In*i/blocks, c.In*(i+1)/blocks
				t := tile{k: g.span - c.In + c1 - c0, rsc: g.step * c.Out, rsa: g.pitch, csa: 1, rsb: weights.width, floor: noFloor}
				if relu && i == blocks-1 {
					t.floor = 0
				}
				for p := panel0; p < panel1; p++ {
					column, n, b := weights.panel(p)
					t.n = n
					for line := first; line < last; line++ {
						seen := taps[:0]
						for group := range g.groups {
							if from, position, ok := g.source(line, group); ok {
								seen = append(seen, [2]int{in.offset(from) + position*g.pitch + c0, (group*g.span + c0) * weights.width})
							}
						}
						pixel, positions := g.at(line)
						parts := ceilDiv(positions, cpu.rows)
						for j := range parts {
							position := positions * j / parts
							t.m = positions*(j+1)/parts - position
							out := y[(pixel+position*g.step)*c.Out+column:]
							e := out
							t.rse = t.rsc
							if i == 0 {
								e, t.rse = zeros, 0
								if bias != nil {
									e = bias[column:]
								}
							}
							t.compute(out, in.data[position*g.pitch:], b, e, seen)
						}
					}
				}
			}
		}
	})
}

// WeightGradient computes dw, the gradient of the weights, or adds it to dw if accumulate.
func (c Conv) WeightGradient(dw, x, dy []float32, accumulate bool) {
	nx, ny, nw := c.sizes()
	x, dy, dw = x[:nx:nx], dy[:ny:ny], dw[:nw:nw]
	sums := newPanels(c.Kernel*c.Kernel*c.In, c.Out)
	defer sums.release()
	blocks := ceilDiv(c.In, channelBlock)
	for i := range blocks {
		c0, c1 := c.In*i/blocks, c.In*(i+1)/blocks
		c.sumProducts(sums, x, dy, c0, c1)
	}
	sums.unpack(dw, c.In, c.Kernel*c.Kernel, accumulate)
}

// sumProducts writes the weight gradient of the input channels [c0, c1) to its rows of the panels. Each worker walks
// all lines for the part of the matrix that it owns.
func (c Conv) sumProducts(sums panels, x, dy []float32, c0, c1 int) {
	g := newLines(c.N, c.H, c.W, c1-c0, c.In, c.Kernel)
	block := max(1, (cacheFloats-2*g.reach*g.size)/(g.size+g.length*sums.width))
	block = min(block, g.count)
	// The output's gradient is used in place unless its rows would fall into few sets of the cache.
	packed := g.across || c.Out > 128
	parts := ceilDiv(g.span, cpu.rows) // of the rows of a group
	parallelGrid(g.groups*parts, sums.count, func(part0, part1, panel0, panel1 int) {
		in := g.newRing(x[c0:], 0, block)
		defer in.release()
		var gradient []float32
		if packed {
			gradient = scratch.get(block * g.length * sums.width)
			defer scratch.put(gradient)
		}
		lines := runs.get(block)
		defer runs.put(lines)
		for first := 0; first < g.count; first += block {
			last := min(first+block, g.count)
			in.advance(last)
			for p := panel0; p < panel1; p++ {
				column, n, data := sums.panel(p)
				b, rsb, at := dy[column:], c.Out, first*g.length*c.Out
				if packed {
					b, rsb, at = gradient, sums.width, 0
					for line := first; line < last; line++ {
						pixel, positions := g.at(line)
						to := gradient[(line-first)*g.length*rsb:][:g.length*rsb]
						copyRows(to, rsb, dy[pixel*c.Out+column:], g.step*c.Out, positions, n)
						clear(to[positions*rsb:])
					}
				}
				t := tile{n: n, k: g.length, rsc: sums.width, rsa: 1, csa: g.pitch, rsb: rsb, floor: noFloor}
				group := -1
				for part := part0; part < part1; part++ {
					if part/parts != group {
						group = part / parts
						lines = lines[:0]
						for line := first; line < last; line++ {
							if from, position, ok := g.source(line, group); ok {
								lines = append(lines, [2]int{in.offset(from) + position*g.pitch, at + (line-first)*g.length*rsb})
							}
						}
					}
					row := g.span * (part % parts) / parts
					t.m = g.span*(part%parts+1)/parts - row
					to := data[(group*(g.span-g.channels+c.In)+c0+row)*sums.width:]
					e := to
					t.rse = t.rsc
					if first == 0 {
						e, t.rse = zeros, 0
					}
					t.compute(to, in.data[row:], b, e, lines)
				}
			}
		}
	})
}
