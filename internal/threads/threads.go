package threads

import (
	"runtime"
	"sync/atomic"
)

var others atomic.Int32

// Count is the number of threads that compute, at least 1.
func Count() int { return max(1, runtime.GOMAXPROCS(0)-int(others.Load())) }

// Set lets that many threads compute, and others run beside them.
func Set(compute, beside int) {
	runtime.GOMAXPROCS(compute + beside)
	others.Store(int32(beside))
}
