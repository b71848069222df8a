package memory

import "runtime/debug"

// Limit is the number of bytes that the process may take: those of the machine, or fewer if the process, its container
// or the variable GOMEMLIMIT has a lower limit.
func Limit() int64 { return min(systemLimit(), debug.SetMemoryLimit(-1)) }
