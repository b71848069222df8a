package kernel

import "iter"

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// share is range i of [0, n) cut into count ranges of about equal size.
func share(n, count, i int) (lo, hi int) {
	if count == 1 {
		return 0, n // without divisions, which take long beside a short product
	}
	return n * i / count, n * (i + 1) / count
}

// evenly is the size of blocks of about equal size, at most most, that cover [0, n).
func evenly(n, most int) int { return ceilDiv(n, ceilDiv(n, most)) }

// blocks cuts [0, n) into blocks of about equal size, at most most, and gives the beginning and the size of each.
func blocks(n, most int) iter.Seq2[int, int] {
	return func(yield func(begin, size int) bool) {
		count := ceilDiv(n, most)
		for i := range count {
			lo, hi := share(n, count, i)
			if !yield(lo, hi-lo) {
				return
			}
		}
	}
}
