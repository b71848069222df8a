package kernel

import "slices"

// Panels hold a matrix (rows, columns) as (columns/width, rows, width), the order in which tiles read their b.
// The last panel may be narrower; what is beyond its columns is not read.
type panels struct {
	data                        []float32
	rows, columns, width, count int
}

func newPanels(rows, columns int) panels {
	width := cpu.columns
	count := ceilDiv(columns, width)
	return panels{scratch.get(count * rows * width), rows, columns, width, count}
}

func (p panels) release() { scratch.put(p.data) }

// panel returns the first column of a panel, the number of its columns, and its data.
func (p panels) panel(i int) (column, n int, data []float32) {
	column = i * p.width
	return column, min(p.width, p.columns-column), p.data[i*p.rows*p.width:][:p.rows*p.width]
}

// weightRows returns where each of the in*taps weights of an output channel begins in a panel whose rows are ordered
// (taps, in).
func (p panels) weightRows(in, taps int) []int {
	at := offsets.get(in * taps)
	for i := range at {
		at[i] = (i%taps*in + i/taps) * p.width
	}
	return at
}

// weightBlock is the number of weights of a channel that are transposed at a time.
const weightBlock = 512

// pack fills panels of (taps*in, out) from weights (out, in, taps).
func (p panels) pack(w []float32, in, taps int) {
	at := p.weightRows(in, taps)
	defer offsets.put(at)
	from := steps(p.width, p.rows)
	defer offsets.put(from)
	parallelGrid(p.count, ceilDiv(p.rows, weightBlock), func(panel0, panel1, block0, block1 int) {
		for i := panel0; i < panel1; i++ {
			column, n, data := p.panel(i)
			for k := block0 * weightBlock; k < min(block1*weightBlock, p.rows); k += weightBlock {
				to := at[k:min(k+weightBlock, p.rows)]
				transposition{from: from[:n], to: to}.run(data, w[column*p.rows+k:])
			}
		}
	})
}

// unpack is the reverse of pack; it adds to w if add.
func (p panels) unpack(w []float32, in, taps int, add bool) {
	at := p.weightRows(in, taps)
	defer offsets.put(at)
	to := steps(p.width, p.rows)
	defer offsets.put(to)
	parallelGrid(p.count, ceilDiv(p.rows, weightBlock), func(panel0, panel1, block0, block1 int) {
		for i := panel0; i < panel1; i++ {
			column, n, data := p.panel(i)
			for k := block0 * weightBlock; k < min(block1*weightBlock, p.rows); k += weightBlock {
				from := at[k:min(k+weightBlock, p.rows)]
				transposition{from: from, to: to[:n], add: add}.run(w[column*p.rows+k:], data)
			}
		}
	})
}

// packTurned fills panels of (taps*out, in) from weights (out, in, taps), the taps in reverse order.
func (p panels) packTurned(w []float32, out, taps int) {
	in := p.columns
	from, to := steps(p.width, taps), steps(taps, out*p.width)
	defer offsets.put(from)
	defer offsets.put(to)
	slices.Reverse(to)
	parallelGrid(p.count, out, func(panel0, panel1, out0, out1 int) {
		for i := panel0; i < panel1; i++ {
			column, n, data := p.panel(i)
			for o := out0; o < out1; o++ {
				src := w[(o*in+column)*taps:]
				if taps == 1 {
					copy(data[o*p.width:][:n], src)
					continue
				}
				transposition{from: from[:n], to: to}.run(data[o*p.width:], src)
			}
		}
	})
}
