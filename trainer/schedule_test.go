package trainer

import (
	"math"
	"testing"

	"vgg/configs"
	"vgg/dataset"
)

// TestReduceOnPlateau follows a written-out series of validation errors to the end of training.
func TestReduceOnPlateau(t *testing.T) {
	p := ReduceOnPlateau{Schedule: configs.Schedule{Factor: 10, Patience: 2, MinImprovement: 0.5, MaxDivisions: 3}, LearningRate: 0.01}
	for i, c := range []struct {
		top1Error     float64
		divided, done bool
		rate          float64 // afterwards
	}{
		{90, false, false, 1e-2},
		{50, false, false, 1e-2},
		{49.8, false, false, 1e-2}, // better, but not by half a point: 1 epoch without improvement
		{49.4, false, false, 1e-2}, // better than 50 by more than half a point
		{60, false, false, 1e-2},
		{49.4, true, false, 1e-3}, // the second epoch without: first division
		{40, false, false, 1e-3},
		{41, false, false, 1e-3},
		{42, true, false, 1e-4}, // second
		{43, false, false, 1e-4},
		{43, true, false, 1e-5}, // third
		{39, false, false, 1e-5},
		{39, false, false, 1e-5},
		{39, false, true, 1e-5}, // none left: done
	} {
		divided, done := p.Observe(c.top1Error)
		if divided != c.divided || done != c.done || math.Abs(p.LearningRate-c.rate) > 1e-12 {
			t.Fatalf("epoch %d, error %v: divided %t, done %t, rate %v; want %t, %t, %v", i+1, c.top1Error, divided, done, p.LearningRate, c.divided, c.done, c.rate)
		}
	}
}

// TestEvery: the number of epochs divides the rate, whatever the error, and training does not end.
func TestEvery(t *testing.T) {
	p := ReduceOnPlateau{Schedule: configs.Schedule{Factor: 10, Patience: 1, MaxDivisions: 2, Every: 3}, LearningRate: 1}
	for epoch := 1; epoch <= 12; epoch++ {
		divided, done := p.Observe(90)
		if divided != (epoch == 3 || epoch == 6) || done || p.exhausted() {
			t.Errorf("epoch %d: divided %t, done %t", epoch, divided, done)
		}
	}
	if math.Abs(p.LearningRate-.01) > 1e-12 {
		t.Errorf("the rate ends at %v", p.LearningRate)
	}
}

// TestMeter counts errors of hand-made logits.
func TestMeter(t *testing.T) {
	m := &meter{}
	nan := float32(math.NaN())
	m.add(2, []float32{
		9, 1, 2, 3, 4, 5, // class 0 first
		9, 1, 2, 3, 4, 5, // class 4 third
		9, 1, 2, 3, 4, 5, // class 1 last
		1, 1, 1, 1, 1, 1, // all equal: the lowest class stands first
		nan, nan, nan, nan, nan, nan,
		0, 0, 0, 0, 0, 0, // padding
	}, &dataset.Batch{Labels: []int{0, 4, 1, 1, 0, -1}})
	if m.Pictures != 5 || m.meanLoss() != 2 || m.Top1Error() != 80 || m.Top5Error(6) != 40 {
		// top-1: only the first is right; top-5: the third and the NaNs are wrong
		t.Errorf("%d pictures, loss %v, top-1 %v %%, top-5 %v %%", m.Pictures, m.meanLoss(), m.Top1Error(), m.Top5Error(6))
	}
	few := &meter{}
	few.add(1, make([]float32, 5), &dataset.Batch{Labels: []int{0}})
	if !math.IsNaN(few.Top5Error(5)) {
		t.Errorf("top-5 error of 5 classes is %v, want none", few.Top5Error(5))
	}
}
