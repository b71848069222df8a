package kernel

import "runtime"

// filters are the transformed weights: a matrix (in, out) for each element, one after the other, each in panels.
type filters struct {
	*filtering
	data   []float32
	one    panels // the shape of one of them
	stride int    // floats from one to the next
}

func (f *filtering) filters(in, out int, data []float32) filters {
	one := panelsIn(nil, in, out)
	return filters{f, data, one, one.size()}
}

// size is the number of floats of all filters.
func (u filters) size() int { return u.elements() * u.stride }

// panel returns the first column of a panel of the matrix of an element, the number of its columns, and its data.
func (u filters) panel(element, i int) (column, n int, data []float32) {
	column, n = u.columns(i)
	return column, n, u.data[element*u.stride+i*u.one.rows*u.one.width:][:u.one.rows*u.one.width]
}

func (u filters) columns(panel int) (column, n int) {
	column = panel * u.one.width
	return column, min(u.one.width, u.one.columns-column)
}

// nine are the 3×3 weights of some rows of a panel.
type nine struct {
	copier
	matrix
}

// between keeps what lies a large power of two apart out of the same set of the cache.
const between = winogradChannels

func (t taps) nine() nine {
	stride := tapRows*cpu.columns + between
	return nine{t.copier(stride, cpu.columns), matrix{scratch.get(9 * stride), 3 * stride, stride}}
}

func (t nine) release() {
	t.copier.release()
	scratch.put(t.data)
}

// each calls f for parts of the filters: some rows of a panel and where their values begin.
func (u filters) each(weights taps, f func(part nine, values matrix, panel, row, rows int)) {
	parallelGrid(u.one.count, ceilDiv(u.one.rows, tapRows), func(panel0, panel1, part0, part1 int) {
		part := weights.nine()
		defer part.release()
		for p := panel0; p < panel1; p++ {
			for row := part0 * tapRows; row < min(part1*tapRows, u.one.rows); row += tapRows {
				values := matrix{u.data[(p*u.one.rows+row)*u.one.width:], u.side() * u.stride, u.stride}
				f(part, values, p, row, min(tapRows, u.one.rows-row))
			}
		}
	})
}

// transform sets the filters from the weights.
func (u filters) transform(weights taps) {
	u.each(weights, func(part nine, values matrix, panel, row, rows int) { u.transformPart(part, values, panel, row, rows) })
}

func (u filters) transformPart(part nine, values matrix, panel, row, rows int) {
	column, n := u.columns(panel)
	part.read(part.data, column, n, row, rows)
	u.filter.run(values, part.matrix, rows*u.one.width)
}

// tilesAtATime is the number of tiles that a thread takes at a time: more reuse the filters better, fewer stay in the
// cache.
func (f *filtering) tilesAtATime(in, out int) int {
	return min(max(2*cacheFloats/(f.elements()*(in+out)), 2*cpu.rows), 8*cpu.rows)
}

// few says that all transformed tiles of so many channels stay in the caches, and the products of those of a panel in a
// thread's own.
func (f *filtering) few(tiles, channels int) bool {
	return f.elements()*tiles*channels <= 8*cacheFloats && f.elements()*tiles*cpu.columns <= cacheFloats
}

// tiled is a layer with its input x cut into tiles.
type tiled struct {
	filters
	Conv
	tiles tiling
	x     []float32
}

func (u filters) tiled(c Conv, x []float32) tiled { return tiled{u, c, u.tiling(c), x} }

// transformInputs transforms some channels of some tiles of x to (elements, tiles, channels), where elements lie stride floats
// apart and tiles pitch.
func (v *tiled) transformInputs(inputs, buffer []float32, first, count, channel, channels, pitch, stride int) {
	for i := range count {
		picture, row, column := v.tiles.place(first + i)
		from := v.tiles.read(v.x, buffer, v.In, v.side(), picture, row-1, column-1)
		from.data = from.data[channel:]
		v.input.run(matrix{inputs[i*pitch:], v.side() * stride, stride}, from, channels)
	}
}

// winograd is a convolution by minimal filtering.
type winograd struct {
	tiled
	y, bias []float32
	floor   float32
}

func (u filters) winograd(c Conv, y, x, bias []float32, relu bool) *winograd {
	v := &winograd{u.tiled(c, x), y, bias, noFloor}
	if relu {
		v.floor = 0
	}
	if bias == nil {
		v.bias = make([]float32, c.Out)
	}
	return v
}

// convolve computes y from x and the weights.
func (f *filtering) convolve(c Conv, y, x []float32, weights taps, bias []float32, relu bool) {
	v := f.filters(c.In, c.Out, nil).winograd(c, y, x, bias, relu)
	if f.few(v.tiles.count(), c.In) && v.one.count >= runtime.GOMAXPROCS(0) {
		v.computeFew(weights)
		return
	}
	v.data = scratch.get(v.size())
	defer scratch.put(v.data)
	v.transform(weights)
	v.compute()
}

// compute computes all tiles with filters that are transformed.
func (v *winograd) compute() {
	parallel(v.tiles.count(), 1, func(lo, hi int) {
		pitchIn, pitchOut := pitch(v.In), pitch(v.Out)
		block := evenly(hi-lo, v.tilesAtATime(v.In, v.Out))
		inputs, products := scratch.get(v.elements()*block*pitchIn), scratch.get(v.elements()*block*pitchOut)
		buffer := scratch.get(v.elements() * max(v.In, v.Out))
		defer scratch.put(inputs)
		defer scratch.put(products)
		defer scratch.put(buffer)
		for first := lo; first < hi; first += block {
			count := min(block, hi-first)
			v.transformInputs(inputs, buffer, first, count, 0, v.In, pitchIn, block*pitchIn)
			t := v.product(count, pitchOut, pitchIn)
			for e := range v.elements() {
				for p := range v.one.count {
					column, n, filter := v.panel(e, p)
					to := products[e*block*pitchOut+column:]
					for k, rows := range blocks(v.In, sumBlock) {
						t.n, t.k, t.ahead = n, rows, rows*t.rsb
						t.product(to, inputs[e*block*pitchIn+k:], filter[k*t.rsb:], k > 0)
					}
				}
			}
			v.transformOutputs(products, buffer, first, count, pitchOut, block*pitchOut, 0, v.Out)
		}
	})
}

// computeFew computes few tiles. A thread transforms the filters of its panels part by part, multiplies each part by all
// tiles while it is in the cache, and then forgets it.
func (v *winograd) computeFew(weights taps) {
	count, width := v.tiles.count(), v.one.width
	pitchIn := pitch(v.In)
	strideIn, strideFilter, strideOut := count*pitchIn+between, tapRows*width+between, count*width+between
	parallel(v.one.count, 1, func(panel0, panel1 int) {
		inputs, filter, products := scratch.get(v.elements()*strideIn), scratch.get(v.elements()*strideFilter), scratch.get(v.elements()*strideOut)
		buffer, part := scratch.get(v.elements()*max(v.In, width)), weights.nine()
		defer scratch.put(inputs)
		defer scratch.put(filter)
		defer scratch.put(products)
		defer scratch.put(buffer)
		defer part.release()
		v.transformInputs(inputs, buffer, 0, count, 0, v.In, pitchIn, strideIn)
		t := v.product(count, width, pitchIn)
		for p := panel0; p < panel1; p++ {
			column, n := v.columns(p)
			for k, rows := range blocks(v.In, sumBlock) {
				v.transformPart(part, matrix{filter, v.side() * strideFilter, strideFilter}, p, k, rows)
				t.n, t.k, t.ahead = n, rows, rows*width
				for e := range v.elements() {
					t.product(products[e*strideOut:], inputs[e*strideIn+k:], filter[e*strideFilter:], k > 0)
				}
			}
			v.transformOutputs(products, buffer, 0, count, width, strideOut, column, n)
		}
	})
}

// transformOutputs transforms the products of some tiles, as many channels of y from the first one given on.
func (v *winograd) transformOutputs(products, buffer []float32, first, count, pitch, stride, channel, channels int) {
	for i := range count {
		picture, row, column := v.tiles.place(first + i)
		from := matrix{products[i*pitch:], v.side() * stride, stride}
		at := ((picture*v.H+row)*v.W+column)*v.Out + channel
		if row+v.tile <= v.H && column+v.tile <= v.W {
			v.finish(matrix{v.y[at:], v.W * v.Out, v.Out}, from, v.bias[channel:], channels, v.floor)
			continue
		}
		v.finish(matrix{buffer, v.tile * channels, channels}, from, v.bias[channel:], channels, v.floor)
		for r := range min(v.tile, v.H-row) {
			copyRows(v.y[at+r*v.W*v.Out:], v.Out, buffer[r*v.tile*channels:], channels, min(v.tile, v.W-column), channels)
		}
	}
}

// sumBlock is the most products that are summed up by themselves, no more than tapRows. The transformations multiply rounding
// errors, and those of a long sum grow with its length.
const sumBlock = 64

// product is that of transformed tiles with some columns of a filter's panel.
func (u filters) product(tiles, pitchOut, pitchIn int) tile {
	return tile{m: tiles, rsc: pitchOut, rsa: pitchIn, csa: 1, rsb: u.one.width, floor: noFloor}
}

// gradientTiles is the most tiles whose products are summed up at a time.
const gradientTiles = 2 * sumBlock

// slices is the number of parts of the tiles that get sums of their own: work for so many threads, as far as the memory
// of the sums stays small. It depends on the shapes alone, and so does the order of the sums.
func (f *filtering) slices(c Conv, tiles int) int {
	const most, floats = 16, 1 << 22
	slices := 1
	for 2*slices <= min(most, tiles/sumBlock, floats/(f.elements()*c.In*c.Out)) {
		slices *= 2
	}
	return slices
}

// correlate computes the gradient of the weights, or adds it to dw if accumulate.
func (f *filtering) correlate(c Conv, dw taps, x, dy []float32, accumulate bool) {
	v := weightGradient{f.filters(c.In, c.Out, nil).tiled(c, x), dy}
	if tiles := v.tiles.count(); tiles <= gradientTiles && f.few(tiles, max(c.In, c.Out)) {
		v.computeFew(dw, accumulate)
		return
	}
	v.compute(dw, accumulate)
}

// weightGradient is the gradient of the weights by minimal filtering: filters that are sums over the tiles.
type weightGradient struct {
	tiled
	dy []float32
}

// compute sums up in slices. A thread does some slices for some of the input channels from the first transformation on, since
// what it would leave to another one may have to travel far between their caches.
func (v *weightGradient) compute(dw taps, accumulate bool) {
	const inputBlock = 2 * winogradChannels
	tiles, size := v.tiles.count(), v.size()
	slices := v.slices(v.Conv, tiles)
	v.data = scratch.get(slices * size)
	defer scratch.put(v.data)
	parallelGrid(slices, ceilDiv(v.In, inputBlock), func(slice0, slice1, in0, in1 int) {
		in0, in1 = in0*inputBlock, min(in1*inputBlock, v.In)
		pitchIn, pitchOut := pitch(in1-in0), pitch(v.Out)
		block := min(gradientTiles, ceilDiv(tiles, slices))
		inputs, gradients := scratch.get(v.elements()*block*pitchIn), scratch.get(v.elements()*block*pitchOut)
		buffer := scratch.get(v.elements() * max(v.In, v.Out))
		defer scratch.put(inputs)
		defer scratch.put(gradients)
		defer scratch.put(buffer)
		for s := slice0; s < slice1; s++ {
			sums := v.filters
			sums.data = v.data[s*size:][:size]
			first := tiles * s / slices
			for begin, count := range blocks(tiles*(s+1)/slices-first, block) {
				v.transformInputs(inputs, buffer, first+begin, count, in0, in1-in0, pitchIn, block*pitchIn)
				v.transformGradients(gradients, buffer, first+begin, count, pitchOut, block*pitchOut)
				t := v.sum(count, pitchIn, pitchOut)
				t.m = in1 - in0
				for e := range v.elements() {
					for p := range v.one.count {
						column, n, sum := sums.panel(e, p)
						t.n = n
						t.product(sum[in0*t.rsc:], inputs[e*block*pitchIn:], gradients[e*block*pitchOut+column:], begin > 0)
					}
				}
			}
		}
	})
	v.each(dw, func(part nine, values matrix, panel, row, rows int) {
		n := rows * v.one.width
		for i := range v.elements() {
			sum := values.data[values.at(i/v.side(), i%v.side()):]
			for s := 1; s < slices; s++ {
				add(sum[:n], sum[s*size:][:n])
			}
		}
		v.transformPart(part, values, panel, row, rows, accumulate)
	})
}

// computeFew sums up few tiles, part by part of the filters, each of which is done with while it is in the cache.
func (v *weightGradient) computeFew(dw taps, accumulate bool) {
	count, width := v.tiles.count(), v.one.width
	parallelGrid(ceilDiv(v.In, tapRows), v.one.count, func(part0, part1, panel0, panel1 int) {
		in0, in1 := part0*tapRows, min(part1*tapRows, v.In)
		pitchIn, pitchOut := pitch(in1-in0), pitch(v.Out)
		strideIn, strideOut, stride := count*pitchIn+between, count*pitchOut+between, tapRows*width+between
		inputs, gradients, sums := scratch.get(v.elements()*strideIn), scratch.get(v.elements()*strideOut), scratch.get(v.elements()*stride)
		buffer, part := scratch.get(v.elements()*max(v.In, v.Out)), dw.nine()
		defer scratch.put(inputs)
		defer scratch.put(gradients)
		defer scratch.put(sums)
		defer scratch.put(buffer)
		defer part.release()
		v.transformInputs(inputs, buffer, 0, count, in0, in1-in0, pitchIn, strideIn)
		v.transformGradients(gradients, buffer, 0, count, pitchOut, strideOut)
		t := v.sum(count, pitchIn, pitchOut)
		for row := in0; row < in1; row += tapRows {
			t.m = min(tapRows, in1-row)
			for p := panel0; p < panel1; p++ {
				column, n := v.columns(p)
				t.n = n
				for e := range v.elements() {
					t.product(sums[e*stride:], inputs[e*strideIn+row-in0:], gradients[e*strideOut+column:], false)
				}
				v.transformPart(part, matrix{sums, v.side() * stride, stride}, p, row, t.m, accumulate)
			}
		}
	})
}

// transformGradients does what transformInputs does, for all channels of dy.
func (v *weightGradient) transformGradients(gradients, buffer []float32, first, count, pitch, stride int) {
	for i := range count {
		picture, row, column := v.tiles.place(first + i)
		from := v.tiles.read(v.dy, buffer, v.Out, v.tile, picture, row, column)
		v.gradient.run(matrix{gradients[i*pitch:], v.side() * stride, stride}, from, v.Out)
	}
}

// sum is that of the products of some rows of transformed inputs with some columns of gradients over the tiles.
func (u filters) sum(tiles, pitchIn, pitchOut int) tile {
	return tile{k: tiles, rsc: u.one.width, rsa: 1, csa: pitchIn, rsb: pitchOut, floor: noFloor, ahead: u.one.width}
}

// transformPart transforms sums into a part of dw.
func (v *weightGradient) transformPart(part nine, sums matrix, panel, row, rows int, accumulate bool) {
	v.filterGradient.run(part.matrix, sums, rows*v.one.width)
	column, n := v.columns(panel)
	part.write(part.data, column, n, row, rows, accumulate)
}
