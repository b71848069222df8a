package kernel

// A Side says how lines are resampled: element i of the result is the sum of N elements of a line from First[i] on, each
// times its weight, Weights[i*N:]. First increases, or, for a mirrored result, decreases.
type Side struct {
	N       int
	First   []int
	Weights []float32
}

// span is the range of elements that are read.
func (s Side) span() (first, end int) {
	one, other := s.First[0], s.First[len(s.First)-1]
	return min(one, other), max(one, other) + s.N
}

// A Resampling makes a part of a picture of another size: columns are resampled as Down says, then rows as Across says.
// The colours are clamped to those of a byte, not rounded; each is multiplied by its channel's Factor, and its Offset
// is added.
type Resampling struct {
	Across, Down   Side
	Factor, Offset []float32
}

// Run resamples a picture, pix (height, width, channels), on the calling thread. The channels of the result begin plane
// elements of dst apart, and their rows pitch elements.
func (r Resampling) Run(dst []float32, plane, pitch int, pix []uint8, width int) {
	const strip = 16 // rows that become the lanes of vectors
	channels, columns, height := len(r.Factor), len(r.Across.First), len(r.Down.First)
	left, right := r.Across.span()
	if least := min(width, cpu.nr/2); right-left < least { // the assembly wants a vector, of whatever part of the picture
		left = min(left, width-least)
		right = left + least
	}
	line := (right - left) * channels
	buffer := scratch.get(strip * (2*line + columns))
	down := buffer[:strip*line]                // (strip, pixels, channels)
	turned := buffer[strip*line:][:strip*line] // (pixels, channels, strip)
	across := buffer[2*strip*line:]            // (columns, strip)
	places := offsets.get(columns)
	lines, pixels, values, rows := steps(strip, line), steps(line, strip), steps(columns, strip), steps(strip, pitch)
	defer scratch.put(buffer)
	for _, b := range [][]int{places, lines, pixels, values, rows} {
		defer offsets.put(b)
	}
	for i, first := range r.Across.First {
		places[i] = first - left
	}
	for y := 0; y < height; y += strip {
		count := min(strip, height-y)
		part := Side{r.Down.N, r.Down.First[y : y+count], r.Down.Weights[y*r.Down.N : (y+count)*r.Down.N]}
		part.sumBytes(down, pix[left*channels:], line, width*channels)
		transposition{from: lines[:count], to: pixels}.run(turned, down)
		for c := range channels {
			Side{r.Across.N, places, r.Across.Weights}.sumFloats(across, turned[c*strip:], strip, channels*strip, r.Factor[c], r.Offset[c])
			transposition{from: values, to: rows[:count]}.run(dst[c*plane+y*pitch:], across)
		}
	}
}

// sumBytes computes rows of length elements from rows of src, which begin pitch elements apart.
func (s Side) sumBytes(dst []float32, src []uint8, length, pitch int) {
	count := len(s.First)
	if cpu.resampleBytes == nil || length < cpu.nr/2 {
		sumRows(s, dst, src, length, pitch)
		return
	}
	_, end := s.span()
	// The assembly does not check lengths: these index expressions do.
	_, _ = dst[count*length-1], src[(end-1)*pitch+length-1]
	cpu.resampleBytes(&dst[0], &src[0], &s.First[0], &s.Weights[0], count, s.N, length, pitch)
}

// sumFloats computes rows of length elements from rows of src, which begin pitch elements apart, clamps them to the
// range of a byte, multiplies them by factor and adds offset.
func (s Side) sumFloats(dst, src []float32, length, pitch int, factor, offset float32) {
	const most = 255
	count := len(s.First)
	if cpu.resampleFloats == nil {
		sumRows(s, dst, src, length, pitch)
		for i, v := range dst[:count*length] {
			dst[i] = min(max(v, 0), most)*factor + offset
		}
		return
	}
	_, end := s.span()
	_, _ = dst[count*length-1], src[(end-1)*pitch+length-1]
	cpu.resampleFloats(&dst[0], &src[0], &s.First[0], &s.Weights[0], count, s.N, length, pitch, most, factor, offset)
}

// sumRows is the pure-Go twin of the assembly's sums.
func sumRows[T uint8 | float32](s Side, dst []float32, src []T, length, pitch int) {
	for i, first := range s.First {
		to := dst[i*length:][:length]
		clear(to)
		for k, w := range s.Weights[i*s.N : (i+1)*s.N] {
			for j, v := range src[(first+k)*pitch:][:length] {
				to[j] += w * float32(v)
			}
		}
	}
}
