//go:build !amd64

package kernel

// detected returns what the processor has beyond the twins in pure Go: nothing.
func detected() []isa { return nil }
