package kernel

import (
	"math"
	"slices"
	"testing"
)

// TestSeparable compares the assembly of each transformation with its twin.
func TestSeparable(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		for name, s := range map[string]separable{
			"input": winogradInput(), "gradient": winogradGradient(), "filter": winogradFilter(), "filter gradient": winogradFilterGradient(),
		} {
			const n = 48
			r := generator(len(name))
			src := matrix{random(r, 6*400), 400, 60}
			dst := matrix{random(r, 6*350), 350, 55}
			twin := dst
			twin.data = slices.Clone(dst.data)
			s.run(dst, src, n)
			s.runGo(twin, src, n)
			for i, v := range twin.data {
				if math.Abs(float64(dst.data[i]-v)) > 1e-5*(1+math.Abs(float64(v))) {
					t.Fatalf("%s: element %d is %g, the twin has %g", name, i, dst.data[i], v)
				}
			}
		}
	})
}
