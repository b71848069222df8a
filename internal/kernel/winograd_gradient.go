package kernel

// winogradGradient computes dw, the gradient of the weights, or adds it to dw.
type winogradGradient struct {
	layer      winogradLayer
	dy         []float32
	dw         taps
	accumulate bool
}

// gradientTiles is the most tiles whose products dU are summed up at a time.
func (f *winograd) gradientTiles() int { return gradientBlocks * f.sum }

// weightGradient computes dw, or adds it if accumulate.
func (f *winograd) weightGradient(c Conv, dw taps, x, dy []float32, accumulate bool) {
	w := winogradGradient{f.layer(c, x), dy, dw, accumulate}
	if tiles := w.layer.tiles.count(); tiles <= f.gradientTiles() && f.few(tiles, max(c.In, c.Out)) {
		w.panelByPanel()
		return
	}
	w.blockByBlock()
}

// slices is the number of parts of the tiles that get sums dU of their own: enough for that many threads, while the
// memory of the sums stays small. It depends on the shapes alone, and so does the order of the sums.
func (w *winogradGradient) slices() int {
	l := &w.layer
	slices := 1
	for 2*slices <= min(mostSlices, l.tiles.count()/sumBlock, sliceFloats/(l.f.alpha*l.f.alpha*l.conv.In*l.conv.Out)) {
		slices *= 2
	}
	return slices
}

// blockByBlock gives each thread some slices and input channels, and takes tiles block by block. Each thread transforms
// what it multiplies, even if others transform the same: data in the cache of another thread is slow to reach. dM has
// some panels at a time.
func (w *winogradGradient) blockByBlock() {
	l := &w.layer
	tiles, size, slices := l.tiles.count(), l.filtersSize(), w.slices()
	sums := filterScratch.get(slices * size)
	defer filterScratch.put(sums)
	atATime := l.panelsAtATime()
	parallelGrid(slices, ceilDiv(l.conv.In, gradientChannels), func(slice0, slice1, in0, in1 int) {
		in0, in1 = in0*gradientChannels, min(in1*gradientChannels, l.conv.In)
		block := min(l.f.gradientTiles(), ceilDiv(tiles, slices))
		t := w.newThread(block, in0, in1, atATime)
		t.stream = l.f.large(l.conv)
		defer t.release()
		for s := slice0; s < slice1; s++ {
			du := l.filters(sums[s*size:][:size]).from(in0)
			lo, hi := share(tiles, slices, s)
			for begin, count := range blocks(hi-lo, block) {
				l.transformInputs(t.v, t.edge, lo+begin, count, in0, in1-in0)
				for p := 0; p < l.panels.count; p += atATime {
					next := min(p+atATime, l.panels.count)
					t.transformGradients(lo+begin, count, p, next)
					t.multiply(du.from(p*l.conv.In), count, p, next, in0, in1-in0, begin > 0)
				}
			}
		}
	})
	l.eachFilterBlock(l.filters(sums), w.dw, func(du elements, b weightBlock, panel, row, rows int) {
		n := rows * du.pitch
		for e := range l.f.alpha * l.f.alpha {
			sum := du.matrix(e, 0)
			for s := 1; s < slices; s++ {
				add(sum[:n], sum[s*size:][:n])
			}
		}
		l.transformFilterGradients(du, b, panel, row, rows, w.accumulate)
	})
}

// panelByPanel gives each thread all tiles and some input channels and panels. It computes dU in parts, each of which
// is transformed while it is in the cache.
func (w *winogradGradient) panelByPanel() {
	l := &w.layer
	count := l.tiles.count()
	parallelGrid(ceilDiv(l.conv.In, tapRows), l.panels.count, func(part0, part1, panel0, panel1 int) {
		in0, in1 := part0*tapRows, min(part1*tapRows, l.conv.In)
		t := w.newThread(count, in0, in1, l.panels.count)
		defer t.release()
		du, g := newElements(l.f.alpha, tapRows, l.panels.width), l.newWeightBlock(w.dw)
		defer du.release()
		defer g.release()
		l.transformInputs(t.v, t.edge, 0, count, in0, in1-in0)
		t.transformGradients(0, count, 0, l.panels.count)
		for row := in0; row < in1; row += tapRows {
			rows := min(tapRows, in1-row)
			for p := panel0; p < panel1; p++ {
				t.multiply(du, count, p, p+1, row, rows, false)
				l.transformFilterGradients(du, g, p, row, rows, w.accumulate)
			}
		}
	})
}

// winogradGradientThread is where a thread of winogradGradient works on the input channels [in0, in1).
type winogradGradientThread struct {
	pass     *winogradGradient
	in0, in1 int
	v, dm    elements
	column   int       // the output channel that dm begins with
	edge     []float32 // a tile that crosses the border of its map
	stream   bool      // write dU around the cache
}

func (w *winogradGradient) newThread(tiles, in0, in1, panels int) winogradGradientThread {
	l := &w.layer
	outputs := min(panels*l.panels.width, l.conv.Out)
	return winogradGradientThread{
		pass: w, in0: in0, in1: in1,
		v:    newElements(l.f.alpha, tiles, pitch(in1-in0)),
		dm:   newElements(l.f.alpha, tiles, pitch(outputs)),
		edge: scratch.get(l.f.alpha * l.f.alpha * max(l.conv.In, l.conv.Out)),
	}
}

func (t *winogradGradientThread) release() {
	t.v.release()
	t.dm.release()
	scratch.put(t.edge)
}

// transformGradients sets dM of count tiles from the first one on, for the panels [panel0, panel1).
func (t *winogradGradientThread) transformGradients(first, count, panel0, panel1 int) {
	w := t.pass
	l := &w.layer
	t.column, _ = l.panels.columnsOf(panel0)
	end, n := l.panels.columnsOf(panel1 - 1)
	for i := range count {
		picture, row, column := l.tiles.place(first + i)
		dy := l.tiles.read(w.dy, t.edge, l.conv.Out, l.f.m, picture, row, column)
		dy.data = dy.data[t.column:]
		l.f.outputGradient.run(t.dm.tile(i), dy, end+n-t.column)
	}
}

// multiply computes dU = Vᵀ dM of count tiles, or adds it, for some input channels and the panels [panel0, panel1). du
// begins with the row of the first of these channels.
func (t *winogradGradientThread) multiply(du elements, count, panel0, panel1, channel, channels int, add bool) {
	l := &t.pass.layer
	product := gemm{m: channels, k: count, rsc: du.pitch, rsa: 1, csa: t.v.pitch, rsb: t.dm.pitch, floor: noFloor, ahead: du.pitch, stream: !add && t.stream}
	for e := range l.f.alpha * l.f.alpha {
		v, dm := t.v.matrix(e, 0)[channel-t.in0:], t.dm.matrix(e, 0)
		for p := panel0; p < panel1; p++ {
			column, n := l.panels.columnsOf(p)
			product.n = n
			product.plain(du.matrix(e, (p-panel0)*l.conv.In), v, dm[column-t.column:], add)
		}
	}
}
