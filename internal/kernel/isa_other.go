//go:build !amd64

package kernel

// detected returns the instruction sets beside pure Go: none.
func detected() []isa { return nil }

// assembly is never called here.
func (g *gemm) assembly() { g.computeGo() }
