package dataset

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"vgg/augment"
)

// TestMeasure finds the components of colours made from known ones.
func TestMeasure(t *testing.T) {
	p := augment.Picture{Width: 2, Height: 2, Channels: 3, Pix: []uint8{100, 100, 100, 200, 100, 100, 100, 120, 100, 200, 120, 100}}
	s, err := Measure(context.Background(), single{p}, 3, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.Mean != [3]float64{150, 110, 100} || s.Std != [3]float64{50, 10, 0} {
		t.Errorf("mean %v, standard deviation %v", s.Mean, s.Std)
	}
	for k, want := range [3]float64{0, 100, 2500} {
		axis := 2 - k // the eigenvectors are the axes, blue, green, red
		if math.Abs(s.Eigenvalues[k]-want) > 1e-9 || math.Abs(math.Abs(s.Eigenvectors[k][axis])-1) > 1e-9 {
			t.Errorf("component %d: %v along %v", k, s.Eigenvalues[k], s.Eigenvectors[k])
		}
	}
	if _, err := Measure(context.Background(), single{p}, 1, 0, nil); err == nil || !strings.Contains(err.Error(), "want 1 channels") {
		t.Errorf("colours measured as grey: %v", err)
	}
	if _, err := Measure(context.Background(), numbers(100), 1, 0, nil); err == nil || !strings.Contains(err.Error(), "number 66") {
		t.Errorf("a broken picture: %v", err)
	}
	if _, err := Measure(context.Background(), numbers(0), 1, 0, nil); err == nil {
		t.Error("no pictures are measured")
	}
	// Of 0, 10, …, 90 and so not of number 66: their mean is 45, their variance 825.
	if s, err := Measure(context.Background(), numbers(100), 1, 10, nil); err != nil || s.Pictures != 10 || s.Mean[0] != 45 || math.Abs(s.Std[0]-math.Sqrt(825)) > 1e-9 {
		t.Errorf("a sample: %+v, %v", s, err)
	}
}

// TestMeasureInterrupted: what was measured of some pictures is not taken for that of all.
func TestMeasureInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	p := augment.Picture{Width: 1, Height: 1, Channels: 3, Pix: []uint8{1, 2, 3}}
	if _, err := Measure(ctx, single{p}, 3, 0, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestMeasureTurned finds components that are not the axes: colours spread along (1, 1, 1) and, less, along (1, -1, 0).
func TestMeasureTurned(t *testing.T) {
	p := augment.Picture{Width: 2, Height: 2, Channels: 3}
	for _, along := range []int{-30, 30} {
		for _, across := range []int{-8, 8} {
			p.Pix = append(p.Pix, uint8(100+along+across), uint8(100+along-across), uint8(100+along))
		}
	}
	s, err := Measure(context.Background(), single{p}, 3, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, b := 1/math.Sqrt(2), 1/math.Sqrt(3)
	for k, want := range []struct {
		value  float64
		vector [3]float64
	}{{0, [3]float64{b * a, b * a, -2 * b * a}}, {2 * 64, [3]float64{a, -a, 0}}, {3 * 900, [3]float64{b, b, b}}} {
		dot := 0.0
		for c := range 3 {
			dot += s.Eigenvectors[k][c] * want.vector[c]
		}
		if math.Abs(s.Eigenvalues[k]-want.value) > 1e-9 || math.Abs(math.Abs(dot)-1) > 1e-9 {
			t.Errorf("component %d: %v along %v, want %v along %v", k, s.Eigenvalues[k], s.Eigenvectors[k], want.value, want.vector)
		}
	}
}

// TestMeasureEmbedded: the mean and deviation that the set's users know, 0.2860 and 0.3530 of 255.
func TestMeasureEmbedded(t *testing.T) {
	s, err := Open("", Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := Measure(context.Background(), s.Train, 1, 0, nil)
	if err != nil || math.Abs(m.Mean[0]/255-0.2860) > 0.002 || math.Abs(m.Std[0]/255-0.3530) > 0.002 {
		t.Errorf("mean %v, standard deviation %v, %v", m.Mean, m.Std, err)
	}
}

// single is a split of one picture.
type single struct{ p augment.Picture }

func (s single) Len() int                             { return 1 }
func (s single) Label(int) int                        { return 0 }
func (s single) Name(int) string                      { return "single" }
func (s single) Picture(int) (augment.Picture, error) { return s.p, nil }
