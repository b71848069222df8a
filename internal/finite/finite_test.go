package finite

import (
	"math"
	"testing"
)

func TestIs(t *testing.T) {
	for v, want := range map[float64]bool{0: true, -math.MaxFloat64: true, math.Inf(1): false, math.Inf(-1): false} {
		if Is(v) != want {
			t.Errorf("finite.Is(%v) is not %t", v, want)
		}
	}
	if Is(math.NaN()) {
		t.Error("NaN is finite")
	}
}
