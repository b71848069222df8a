package kernel

import (
	"sync"

	"vgg/internal/memory"
)

// A freeList keeps the buffers in which kernels hold intermediate results, so that only the first calls allocate.
// (A sync.Pool would lose them in every garbage collection.)
type freeList[T any] struct {
	make  func(n int) []T
	mutex sync.Mutex
	free  [][]T
}

var (
	scratch       = freeList[float32]{make: memory.Make[float32]}
	filterScratch = freeList[float32]{make: memory.MakeHuge[float32]} // U and dU
	offsets       = freeList[int]{make: memory.Make[int]}
	runs          = freeList[[2]int]{make: memory.Make[[2]int]}
)

// get returns a buffer of n elements with arbitrary contents.
func (l *freeList[T]) get(n int) []T {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	best := -1
	for i, b := range l.free {
		if best < 0 || better(cap(b), cap(l.free[best]), n) {
			best = i
		}
	}
	if best < 0 {
		return l.make(n)
	}
	b := l.free[best]
	last := len(l.free) - 1
	l.free[best] = l.free[last]
	l.free = l.free[:last]
	if cap(b) < n {
		b = l.make(n)
	}
	return b[:n]
}

// put gives a buffer back.
func (l *freeList[T]) put(b []T) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.free = append(l.free, b)
}

// better reports whether a buffer of size a serves a request for n better than one of size b: the smallest that is
// large enough does, or else the largest, to be replaced.
func better(a, b, n int) bool {
	if a >= n && b >= n {
		return a < b
	}
	return a > b
}
