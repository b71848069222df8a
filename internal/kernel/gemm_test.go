package kernel

import (
	"fmt"
	"testing"
)

func BenchmarkGemm(b *testing.B) {
	for _, s := range detected() {
		b.Run(s.name, func(b *testing.B) {
			saved := cpu
			cpu = s
			defer func() { cpu = saved }()
			peak := Peak(0.2)
			for _, m := range []int{1, 2, 4, 6, 8, 12, 13, 14} {
				for _, k := range []int{27, 256, 576} {
					if m > s.rows {
						continue
					}
					b.Run(fmt.Sprintf("%dx%dx%d", m, s.columns, k), func(b *testing.B) {
						ld := k + 16
						c, a, w := make([]float32, m*s.columns), make([]float32, m*ld), make([]float32, k*s.columns)
						t := tile{m: m, n: s.columns, k: k, rsc: s.columns, rsa: ld, csa: 1, rsb: s.columns}
						runs := [][2]int{{0, 0}}
						for b.Loop() {
							t.compute(c, a, w, zeros, runs)
						}
						rate := 2 * float64(m*k*s.columns*b.N) / b.Elapsed().Seconds()
						b.ReportMetric(rate/1e9, "GFLOP/s")
						b.ReportMetric(rate/peak*2, "of-core-peak")
					})
				}
			}
		})
	}
}
