package kernel

import (
	"os"
	"runtime"
)

// Winograd's minimal filtering F(m×m, 3×3) computes a tile of m×m outputs of a 3×3 convolution from (m+2)×(m+2) inputs
// with as many multiplications a pair of channels instead of 9·m·m: inputs and filters are transformed, multiplied
// element by element, which over the channels is a matrix product for each element, and transformed back. With m = 4
// that is a quarter of the multiplications, with m = 2 a 2.25th. The gradients are the adjoints of the same steps.
type filtering struct {
	tile                                            int       // m
	input, filter, output, gradient, filterGradient separable // output without bias and floor
	bounded                                         func(dst, src *float32, n, dstRow, dstColumn, srcRow, srcColumn int, bias *float32, floor float32)
}

// transforms are the assembly of the transformations of one filtering.
type transforms struct {
	input, gradient, filter, filterGradient func(dst, src *float32, n, dstRow, dstColumn, srcRow, srcColumn int)
	output                                  func(dst, src *float32, n, dstRow, dstColumn, srcRow, srcColumn int, bias *float32, floor float32)
}

// side is the number of inputs of a tile on each side.
func (f *filtering) side() int { return f.tile + 2 }

// elements is the number of matrix products.
func (f *filtering) elements() int { return f.side() * f.side() }

// filtering4 is F(4×4, 3×3), with the points 0, ±1, ±2 and infinity.
func filtering4() *filtering {
	fast := cpu.winograd4
	return &filtering{
		tile: 4, bounded: fast.output,
		input: separable{6, 6, func(x, y []float32) {
			a, b, c, d := x[4]-4*x[2], x[3]-4*x[1], x[4]-x[2], 2*(x[3]-x[1])
			y[0], y[1], y[2], y[3], y[4], y[5] = 4*x[0]-5*x[2]+x[4], a+b, a-b, c+d, c-d, 4*x[1]-5*x[3]+x[5]
		}, fast.input},
		filter: separable{3, 6, func(x, y []float32) {
			a, b, c, d := -(x[0]+x[2])/6, -x[1]/6, x[0]/24+x[2]/6, x[1]/12
			y[0], y[1], y[2], y[3], y[4], y[5] = x[0]/4, a+b, a-b, c+d, c-d, x[2]
		}, fast.filter},
		output: separable{in: 6, out: 4, line: func(x, y []float32) {
			a, b, c, d := x[1]+x[2], x[1]-x[2], x[3]+x[4], x[3]-x[4]
			y[0], y[1], y[2], y[3] = x[0]+a+c, b+2*d, a+4*c, b+8*d+x[5]
		}},
		gradient: separable{4, 6, func(x, y []float32) {
			a, b, c, d := x[0]+x[2], x[1]+x[3], x[0]+4*x[2], 2*x[1]+8*x[3]
			y[0], y[1], y[2], y[3], y[4], y[5] = x[0], a+b, a-b, c+d, c-d, x[3]
		}, fast.gradient},
		filterGradient: separable{6, 3, func(x, y []float32) {
			a, b, c, d := x[1]+x[2], x[1]-x[2], x[3]+x[4], x[3]-x[4]
			y[0], y[1], y[2] = x[0]/4-a/6+c/24, -b/6+d/12, (c-a)/6+x[5]
		}, fast.filterGradient},
	}
}

// filtering2 is F(2×2, 3×3), with the points 0, ±1 and infinity.
func filtering2() *filtering {
	fast := cpu.winograd2
	return &filtering{
		tile: 2, bounded: fast.output,
		input: separable{4, 4, func(x, y []float32) {
			y[0], y[1], y[2], y[3] = x[0]-x[2], x[1]+x[2], x[2]-x[1], x[1]-x[3]
		}, fast.input},
		filter: separable{3, 4, func(x, y []float32) {
			a, b := (x[0]+x[2])/2, x[1]/2
			y[0], y[1], y[2], y[3] = x[0], a+b, a-b, x[2]
		}, fast.filter},
		output: separable{in: 4, out: 2, line: func(x, y []float32) {
			y[0], y[1] = x[0]+x[1]+x[2], x[1]-x[2]-x[3]
		}},
		gradient: separable{2, 4, func(x, y []float32) {
			y[0], y[1], y[2], y[3] = x[0], x[0]+x[1], x[0]-x[1], -x[1]
		}, fast.gradient},
		filterGradient: separable{4, 3, func(x, y []float32) {
			a, b := (x[1]+x[2])/2, (x[1]-x[2])/2
			y[0], y[1], y[2] = x[0]+a, b, a+x[3]
		}, fast.filterGradient},
	}
}

// A separable transformation applies one linear map to the columns and then to the rows of a small matrix, for n
// channels side by side.
type separable struct {
	in, out int
	line    func(x, y []float32)                                                 // the map in one dimension, from in values to out
	fast    func(dst, src *float32, n, dstRow, dstColumn, srcRow, srcColumn int) // the assembly of both; nil for none
}

// matrix is where the elements of a small matrix lie, each of them the first of n channels.
type matrix struct {
	data        []float32
	row, column int // floats from one to the next
}

// at is the offset of element (i, j).
func (m matrix) at(i, j int) int { return i*m.row + j*m.column }

func (s separable) run(dst, src matrix, n int) {
	if s.fast == nil {
		s.runGo(dst, src, n)
		return
	}
	// The assembly does not look at lengths: these index expressions do.
	_, _ = dst.data[dst.at(s.out-1, s.out-1)+n-1], src.data[src.at(s.in-1, s.in-1)+n-1]
	s.fast(&dst.data[0], &src.data[0], n, dst.row, dst.column, src.row, src.column)
}

// runGo is the pure-Go twin of the assembly.
func (s separable) runGo(dst, src matrix, n int) {
	var half [6 * 6]float32 // (in columns, out rows)
	var x, y [6]float32
	for c := range n {
		for j := range s.in {
			for i := range s.in {
				x[i] = src.data[src.at(i, j)+c]
			}
			s.line(x[:], half[j*s.out:])
		}
		for i := range s.out {
			for j := range s.in {
				x[j] = half[j*s.out+i]
			}
			s.line(x[:], y[:])
			for j := range s.out {
				dst.data[dst.at(i, j)+c] = y[j]
			}
		}
	}
}

// finish transforms products into a tile's outputs, adds the bias and bounds the result by floor.
func (f *filtering) finish(dst, src matrix, bias []float32, n int, floor float32) {
	if f.bounded == nil {
		f.finishGo(dst, src, bias, n, floor)
		return
	}
	// The assembly does not look at lengths: these index expressions do.
	_, _, _ = dst.data[dst.at(f.tile-1, f.tile-1)+n-1], src.data[src.at(f.side()-1, f.side()-1)+n-1], bias[n-1]
	f.bounded(&dst.data[0], &src.data[0], n, dst.row, dst.column, src.row, src.column, &bias[0], floor)
}

// finishGo is the pure-Go twin of the assembly.
func (f *filtering) finishGo(dst, src matrix, bias []float32, n int, floor float32) {
	f.output.runGo(dst, src, n)
	for i := range f.tile {
		for j := range f.tile {
			out := dst.data[dst.at(i, j):][:n]
			for c, b := range bias[:n] {
				if out[c] += b; out[c] < floor {
					out[c] = floor
				}
			}
		}
	}
}

// algorithm is what the environment variable VGG_CONV asks for: "direct", "winograd4" or "winograd2" wherever it can be,
// anything else for the one that is expected to be the fastest.
var algorithm = os.Getenv("VGG_CONV")

// winogradChannels is the multiple of channels for which the transformations are made: a vector of AVX-512.
const winogradChannels = 16

// filtering gives the minimal filtering that is expected to be the fastest way, nil for the direct convolution.
// prepared says that transforming the filters costs nothing, since it has been done.
func (c Conv) filtering(prepared bool) *filtering {
	if c.Kernel != 3 || c.In%winogradChannels != 0 || c.Out%winogradChannels != 0 {
		return nil
	}
	switch algorithm {
	case "direct":
		return nil
	case "winograd4":
		return filtering4()
	case "winograd2":
		return filtering2()
	}
	if cpu.winograd4.input == nil {
		return nil // in Go the transformations take longer than what they save
	}
	best, least := (*filtering)(nil), c.direct()
	for _, f := range []*filtering{filtering4(), filtering2()} {
		if cost := f.cost(c, prepared); cost < least {
			best, least = f, cost
		}
	}
	return best
}

// direct is the number of multiply-adds of the direct convolution, without those that it leaves out at the borders.
func (c Conv) direct() int {
	taps := c.Kernel / 2 * (c.Kernel/2 + 1) // beyond the borders of a line of at least so many pixels
	rows, columns := max(c.Kernel*c.H-taps, 1), c.Kernel*c.W
	if across(c.N, c.W) {
		columns = max(columns-taps, 1)
	}
	return c.N * rows * columns * c.In * c.Out
}

// cost estimates the time of a pass in multiply-adds of the direct convolution. The constants are from the benchmark of
// this package: a value that goes through a transformation costs about as much as so many of them.
func (f *filtering) cost(c Conv, prepared bool) int {
	const transformed, filtered, filteredFew = 6, 20, 7
	tiles := f.tiling(c).count()
	cost := tiles * f.elements() * (c.In*c.Out + transformed*(c.In+c.Out))
	switch {
	case prepared:
	case f.few(tiles, c.In):
		cost += filteredFew * f.elements() * c.In * c.Out
	default:
		cost += filtered * f.elements() * c.In * c.Out
	}
	return cost
}

// tiling cuts maps (n, h, w) into square tiles, those at the lower and right edges perhaps smaller.
type tiling struct {
	n, h, w, tile int
	rows, columns int // tiles of a picture
}

func (f *filtering) tiling(c Conv) tiling {
	return tiling{c.N, c.H, c.W, f.tile, ceilDiv(c.H, f.tile), ceilDiv(c.W, f.tile)}
}

func (t tiling) count() int { return t.n * t.rows * t.columns }

// place returns the picture and the upper left pixel of a tile.
func (t tiling) place(tile int) (picture, row, column int) {
	return tile / (t.rows * t.columns), tile / t.columns % t.rows * t.tile, tile % t.columns * t.tile
}

// read gives the side×side pixels from (row, column) of a picture of maps with so many channels: in place, or, where
// some lie outside the map, as a copy in buffer with zeros for them.
func (t tiling) read(maps, buffer []float32, channels, side, picture, row, column int) matrix {
	if row >= 0 && column >= 0 && row+side <= t.h && column+side <= t.w {
		return matrix{maps[((picture*t.h+row)*t.w+column)*channels:], t.w * channels, channels}
	}
	m := matrix{buffer[:side*side*channels], side * channels, channels}
	clear(m.data)
	left, right := max(0, column), min(t.w, column+side)
	for i := max(0, -row); i < min(side, t.h-row); i++ {
		at := (picture*t.h + row + i) * t.w
		copy(m.data[m.at(i, left-column):], maps[(at+left)*channels:(at+right)*channels])
	}
	return m
}

// pitch is the distance between the rows of a matrix of tiles and channels, so that neighbouring ones do not fall into
// the same set of the cache.
func pitch(channels int) int {
	if channels%256 == 0 {
		return channels + 16
	}
	return channels
}

// filters are the transformed weights: a matrix (in, out) for each element, one after the other, each in panels.
type filters struct {
	*filtering
	data   []float32
	one    panels // the shape of one of them
	stride int    // floats from one to the next
}

func (f *filtering) filters(in, out int, data []float32) filters {
	one := panels{rows: in, columns: out, width: cpu.columns, count: ceilDiv(out, cpu.columns)}
	return filters{f, data, one, one.count * in * one.width}
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

// evenly gives the size of even blocks of n, at most most.
func evenly(n, most int) int { return ceilDiv(n, ceilDiv(n, most)) }

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

// winograd is a convolution by minimal filtering.
type winograd struct {
	filters
	Conv
	tiles      tiling
	y, x, bias []float32
	floor      float32
}

func (u filters) winograd(c Conv, y, x, bias []float32, relu bool) *winograd {
	v := &winograd{u, c, u.tiling(c), y, x, bias, noFloor}
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
			v.transformInputs(inputs, buffer, first, count, pitchIn, block*pitchIn)
			t := v.product(count, pitchOut, pitchIn)
			for e := range v.elements() {
				for p := range v.one.count {
					column, n, filter := v.panel(e, p)
					to := products[e*block*pitchOut+column:]
					for k, rows := range parts(v.In, sumBlock) {
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
		v.transformInputs(inputs, buffer, 0, count, pitchIn, strideIn)
		t := v.product(count, width, pitchIn)
		for p := panel0; p < panel1; p++ {
			column, n := v.columns(p)
			for k, rows := range parts(v.In, sumBlock) {
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

// transformInputs transforms some tiles of x to (elements, tiles, In), where elements lie stride floats apart and tiles pitch.
func (v *winograd) transformInputs(inputs, buffer []float32, first, count, pitch, stride int) {
	for i := range count {
		picture, row, column := v.tiles.place(first + i)
		from := v.tiles.read(v.x, buffer, v.In, v.side(), picture, row-1, column-1)
		v.input.run(matrix{inputs[i*pitch:], v.side() * stride, stride}, from, v.In)
	}
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
	v := weightGradient{f.filters(c.In, c.Out, nil), c, f.tiling(c), x, dy}
	if tiles := v.tiles.count(); tiles <= gradientTiles && f.few(tiles, max(c.In, c.Out)) {
		v.computeFew(dw, accumulate)
		return
	}
	v.compute(dw, accumulate)
}

// weightGradient is the gradient of the weights by minimal filtering: filters that are sums over the tiles.
type weightGradient struct {
	filters
	Conv
	tiles tiling
	x, dy []float32
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
			for begin, count := range parts(tiles*(s+1)/slices-first, block) {
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

// transformInputs transforms some channels of some tiles of x to (elements, tiles, channels), where elements lie stride floats
// apart and tiles pitch.
func (v *weightGradient) transformInputs(inputs, buffer []float32, first, count, channel, channels, pitch, stride int) {
	for i := range count {
		picture, row, column := v.tiles.place(first + i)
		from := v.tiles.read(v.x, buffer, v.In, v.side(), picture, row-1, column-1)
		from.data = from.data[channel:]
		v.input.run(matrix{inputs[i*pitch:], v.side() * stride, stride}, from, channels)
	}
}

// transformGradients does the same for all channels of dy.
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
