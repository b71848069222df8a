package svm

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/pkg/errors"
)

// correlated makes rows like those of a net's features: nonnegative, L2-normalised, most of them about one direction,
// with a prototype a class.
func correlated(n, d, classes int, noise float64, seed uint64) (x []float32, labels []int) {
	r := rand.New(rand.NewPCG(seed, 7))
	prototypes := make([]float64, (classes+1)*d)
	for i := range prototypes {
		prototypes[i] = max(0, r.NormFloat64())
	}
	x, labels = make([]float32, n*d), make([]int, n)
	row := make([]float64, d)
	for i := range n {
		c := r.IntN(classes)
		labels[i] = c
		var squares float64
		for j := range row {
			row[j] = max(0, prototypes[classes*d+j]+0.5*prototypes[c*d+j]+noise*r.NormFloat64())
			squares += row[j] * row[j]
		}
		for j := range row {
			x[i*d+j] = float32(row[j] / math.Sqrt(max(squares, 1e-9)))
		}
	}
	return x, labels
}

// problem makes rows of correlated features and the targets of their classes.
func problem(t testing.TB, n, d, classes int) (*Rows, Targets) {
	t.Helper()
	x, labels := correlated(n, d, classes, 1, 1)
	rows, err := NewRows(x, n, d)
	if err != nil {
		t.Fatal(err)
	}
	targets, err := FromLabels(labels, classes)
	if err != nil {
		t.Fatal(err)
	}
	return rows, targets
}

// train trains on X·Xᵀ or on X.
func train(t testing.TB, rows *Rows, targets Targets, o Options, onGram bool) *Model {
	t.Helper()
	o, err := o.check()
	if err != nil {
		t.Fatal(err)
	}
	s := newSolverOn(rows, targets, o, onGram)
	if err := s.solve(o.C); err != nil {
		t.Fatal(err)
	}
	return s.model()
}

// primal is the objective of a class in float64, for w and the weight of the bias feature.
func primal(rows *Rows, targets Targets, o Options, class int, w []float64) float64 {
	d := rows.d
	var sum float64
	for _, v := range w {
		sum += v * v / 2
	}
	for i := range rows.n {
		y := float64(targets.Y[i*targets.K+class])
		if y == 0 {
			continue
		}
		score := w[d] * o.Bias
		for j, v := range rows.x[i*d:][:d] {
			score += w[j] * float64(v)
		}
		short := max(0, 1-y*score)
		if o.Loss == SquaredHinge {
			short *= short
		}
		sum += o.C * short
	}
	return sum
}

// weights are those of a class, and of its bias feature.
func (m *Model) weights(class int, bias float64) []float64 {
	var w []float64
	for _, v := range m.W[class*m.D:][:m.D] {
		w = append(w, float64(v))
	}
	if bias == 0 {
		return append(w, 0)
	}
	return append(w, float64(m.B[class])/bias)
}

func near(a, b, relative float64) bool {
	return math.Abs(a-b) <= relative*max(math.Abs(a), math.Abs(b))
}

// TestCertificates: the primal objective is that of the model's weights, in float64, and the gap is small, on X and on
// X·Xᵀ.
func TestCertificates(t *testing.T) {
	for _, shape := range [][2]int{{60, 3}, {300, 20}, {1300, 100}, {200, 300}, {257, 16}} {
		rows, targets := problem(t, shape[0], shape[1], 5)
		for _, o := range []Options{
			{Loss: Hinge, C: 1, Bias: 1}, {Loss: SquaredHinge, C: 1, Bias: 1}, {Loss: Hinge, C: 0.01}, {Loss: SquaredHinge, C: 10, Bias: 3},
		} {
			for _, onGram := range []bool{false, true} {
				m := train(t, rows, targets, o, onGram)
				for k, c := range m.Certificates {
					if !c.Converged || c.Gap > DefaultTolerance || c.Gap < -1e-6 || !near(c.Gap, (c.Primal-c.Dual)/c.Primal, 1e-3) {
						t.Errorf("%v of %v: %+v", o, shape, c)
					}
					if p := primal(rows, targets, o, k, m.weights(k, o.Bias)); !near(p, c.Primal, 1e-5) {
						t.Errorf("%v of %v: primal %v, that of the weights is %v", o, shape, c.Primal, p)
					}
				}
			}
		}
	}
}

// TestReference: the optimum is that of plain dual coordinate descent in float64.
func TestReference(t *testing.T) {
	rows, targets := problem(t, 200, 15, 3)
	d := rows.d
	for _, o := range []Options{{Loss: Hinge, C: 2, Bias: 1}, {Loss: SquaredHinge, C: 0.3, Bias: 1}, {Loss: Hinge, C: 0.1}} {
		m, err := Train(rows, targets, o)
		if err != nil {
			t.Fatal(err)
		}
		for k, c := range m.Certificates {
			w, alpha := make([]float64, d+1), make([]float64, rows.n)
			upper, ridge := o.C, 0.0
			if o.Loss == SquaredHinge {
				upper, ridge = math.Inf(1), 1/(2*o.C)
			}
			for pass := range 5000 * rows.n {
				i := pass % rows.n
				x, y := rows.x[i*d:][:d], float64(targets.Y[i*targets.K+k])
				score, norm := w[d]*o.Bias, o.Bias*o.Bias
				for j, v := range x {
					score += w[j] * float64(v)
					norm += float64(v) * float64(v)
				}
				old := alpha[i]
				alpha[i] = min(max(old-(y*score-1+ridge*old)/(norm+ridge), 0), upper)
				for j, v := range x {
					w[j] += (alpha[i] - old) * y * float64(v)
				}
				w[d] += (alpha[i] - old) * y * o.Bias
			}
			best := primal(rows, targets, o, k, w)
			if c.Primal < best*(1-1e-5) || !near(c.Primal, best, 1e-4) || c.Dual > best*(1+1e-5) {
				t.Errorf("%+v, class %d: between %v and %v, the reference finds %v", o, k, c.Dual, c.Primal, best)
			}
		}
	}
}

// TestGram: on X and on X·Xᵀ the optimum is the same.
func TestGram(t *testing.T) {
	for _, shape := range [][2]int{{150, 200}, {400, 150}} {
		rows, targets := problem(t, shape[0], shape[1], 4)
		for _, loss := range []Loss{Hinge, SquaredHinge} {
			o := Options{Loss: loss, C: 1, Bias: 1, Tolerance: 2e-6}
			a, b := train(t, rows, targets, o, false), train(t, rows, targets, o, true)
			if a.Gram || !b.Gram {
				t.Fatal("not on X and X·Xᵀ")
			}
			for k := range a.K {
				if !near(a.Certificates[k].Primal, b.Certificates[k].Primal, 1e-5) {
					t.Errorf("%v of %v: %+v and %+v", loss, shape, a.Certificates[k], b.Certificates[k])
				}
			}
			var difference, squares float64
			for i, w := range a.W {
				difference += float64(w-b.W[i]) * float64(w-b.W[i])
				squares += float64(w) * float64(w)
			}
			// |w - w*|² is at most twice the gap, for both.
			if norm := math.Sqrt(difference / squares); norm > 3e-3 {
				t.Errorf("%v of %v: weights differ by %g of their norm", loss, shape, norm)
			}
		}
	}
}

// TestThreads: the bits are the same for any number of threads, and others for another seed.
func TestThreads(t *testing.T) {
	rows, targets := problem(t, 700, 120, 7)
	for _, onGram := range []bool{false, true} {
		o := Options{Loss: Hinge, C: 5, Bias: 1}
		one := train(t, rows, targets, o, onGram)
		for _, threads := range []int{1, 2, 3, 8} {
			before := runtime.GOMAXPROCS(threads)
			m := train(t, rows, targets, o, onGram)
			runtime.GOMAXPROCS(before)
			if !slices.Equal(m.W, one.W) || !slices.Equal(m.B, one.B) || !slices.Equal(m.Certificates, one.Certificates) {
				t.Errorf("on X·Xᵀ %t: other bits with %d threads", onGram, threads)
			}
		}
		o.Seed = 1
		if m := train(t, rows, targets, o, onGram); slices.Equal(m.W, one.W) {
			t.Errorf("on X·Xᵀ %t: the seed changes nothing", onGram)
		}
	}
}

// TestLeftOut: rows with the target 0 count as if they were not there.
func TestLeftOut(t *testing.T) {
	rows, targets := problem(t, 300, 30, 3)
	targets.Y = slices.Clone(targets.Y)
	var x []float32
	var y []int8
	for i := range rows.n {
		if i%3 == 0 {
			clear(targets.Y[i*3:][:3])
			continue
		}
		x = append(x, rows.x[i*30:][:30]...)
		y = append(y, targets.Y[i*3:][:3]...)
	}
	fewer, err := NewRows(x, 200, 30)
	if err != nil {
		t.Fatal(err)
	}
	for _, loss := range []Loss{Hinge, SquaredHinge} {
		o := Options{Loss: loss, C: 1, Bias: 1, Tolerance: 1e-5}
		a, errA := Train(rows, targets, o)
		b, errB := Train(fewer, Targets{Y: y, K: 3}, o)
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		for k := range 3 {
			if !near(a.Certificates[k].Primal, b.Certificates[k].Primal, 1e-5) {
				t.Errorf("%v: %+v with rows left out, %+v without them", loss, a.Certificates[k], b.Certificates[k])
			}
		}
	}
}

// TestPredict: scores are w·x + b, and of two equal ones the lower class is predicted.
func TestPredict(t *testing.T) {
	m := &Model{K: 3, D: 2, W: []float32{1, 0, 0, 1, 1, 0}, B: []float32{0, 1, 0}}
	rows, err := NewRows([]float32{3, 1, 0, 0, 1, 5}, 3, 2)
	if err != nil {
		t.Fatal(err)
	}
	scores, err := m.Scores(rows)
	if want := []float32{3, 2, 3, 0, 1, 0, 1, 6, 1}; err != nil || !slices.Equal(scores, want) {
		t.Errorf("scores %v, error %v, want %v", scores, err, want)
	}
	classes, err := m.Predict(rows)
	if want := []int{0, 1, 1}; err != nil || !slices.Equal(classes, want) {
		t.Errorf("classes %v, error %v, want %v", classes, err, want)
	}
	if classes := Argmax(nil, 0); len(classes) != 0 {
		t.Errorf("classes %v of no scores", classes)
	}
}

// TestBound: a C that float32 rounds gives the bits of the rounded one, so that rows at their bound count as such, and
// is reported as it was asked for.
func TestBound(t *testing.T) {
	rows, targets := problem(t, 300, 20, 3)
	var models []*Model
	for _, c := range []float64{0.7, float64(float32(0.7))} {
		m, err := Train(rows, targets, Options{C: c, Bias: 1, Done: func(asked float64, _ int) error {
			if asked != c {
				t.Errorf("done with C = %v, want %v", asked, c)
			}
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		models = append(models, m)
	}
	if a, b := models[0], models[1]; !slices.Equal(a.W, b.W) || !slices.Equal(a.Certificates, b.Certificates) {
		t.Errorf("%+v and %+v", a.Certificates, b.Certificates)
	}
}

// TestZeroRows: a row of zeros without a bias has no direction; its loss is 1.
func TestZeroRows(t *testing.T) {
	rows, err := NewRows([]float32{1, 0, -1, 0, 0, 0, 0, 0}, 4, 2)
	if err != nil {
		t.Fatal(err)
	}
	for loss, want := range map[Loss]float64{Hinge: 2.5, SquaredHinge: 2.4} { // w = (1, 0), and (0.8, 0)
		m, err := Train(rows, Targets{Y: []int8{1, -1, 1, -1}, K: 1}, Options{Loss: loss, C: 1})
		if err != nil || !near(m.Certificates[0].Primal, want, 1e-4) {
			t.Errorf("%v: %+v, error %v, want %v", loss, m, err, want)
		}
	}
}

func TestNotConverged(t *testing.T) {
	rows, targets := problem(t, 300, 20, 5)
	targets.Names = []string{"ant", "bee", "cat", "dog", "elk"}
	m, err := Train(rows, targets, Options{C: 1, Bias: 1, MaxPasses: 1})
	var e *NotConvergedError
	if !errors.As(err, &e) || len(e.Classes) == 0 || e.Passes != 1 || e.Gap <= e.Tolerance || !strings.Contains(err.Error(), `class "`) {
		t.Errorf("error %v", err)
	}
	if m == nil || m.Certificates[0].Passes != 1 {
		t.Errorf("model %v", m)
	}
}

func TestErrors(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	rows, targets := problem(t, 20, 4, 2)
	trained := func(t Targets, o Options) error { _, err := Train(rows, t, o); return err }
	three := make([]int8, 60)
	for i := range three {
		three[i] = -1
	}
	three[0], three[1] = 1, 1
	all := slices.Clone(three)
	for i := range 20 {
		all[3*i+2] = 1
	}
	large, err := NewRows([]float32{1, 10}, 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	good := Options{C: 1}
	ofChoice := func(validation []int, grid ...float64) error {
		_, err := ChooseC(rows, targets, validation, grid, func([]float32, []int) (float64, error) { return 1, nil }, good)
		return err
	}
	for want, err := range map[string]error{
		"5 features are not 2 rows of 3":           second(NewRows(make([]float32, 5), 2, 3)),
		"0 features are not 0 rows of 3":           second(NewRows(nil, 0, 3)),
		"feature 2 of row 1 (both from 0) is NaN":  second(NewRows([]float32{0, 1, 2, 3, 4, nan}, 2, 3)),
		"feature 0 of row 1 (both from 0) is -Inf": second(NewRows([]float32{0, 1, 2, inf, 4, 5}, 2, 3)),
		"label 3 of row 1 (from 0)":                second(FromLabels([]int{0, 3}, 3)),
		"20 targets are not those of 20 rows":      trained(Targets{Y: make([]int8, 20), K: 2}, good),
		"no row to train on is of class 2":         trained(Targets{Y: three, K: 3}, good),
		`no row to train on is of class "cat"`:     trained(Targets{Y: three, K: 3, Names: []string{"ant", "bee", "cat"}}, good),
		"all rows to train on are of class 2":      trained(Targets{Y: all, K: 3}, good),
		"1 names for 3 classes":                    trained(Targets{Y: all, K: 3, Names: []string{"ant"}}, good),
		"target of row 0, class 0 (from 0) is 7":   trained(Targets{Y: append([]int8{7}, three[1:]...), K: 3}, good),
		"C is 0":                                   trained(targets, Options{}),
		"C is -1":                                  trained(targets, Options{C: -1}),
		"C is NaN":                                 trained(targets, Options{C: math.NaN()}),
		"C is +Inf":                                trained(targets, Options{C: math.Inf(1)}),
		"C is 1e-50":                               trained(targets, Options{C: 1e-50}),
		"C is 1e+39":                               trained(targets, Options{C: 1e39}),
		"the bias feature is 1e+20":                trained(targets, Options{C: 1, Bias: 1e20}),
		"the squares of row 1 (from 0) sum to":     second(NewRows([]float32{1, 2, 1e20, 3}, 2, 2)),
		"the score of row 1 for class 0 (both":     second((&Model{K: 1, D: 1, W: []float32{3e38}, B: []float32{0}}).Predict(large)),
		"the bias feature is NaN":                  trained(targets, Options{C: 1, Bias: math.NaN()}),
		"tolerance of the duality gap is 1":        trained(targets, Options{C: 1, Tolerance: 1}),
		"-1 passes at most":                        trained(targets, Options{C: 1, MaxPasses: -1}),
		"there is no Loss(9)":                      trained(targets, Options{C: 1, Loss: 9}),
		`loss "logistic": want hinge or squared`:   second(ParseLoss("logistic")),
		"rows of 4 features for a machine of 2":    second((&Model{K: 1, D: 2}).Scores(rows)),
		"grid [2 1] of values of C":                ofChoice([]int{1}, 2, 1),
		"grid [] of values of C":                   ofChoice([]int{1}),
		"C is -3":                                  ofChoice([]int{1}, -3, 1),
		"no validation rows":                       ofChoice(nil, 1),
		"validation row 20: there are rows 0 to":   ofChoice([]int{20}, 1),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	var e *NotFiniteError
	if _, err := NewRows([]float32{0, 1, 2, 3, 4, nan}, 2, 3); !errors.As(err, &e) || e.Row != 1 || e.Column != 2 {
		t.Errorf("error %v", err)
	}
}

func second[T any](_ T, err error) error { return err }
