package plots

import (
	"strings"
	"testing"

	"vgg/metrics"
)

// The axes are percent from 0 to 100, and each class has its curve.
func TestPrecisionRecall(t *testing.T) {
	curve, err := metrics.NewCurve([]float64{0.9, 0.8, 0.7, 0.6}, []int8{1, -1, 1, -1})
	if err != nil {
		t.Fatal(err)
	}
	f, err := PrecisionRecall([]RecallCurve{{"cat", curve}, {strings.Repeat("dog", 50), curve}}, "two")
	if err != nil {
		t.Fatal(err)
	}
	if p := f.Panels[0][0]; p.X.Min != 0 || p.X.Max != 100 || p.Y.Min != 0 || p.Y.Max < 100 {
		t.Errorf("axes from %g to %g and from %g to %g", p.X.Min, p.X.Max, p.Y.Min, p.Y.Max)
	}
	for _, bad := range [][]RecallCurve{nil, {{Name: "cat"}}} {
		if _, err := PrecisionRecall(bad, ""); err == nil {
			t.Errorf("%v: no error", bad)
		}
	}
}

// Values are rows without a side of the paper's.
func TestValues(t *testing.T) {
	f, err := Values([]Bar{{Label: "a", Ours: Estimate{50, 40, 60}, Paper: 7}, {Label: "b", Ours: Estimate{20, 20, 20}}}, "recall (%)", "")
	if err != nil {
		t.Fatal(err)
	}
	if p := f.Panels[0]; len(p) != 1 || p[0].X.Label.Text != "recall (%)" || p[0].X.Max < 60 {
		t.Errorf("%d panels, %q", len(p), p[0].X.Label.Text)
	}
	for _, bad := range [][]Bar{nil, {{Ours: Estimate{1, 2, 3}}}} {
		if _, err := Values(bad, "", ""); err == nil {
			t.Errorf("%v: no error", bad)
		}
	}
}
