package kernel

// Convolution by Winograd's minimal filtering F(m×m, r×r), in the words of Lavin & Gray, "Fast Algorithms for
// Convolutional Neural Networks" (arXiv 1509.09308, section 4). Kernels are 3×3, with padding, or those of a Dense
// layer. Maps are cut into tiles of m×m outputs, each of which depends on α×α inputs, α = m + r - 1. With g a filter, d a
// tile of inputs and Y one of outputs:
//
//	U = G g Gᵀ      transform of the filters, (α², In, Out)
//	V = Bᵀ d B      transform of the inputs, (α², tiles, In)
//	M = V U         α² products of matrices, (α², tiles, Out)
//	Y = Aᵀ M A      transform of the outputs, with bias and ReLU
//
// That takes α² multiplications where the direct convolution takes r²m²: less than a fifth of them for F(7×7, 3×3), more
// for F(5×5, 3×3), a quarter for F(4×4, 3×3), a 2.25th for F(2×2, 3×3), a third for F(2×2, 7×7). The data gradient is the
// same convolution with other filters; the gradient of the filters is the adjoint:
//
//	dM = A dY Aᵀ    transform of the outputs' gradients, (α², tiles, Out)
//	dU = Vᵀ dM      α² products of matrices, (α², In, Out)
//	dg = Gᵀ dU G    transform of the filters' gradients

// elements holds U, V, M, dM or dU: α² matrices, of which number ξ·α + ν has element (ξ, ν) of every transformed tile
// or filter. A tile is a row of V, M and dM. U and dU are in panels: input channel i of panel p is row p·In + i.
type elements struct {
	data   []float32
	alpha  int
	pitch  int // floats from a row to the next
	stride int // floats from a matrix to the next
}

// newElements returns room for matrices from the free list; release gives it back.
func newElements(alpha, rows, pitch int) elements {
	e := elements{nil, alpha, pitch, spread(rows * pitch)}
	e.data = scratch.get(e.size())
	return e
}

// spread is the distance in floats between matrices of at least n: an odd number of cache lines, so that the α² elements
// of a tile or filter, which the transforms read or write together, fall into different sets of the cache.
func spread(n int) int { return (ceilDiv(n, lineFloats) | 1) * lineFloats }

func (e elements) release() { scratch.put(e.data) }

// size is the number of floats of all matrices.
func (e elements) size() int { return e.alpha * e.alpha * e.stride }

// from leaves out the rows before the given one.
func (e elements) from(row int) elements {
	e.data = e.data[row*e.pitch:]
	return e
}

// matrix returns a matrix from the given row on.
func (e elements) matrix(i, row int) []float32 { return e.data[i*e.stride+row*e.pitch:] }

// tile returns the α×α elements of a row.
func (e elements) tile(row int) grid {
	return grid{e.data[row*e.pitch:], e.alpha * e.stride, e.stride}
}

// winogradLayer is what the passes of a layer have in common.
type winogradLayer struct {
	conv   Conv
	f      *winograd
	tiles  tiling
	x      []float32
	panels panels // the shape of a matrix of U and dU
}

func (f *winograd) layer(c Conv, x []float32) winogradLayer {
	return winogradLayer{c, f, f.tiling(c), x, panelsIn(nil, c.In, c.Out)}
}

// filters lays U or dU out in data.
func (l *winogradLayer) filters(data []float32) elements {
	return elements{data, l.f.alpha, l.panels.width, spread(l.panels.size())}
}

// filtersSize is the number of floats of U.
func (l *winogradLayer) filtersSize() int { return l.filters(nil).size() }

// panelsAtATime is the number of panels of M or dM at a time: some, which stay in a thread's cache, or all, for which V is
// read once only, if U comes from the memory anyway.
func (l *winogradLayer) panelsAtATime() int {
	if l.f.large(l.conv) {
		return l.panels.count
	}
	return min(l.panels.count, ceilDiv(outputsAtATime, l.panels.width))
}

// transformInputs sets rows of v, from 0 on, to V of count tiles from the first one on and of channels from the one
// given on. edge has room for the inputs of a tile.
func (l *winogradLayer) transformInputs(v elements, edge []float32, first, count, channel, channels int) {
	for i := range count {
		picture, row, column := l.tiles.place(first + i)
		d := l.tiles.read(l.x, edge, l.conv.In, l.f.alpha, picture, row-l.f.pad, column-l.f.pad)
		d.data = d.data[channel:]
		l.f.input.run(v.tile(i), d, channels)
	}
}

// weightBlock is a thread's copy g of the r×r weights of some rows (input channels) of a panel.
type weightBlock struct {
	copier copier
	g      grid
}

func (l *winogradLayer) newWeightBlock(w taps) weightBlock {
	stride := spread(tapRows * cpu.nr)
	return weightBlock{w.copier(stride, cpu.nr), grid{scratch.get(w.count * stride), l.f.r * stride, stride}}
}

func (b weightBlock) release() {
	b.copier.release()
	scratch.put(b.g.data)
}

// transformFilters sets the first rows of u to U of some rows of a panel, by G.
func (l *winogradLayer) transformFilters(filter transform, u elements, b weightBlock, panel, row, rows int) {
	column, n := l.panels.columnsOf(panel)
	b.copier.read(b.g.data, column, n, row, rows)
	filter.run(u.tile(0), b.g, rows*l.panels.width)
}

// transformFilterGradients is the adjoint: it writes dg, or adds it if accumulate.
func (l *winogradLayer) transformFilterGradients(du elements, b weightBlock, panel, row, rows int, accumulate bool) {
	column, n := l.panels.columnsOf(panel)
	l.f.filterGradient.run(b.g, du.tile(0), rows*l.panels.width)
	b.copier.write(b.g.data, column, n, row, rows, accumulate)
}

// eachFilterBlock calls f, on all threads, with blocks of the rows of U or dU that begin at rows of panels.
func (l *winogradLayer) eachFilterBlock(u elements, w taps, f func(u elements, b weightBlock, panel, row, rows int)) {
	parallelGrid(l.panels.count, ceilDiv(l.conv.In, tapRows), func(panel0, panel1, block0, block1 int) {
		b := l.newWeightBlock(w)
		defer b.release()
		for p := panel0; p < panel1; p++ {
			for row := block0 * tapRows; row < min(block1*tapRows, l.conv.In); row += tapRows {
				f(u.from(p*l.conv.In+row), b, p, row, min(tapRows, l.conv.In-row))
			}
		}
	})
}
