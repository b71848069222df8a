package trainer

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/graph/machine"
	"vgg/graph/op"
	"vgg/internal/outer"
)

// learnable is a gorgonia.ValueGrad made of two vectors.
type learnable struct{ value, grad *tensor.Dense }

func (l learnable) Value() gorgonia.Value         { return l.value }
func (l learnable) Grad() (gorgonia.Value, error) { return l.grad, nil }

func vector(v ...float32) *tensor.Dense {
	return tensor.New(tensor.WithShape(len(v)), tensor.WithBacking(v))
}

// TestSGD runs five steps beside v ← μv − η(∇/k + λw); w ← w + v in float64.
func TestSGD(t *testing.T) {
	w := []float64{1, -2, 0.5, 0, 3, -0.25, 7, 0.125, -9, 0.75, 11}
	start, grad := make([]float32, len(w)), make([]float32, len(w))
	for i, x := range w {
		start[i] = float32(x)
	}
	n := learnable{vector(start...), vector(grad...)}
	v := make([]float64, len(w))
	solver := &SGD{LearningRate: 0.1, Momentum: 0.9, WeightDecay: 5e-2, Accumulated: 4}
	for step := range 5 {
		solver.LearningRate = 0.1 / float64(1+step)
		g := n.grad.Data().([]float32)
		for i := range w {
			g[i] = float32(math.Sin(float64(step*len(w) + i)))
			v[i] = 0.9*v[i] - solver.LearningRate*(float64(g[i])/4+5e-2*w[i])
			w[i] += v[i]
		}
		if err := solver.Step([]gorgonia.ValueGrad{n}); err != nil {
			t.Fatal(err)
		}
		for i, got := range n.value.Data().([]float32) {
			if math.Abs(float64(got)-w[i]) > 1e-6*(1+math.Abs(w[i])) {
				t.Errorf("step %d: weight %d is %v, want %v", step, i, got, w[i])
			}
			if g[i] != 0 {
				t.Errorf("step %d: gradient %d is not cleared", step, i)
			}
		}
	}
}

// TestSGDKeepGradients: the same step, and the gradients stay.
func TestSGDKeepGradients(t *testing.T) {
	kept, cleared := learnable{vector(1, -2, 3), vector(4, 5, -6)}, learnable{vector(1, -2, 3), vector(4, 5, -6)}
	for _, c := range []struct {
		keep bool
		n    learnable
	}{{true, kept}, {false, cleared}} {
		solver := &SGD{LearningRate: 0.5, Momentum: 0.9, WeightDecay: 0.1, KeepGradients: c.keep}
		if err := solver.Step([]gorgonia.ValueGrad{c.n}); err != nil {
			t.Fatal(err)
		}
	}
	if !kept.value.Eq(cleared.value) || !kept.grad.Eq(vector(4, 5, -6)) || !cleared.grad.Eq(vector(0, 0, 0)) {
		t.Errorf("kept %v %v, cleared %v %v", kept.value, kept.grad, cleared.value, cleared.grad)
	}
}

// TestSGDProduct: a gradient held as a product makes the steps of one held as a tensor.
func TestSGDProduct(t *testing.T) {
	const in, out, batch = 2100, 1001, 2
	var results [2][]float32
	for i, options := range [][]machine.Option{nil, {machine.Products(2 * batch)}} {
		g := gorgonia.NewGraph()
		r := rand.New(rand.NewPCG(1, 2))
		random := func(name string, shape ...int) *gorgonia.Node {
			data := make([]float32, tensor.Shape(shape).TotalSize())
			for i := range data {
				data[i] = float32(r.NormFloat64())
			}
			return gorgonia.NewTensor(g, tensor.Float32, len(shape), gorgonia.WithName(name), gorgonia.WithShape(shape...),
				gorgonia.WithValue(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data))))
		}
		w := random("w", out, in)
		y, err := op.Linear(random("x", batch, in), w, random("b", out), op.LayerOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := gorgonia.Grad(gorgonia.Must(gorgonia.Mean(gorgonia.Must(gorgonia.Square(y)))), w); err != nil {
			t.Fatal(err)
		}
		vm, err := machine.New(g, append(options, machine.Gradients(w))...)
		if err != nil {
			t.Fatal(err)
		}
		model := gorgonia.NodesToValueGrads(gorgonia.Nodes{w})
		solver := &SGD{LearningRate: 0.1, Momentum: 0.9, WeightDecay: 0.01, Accumulated: 2}
		for range 3 {
			for range 2 {
				if err := vm.RunAll(); err != nil {
					t.Fatal(err)
				}
			}
			if err := solver.Step(model); err != nil {
				t.Fatal(err)
			}
		}
		results[i] = slices.Clone(w.Value().Data().([]float32))
		grad, err := w.Grad()
		if err != nil {
			t.Fatal(err)
		}
		_, ok := grad.(*outer.Gradient)
		if ok != (i == 1) {
			t.Fatalf("the gradient is a %T", grad)
		}
		if !ok {
			continue
		}
		if err := solver.Step(model); err == nil {
			t.Error("no error of a step without a gradient")
		}
	}
	for i, want := range results[0] {
		if got := results[1][i]; math.Abs(float64(got-want)) > 1e-6*(1+math.Abs(float64(want))) {
			t.Fatalf("weight %d: %v with a product, %v with a tensor", i, got, want)
		}
	}
}

func TestSGDErrors(t *testing.T) {
	solver := &SGD{LearningRate: 1}
	a := learnable{vector(1, 2), vector(0, 0)}
	if err := solver.Step([]gorgonia.ValueGrad{a}); err != nil {
		t.Fatal(err)
	}
	for name, model := range map[string][]gorgonia.ValueGrad{
		"more learnables": {a, a},
		"another size":    {learnable{vector(1, 2, 3), vector(0, 0, 0)}},
		"shapes differ":   {learnable{vector(1, 2), vector(0)}},
		"another type":    {learnable{vector(1, 2), tensor.New(tensor.WithBacking([]float64{0, 0}))}},
	} {
		if err := solver.Step(model); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
