package memory

import "unsafe"

// hugePage is the size in bytes of the pages asked for.
const hugePage = 2 << 20

// Make returns n zeros, like make. Where the system has huge pages (Linux), those of a slice that is large enough
// consist of them.
func Make[T any](n int) []T {
	s := make([]T, n)
	if size := uintptr(n) * unsafe.Sizeof(*new(T)); size >= 2*hugePage {
		start := uintptr(unsafe.Pointer(unsafe.SliceData(s)))
		skip := -start & (hugePage - 1) // to the first whole page
		whole := (size - skip) &^ (hugePage - 1)
		advise(unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(s)), skip)), whole))
	}
	return s
}
