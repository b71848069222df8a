package plots

import (
	"strings"
	"testing"

	"vgg/metrics"
)

// sure is a calibration of answers that are right less often than their confidence says, most of them very sure.
func sure(bins int) *metrics.Calibration {
	c := metrics.NewCalibration(bins)
	for i := range 2000 {
		place := float64(i%200) / 200
		confidence := 1 - 0.7*place*place*place
		if err := c.Add(confidence, float64(i/200)/10 < confidence*confidence); err != nil {
			panic(err)
		}
	}
	return c
}

func TestCalibrationGolden(t *testing.T) {
	golden(t, map[string]func() (*Figure, error){
		"calibration": func() (*Figure, error) {
			return Calibration(sure(metrics.CalibrationBins), "Fashion-MNIST, A at a quarter of its width")
		},
		"calibration_one": func() (*Figure, error) { return Calibration(sure(1), "") },
	})
}

func TestCalibration(t *testing.T) {
	figure, err := Calibration(sure(15), strings.Repeat("a long title ", 20))
	if err != nil {
		t.Fatal(err)
	}
	text, _ := svg(t, figure)
	for _, want := range []string{"right answers (%)", "answers (%)", "confidence (%); expected calibration error 7.3 %, bins: 15", "right as often as sure"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the picture:\n%s", want, text)
		}
	}
	if figure.width != columnWidth {
		t.Errorf("%v points wide, want %v", figure.width, columnWidth)
	}
	if _, err := Calibration(metrics.NewCalibration(15), ""); err == nil || !strings.Contains(err.Error(), "no answer") {
		t.Errorf("error %v", err)
	}
}
