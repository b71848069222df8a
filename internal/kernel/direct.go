package kernel

import "slices"

// directForward is a direct convolution with weights (Kernel, Kernel, In, Out) in panels, or, for joined positions, those
// of joined.go.
type directForward struct {
	conv    Conv
	lines   lines
	weights panels
	y, bias []float32
	relu    bool
	mask    []float32 // where it is not positive, y is zero; nil masks nothing
}

// directForward computes y from x and the weights. A thread has some lines and some panels of the weights; it takes its
// lines block by block.
func (c Conv) directForward(y, x []float32, weights panels, bias []float32, relu bool, mask []float32) {
	l := c.newLines(c.In)
	if l.joined > 1 && bias != nil {
		bias = slices.Repeat(bias, l.joined)
	}
	d := directForward{c, l, weights, y, bias, relu, mask}
	block := max(1, (cacheFloats-2*l.reach*l.size)/(l.size+l.length*c.Out))
	parallelGrid(l.count, weights.count, func(line0, line1, panel0, panel1 int) {
		in := l.newRing(x, line0, block)
		defer in.release()
		taps := runs.get(l.groups)
		defer runs.put(taps)
		for first := line0; first < line1; first += block {
			last := min(first+block, line1)
			in.advance(last)
			for channel, channels := range blocks(c.In, directChannels) {
				for panel := panel0; panel < panel1; panel++ {
					for line := first; line < last; line++ {
						d.line(&in, taps[:0], line, panel, channel, channels)
					}
				}
			}
		}
	})
}

// line adds, to the output channels of a panel in a line, the products with that many input channels from the given one
// on. It starts with the bias at the first channel and ends with the ReLU at the last.
func (d *directForward) line(in *ring, taps [][2]int, line, panel, channel, channels int) {
	l := &d.lines
	for group := range l.groups {
		if from, position, ok := l.source(line, group); ok {
			taps = append(taps, [2]int{in.offset(from) + position*l.pitch + channel, (group*l.span + channel) * d.weights.width})
		}
	}
	column, columns, b := d.weights.panel(panel)
	pixel, positions := l.at(line)
	g := gemm{
		m: positions / l.joined, n: columns, k: l.span - d.conv.In + channels,
		rsc: l.joined * l.step * d.conv.Out, rsa: l.joined * l.pitch, csa: 1, rsb: d.weights.width, floor: noFloor,
	}
	if d.relu && channel+channels == d.conv.In {
		g.floor = 0
	}
	out, e := d.y[pixel*d.conv.Out+column:], zeros
	if channel > 0 {
		e, g.rse = out, g.rsc
	} else if d.bias != nil {
		e = d.bias[column:]
	}
	g.compute(out, in.data, b, e, taps)
	if d.mask != nil && channel+channels == d.conv.In {
		maskRows(out, d.mask[pixel*d.conv.Out+column:], g.rsc, g.m, columns)
	}
}

// directGradient computes the weight gradient of the input channels from first on that its lines hold, in panels: the
// sum over all positions of the products of the inputs of the taps there and the output's gradient.
type directGradient struct {
	conv  Conv
	lines lines
	sums  panels
	x, dy []float32
	first int
}

func (c Conv) directWeightGradient(dw taps, x, dy []float32, accumulate bool) {
	form := c.directFilters()
	sums := form.newPanels()
	defer sums.release()
	for channel, channels := range blocks(c.In, directChannels) {
		d := directGradient{c, c.newLines(channels), sums, x[channel:], dy, channel}
		d.compute()
	}
	form.unpack(dw, sums, accumulate)
}

// compute gives each thread a part of the gradient, for which it takes all lines, block by block.
func (d *directGradient) compute() {
	l := &d.lines
	block := (cacheFloats - 2*l.reach*l.size) / (l.size + l.length*d.sums.width)
	block = min(max(1, block), l.count)
	tiles := ceilDiv(l.span, rowsOf(d.sums.columns)) // of the rows of a group
	parallelGrid(l.groups*tiles, d.sums.count, func(tile0, tile1, panel0, panel1 int) {
		in := l.newRing(d.x, 0, block)
		defer in.release()
		packed := scratch.get(block * l.length * d.sums.width)
		defer scratch.put(packed)
		seen := runs.get(block)
		defer runs.put(seen)
		for first := 0; first < l.count; first += block {
			last := min(first+block, l.count)
			in.advance(last)
			for panel := panel0; panel < panel1; panel++ {
				column, n, sums := d.sums.panel(panel)
				b, rsb, lineStride := d.outputGradient(packed, first, last, column, n)
				g := gemm{n: n, k: l.length / l.joined, rsc: d.sums.width, rsa: 1, csa: l.joined * l.pitch, rsb: rsb, floor: noFloor}
				for i := tile0; i < tile1; i++ {
					group := i / tiles
					if i == tile0 || i%tiles == 0 {
						seen = d.linesSeen(seen[:0], &in, group, first, last, lineStride)
					}
					row, end := share(l.span, tiles, i%tiles)
					g.m = end - row
					to := sums[(group*(l.span-l.channels+d.conv.In)+d.first+row)*g.rsc:]
					e := to
					g.rse = g.rsc
					if first == 0 {
						e, g.rse = zeros, 0
					}
					g.compute(to, in.data[row:], b, e, seen)
				}
			}
		}
	})
}

// linesSeen appends the runs of a group of taps over the output lines [first, last): the input line that it sees from
// each, and the line of the output's gradient.
func (d *directGradient) linesSeen(seen [][2]int, in *ring, group, first, last, lineStride int) [][2]int {
	for line := first; line < last; line++ {
		if from, position, ok := d.lines.source(line, group); ok {
			seen = append(seen, [2]int{in.offset(from) + position*d.lines.pitch, (line - first) * lineStride})
		}
	}
	return seen
}

// outputGradient returns n columns of the output's gradient in the lines [first, last), the floats between its
// positions, and those between its lines: in place, or copied to packed if its rows would fall into few sets of the
// cache.
func (d *directGradient) outputGradient(packed []float32, first, last, column, n int) (b []float32, rsb, lineStride int) {
	l, out := &d.lines, d.conv.Out
	if !l.across && out <= inPlaceChannels {
		lineStride = l.length * out
		return d.dy[first*lineStride+column:], l.joined * out, lineStride
	}
	lineStride = l.length * d.sums.width
	for line := first; line < last; line++ {
		pixel, positions := l.at(line)
		to := packed[(line-first)*lineStride:][:lineStride]
		copyRows(to, d.sums.width, d.dy[pixel*out+column:], l.step*out, positions, n)
		clear(to[positions*d.sums.width:])
	}
	return packed, d.sums.width, lineStride
}
