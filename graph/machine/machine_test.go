package machine

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/graph/op"
	"vgg/internal/outer"
)

func input(g *gorgonia.ExprGraph, r *rand.Rand, name string, shape ...int) *gorgonia.Node {
	data := make([]float32, tensor.Shape(shape).TotalSize())
	for i := range data {
		data[i] = float32(r.NormFloat64())
	}
	return gorgonia.NewTensor(g, tensor.Float32, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name),
		gorgonia.WithValue(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data))))
}

// graphs declares the same computation anew for each machine: what to compute and its learnables.
var graphs = map[string]func(g *gorgonia.ExprGraph, r *rand.Rand) (outputs, learnables gorgonia.Nodes){
	"stock multilayer perceptron": func(g *gorgonia.ExprGraph, r *rand.Rand) (gorgonia.Nodes, gorgonia.Nodes) {
		x, w1, w2 := input(g, r, "x", 4, 5), input(g, r, "w1", 5, 6), input(g, r, "w2", 6, 3)
		h := gorgonia.Must(gorgonia.Tanh(gorgonia.Must(gorgonia.Mul(x, w1))))
		y := gorgonia.Must(gorgonia.SoftMax(gorgonia.Must(gorgonia.Mul(h, w2))))
		return gorgonia.Nodes{gorgonia.Must(gorgonia.Mean(gorgonia.Must(gorgonia.Log(y)))), y}, gorgonia.Nodes{w1, w2}
	},
	"views of planned memory": func(g *gorgonia.ExprGraph, r *rand.Rand) (gorgonia.Nodes, gorgonia.Nodes) {
		x, w, b := input(g, r, "x", 2, 3, 4, 4), input(g, r, "w", 5, 3, 3, 3), input(g, r, "b", 5)
		h := gorgonia.Must(op.Conv(gorgonia.Must(op.ToNHWC(x)), w, b, op.LayerOptions{ReLU: true}))
		flat := gorgonia.Must(gorgonia.Reshape(h, tensor.Shape{2, 80}))
		half := gorgonia.Must(gorgonia.Slice(flat, nil, gorgonia.S(0, 40)))
		pooled := gorgonia.Must(op.MaxPool(h)) // would take the memory of h if the views did not hold it
		again := gorgonia.Must(op.MaxPool(pooled))
		cost := gorgonia.Must(gorgonia.Add(gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.Square(half)))), gorgonia.Must(gorgonia.Sum(again))))
		return gorgonia.Nodes{cost}, gorgonia.Nodes{w, b} // not half: the tape machine lets its square's gradient overwrite it
	},
	"weights used twice": func(g *gorgonia.ExprGraph, r *rand.Rand) (gorgonia.Nodes, gorgonia.Nodes) {
		x, w, b := input(g, r, "x", 2, 6, 6, 4), input(g, r, "w", 4, 4, 3, 3), input(g, r, "b", 4)
		h := gorgonia.Must(op.Conv(x, w, b, op.LayerOptions{ReLU: true}))
		h = gorgonia.Must(op.Conv(h, w, b, op.LayerOptions{ReLU: true}))
		return gorgonia.Nodes{gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.Square(h))))}, gorgonia.Nodes{w, b}
	},
	"a branch and a constant": func(g *gorgonia.ExprGraph, r *rand.Rand) (gorgonia.Nodes, gorgonia.Nodes) {
		x, w, b := input(g, r, "x", 3, 8), input(g, r, "w", 8, 8), input(g, r, "b", 8)
		h := gorgonia.Must(op.Linear(x, w, b, op.LayerOptions{ReLU: true}))
		left := gorgonia.Must(op.Linear(h, w, b, op.LayerOptions{ReLU: true}))
		right := gorgonia.Must(gorgonia.Mul(h, gorgonia.NewConstant(float32(2), gorgonia.WithName("two"))))
		return gorgonia.Nodes{gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.HadamardProd(left, right)))), h}, gorgonia.Nodes{w, b}
	},
}

// TestTapeMachine: values and gradients are those of Gorgonia's own machine, in two runs that accumulate.
func TestTapeMachine(t *testing.T) {
	for name, declare := range graphs {
		t.Run(name, func(t *testing.T) {
			var results [2][][]float32
			for i := range results {
				g := gorgonia.NewGraph()
				outputs, learnables := declare(g, rand.New(rand.NewPCG(5, 0)))
				if _, err := gorgonia.Grad(outputs[0], learnables...); err != nil {
					t.Fatal(err)
				}
				var vm gorgonia.VM = gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(learnables...))
				if i == 1 {
					var err error
					if vm, err = New(g, Outputs(outputs...), Gradients(learnables...)); err != nil {
						t.Fatal(err)
					}
				}
				for range 2 {
					if err := vm.RunAll(); err != nil {
						t.Fatal(err)
					}
					for _, n := range outputs {
						results[i] = append(results[i], floats(n.Value()))
					}
					vm.Reset()
				}
				for _, n := range learnables {
					grad, err := n.Grad()
					if err != nil {
						t.Fatal(err)
					}
					results[i] = append(results[i], floats(grad))
				}
				if err := vm.Close(); err != nil {
					t.Fatal(err)
				}
			}
			for k, want := range results[0] {
				for j, w := range want {
					if got := results[1][k][j]; math.Abs(float64(got-w)) > 1e-5*(1+math.Abs(float64(w))) {
						t.Fatalf("result %d, element %d: %v, the tape machine has %v", k, j, got, w)
					}
				}
			}
		})
	}
}

// TestClearGradients: a run after it begins the gradients anew, to the bits of the first run, and the next one adds to
// them.
func TestClearGradients(t *testing.T) {
	for name, declare := range graphs {
		t.Run(name, func(t *testing.T) {
			g := gorgonia.NewGraph()
			outputs, learnables := declare(g, rand.New(rand.NewPCG(5, 0)))
			if _, err := gorgonia.Grad(outputs[0], learnables...); err != nil {
				t.Fatal(err)
			}
			vm, err := New(g, Outputs(outputs...), Gradients(learnables...))
			if err != nil {
				t.Fatal(err)
			}
			var first, second [][]float32
			for run := range 5 {
				if run > 1 && run%2 == 0 {
					vm.ClearGradients()
				}
				if err := vm.RunAll(); err != nil {
					t.Fatal(err)
				}
				var all [][]float32
				for _, n := range learnables {
					grad, err := n.Grad()
					if err != nil {
						t.Fatal(err)
					}
					all = append(all, floats(grad))
				}
				switch want := [][][]float32{first, second}[run%2]; {
				case run == 0:
					first = all
				case run == 1:
					second = all
				case !slices.EqualFunc(all, want, slices.Equal[[]float32]):
					t.Errorf("run %d: the gradients are not those of run %d", run, run%2)
				}
			}
		})
	}
}

func floats(v gorgonia.Value) []float32 {
	if f, ok := v.Data().(float32); ok {
		return []float32{f}
	}
	if t, ok := v.(*tensor.Dense); ok && t.RequiresIterator() {
		v = t.Materialize().(*tensor.Dense)
	}
	return slices.Clone(v.Data().([]float32))
}

// tower declares a stack of convolutions, its loss and gradients.
func tower(t *testing.T, depth int) (*gorgonia.ExprGraph, *gorgonia.Node, gorgonia.Nodes) {
	t.Helper()
	g, r := gorgonia.NewGraph(), rand.New(rand.NewPCG(1, 0))
	h := input(g, r, "x", 4, 32, 32, 16)
	var learnables gorgonia.Nodes
	for i := range depth {
		w, b := input(g, r, fmt.Sprint("w", i), 16, 16, 3, 3), input(g, r, fmt.Sprint("b", i), 16)
		learnables = append(learnables, w, b)
		var err error
		if h, err = op.Conv(h, w, b, op.LayerOptions{ReLU: true, InputFixed: i == 0}); err != nil {
			t.Fatal(err)
		}
	}
	loss := gorgonia.Must(gorgonia.Sum(gorgonia.Must(op.Flatten(h))))
	if _, err := gorgonia.Grad(loss, learnables...); err != nil {
		t.Fatal(err)
	}
	return g, loss, learnables
}

// TestMemory: inference needs the memory of two feature maps, whatever the depth, and dead nodes are left out.
func TestMemory(t *testing.T) {
	const feature = 4 * 32 * 32 * 16 * 4 // bytes
	for _, depth := range []int{3, 12} {
		g, loss, learnables := tower(t, depth)
		inference, err := New(g, Outputs(loss))
		if err != nil {
			t.Fatal(err)
		}
		if got := inference.PlannedBytes(); got != 2*feature {
			t.Errorf("depth %d: inference plans %d bytes, want %d", depth, got, 2*feature)
		}
		for _, s := range inference.steps {
			if strings.Contains(fmt.Sprint(s.op), "Gradient") {
				t.Errorf("inference runs %v", s.op)
			}
		}
		training, err := New(g, Outputs(loss), Gradients(learnables...))
		if err != nil {
			t.Fatal(err)
		}
		// The outputs of all layers, a gradient and the one that it is computed from.
		if got := training.PlannedBytes(); got > int64(depth+2)*feature {
			t.Errorf("depth %d: training plans %d bytes, want at most %d", depth, got, (depth+2)*feature)
		}
	}
}

// TestConstants: what depends on constants alone is computed in the first run only.
func TestConstants(t *testing.T) {
	g, r := gorgonia.NewGraph(), rand.New(rand.NewPCG(1, 0))
	x, w := input(g, r, "x", 2, 2), input(g, r, "w", 2, 2)
	square := gorgonia.Must(gorgonia.Square(w))
	y := gorgonia.Must(gorgonia.HadamardProd(x, square))
	vm, err := New(g, Outputs(y), Constants(w))
	if err != nil {
		t.Fatal(err)
	}
	if got := vm.ConstantBytes(); got != 4*2*2 {
		t.Errorf("%d bytes are kept, want those of the square", got)
	}
	run := func() float32 {
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		return floats(y.Value())[0]
	}
	first := run()
	w.Value().Data().([]float32)[0] *= 3
	if got := run(); got != first {
		t.Errorf("the square of a constant was computed again: %v, before %v", got, first)
	}
	x.Value().Data().([]float32)[0] *= 2
	if got := run(); got != 2*first {
		t.Errorf("with the input doubled the result is %v, want %v", got, 2*first)
	}
}

// TestPlan: no two results that are alive at the same time share memory, but for those written in place.
func TestPlan(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 0))
	for range 200 {
		var blocks []*block
		for i := range 1 + r.IntN(40) {
			blocks = append(blocks, &block{size: 1 + r.IntN(1000), first: i, last: i + r.IntN(10)})
		}
		arena := place(blocks)
		for i, a := range blocks {
			if a.offset%alignment != 0 || a.offset+a.size > arena {
				t.Fatalf("block %d at %d of %d elements in an arena of %d", i, a.offset, a.size, arena)
			}
			for j, b := range blocks[:i] {
				if a.first <= b.last && b.first <= a.last && a.offset < b.offset+b.size && b.offset < a.offset+a.size {
					t.Fatalf("blocks %d and %d overlap: %+v %+v", i, j, *a, *b)
				}
			}
		}
	}
}

// TestAllocation: a run after the first allocates a few hundred bytes a node, nothing that grows with the batch.
func TestAllocation(t *testing.T) {
	g, loss, learnables := tower(t, 6)
	vm, err := New(g, Outputs(loss), Gradients(learnables...))
	if err != nil {
		t.Fatal(err)
	}
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const runs = 3
	for range runs {
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	// The loss and the gradient of Gorgonia's Sum run through Do: two feature maps of 256 kB.
	if got := (after.TotalAlloc - before.TotalAlloc) / runs; got > 4*4*32*32*16*4 {
		t.Errorf("%d bytes allocated a run", got)
	}
}

func TestErrors(t *testing.T) {
	g, other := gorgonia.NewGraph(), gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(2, 2), gorgonia.WithName("x"))
	y := gorgonia.NewMatrix(other, tensor.Float32, gorgonia.WithShape(2, 2), gorgonia.WithName("y"))
	if _, err := New(g, Gradients(x)); err == nil || !strings.Contains(err.Error(), "gorgonia.Grad") {
		t.Errorf("no gradient: %v", err)
	}
	if _, err := New(g, Outputs(y)); err == nil || !strings.Contains(err.Error(), "not in the graph") {
		t.Errorf("foreign node: %v", err)
	}
	vm, err := New(g, Outputs(gorgonia.Must(gorgonia.Square(x))))
	if err != nil {
		t.Fatal(err)
	}
	if err := vm.RunAll(); err == nil || !strings.Contains(err.Error(), "x") {
		t.Errorf("unbound input: %v", err)
	}
}

// TestProducts: a gradient held as a product is the one that the tensor would be, over runs that accumulate, after
// Clear and after ClearGradients; small gradients, and those to which two layers add, stay tensors.
func TestProducts(t *testing.T) {
	const in, out, batch = 1500, 1402, 3
	learnables := map[bool]gorgonia.Nodes{}
	machines := map[bool]*VM{}
	for _, products := range []bool{false, true} {
		g := gorgonia.NewGraph()
		r := rand.New(rand.NewPCG(5, 0))
		x, w, b := input(g, r, "x", batch, in), input(g, r, "w", out, in), input(g, r, "b", out)
		small, twice, zero := input(g, r, "small", in, out), input(g, r, "twice", in, in), input(g, r, "zero", in)
		h := gorgonia.Must(op.Linear(x, w, b, op.LayerOptions{ReLU: true}))
		h = gorgonia.Must(op.Linear(gorgonia.Must(gorgonia.Slice(h, nil, gorgonia.S(0, 700))), gorgonia.Must(gorgonia.Slice(small, nil, gorgonia.S(0, 700))), zero, op.LayerOptions{}))
		h = gorgonia.Must(op.Linear(gorgonia.Must(op.Linear(h, twice, zero, op.LayerOptions{})), twice, zero, op.LayerOptions{}))
		cost := gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.Mul(gorgonia.Must(gorgonia.Square(h)), gorgonia.NewConstant(float32(1e-9))))))
		nodes := gorgonia.Nodes{w, twice}
		if _, err := gorgonia.Grad(cost, nodes...); err != nil {
			t.Fatal(err)
		}
		options := []Option{Outputs(cost), Gradients(nodes...)}
		if products {
			options = append(options, Products(2*batch))
		}
		var err error
		if machines[products], err = New(g, options...); err != nil {
			t.Fatal(err)
		}
		learnables[products] = nodes
	}
	gradient := func(products bool, i int) gorgonia.Value {
		grad, err := learnables[products][i].Grad()
		if err != nil {
			t.Fatal(err)
		}
		return grad
	}
	p, ok := gradient(true, 0).(*outer.Gradient)
	if _, dense := gradient(true, 1).(*tensor.Dense); !ok || !dense {
		t.Fatalf("the gradients are a %T and a %T", gradient(true, 0), gradient(true, 1))
	}
	if p.MemSize() != 4*2*batch*(in+out) || p.Size() != in*out || !p.Shape().Eq(tensor.Shape{out, in}) || p.Dtype() != tensor.Float32 {
		t.Errorf("%d bytes, size %d, shape %v, type %v", p.MemSize(), p.Size(), p.Shape(), p.Dtype())
	}
	for run, rows := range []int{batch, 2 * batch, batch, 2 * batch, 3 * batch} {
		if run == 2 {
			machines[false].ClearGradients()
			machines[true].ClearGradients()
		}
		for _, products := range []bool{false, true} {
			if err := machines[products].RunAll(); err != nil {
				t.Fatal(err)
			}
		}
		if p.Rows() != rows {
			t.Errorf("run %d: %d rows, want %d", run, p.Rows(), rows)
		}
		for i := range 2 {
			want, got := floats(gradient(false, i)), floats(gradient(true, i))
			var squares float64
			for _, w := range want {
				squares += float64(w) * float64(w)
			}
			scale := math.Sqrt(squares / float64(len(want)))
			for j, w := range want {
				if !(math.Abs(float64(got[j]-w)) <= 1e-5*scale) {
					t.Fatalf("run %d, gradient %d, element %d: %v, want %v (root mean square %v)", run, i, j, got[j], w, scale)
				}
			}
		}
	}
	machines[true].ClearSums()
	if err := machines[true].RunAll(); err != nil || p.Rows() != 4*batch {
		t.Errorf("after ClearSums: %d rows, want %d, error %v", p.Rows(), 4*batch, err)
	}
	p.Clear()
	if p.Rows() != 0 || slices.ContainsFunc(floats(p), func(v float32) bool { return v != 0 }) {
		t.Errorf("not cleared: %v", p)
	}
}

// TestReady: each run tells of every gradient once, those of the upper layers first, when it has its final value of the
// run; an error ends the run. ClearSums begins the sums anew.
func TestReady(t *testing.T) {
	g, loss, learnables := tower(t, 3)
	values := map[*gorgonia.Node][]float32{} // as Ready saw them
	var order gorgonia.Nodes
	var failed error
	vm, err := New(g, Outputs(loss), Gradients(learnables...), Ready(func(n *gorgonia.Node) error {
		grad, err := n.Grad()
		if err != nil {
			return err
		}
		order, values[n] = append(order, n), floats(grad)
		return failed
	}))
	if err != nil {
		t.Fatal(err)
	}
	first := map[*gorgonia.Node][]float32{}
	for run := range 4 { // the sums of 1, 2, 1 and 2 runs
		if order = nil; run == 2 {
			vm.ClearSums()
		}
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		if len(order) != len(learnables) || len(values) != len(learnables) {
			t.Fatalf("run %d: told of %d gradients, %d different ones, want %d", run, len(order), len(values), len(learnables))
		}
		for i, n := range order {
			grad, err := n.Grad()
			if err != nil {
				t.Fatal(err)
			}
			if layer := 2 - i/2; n != learnables[2*layer] && n != learnables[2*layer+1] {
				t.Errorf("run %d: gradient %d is of %s, want one of layer %d", run, i, n.Name(), layer)
			}
			if run == 0 {
				first[n] = values[n]
			}
			want := slices.Clone(first[n])
			for j := range want {
				want[j] *= float32(1 + run%2)
			}
			if !slices.Equal(values[n], floats(grad)) || !slices.Equal(values[n], want) {
				t.Errorf("run %d: %s was ready with other values", run, n.Name())
			}
		}
	}
	failed, order = fmt.Errorf("the network is down"), nil
	if err := vm.RunAll(); err == nil || !strings.Contains(err.Error(), failed.Error()) || len(order) != 1 {
		t.Errorf("after %d gradients: %v", len(order), err)
	}
}

// TestFuse: a ReLU's gradient is computed with the data gradient that it masks, to the same bits, unless that is read
// otherwise too.
func TestFuse(t *testing.T) {
	want := map[bool]int{false: 1, true: 0} // fused steps, without and with the data gradient among the outputs
	var gradients [2][][]float32
	for i, output := range []bool{false, true} {
		g, r := gorgonia.NewGraph(), rand.New(rand.NewPCG(1, 2))
		x, w, b := input(g, r, "x", 2, 6, 6, 4), input(g, r, "w", 4, 4, 3, 3), input(g, r, "b", 4)
		w2, b2 := input(g, r, "w2", 3, 4, 3, 3), input(g, r, "b2", 3)
		h := gorgonia.Must(op.Conv(x, w, b, op.LayerOptions{ReLU: true, InputFixed: true}))
		cost := gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.Square(gorgonia.Must(op.Conv(h, w2, b2, op.LayerOptions{ReLU: true}))))))
		learnables := gorgonia.Nodes{w, b, w2, b2}
		if _, err := gorgonia.Grad(cost, learnables...); err != nil {
			t.Fatal(err)
		}
		outputs := gorgonia.Nodes{cost}
		if output {
			outputs = append(outputs, h.Deriv())
		}
		vm, err := New(g, Outputs(outputs...), Gradients(learnables...))
		if err != nil {
			t.Fatal(err)
		}
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		fused := 0
		for _, s := range vm.steps {
			if strings.Contains(fmt.Sprint(s.op), "masked:true") {
				fused++
			}
		}
		if fused != want[output] {
			t.Errorf("data gradient wanted %t: %d fused steps, want %d", output, fused, want[output])
		}
		for _, n := range learnables {
			gradient, err := n.Grad()
			if err != nil {
				t.Fatal(err)
			}
			gradients[i] = append(gradients[i], slices.Clone(gradient.Data().([]float32)))
		}
	}
	if !slices.EqualFunc(gradients[0], gradients[1], slices.Equal[[]float32]) {
		t.Error("the gradients differ")
	}
}
