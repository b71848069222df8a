package kernel

import "os"

// Winograd's minimal filtering F(4×4, 3×3) computes a tile of 4×4 outputs of a 3×3 convolution from 6×6 inputs with 36
// multiplications a pair of channels instead of 144: inputs and filters are transformed, multiplied element by element,
// which over the channels is 36 matrix products, and transformed back. The gradients are the adjoints of the same steps.

// A separable transformation applies one linear map to the columns and then to the rows of a small matrix, for n
// channels side by side. The assembly is fast; without it, or for channels that do not fill vectors, line is applied.
type separable struct {
	in, out int
	line    func(x, y []float32) // the map in one dimension, from in values to out
	fast    func(dst, src *float32, n, dstRow, dstColumn, srcRow, srcColumn int)
}

// matrix is where the elements of a small matrix lie, each of them the first of n channels.
type matrix struct {
	data        []float32
	row, column int // floats from one to the next
}

// at is the offset of element (i, j).
func (m matrix) at(i, j int) int { return i*m.row + j*m.column }

func (s separable) run(dst, src matrix, n int) {
	// The assembly does not look at lengths: these index expressions do.
	_, _ = dst.data[dst.at(s.out-1, s.out-1)+n-1], src.data[src.at(s.in-1, s.in-1)+n-1]
	if s.fast != nil {
		s.fast(&dst.data[0], &src.data[0], n, dst.row, dst.column, src.row, src.column)
		return
	}
	s.runGo(dst, src, n)
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

// The maps of F(4×4, 3×3) with the points 0, ±1, ±2 and infinity.
func winogradInput() separable {
	return separable{6, 6, func(x, y []float32) {
		a, b, c, d := x[4]-4*x[2], x[3]-4*x[1], x[4]-x[2], 2*(x[3]-x[1])
		y[0], y[1], y[2], y[3], y[4], y[5] = 4*x[0]-5*x[2]+x[4], a+b, a-b, c+d, c-d, 4*x[1]-5*x[3]+x[5]
	}, cpu.winogradInput}
}

func winogradGradient() separable {
	return separable{4, 6, func(x, y []float32) {
		a, b, c, d := x[0]+x[2], x[1]+x[3], x[0]+4*x[2], 2*x[1]+8*x[3]
		y[0], y[1], y[2], y[3], y[4], y[5] = x[0], a+b, a-b, c+d, c-d, x[3]
	}, cpu.winogradGradient}
}

func winogradFilter() separable {
	return separable{3, 6, func(x, y []float32) {
		a, b, c, d := -(x[0]+x[2])/6, -x[1]/6, x[0]/24+x[2]/6, x[1]/12
		y[0], y[1], y[2], y[3], y[4], y[5] = x[0]/4, a+b, a-b, c+d, c-d, x[2]
	}, cpu.winogradFilter}
}

func winogradFilterGradient() separable {
	return separable{6, 3, func(x, y []float32) {
		a, b, c, d := x[1]+x[2], x[1]-x[2], x[3]+x[4], x[3]-x[4]
		y[0], y[1], y[2] = x[0]/4-a/6+c/24, -b/6+d/12, (c-a)/6+x[5]
	}, cpu.winogradFilterGradient}
}

// winogradOutput transforms products (6×6) into outputs (4×4), adds the bias and bounds the result by floor.
func winogradOutput(dst, src matrix, bias []float32, n int, floor float32) {
	_, _, _ = dst.data[dst.at(3, 3)+n-1], src.data[src.at(5, 5)+n-1], bias[n-1]
	if cpu.winogradOutput != nil {
		cpu.winogradOutput(&dst.data[0], &src.data[0], n, dst.row, dst.column, src.row, src.column, &bias[0], floor)
		return
	}
	separable{in: 6, out: 4, line: func(x, y []float32) {
		a, b, c, d := x[1]+x[2], x[1]-x[2], x[3]+x[4], x[3]-x[4]
		y[0], y[1], y[2], y[3] = x[0]+a+c, b+2*d, a+4*c, b+8*d+x[5]
	}}.runGo(dst, src, n)
	for i := range 4 {
		for j := range 4 {
			for c, v := range dst.data[dst.at(i, j):][:n] {
				if v += bias[c]; v < floor {
					v = floor
				}
				dst.data[dst.at(i, j)+c] = v
			}
		}
	}
}

// winogradChannels is the multiple of channels for which the transformations are made: a vector of AVX-512.
const winogradChannels = 16

// algorithm is what the environment variable VGG_CONV asks for: "direct" for no minimal filtering, "winograd" for
// minimal filtering wherever it can be, anything else for the faster one.
var algorithm = os.Getenv("VGG_CONV")

// minimal says whether minimal filtering is expected to be the faster way, by counting multiply-adds: a transformed
// value costs about as much as transformCost of them, and a transformed filter is reused by all tiles only.
func (c Conv) minimal() bool {
	possible := c.Kernel == 3 && c.In%winogradChannels == 0 && c.Out%winogradChannels == 0
	if !possible || algorithm == "direct" || algorithm == "winograd" {
		return possible && algorithm == "winograd"
	}
	const transformCost, filterCost = 200, 150
	tiles := c.N * ceilDiv(c.H, 4) * ceilDiv(c.W, 4)
	direct := 9 * c.N * c.H * c.W * c.In * c.Out
	return tiles*(36*c.In*c.Out+transformCost*(c.In+c.Out))+filterCost*c.In*c.Out < direct
}

// tiling cuts maps (n, h, w) into tiles of 4×4, those at the lower and right edges perhaps smaller.
type tiling struct {
	n, h, w       int
	rows, columns int // tiles of a picture
}

func newTiling(c Conv) tiling { return tiling{c.N, c.H, c.W, ceilDiv(c.H, 4), ceilDiv(c.W, 4)} }

func (t tiling) count() int { return t.n * t.rows * t.columns }

// place returns the picture and the upper left pixel of a tile.
func (t tiling) place(tile int) (picture, row, column int) {
	return tile / (t.rows * t.columns), tile / t.columns % t.rows * 4, tile % t.columns * 4
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
		copy(m.data[m.at(i, left-column):], maps[((picture*t.h+row+i)*t.w+left)*channels:((picture*t.h+row+i)*t.w+right)*channels])
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

// transformed panels hold 36 matrices (in, out), one after the other, each in panels.
type transformed struct {
	data    []float32
	in      int
	one     panels // the shape of one of them
	element int    // floats of one of them
}

func newTransformed(in, out int) transformed {
	one := panels{rows: in, columns: out, width: cpu.columns, count: ceilDiv(out, cpu.columns)}
	element := one.count * in * one.width
	return transformed{scratch.get(36 * element), in, one, element}
}

func (u transformed) release() { scratch.put(u.data) }

// panel returns the first column of a panel of matrix e, the number of its columns, and its data.
func (u transformed) panel(e, i int) (column, n int, data []float32) {
	one := u.one
	one.data = u.data[e*u.element:][:u.element]
	return one.panel(i)
}

// each calls f for parts of the filters: the place of the 36 values and of the nine weights in panels (9·in, out), and
// the number of floats that lie side by side.
func (u transformed) each(weights panels, f func(values, nine matrix, n int)) {
	const rows = 32 // of input channels
	size := u.in * u.one.width
	parallelGrid(u.one.count, ceilDiv(u.in, rows), func(panel0, panel1, part0, part1 int) {
		for p := panel0; p < panel1; p++ {
			for part := part0; part < part1; part++ {
				from := part * rows * u.one.width
				n := min(rows*u.one.width, size-from)
				f(matrix{u.data[p*size+from:], 6 * u.element, u.element}, matrix{weights.data[p*9*size+from:], 3 * size, size}, n)
			}
		}
	})
}

// evenly gives the size of even blocks of n, at most most.
func evenly(n, most int) int { return ceilDiv(n, ceilDiv(n, most)) }

// winogradTiles is the number of tiles that a thread takes at a time: more reuse the filters better, fewer stay in the
// cache.
func winogradTiles(in, out int) int {
	return min(max(2*cacheFloats/(36*(in+out)), 2*cpu.rows), 8*cpu.rows)
}

// convolveMinimal computes y from x and the weights (3, 3, In, Out) in panels.
func (c Conv) convolveMinimal(y, x []float32, weights panels, bias []float32, relu bool) {
	u := newTransformed(c.In, c.Out)
	defer u.release()
	filter := winogradFilter()
	u.each(weights, func(values, nine matrix, n int) { filter.run(values, nine, n) })
	if bias == nil {
		bias = scratch.get(c.Out)
		defer scratch.put(bias)
		clear(bias)
	}
	floor := noFloor
	if relu {
		floor = 0
	}
	tiles, input := newTiling(c), winogradInput()
	pitchIn, pitchOut := pitch(c.In), pitch(c.Out)
	parallel(tiles.count(), 1, func(lo, hi int) {
		block := evenly(hi-lo, winogradTiles(c.In, c.Out))
		v, m := scratch.get(36*block*pitchIn), scratch.get(36*block*pitchOut)
		buffer := scratch.get(36 * max(c.In, c.Out))
		defer scratch.put(v)
		defer scratch.put(m)
		defer scratch.put(buffer)
		for first := lo; first < hi; first += block {
			count := min(block, hi-first)
			for i := range count {
				picture, row, column := tiles.place(first + i)
				from := tiles.read(x, buffer, c.In, 6, picture, row-1, column-1)
				input.run(matrix{v[i*pitchIn:], 6 * block * pitchIn, block * pitchIn}, from, c.In)
			}
			for e := range 36 {
				u.multiply(e, m[e*block*pitchOut:], v[e*block*pitchIn:], pitchOut, pitchIn, count)
			}
			for i := range count {
				picture, row, column := tiles.place(first + i)
				from := matrix{m[i*pitchOut:], 6 * block * pitchOut, block * pitchOut}
				whole := row+4 <= c.H && column+4 <= c.W
				to := matrix{y[((picture*c.H+row)*c.W+column)*c.Out:], c.W * c.Out, c.Out}
				if !whole {
					to = matrix{buffer, 4 * c.Out, c.Out}
				}
				winogradOutput(to, from, bias, c.Out, floor)
				if !whole {
					for r := range min(4, c.H-row) {
						n := min(4, c.W-column) * c.Out
						copy(y[((picture*c.H+row+r)*c.W+column)*c.Out:][:n], buffer[r*4*c.Out:])
					}
				}
			}
		}
	})
}

// sumBlock is the number of products that are summed up by themselves. The transformations multiply rounding errors,
// and those of a long sum grow with its length.
const sumBlock = 64

// multiply computes the products m (count, out) of matrix e with v (count, in).
func (u transformed) multiply(e int, m, v []float32, pitchM, pitchV, count int) {
	t := tile{rsc: pitchM, rsa: pitchV, csa: 1, rsb: u.one.width, floor: noFloor}
	for p := range u.one.count {
		column, n, b := u.panel(e, p)
		t.n = n
		for k, size := range parts(u.in, sumBlock) {
			t.k = size
			for row, size := range parts(count, cpu.rows) {
				t.m = size
				to := m[row*pitchM+column:]
				from := to
				t.rse = pitchM
				if k == 0 {
					from, t.rse = zeros, 0
				}
				t.compute(to, v[row*pitchV+k:], b[k*t.rsb:], from, single)
			}
		}
	}
}

// gradientTiles is the number of tiles whose products are summed up at a time.
const gradientTiles = 2 * sumBlock

// sumMinimal computes the gradient of the weights (3, 3, In, Out) in panels. All threads transform a block of tiles,
// then each sums the products of some of the 36 matrices: the order of the sums depends on the shapes alone.
func (c Conv) sumMinimal(weights panels, x, dy []float32) {
	sums := newTransformed(c.In, c.Out)
	defer sums.release()
	tiles, input, gradient := newTiling(c), winogradInput(), winogradGradient()
	pitchIn, pitchOut := pitch(c.In), pitch(c.Out)
	block := evenly(tiles.count(), gradientTiles)
	v, d := scratch.get(36*block*pitchIn), scratch.get(36*block*pitchOut)
	defer scratch.put(v)
	defer scratch.put(d)
	for first := 0; first < tiles.count(); first += block {
		count := min(block, tiles.count()-first)
		parallel(count, 1, func(lo, hi int) {
			buffer := scratch.get(36 * max(c.In, c.Out))
			defer scratch.put(buffer)
			for i := lo; i < hi; i++ {
				picture, row, column := tiles.place(first + i)
				from := tiles.read(x, buffer, c.In, 6, picture, row-1, column-1)
				input.run(matrix{v[i*pitchIn:], 6 * block * pitchIn, block * pitchIn}, from, c.In)
				from = tiles.read(dy, buffer, c.Out, 4, picture, row, column)
				gradient.run(matrix{d[i*pitchOut:], 6 * block * pitchOut, block * pitchOut}, from, c.Out)
			}
		})
		parallelGrid(36, sums.one.count, func(e0, e1, panel0, panel1 int) {
			for e := e0; e < e1; e++ {
				for p := panel0; p < panel1; p++ {
					sums.accumulate(e, p, v[e*block*pitchIn:], d[e*block*pitchOut:], pitchIn, pitchOut, count, first == 0)
				}
			}
		})
	}
	filter := winogradFilterGradient()
	sums.each(weights, func(values, nine matrix, n int) { filter.run(nine, values, n) })
}

// accumulate adds vᵀ d, with v (count, in) and d (count, out), to panel p of matrix e, or sets it if it is the first.
func (u transformed) accumulate(e, p int, v, d []float32, pitchV, pitchD, count int, first bool) {
	column, n, sums := u.panel(e, p)
	t := tile{n: n, k: count, rsc: u.one.width, rsa: 1, csa: pitchV, rsb: pitchD, floor: noFloor}
	for row, size := range parts(u.in, cpu.rows) {
		t.m = size
		to := sums[row*t.rsc:]
		from := to
		t.rse = t.rsc
		if first {
			from, t.rse = zeros, 0
		}
		t.compute(to, v[row:], d[column:], from, single)
	}
}
