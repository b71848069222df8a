package kernel

// A transposition copies matrices whose rows may be anywhere: dst[to[j]+i] = src[from[i]+j], or += if add.
type transposition struct {
	from, to []int
	add      bool
}

// run transposes len(from) rows of len(to) columns.
func (t transposition) run(dst, src []float32) {
	width := cpu.transposeSide
	if cpu.transpose == nil {
		t.runGo(dst, src)
		return
	}
	// The assembly does not check lengths: these index expressions do.
	for _, at := range t.to {
		_, _ = dst[at], dst[at+len(t.from)-1]
	}
	for _, at := range t.from {
		_, _ = src[at], src[at+len(t.to)-1]
	}
	for i := 0; i < len(t.from); i += width {
		from := t.from[i:min(i+width, len(t.from))]
		for j := 0; j < len(t.to); j += width {
			to := t.to[j:min(j+width, len(t.to))]
			cpu.transpose(&dst[i], &src[j], &to[0], &from[0], len(from), len(to), t.add)
		}
	}
}

// runGo is the pure-Go twin of the assembly.
func (t transposition) runGo(dst, src []float32) {
	for j, to := range t.to {
		out := dst[to:][:len(t.from)]
		for i, from := range t.from {
			v := src[from+j]
			if t.add {
				v += out[i]
			}
			out[i] = v
		}
	}
}

// steps returns the first n multiples of step from a buffer of the free list.
func steps(n, step int) []int {
	s := offsets.get(n)
	for i := range s {
		s[i] = i * step
	}
	return s
}

// transpose copies src (rows, columns) with srcStride floats between rows to dst (columns, rows) with dstStride.
func transpose(dst []float32, dstStride int, src []float32, srcStride, rows, columns int) {
	from, to := steps(rows, srcStride), steps(min(transposeBlock, columns), dstStride)
	defer offsets.put(from)
	defer offsets.put(to)
	parallel(ceilDiv(columns, transposeBlock), 1+elementwiseGrain/(transposeBlock*rows), func(lo, hi int) {
		for j := lo * transposeBlock; j < min(hi*transposeBlock, columns); j += transposeBlock {
			transposition{from: from, to: to[:min(transposeBlock, columns-j)]}.run(dst[j*dstStride:], src[j:])
		}
	})
}
