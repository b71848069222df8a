package memory

import (
	"os"
	"unsafe"
)

// leastBytes is the size from which it is worth asking the system.
const leastBytes = 4 << 20

// Make returns n zeros, like make, for slices that will be used whole. Linux gives a large one all its pages at once.
func Make[T any](n int) []T {
	s := make([]T, n)
	if pages := large(s); pages != nil {
		populate(pages)
	}
	return s
}

// MakeHuge is Make with huge pages where the system has them, for what is read from end to end and is too large for the
// caches: then small pages are looked up in memory too. (All buffers on huge pages were
// faster in some runs and slower in others.)
func MakeHuge[T any](n int) []T {
	s := make([]T, n)
	if pages := large(s); pages != nil {
		enlarge(pages)
		populate(pages)
	}
	return s
}

// large gives the whole pages of a large slice, nil of others.
func large[T any](s []T) []byte {
	size, page := uintptr(len(s))*unsafe.Sizeof(*new(T)), uintptr(os.Getpagesize())
	if size < leastBytes {
		return nil
	}
	start := unsafe.Pointer(unsafe.SliceData(s))
	skip := -uintptr(start) & (page - 1) // to the first whole page
	return unsafe.Slice((*byte)(unsafe.Add(start, skip)), (size-skip)&^(page-1))
}
