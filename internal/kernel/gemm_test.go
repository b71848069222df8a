package kernel

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"
)

// TestGemm computes parts of one product with every shape: each element must be near the reference, have the
// same bits whatever the shape, and nothing else may be written.
func TestGemm(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		const k, narrow, rsa, rsb = 19, 40, 61, 37
		const rsc = narrow
		rows := 2*cpu.tallMR + 3 // some rows at a time, and then the rest
		r := generator(1)
		a, b, bias := random(r, 3*k+rows*rsa), random(r, (2*k+5)*rsb), random(r, cpu.nr)
		bias[0] = -100 // ReLU has something to do
		runs := [][2]int{{0, 0}, {2 * k, rsb}, {k, (k + 4) * rsb}}
		want := make([]float64, rows*rsc)
		for i := range rows {
			for j := range cpu.nr {
				sum := float64(bias[j])
				for _, run := range runs {
					for p := range k {
						sum += float64(a[run[0]+i*rsa+p]) * float64(b[run[1]+p*rsb+j])
					}
				}
				want[i*rsc+j] = sum
			}
		}
		var whole []float32
		for m := rows; m >= 1; m-- {
			for n := cpu.nr; n >= 1; n-- {
				c := slices.Repeat([]float32{-1}, rows*rsc)
				x := gemm{m: m, n: n, k: k, rsc: rsc, rsa: rsa, csa: 1, rsb: rsb, ahead: rsb}
				x.compute(c, a, b, bias, runs)
				if whole == nil {
					whole = slices.Clone(c)
				}
				for at, v := range c {
					if at/rsc >= m || at%rsc >= n {
						if v != -1 {
							t.Fatalf("%d×%d: wrote to row %d, column %d", m, n, at/rsc, at%rsc)
						}
					} else if math.Abs(float64(v)-max(want[at], 0)) > 1e-4 || v != whole[at] {
						t.Fatalf("%d×%d: row %d, column %d is %g, want %g, in the whole tile %g", m, n, at/rsc, at%rsc, v, want[at], whole[at])
					}
				}
				// c as e adds the product once more.
				x.rse, x.floor = rsc, noFloor
				x.compute(c, a, b, c, runs)
				x.compute(c, a, b, c, nil)
				last := (m-1)*rsc + n - 1
				if got, want := c[last], max(want[last], 0)+want[last]-float64(bias[n-1]); math.Abs(float64(got)-want) > 1e-4 {
					t.Fatalf("%d×%d: accumulated %g, want %g", m, n, got, want)
				}
			}
		}
		// Written around the cache or not, the product is the same, wherever c begins.
		for from := range 3 {
			const rsc = 64
			c := make([]float32, 2*rsc+rows*rsc)
			for !aligned(c) {
				c = c[1:]
			}
			c = c[16*from/2:] // on a cache line, in its middle, on the next one
			x := gemm{m: rows, n: cpu.nr, k: k, rsc: rsc, rsa: rsa, csa: 1, rsb: rsb, stream: true}
			x.compute(c, a, b, bias, runs)
			for i := range rows {
				if !slices.Equal(c[i*rsc:][:cpu.nr], whole[i*narrow:][:cpu.nr]) {
					t.Fatalf("row %d written around the cache, from %d: %g, want %g", i, from, c[i*rsc:][:cpu.nr], whole[i*narrow:][:cpu.nr])
				}
				if slices.ContainsFunc(c[i*rsc+cpu.nr:][:rsc-cpu.nr], func(v float32) bool { return v != 0 }) {
					t.Fatalf("row %d: wrote beyond its columns", i)
				}
			}
		}
		c := make([]float32, cpu.nr)
		x := gemm{m: 1, n: cpu.nr, k: 1, rsb: cpu.nr}
		x.compute(c, []float32{1}, slices.Repeat([]float32{float32(math.NaN())}, cpu.nr), zeros, single)
		for _, v := range c {
			if v == v {
				t.Fatalf("ReLU turns a NaN into %g", v)
			}
		}
	})
}

// TestGemmBlocks: blocks have the bits of products that are added one after the other.
func TestGemmBlocks(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		const k, rsa, rsb, rsc = 19, 61, 37, 40
		rows := 2*cpu.tallMR + 3
		r := generator(2)
		a, b, bias := random(r, k+rows*rsa), random(r, k*rsb), random(r, cpu.nr)
		for _, block := range []int{1, 7, k - 1, k, k + 1} {
			for m := rows; m >= 1; m -= 3 {
				for n := cpu.nr; n >= 1; n-- {
					c, apart := make([]float32, rows*rsc), make([]float32, rows*rsc)
					x := gemm{m: m, n: n, k: k, rsc: rsc, rsa: rsa, csa: 1, rsb: rsb, block: block}
					x.compute(c, a, b, bias, single)
					e := bias
					for begin := 0; begin < k; begin += block {
						x.k, x.block, x.floor = min(block, k-begin), 0, noFloor
						if begin+block >= k {
							x.floor = 0
						}
						x.compute(apart, a[begin:], b[begin*rsb:], e, single)
						e, x.rse = apart, rsc
					}
					if !slices.Equal(c, apart) {
						t.Fatalf("%d×%d in blocks of %d: %g, apart %g", m, n, block, c, apart)
					}
				}
			}
		}
	})
}

// TestGemmDoesNotAllocate checks that the parameters stay on the stack.
func TestGemmDoesNotAllocate(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		const k = 8
		c, a, b := make([]float32, cpu.nr), make([]float32, k), make([]float32, k*cpu.nr)
		if allocations := testing.AllocsPerRun(100, func() {
			g := gemm{m: 1, n: cpu.nr, k: k, rsc: cpu.nr, rsa: k, csa: 1, rsb: cpu.nr, floor: noFloor}
			g.plain(c, a, b, true)
		}); allocations != 0 {
			t.Errorf("a product allocates %g times", allocations)
		}
	})
}

// BenchmarkGemm runs the micro-kernel alone, on one thread, from the cache, where nothing disturbs it.
func BenchmarkGemm(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for _, n := range []int{cpu.nr, cpu.nr / 2} {
		for m := 1; m <= rowsOf(n); m++ {
			for _, k := range []int{9, 64, 576} {
				b.Run(fmt.Sprintf("%dx%dx%d", m, n, k), func(b *testing.B) {
					c, left, right := make([]float32, m*n), make([]float32, m*(k+16)), make([]float32, k*n)
					t := gemm{m: m, n: n, k: k, rsc: n, rsa: k + 16, csa: 1, rsb: n}
					product := func() { t.compute(c, left, right, zeros, single) }
					for b.Loop() {
						product()
					}
					reportUndisturbed(b, m*k*n, product)
				})
			}
		}
	}
}
