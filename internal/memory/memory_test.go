package memory

import (
	"runtime/debug"
	"testing"
)

// TestMake writes to all elements of slices below and above the size from which the system is asked for pages.
func TestMake(t *testing.T) {
	for _, n := range []int{0, 1, 1000, leastBytes/4 - 1, leastBytes / 4, 3*leastBytes/4 + 7} {
		for _, allocate := range []func(int) []float32{Make[float32], MakeHuge[float32]} {
			s := allocate(n)
			if len(s) != n {
				t.Fatalf("%d elements, want %d", len(s), n)
			}
			for i := range s {
				if s[i] != 0 {
					t.Fatalf("element %d of %d is %v, want 0", i, n, s[i])
				}
				s[i] = float32(i)
			}
			for i := range s {
				if s[i] != float32(i) {
					t.Fatalf("element %d of %d is %v", i, n, s[i])
				}
			}
		}
	}
}

// TestLimit: there is some memory, and a lower limit of the process counts.
func TestLimit(t *testing.T) {
	all := Limit()
	if all < 64<<20 || all > 1<<50 {
		t.Fatalf("%d bytes", all)
	}
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(all - 1))
	if got := Limit(); got != all-1 {
		t.Errorf("%d bytes with a limit of %d", got, all-1)
	}
}

// BenchmarkFirstTouch allocates and writes 256 MiB, a page at a time.
//
//	go test -run x -bench FirstTouch ./internal/memory
func BenchmarkFirstTouch(b *testing.B) {
	const n = 1 << 26
	for _, c := range []struct {
		name     string
		allocate func(int) []float32
	}{
		{"make", func(n int) []float32 { return make([]float32, n) }},
		{"memory.Make", Make[float32]},
		{"memory.MakeHuge", MakeHuge[float32]},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				s := c.allocate(n)
				for i := 0; i < n; i += 1024 {
					s[i] = 1
				}
			}
		})
	}
}
