package kernel

import "slices"

// panels holds a matrix (rows, columns) as (columns/width, rows, width), the order in which gemm reads b. The width is
// the isa's nr. The last panel may have fewer columns; what is beyond them is not read.
type panels struct {
	data                        []float32
	rows, columns, width, count int
}

// panelsIn lays panels out in data, which newPanels takes from the free list.
func panelsIn(data []float32, rows, columns int) panels {
	return panels{data, rows, columns, cpu.nr, ceilDiv(columns, cpu.nr)}
}

func newPanels(rows, columns int) panels {
	p := panelsIn(nil, rows, columns)
	p.data = scratch.get(p.size())
	return p
}

// size is the number of floats of all panels.
func (p panels) size() int { return p.count * p.rows * p.width }

func (p panels) release() { scratch.put(p.data) }

// panel returns the first column of a panel, the number of its columns, and its data.
func (p panels) panel(i int) (column, n int, data []float32) {
	column, n = p.columnsOf(i)
	return column, n, p.data[i*p.rows*p.width:][:p.rows*p.width]
}

// columnsOf returns the first column of a panel and the number of its columns.
func (p panels) columnsOf(i int) (column, n int) {
	column = i * p.width
	return column, min(p.width, p.columns-column)
}

// pitch is the number of floats from a row of that many channels to the next in a packed matrix: neighbouring rows must
// not fall into the same set of the cache.
func pitch(channels int) int {
	if channels%setDistance == 0 {
		return channels + setPadding
	}
	return channels
}

// taps is the weights w (Out, In, Kernel, Kernel) of a convolution as its products read them: a matrix (In, Out) for
// each of the Kernel² taps. Turned, they are the weights of the data gradient: matrices (Out, In), the taps in reverse
// order.
type taps struct {
	w                    []float32
	count, rows, columns int
	turned               bool
}

func (c Conv) taps(w []float32) taps { return taps{w, c.Kernel * c.Kernel, c.In, c.Out, false} }

// turn exchanges In and Out.
func (t taps) turn() taps {
	t.rows, t.columns, t.turned = t.columns, t.rows, !t.turned
	return t
}

// A copier copies some columns of up to tapRows rows of taps to and from buffers, in which the matrices of two taps are
// stride floats apart and two rows width floats.
type copier struct {
	taps
	width        int
	tensor, rows []int // offsets in w, and in a buffer, of vectors that are contiguous in the other
}

func (t taps) copier(stride, width int) copier {
	if t.turned {
		at := steps(t.count, stride)
		slices.Reverse(at)
		return copier{t, width, steps(width, t.count), at}
	}
	at := offsets.get(tapRows * t.count)
	for i := range at {
		at[i] = i%t.count*stride + i/t.count*width
	}
	return copier{t, width, steps(width, t.rows*t.count), at}
}

func (c copier) release() {
	offsets.put(c.tensor)
	offsets.put(c.rows)
}

// read copies n columns of some rows from the taps.
func (c copier) read(buffer []float32, column, n, row, rows int) {
	if !c.turned {
		transposition{from: c.tensor[:n], to: c.rows[:rows*c.count]}.run(buffer, c.w[(column*c.taps.rows+row)*c.count:])
		return
	}
	for i := range rows {
		from := c.w[((row+i)*c.columns+column)*c.count:]
		if c.count == 1 {
			copy(buffer[i*c.width:][:n], from)
			continue
		}
		transposition{from: c.tensor[:n], to: c.rows}.run(buffer[i*c.width:], from)
	}
}

// write copies n columns of some rows to taps that are not turned, or adds them.
func (c copier) write(buffer []float32, column, n, row, rows int, add bool) {
	transposition{from: c.rows[:rows*c.count], to: c.tensor[:n], add: add}.run(c.w[(column*c.taps.rows+row)*c.count:], buffer)
}

// pack puts taps into panels (count*rows, columns).
func (t taps) pack(p panels) {
	t.each(p, func(c copier, buffer []float32, column, n, row, rows int) { c.read(buffer, column, n, row, rows) })
}

// unpack is the reverse of pack; it adds if add.
func (t taps) unpack(p panels, add bool) {
	t.each(p, func(c copier, buffer []float32, column, n, row, rows int) { c.write(buffer, column, n, row, rows, add) })
}

func (t taps) each(p panels, f func(c copier, buffer []float32, column, n, row, rows int)) {
	c := t.copier(t.rows*p.width, p.width)
	defer c.release()
	parallelGrid(p.count, ceilDiv(t.rows, tapRows), func(panel0, panel1, part0, part1 int) {
		for i := panel0; i < panel1; i++ {
			column, n, data := p.panel(i)
			for row := part0 * tapRows; row < min(part1*tapRows, t.rows); row += tapRows {
				f(c, data[row*p.width:], column, n, row, min(tapRows, t.rows-row))
			}
		}
	})
}
