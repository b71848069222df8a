//go:build !linux

package memory

// systemLimit is what a machine has at least.
func systemLimit() int64 { return 8 << 30 }
