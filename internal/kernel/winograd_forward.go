package kernel

import "vgg/internal/threads"

// winogradForward computes y = max(floor, x*w + bias), zero where the mask, if there is one, is not positive.
type winogradForward struct {
	layer   winogradLayer
	y, bias []float32
	floor   float32
	mask    []float32
	weights taps
	u       elements // the transformed weights; without data they are transformed in parts
}

func newWinogradForward(l winogradLayer, y, bias []float32, relu bool) *winogradForward {
	w := &winogradForward{layer: l, y: y, bias: bias, floor: noFloor}
	if relu {
		w.floor = 0
	}
	if bias == nil {
		w.bias = make([]float32, l.conv.Out)
	}
	return w
}

// convolve transforms the weights and convolves.
func (f *winograd) convolve(c Conv, y, x []float32, weights taps, bias []float32, relu bool, mask []float32) {
	w := newWinogradForward(f.layer(c, x), y, bias, relu)
	w.weights, w.mask = weights, mask
	if f.few(w.layer.tiles.count(), c.In) && w.layer.panels.count >= threads.Count() {
		w.panelByPanel(1)
		return
	}
	w.u = w.layer.filters(filterScratch.get(w.layer.filtersSize()))
	defer filterScratch.put(w.u.data)
	w.layer.prepare(w.u, weights)
	w.blockByBlock()
}

// convolvePrepared convolves with weights from prepare.
func (f *winograd) convolvePrepared(c Conv, y, x, prepared, bias []float32, relu bool) {
	w := newWinogradForward(f.layer(c, x), y, bias, relu)
	w.u = w.layer.filters(prepared)
	tiles, panels, all := w.layer.tiles.count(), w.layer.panels.count, threads.Count()
	if f.few(tiles, c.In) && tiles*transformCost <= c.Out && panels >= all {
		// All filters take longer to read in each thread than all inputs to transform.
		w.panelByPanel(ceilDiv(panels, all))
		return
	}
	w.blockByBlock()
}

// prepare transforms all weights.
func (l *winogradLayer) prepare(u elements, weights taps) {
	filter := l.f.filter
	if l.f.large(l.conv) && l.f.filterStream.assembly != nil && aligned(u.data) {
		filter = l.f.filterStream
	}
	l.eachFilterBlock(u, weights, func(u elements, b weightBlock, panel, row, rows int) {
		l.transformFilters(filter, u, b, panel, row, rows)
	})
}

// blockByBlock gives each thread some of the tiles, which it takes block by block. M has some panels at a time.
func (w *winogradForward) blockByBlock() {
	l := &w.layer
	atATime := l.panelsAtATime()
	outputs := min(atATime*l.panels.width, l.conv.Out)
	most := l.f.tilesAtATime(l.conv, outputs)
	parallelPieces(l.tiles.count(), 1, most, func(lo, hi int) {
		block := evenly(hi-lo, most)
		t := w.newThread(block, pitch(outputs))
		defer t.release()
		for first := lo; first < hi; first += block {
			t.compute(first, min(block, hi-first), 0, l.panels.count, atATime)
		}
	})
}

// panelByPanel gives each thread all tiles and some of the panels, which it takes some at a time.
func (w *winogradForward) panelByPanel(atATime int) {
	l := &w.layer
	parallel(l.panels.count, 1, func(panel0, panel1 int) {
		t := w.newThread(l.tiles.count(), pitch(atATime*l.panels.width))
		defer t.release()
		if w.u.data == nil {
			t.part, t.g = newElements(l.f.alpha, channelsAtATime, l.panels.width), l.newWeightBlock(w.weights)
			defer t.part.release()
			defer t.g.release()
		}
		t.compute(0, l.tiles.count(), panel0, panel1, atATime)
	})
}

// winogradThread is where a thread of winogradForward works.
type winogradThread struct {
	pass *winogradForward
	v, m elements
	edge []float32 // a tile that crosses the border of its map

	// If the weights are transformed in parts:
	part elements // some rows of a panel of U
	g    weightBlock
}

func (w *winogradForward) newThread(tiles, pitchOut int) winogradThread {
	l := &w.layer
	return winogradThread{
		pass: w,
		v:    newElements(l.f.alpha, tiles, pitch(l.conv.In)),
		m:    newElements(l.f.alpha, tiles, pitchOut),
		edge: scratch.get(l.f.alpha * l.f.alpha * max(l.conv.In, l.conv.Out)),
	}
}

func (t *winogradThread) release() {
	t.v.release()
	t.m.release()
	scratch.put(t.edge)
}

// compute does count tiles from the first one on: it transforms their inputs, multiplies them by the filters of some
// panels at a time, and transforms the products.
func (t *winogradThread) compute(first, count, panel0, panel1, atATime int) {
	w := t.pass
	l := &w.layer
	l.transformInputs(t.v, t.edge, first, count, 0, l.conv.In)
	for p := panel0; p < panel1; p += atATime {
		next := min(p+atATime, panel1)
		if w.u.data != nil {
			t.multiply(w.u.from(p*l.conv.In), count, p, next, 0, l.conv.In)
		} else {
			for k, channels := range blocks(l.conv.In, channelsAtATime) {
				for row, rows := range blocks(channels, tapRows) {
					l.transformFilters(l.f.filter, t.part.from(row), t.g, p, k+row, rows)
				}
				t.multiply(t.part, count, p, next, k, channels)
			}
		}
		column, _ := l.panels.columnsOf(p)
		end, n := l.panels.columnsOf(next - 1)
		w.transformOutputs(t.m, t.edge, first, count, column, end+n-column)
	}
}

// multiply computes the terms of M = V U of some input channels, for count tiles and the panels [panel0, panel1). u
// begins with the row of the first of these channels. Those of channel 0 set M, those of others are added to it.
func (t *winogradThread) multiply(u elements, count, panel0, panel1, channel, channels int) {
	l := &t.pass.layer
	product := gemm{m: count, rsc: t.m.pitch, rsa: t.v.pitch, csa: 1, rsb: u.pitch, floor: noFloor}
	for e := range l.f.alpha * l.f.alpha {
		v := t.v.matrix(e, 0)[channel:]
		for p := panel0; p < panel1; p++ {
			_, n := l.panels.columnsOf(p)
			m := t.m.matrix(e, 0)[(p-panel0)*l.panels.width:]
			for k, rows := range blocks(channels, channelsAtATime) {
				product.n, product.k, product.block, product.ahead = n, rows, evenly(rows, l.f.sum), rows*u.pitch
				product.plain(m, v[k:], u.matrix(e, (p-panel0)*l.conv.In+k), channel+k > 0)
			}
		}
	}
}

// transformOutputs writes channels of y from the one given on: Y of count tiles from the first one on.
func (w *winogradForward) transformOutputs(m elements, edge []float32, first, count, channel, channels int) {
	l := &w.layer
	c, size := l.conv, l.f.m
	bias := w.bias[channel:]
	for i := range count {
		picture, row, column := l.tiles.place(first + i)
		at := ((picture*c.H+row)*c.W+column)*c.Out + channel
		if row+size <= c.H && column+size <= c.W {
			l.f.transformOutput(grid{w.y[at:], c.W * c.Out, c.Out}, m.tile(i), bias, channels, w.floor)
		} else {
			l.f.transformOutput(grid{edge, size * channels, channels}, m.tile(i), bias, channels, w.floor)
			for r := range min(size, c.H-row) {
				copyRows(w.y[at+r*c.W*c.Out:], c.Out, edge[r*size*channels:], channels, min(size, c.W-column), channels)
			}
		}
		if w.mask == nil {
			continue
		}
		for r := range min(size, c.H-row) {
			maskRows(w.y[at+r*c.W*c.Out:], w.mask[at+r*c.W*c.Out:], c.Out, min(size, c.W-column), channels)
		}
	}
}
