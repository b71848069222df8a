package kernel

// tiling cuts the outputs of maps (n, h, w) into tiles of m×m pixels; those at the lower and right borders may be
// smaller.
type tiling struct {
	n, h, w, m    int
	rows, columns int // tiles of a picture
}

// tiling is that of a convolution with outputs (N, H, W).
func (f *winograd) tiling(c Conv) tiling {
	more := f.r - 1 - 2*f.pad // pixels of the map that have no output
	return tiling{c.N, c.H + more, c.W + more, f.m, ceilDiv(c.H, f.m), ceilDiv(c.W, f.m)}
}

func (t tiling) count() int { return t.n * t.rows * t.columns }

// place returns the picture and the upper left pixel of a tile.
func (t tiling) place(tile int) (picture, row, column int) {
	return tile / (t.rows * t.columns), tile / t.columns % t.rows * t.m, tile % t.columns * t.m
}

// read gives the side×side pixels from (row, column) of a picture in maps of the given number of channels: in place,
// or, if some are outside the map, as a copy in buffer with zeros for them.
func (t tiling) read(maps, buffer []float32, channels, side, picture, row, column int) grid {
	if row >= 0 && column >= 0 && row+side <= t.h && column+side <= t.w {
		return grid{maps[((picture*t.h+row)*t.w+column)*channels:], t.w * channels, channels}
	}
	g := grid{buffer[:side*side*channels], side * channels, channels}
	clear(g.data)
	left, right := max(0, column), min(t.w, column+side)
	for i := max(0, -row); i < min(side, t.h-row); i++ {
		at := (picture*t.h + row + i) * t.w
		copy(g.data[g.at(i, left-column):], maps[(at+left)*channels:(at+right)*channels])
	}
	return g
}
