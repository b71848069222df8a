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
	if size := uintptr(n) * unsafe.Sizeof(*new(T)); size >= leastBytes {
		page := uintptr(os.Getpagesize())
		skip := -uintptr(unsafe.Pointer(unsafe.SliceData(s))) & (page - 1) // to the first whole page
		populate(unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(s)), skip)), (size-skip)&^(page-1)))
	}
	return s
}
