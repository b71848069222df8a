package svm

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/pkg/errors"
)

// share is the percentage of rows whose class is predicted.
func share(labels []int, k int) Metric {
	return func(scores []float32, rows []int) (float64, error) {
		right := 0
		for i, class := range Argmax(scores, k) {
			if class == labels[rows[i]] {
				right++
			}
		}
		return 100 * float64(right) / float64(len(rows)), nil
	}
}

// TestChooseC: the values are those of trainings on the other rows alone, one by one, on X and on X·Xᵀ.
func TestChooseC(t *testing.T) {
	const k = 4
	for _, shape := range [][2]int{{240, 10}, {150, 200}} {
		n, d := shape[0], shape[1]
		x, labels := correlated(n, d, k, 2, 3)
		rows, err := NewRows(x, n, d)
		if err != nil {
			t.Fatal(err)
		}
		targets, err := FromLabels(labels, k)
		if err != nil {
			t.Fatal(err)
		}
		var validation []int
		for i := 0; i < n; i += 3 {
			validation = append(validation, i)
		}
		grid := []float64{1e-3, 0.1, 1, 10}
		o := Options{Bias: 1, Tolerance: 1e-5}
		var seen [][]float32 // scores, for each C
		choice, err := ChooseC(rows, targets, validation, grid, func(scores []float32, rows []int) (float64, error) {
			seen = append(seen, scores)
			return share(labels, k)(scores, rows)
		}, o)
		if err != nil {
			t.Fatal(err)
		}
		var inX, outX []float32
		var inLabels []int
		for i, label := range labels {
			if slices.Contains(validation, i) {
				outX = append(outX, x[i*d:][:d]...)
			} else {
				inX, inLabels = append(inX, x[i*d:][:d]...), append(inLabels, label)
			}
		}
		training, err := NewRows(inX, len(inLabels), d)
		if err != nil {
			t.Fatal(err)
		}
		test, err := NewRows(outX, len(validation), d)
		if err != nil {
			t.Fatal(err)
		}
		of, err := FromLabels(inLabels, k)
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range grid {
			o.C = c
			m, err := Train(training, of, o)
			if err != nil {
				t.Fatal(err)
			}
			scores, err := m.Scores(test)
			if err != nil {
				t.Fatal(err)
			}
			for j, score := range scores {
				// |w - w*|² is at most twice the gap, for both, and |x|² is 1, or 2 with the bias feature.
				gap := 1e-5 * m.Certificates[j%k].Primal
				if got := seen[i][j]; math.Abs(float64(got-score)) > 2*math.Sqrt(2*gap*2) {
					t.Errorf("C = %g: score %v, want %v", c, got, score)
				}
			}
			if want, _ := share(labels, k)(seen[i], validation); choice.Values[i] != want {
				t.Errorf("C = %g: %v %%, want %v %%", c, choice.Values[i], want)
			}
		}
		best := slices.Max(choice.Values)
		if choice.Best != slices.Index(choice.Values, best) || choice.C != grid[choice.Best] || choice.Passes[0] < 1 {
			t.Errorf("%+v", choice)
		}
	}
}

// TestEdge: the best value is at the edge of the grid, or is not; the smallest of equal ones is chosen.
func TestEdge(t *testing.T) {
	rows, targets := problem(t, 60, 5, 2)
	grid := []float64{0.25, 0.5, 1}
	for _, c := range []struct {
		values []float64
		best   int
		edge   bool
	}{{[]float64{1, 2, 1}, 1, false}, {[]float64{3, 2, 1}, 0, true}, {[]float64{1, 2, 3}, 2, true}, {[]float64{2, 2, 1}, 0, false}, {[]float64{1, 2, 2}, 1, false}, {[]float64{1, 1, 1}, 0, false}} {
		i := -1
		choice, err := ChooseC(rows, targets, []int{1, 2}, grid, func(scores []float32, rows []int) (float64, error) {
			i++
			if len(scores) != 4 || !slices.Equal(rows, []int{1, 2}) {
				t.Errorf("%d scores of rows %v", len(scores), rows)
			}
			return c.values[i], nil
		}, Options{Bias: 1})
		if err != nil || choice.Best != c.best || choice.C != grid[c.best] || choice.AtEdge != c.edge || !slices.Equal(choice.Values, c.values) {
			t.Errorf("%v: %+v, error %v", c.values, choice, err)
		}
	}
}

// TestCLeftOut: a C that does not converge is left out, in ChooseC or after it, until none is left; Done hears of all
// classes with each C.
func TestCLeftOut(t *testing.T) {
	const k = 5
	rows, targets := problem(t, 300, 20, k)
	done := map[float64]int{}
	value := 0.0
	o := Options{Bias: 1, MaxPasses: 8, Done: func(c float64, classes int) error {
		if _, begun := done[c]; !begun && classes != 0 {
			t.Errorf("C = %g begins with %d classes", c, classes)
		}
		done[c] += classes
		return nil
	}}
	grid := []float64{0.1, 1, 100, 1000}
	rising := func([]float32, []int) (float64, error) { value++; return value, nil }
	choice, err := ChooseC(rows, targets, []int{1, 2}, grid, rising, o)
	if err != nil {
		t.Fatal(err)
	}
	if choice.C != 1 || choice.Best != 1 || !choice.AtEdge || choice.LeftOut[0] != nil || choice.LeftOut[1] != nil || !math.IsNaN(choice.Values[2]) {
		t.Errorf("%+v", choice)
	}
	for i, e := range choice.LeftOut[2:] {
		if e == nil || e.Passes != 8 || e.Gap <= e.Tolerance {
			t.Errorf("C = %g: %v", grid[2+i], e)
		}
	}
	for _, c := range grid {
		if done[c] != k {
			t.Errorf("C = %g: %d classes done", c, done[c])
		}
	}
	e := &NotConvergedError{Gap: 0.5, Passes: 8}
	if err := choice.LeaveOut(e); err != nil || choice.C != 0.1 || choice.Best != 0 || !choice.AtEdge || choice.LeftOut[1] != e || !math.IsNaN(choice.Values[1]) {
		t.Errorf("%+v, error %v", choice, err)
	}
	if err := choice.LeaveOut(e); !errors.As(err, new(*NotConvergedError)) || !strings.Contains(err.Error(), "C = 0.1: after 8 passes") {
		t.Errorf("error %v", err)
	}

	stop := errors.New("stop")
	o.Done = func(c float64, classes int) error {
		if c == 1 && classes > 0 {
			return stop
		}
		return nil
	}
	if _, err := ChooseC(rows, targets, []int{1, 2}, grid, rising, o); !errors.Is(err, stop) {
		t.Errorf("error %v", err)
	}
	o.C = 1
	if m, err := Train(rows, targets, o); m != nil || !errors.Is(err, stop) {
		t.Errorf("model %v, error %v", m, err)
	}
}

func TestChooseCErrors(t *testing.T) {
	rows, targets := problem(t, 60, 5, 2)
	for want, metric := range map[string]Metric{
		"C = 2: the metric is NaN": func([]float32, []int) (float64, error) { return math.NaN(), nil },
		"C = 2: broken":            func([]float32, []int) (float64, error) { return 0, errors.New("broken") },
	} {
		if _, err := ChooseC(rows, targets, []int{1}, []float64{2}, metric, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	// Without the validation rows, a class has none.
	var validation []int
	for i := range 60 {
		if targets.Y[2*i] == 1 {
			validation = append(validation, i)
		}
	}
	if _, err := ChooseC(rows, targets, validation, []float64{2}, share(nil, 2), Options{}); err == nil || !strings.Contains(err.Error(), "without the validation rows: no row to train on is of class 0") {
		t.Errorf("error %v", err)
	}
	var e *NotConvergedError
	if _, err := ChooseC(rows, targets, []int{1}, []float64{2}, share(make([]int, 60), 2), Options{MaxPasses: 1, Tolerance: 1e-7}); !errors.As(err, &e) || !strings.Contains(err.Error(), "C = 2: after 1 passes") {
		t.Errorf("error %v", err)
	}
}
