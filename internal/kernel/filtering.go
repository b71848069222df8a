package kernel

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

// winogradChannels is the multiple of channels for which the transformations are made: a vector of AVX-512.
const winogradChannels = 16

// filtering gives the minimal filtering that is expected to be the fastest way, nil for the direct convolution.
// prepared says that transforming the filters costs nothing, since it has been done.
func (c Conv) filtering(prepared bool) *filtering {
	if c.Kernel != 3 || c.In%winogradChannels != 0 || c.Out%winogradChannels != 0 {
		return nil
	}
	switch algorithm {
	case direct:
		return nil
	case winograd4:
		return filtering4()
	case winograd2:
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
