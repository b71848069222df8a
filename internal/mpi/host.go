package mpi

import (
	"bytes"
	"os"
	"runtime"
)

// HostProcessors is the number of processors of this host, whether or not this process may use them.
func HostProcessors() int {
	data, err := os.ReadFile("/proc/cpuinfo")
	if n := bytes.Count(data, []byte("\nprocessor\t")); err == nil && n > 0 {
		return n + 1 // the first has no line before it
	}
	return runtime.NumCPU()
}
