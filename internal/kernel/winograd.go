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
	const transformed, filtered = 6, 20
	tiles := c.N * ceilDiv(c.H, f.tile) * ceilDiv(c.W, f.tile)
	cost := tiles * f.elements() * (c.In*c.Out + transformed*(c.In+c.Out))
	if !prepared {
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

// newFilters lays filters out in data, or in a buffer of the free list if data is nil.
func (f *filtering) newFilters(in, out int, data []float32) filters {
	one := panels{rows: in, columns: out, width: cpu.columns, count: ceilDiv(out, cpu.columns)}
	stride := one.count * in * one.width
	if data == nil {
		data = scratch.get(f.elements() * stride)
	}
	return filters{f, data, one, stride}
}

func (u filters) release() { scratch.put(u.data) }

// panel returns the first column of a panel of the matrix of an element, the number of its columns, and its data.
func (u filters) panel(element, i int) (column, n int, data []float32) {
	one := u.one
	one.data = u.data[element*u.stride:][:u.stride]
	return one.panel(i)
}

// each calls f for parts of the filters: the places of the transformed values and of the nine weights in panels
// (9·in, out), and the number of floats that lie side by side.
func (u filters) each(weights panels, f func(values, nine matrix, n int)) {
	parallelGrid(u.one.count, ceilDiv(u.one.rows, filterRows), func(panel0, panel1, part0, part1 int) {
		u.some(weights, panel0, panel1, part0, part1, f)
	})
}

// filterRows is the number of input channels of a part of a panel.
const filterRows = 32

// some is each on one thread, for some parts of some panels.
func (u filters) some(weights panels, panel0, panel1, part0, part1 int, f func(values, nine matrix, n int)) {
	size := u.one.rows * u.one.width
	for p := panel0; p < panel1; p++ {
		for part := part0; part < part1; part++ {
			from := part * filterRows * u.one.width
			n := min(filterRows*u.one.width, size-from)
			f(matrix{u.data[p*size+from:], u.side() * u.stride, u.stride}, matrix{weights.data[p*9*size+from:], 3 * size, size}, n)
		}
	}
}

// transform sets the filters from the weights (3, 3, in, out) in panels.
func (u filters) transform(weights panels) {
	u.each(weights, func(values, nine matrix, n int) { u.filter.run(values, nine, n) })
}

// evenly gives the size of even blocks of n, at most most.
func evenly(n, most int) int { return ceilDiv(n, ceilDiv(n, most)) }

// tilesAtATime is the number of tiles that a thread takes at a time: more reuse the filters better, fewer stay in the
// cache.
func (f *filtering) tilesAtATime(in, out int) int {
	return min(max(2*cacheFloats/(f.elements()*(in+out)), 2*cpu.rows), 8*cpu.rows)
}

// convolve computes y from x and the transformed weights.
func (u filters) convolve(c Conv, y, x, bias []float32, relu bool) {
	v := newWinograd(u, c, y, x, bias, relu)
	parallel(v.tiles.count(), 1, func(lo, hi int) { v.compute(lo, hi, 0, u.one.count) })
}

// transformAndConvolve computes y from x and the weights (3, 3, In, Out) in panels. Where the transformed filters are
// more than the transformed input, each thread makes its own of them, which it finds in its cache again, and transforms
// all of the input.
func (u filters) transformAndConvolve(c Conv, y, x []float32, weights panels, bias []float32, relu bool) {
	v := newWinograd(u, c, y, x, bias, relu)
	if v.tiles.count() >= c.Out || len(u.data) > 8*cacheFloats || u.one.count < runtime.GOMAXPROCS(0) {
		u.transform(weights)
		u.convolve(c, y, x, bias, relu)
		return
	}
	parallel(u.one.count, 1, func(panel0, panel1 int) {
		u.some(weights, panel0, panel1, 0, ceilDiv(c.In, filterRows), func(values, nine matrix, n int) { u.filter.run(values, nine, n) })
		v.compute(0, v.tiles.count(), panel0, panel1)
	})
}

// winograd is a convolution by minimal filtering.
type winograd struct {
	filters
	Conv
	tiles      tiling
	y, x, bias []float32
	floor      float32
}

func newWinograd(u filters, c Conv, y, x, bias []float32, relu bool) *winograd {
	v := &winograd{u, c, u.tiling(c), y, x, bias, noFloor}
	if relu {
		v.floor = 0
	}
	if bias == nil {
		v.bias = make([]float32, c.Out)
	}
	return v
}

// compute computes the tiles [lo, hi) of the output channels of some panels.
func (v *winograd) compute(lo, hi, panel0, panel1 int) {
	out0 := panel0 * v.one.width
	out := min(panel1*v.one.width, v.Out) - out0
	pitchIn, pitchOut, side := pitch(v.In), pitch(out), v.side()
	block := evenly(hi-lo, v.tilesAtATime(v.In, out))
	inputs, products := scratch.get(v.elements()*block*pitchIn), scratch.get(v.elements()*block*pitchOut)
	buffer := scratch.get(v.elements() * max(v.In, out))
	defer scratch.put(inputs)
	defer scratch.put(products)
	defer scratch.put(buffer)
	for first := lo; first < hi; first += block {
		count := min(block, hi-first)
		for i := range count {
			picture, row, column := v.tiles.place(first + i)
			from := v.tiles.read(v.x, buffer, v.In, side, picture, row-1, column-1)
			v.input.run(matrix{inputs[i*pitchIn:], side * block * pitchIn, block * pitchIn}, from, v.In)
		}
		for e := range v.elements() {
			v.multiplyElement(e, panel0, panel1, products[e*block*pitchOut:], inputs[e*block*pitchIn:], pitchOut, pitchIn, count)
		}
		for i := range count {
			picture, row, column := v.tiles.place(first + i)
			from := matrix{products[i*pitchOut:], side * block * pitchOut, block * pitchOut}
			at := ((picture*v.H+row)*v.W+column)*v.Out + out0
			if row+v.tile <= v.H && column+v.tile <= v.W {
				v.finish(matrix{v.y[at:], v.W * v.Out, v.Out}, from, v.bias[out0:], out, v.floor)
				continue
			}
			v.finish(matrix{buffer, v.tile * out, out}, from, v.bias[out0:], out, v.floor)
			for r := range min(v.tile, v.H-row) {
				copyRows(v.y[at+r*v.W*v.Out:], v.Out, buffer[r*v.tile*out:], out, min(v.tile, v.W-column), out)
			}
		}
	}
}

// sumBlock is the number of products that are summed up by themselves. The transformations multiply rounding errors,
// and those of a long sum grow with its length.
const sumBlock = 64

// multiplyElement computes the products m of an element's matrix with v (count, in), for the columns of some panels.
func (u filters) multiplyElement(element, panel0, panel1 int, m, v []float32, pitchM, pitchV, count int) {
	t := tile{m: count, rsc: pitchM, rsa: pitchV, csa: 1, rsb: u.one.width, floor: noFloor}
	for p := panel0; p < panel1; p++ {
		_, n, b := u.panel(element, p)
		to, e := m[(p-panel0)*u.one.width:], zeros
		t.n, t.rse = n, 0
		for k, size := range parts(u.one.rows, sumBlock) {
			t.k, t.ahead = size, size*t.rsb
			t.compute(to, v[k:], b[k*t.rsb:], e, single)
			e, t.rse = to, pitchM
		}
	}
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

// correlate computes the gradient of the weights (3, 3, In, Out) in panels. A thread sums up the products of some slices
// for some of the input channels from the first transformation on, since what it would leave to another one may have to
// travel far between their caches.
func (f *filtering) correlate(c Conv, weights panels, x, dy []float32) {
	const inputBlock = 2 * winogradChannels
	tiles := f.tiling(c)
	slices := f.slices(c, tiles.count())
	size := f.elements() * ceilDiv(c.Out, cpu.columns) * cpu.columns * c.In
	data := scratch.get(slices * size)
	defer scratch.put(data)
	parallelGrid(slices, ceilDiv(c.In, inputBlock), func(slice0, slice1, in0, in1 int) {
		in0, in1 = in0*inputBlock, min(in1*inputBlock, c.In)
		pitchIn, pitchOut := pitch(in1-in0), pitch(c.Out)
		block := min(gradientTiles, ceilDiv(tiles.count(), slices))
		v, d := scratch.get(f.elements()*block*pitchIn), scratch.get(f.elements()*block*pitchOut)
		buffer := scratch.get(f.elements() * max(c.In, c.Out))
		defer scratch.put(v)
		defer scratch.put(d)
		defer scratch.put(buffer)
		for s := slice0; s < slice1; s++ {
			sums := f.newFilters(c.In, c.Out, data[s*size:][:size])
			first := tiles.count() * s / slices
			for begin, count := range parts(tiles.count()*(s+1)/slices-first, block) {
				for i := range count {
					picture, row, column := tiles.place(first + begin + i)
					from := tiles.read(x, buffer, c.In, f.side(), picture, row-1, column-1)
					from.data = from.data[in0:]
					f.input.run(matrix{v[i*pitchIn:], f.side() * block * pitchIn, block * pitchIn}, from, in1-in0)
					from = tiles.read(dy, buffer, c.Out, f.tile, picture, row, column)
					f.gradient.run(matrix{d[i*pitchOut:], f.side() * block * pitchOut, block * pitchOut}, from, c.Out)
				}
				for e := range f.elements() {
					sums.accumulate(e, in0, in1, v[e*block*pitchIn:], d[e*block*pitchOut:], pitchIn, pitchOut, count, begin == 0)
				}
			}
		}
	})
	f.newFilters(c.In, c.Out, data).each(weights, func(values, nine matrix, n int) {
		for i := range f.elements() {
			sum := values.data[values.at(i/f.side(), i%f.side()):]
			for s := 1; s < slices; s++ {
				add(sum[:n], sum[s*size:][:n])
			}
		}
		f.filterGradient.run(nine, values, n)
	})
}

// accumulate adds vᵀ d, with v (count, in1-in0) and d (count, out), to the rows from in0 to in1 of an element's matrix,
// or sets them if it is the first.
func (u filters) accumulate(element, in0, in1 int, v, d []float32, pitchV, pitchD, count int, first bool) {
	t := tile{m: in1 - in0, k: count, rsc: u.one.width, rsa: 1, csa: pitchV, rsb: pitchD, floor: noFloor, ahead: u.one.width}
	for p := range u.one.count {
		column, n, sums := u.panel(element, p)
		t.n = n
		to, e := sums[in0*t.rsc:], zeros
		if !first {
			e, t.rse = to, t.rsc
		}
		t.compute(to, v, d[column:], e, single)
	}
}
