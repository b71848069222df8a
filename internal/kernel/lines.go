package kernel

// lines is how a direct convolution goes through its maps: output and input are cut into lines of positions at equal
// distances, so that a line is the rows of a product. A line is a row of pixels of one picture or, if maps are small,
// the same pixel of several pictures: then micro-tiles are full, and taps outside the map cost nothing.
//
// The input of a line is packed: positions are pitch floats apart, with the padding's zeros at both ends of a row.
type lines struct {
	n, h, w, channels, kernel int

	across  bool // lines go across pictures
	batches int  // of pictures, one line each for a pixel
	count   int  // of lines
	length  int  // positions of the longest line
	step    int  // pixels from a position to the next
	stride  int  // floats from a pixel to the next in the input
	pitch   int  // floats from a position to the next when packed
	size    int  // floats of a packed line
	reach   int  // lines that the taps reach back and ahead
	groups  int  // of taps whose inputs are contiguous in a packed line
	joined  int  // neighbouring positions that are a row of the product
	span    int  // inputs of a group that a row reads
}

// newLines divides the input of c into lines, of which a product takes that many channels at a time.
func (c Conv) newLines(channels int) lines {
	n, h, w, kernel, stride := c.N, c.H, c.W, c.Kernel, c.In
	l := lines{n: n, h: h, w: w, channels: channels, stride: stride, kernel: kernel}
	l.pitch = pitch(channels)
	l.groups, l.joined, l.span = kernel*kernel, 1, channels
	if across(n, w) {
		l.across = true
		l.batches = ceilDiv(n, acrossTiles*cpu.mr)
		l.count, l.length, l.step = l.batches*h*w, ceilDiv(n, l.batches), h*w
		l.size = l.length * l.pitch
		l.reach = kernel / 2 * (w + 1)
		return l
	}
	l.count, l.length, l.step = n*h, w, 1
	l.size = (w + kernel - 1) * l.pitch
	l.reach = kernel / 2
	if l.pitch == channels && stride == channels && channels <= directChannels {
		l.groups, l.joined = kernel, c.joined()
		l.span = (kernel + l.joined - 1) * channels
	}
	return l
}

// across reports whether the lines of n maps that are w pixels wide go across pictures.
func across(n, w int) bool { return w < cpu.mr && n >= w }

// at returns the first pixel of a line and the number of its positions.
func (l *lines) at(line int) (pixel, positions int) {
	if !l.across {
		return line * l.w, l.w
	}
	batch, pixel := line/l.step, line%l.step
	first := l.n * batch / l.batches
	return first*l.step + pixel, l.n*(batch+1)/l.batches - first
}

// source returns the input line that a group of taps sees from an output line, and the position in it that the first
// position sees; ok is false if the line is outside the map.
func (l *lines) source(line, group int) (from, position int, ok bool) {
	pad := l.kernel / 2
	r, s := group/l.kernel, group%l.kernel
	if l.groups == l.kernel {
		r, s = group, 0
	}
	if !l.across {
		h := line%l.h + r - pad
		return line + r - pad, s, h >= 0 && h < l.h
	}
	pixel := line % l.step
	h, w := pixel/l.w+r-pad, pixel%l.w+s-pad
	return line + (r-pad)*l.w + s - pad, 0, h >= 0 && h < l.h && w >= 0 && w < l.w
}

// A ring holds the packed input lines that a thread is about to use, and overwrites the oldest.
type ring struct {
	*lines
	input          []float32
	data           []float32
	capacity, next int
}

// newRing returns a ring for blocks of that many output lines, beginning with line first.
func (l *lines) newRing(input []float32, first, block int) ring {
	capacity := min(block+2*l.reach, l.count)
	return ring{l, input, scratch.get(capacity * l.size), capacity, max(0, first-l.reach)}
}

func (r *ring) release() { scratch.put(r.data) }

// offset returns where a line's positions begin.
func (r *ring) offset(line int) int { return line % r.capacity * r.size }

// advance packs the lines up to those that the output lines before last see.
func (r *ring) advance(last int) {
	for ; r.next < min(last+r.reach, r.count); r.next++ {
		to := r.data[r.offset(r.next):][:r.size]
		pixel, positions := r.at(r.next)
		if !r.across {
			margin := r.kernel / 2 * r.pitch
			clear(to[:margin])
			clear(to[r.size-margin:])
			to = to[margin:]
		}
		copyRows(to, r.pitch, r.input[pixel*r.stride:], r.step*r.stride, positions, r.channels)
		if r.across {
			clear(to[positions*r.pitch:])
		}
	}
}

// copyRows copies rows that are dstStride and srcStride floats apart.
func copyRows(dst []float32, dstStride int, src []float32, srcStride, rows, columns int) {
	if dstStride == columns && srcStride == columns {
		copy(dst, src[:rows*columns])
		return
	}
	for i := range rows {
		copy(dst[i*dstStride:][:columns], src[i*srcStride:])
	}
}
