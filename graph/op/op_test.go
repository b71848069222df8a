package op

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/graph/machine"
	"vgg/internal/reference"
)

// random draws a tensor of unit variance.
func random(r *rand.Rand, shape ...int) reference.Tensor {
	t := reference.New(shape...)
	for i := range t.Data {
		t.Data[i] = float64(float32(r.NormFloat64()))
	}
	return t
}

func dense(t reference.Tensor) *tensor.Dense {
	data := make([]float32, len(t.Data))
	for i, v := range t.Data {
		data[i] = float32(v)
	}
	return tensor.New(tensor.WithShape(t.Shape...), tensor.WithBacking(data))
}

// node declares an input that holds t.
func node(g *gorgonia.ExprGraph, name string, t reference.Tensor) *gorgonia.Node {
	return gorgonia.NewTensor(g, tensor.Float32, len(t.Shape), gorgonia.WithShape(t.Shape...), gorgonia.WithName(name), gorgonia.WithValue(dense(t)))
}

// relative is the largest difference between got and want, relative to the root mean square of want.
func relative(t *testing.T, got gorgonia.Value, want []float64) float64 {
	t.Helper()
	data, ok := got.Data().([]float32)
	if !ok {
		data = []float32{got.Data().(float32)}
	}
	if len(data) != len(want) {
		t.Fatalf("%d values, want %d", len(data), len(want))
	}
	worst, square := 0.0, 0.0
	for i, w := range want {
		worst = max(worst, math.Abs(float64(data[i])-w))
		square += w * w
	}
	return worst / max(1e-12, math.Sqrt(square/float64(len(want))))
}

// opCase is an op and its definition in float64, for inputs of some shapes.
type opCase struct {
	name    string
	shapes  [][]int
	declare func(in []*gorgonia.Node) (*gorgonia.Node, error)
	define  func(in []reference.Tensor) reference.Tensor
}

var (
	caseLabels = []int{2, -1, 0, 3}
	paperLRN   = LRNOptions{Size: 5, Alpha: 1e-4, Beta: 0.75, K: 2}
	strongLRN  = LRNOptions{Size: 5, Alpha: 0.3, Beta: 0.75, K: 2} // at the paper's alpha the sum hardly matters
)

var opCases = []opCase{
	{"conv3", [][]int{{2, 5, 4, 3}, {6, 3, 3, 3}, {6}},
		func(in []*gorgonia.Node) (*gorgonia.Node, error) { return Conv(in[0], in[1], in[2], LayerOptions{}) },
		func(in []reference.Tensor) reference.Tensor { return reference.Conv(in[0], in[1], in[2], false) }},
	{"conv3 ReLU", [][]int{{1, 4, 4, 17}, {19, 17, 3, 3}, {19}},
		func(in []*gorgonia.Node) (*gorgonia.Node, error) {
			return Conv(in[0], in[1], in[2], LayerOptions{ReLU: true})
		},
		func(in []reference.Tensor) reference.Tensor { return reference.Conv(in[0], in[1], in[2], true) }},
	{"conv1 ReLU", [][]int{{2, 3, 3, 8}, {5, 8, 1, 1}, {5}},
		func(in []*gorgonia.Node) (*gorgonia.Node, error) {
			return Conv(in[0], in[1], in[2], LayerOptions{ReLU: true})
		},
		func(in []reference.Tensor) reference.Tensor { return reference.Conv(in[0], in[1], in[2], true) }},
	{"conv5 one pixel", [][]int{{1, 1, 1, 1}, {1, 1, 5, 5}, {1}},
		func(in []*gorgonia.Node) (*gorgonia.Node, error) { return Conv(in[0], in[1], in[2], LayerOptions{}) },
		func(in []reference.Tensor) reference.Tensor { return reference.Conv(in[0], in[1], in[2], false) }},
	maxPoolCase("even map", 2, 4, 6, 5),
	maxPoolCase("odd height", 2, 5, 6, 9),
	maxPoolCase("odd width", 2, 4, 7, 17),
	maxPoolCase("odd map", 3, 7, 9, 33),
	maxPoolCase("one pixel", 2, 1, 1, 3),
	maxPoolCase("one row", 1, 1, 5, 16),
	maxPoolCase("one column", 2, 6, 1, 20),
	{"LRN, the paper's", [][]int{{1, 2, 3, 9}},
		func(in []*gorgonia.Node) (*gorgonia.Node, error) { return LRN(in[0], paperLRN) },
		func(in []reference.Tensor) reference.Tensor { return reference.LRN(in[0], 5, 1e-4, 0.75, 2) }},
	{"LRN, strong", [][]int{{1, 2, 3, 9}},
		func(in []*gorgonia.Node) (*gorgonia.Node, error) { return LRN(in[0], strongLRN) },
		func(in []reference.Tensor) reference.Tensor {
			return reference.LRN(in[0], 5, float64(strongLRN.Alpha), 0.75, 2)
		}},
	{"linear", [][]int{{3, 7}, {5, 7}, {5}},
		func(in []*gorgonia.Node) (*gorgonia.Node, error) { return Linear(in[0], in[1], in[2], LayerOptions{}) },
		func(in []reference.Tensor) reference.Tensor { return reference.Linear(in[0], in[1], in[2], false) }},
	{"linear ReLU", [][]int{{17, 33}, {20, 33}, {20}},
		func(in []*gorgonia.Node) (*gorgonia.Node, error) {
			return Linear(in[0], in[1], in[2], LayerOptions{ReLU: true})
		},
		func(in []reference.Tensor) reference.Tensor { return reference.Linear(in[0], in[1], in[2], true) }},
	{"to NHWC", [][]int{{2, 3, 4, 5}},
		func(in []*gorgonia.Node) (*gorgonia.Node, error) { return ToNHWC(in[0]) },
		func(in []reference.Tensor) reference.Tensor { return reference.ToNHWC(in[0]) }},
	{"to NCHW", [][]int{{2, 3, 4, 5}},
		func(in []*gorgonia.Node) (*gorgonia.Node, error) { return ToNCHW(in[0]) },
		func(in []reference.Tensor) reference.Tensor { return reference.ToNCHW(in[0]) }},
	{"flatten", [][]int{{2, 3, 4, 5}},
		func(in []*gorgonia.Node) (*gorgonia.Node, error) { return Flatten(in[0]) },
		func(in []reference.Tensor) reference.Tensor { return reference.Flatten(in[0]) }},
	{"windows", [][]int{{2, 4, 5, 3}},
		func(in []*gorgonia.Node) (*gorgonia.Node, error) { return Windows(in[0], 3) },
		func(in []reference.Tensor) reference.Tensor { return reference.Windows(in[0], 3) }},
	{"one window", [][]int{{3, 2, 2, 7}},
		func(in []*gorgonia.Node) (*gorgonia.Node, error) { return Windows(in[0], 2) },
		func(in []reference.Tensor) reference.Tensor { return reference.Windows(in[0], 2) }},
	{"mean of rows", [][]int{{6, 5}},
		func(in []*gorgonia.Node) (*gorgonia.Node, error) { return MeanRows(in[0], 3) },
		func(in []reference.Tensor) reference.Tensor { return reference.MeanRows(in[0], 3) }},
	{"cross-entropy", [][]int{{4, 6}},
		func(in []*gorgonia.Node) (*gorgonia.Node, error) {
			return CrossEntropy(in[0], labelsNode(in[0].Graph(), caseLabels))
		},
		func(in []reference.Tensor) reference.Tensor {
			return reference.Tensor{Shape: nil, Data: []float64{reference.CrossEntropy(in[0], caseLabels)}}
		}},
	euclideanCase("per class", 4*4, 0.5),
	euclideanCase("single", 4, 0.25),
}

// euclideanCase is the Euclidean loss of boxes of a width.
func euclideanCase(name string, width int, factor float32) opCase {
	targets := random(rand.New(rand.NewPCG(1, 2)), 4, 4)
	return opCase{"Euclidean, " + name, [][]int{{4, width}},
		func(in []*gorgonia.Node) (*gorgonia.Node, error) {
			return Euclidean(in[0], labelsNode(in[0].Graph(), caseLabels), node(in[0].Graph(), "targets", targets), factor)
		},
		func(in []reference.Tensor) reference.Tensor {
			return reference.Tensor{Data: []float64{reference.Euclidean(in[0], targets, caseLabels, float64(factor))}}
		}}
}

// labelsNode declares labels, under a name of their own: Gorgonia takes inputs of one name and shape for one.
func labelsNode(g *gorgonia.ExprGraph, labels []int) *gorgonia.Node {
	return gorgonia.NewVector(g, tensor.Int, gorgonia.WithName(fmt.Sprint("labels ", labels)), gorgonia.WithShape(len(labels)),
		gorgonia.WithValue(tensor.New(tensor.WithShape(len(labels)), tensor.WithBacking(labels))))
}

func maxPoolCase(name string, shape ...int) opCase {
	return opCase{"max-pool, " + name, [][]int{shape},
		func(in []*gorgonia.Node) (*gorgonia.Node, error) { return MaxPool(in[0]) },
		func(in []reference.Tensor) reference.Tensor { return reference.MaxPool(in[0]) }}
}

// TestOps compares every op with its definition in float64, and the gradients that gorgonia.Grad declares with
// central differences of that definition.
func TestOps(t *testing.T) {
	for _, c := range opCases {
		t.Run(c.name, c.test)
	}
}

func (c opCase) test(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 0))
	g := gorgonia.NewGraph()
	var in []*gorgonia.Node
	var values []reference.Tensor
	for i, s := range c.shapes {
		values = append(values, random(r, s...))
		in = append(in, node(g, fmt.Sprint("in", i), values[i]))
	}
	out, err := c.declare(in)
	if err != nil {
		t.Fatal(err)
	}
	want := c.define(values)
	cost, direction := out, reference.Tensor{Data: []float64{1}}
	if !out.IsScalar() {
		direction = random(r, want.Shape...)
		product := gorgonia.Must(gorgonia.HadamardProd(out, node(g, "direction", direction)))
		cost = gorgonia.Must(gorgonia.Sum(product))
	}
	if _, err := gorgonia.Grad(cost, in...); err != nil {
		t.Fatal(err)
	}
	vm, err := machine.New(g, machine.Outputs(out), machine.Gradients(in...))
	if err != nil {
		t.Fatal(err)
	}
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	if e := relative(t, out.Value(), want.Data); e > 1e-5 {
		t.Errorf("output: relative error %.1e", e)
	}
	for i, n := range in {
		got, err := n.Grad()
		if err != nil {
			t.Fatal(err)
		}
		if e := relative(t, got, differences(values, i, direction.Data, c.define)); e > 1e-4 {
			t.Errorf("gradient of input %d: relative error %.1e", i, e)
		}
	}
}

// differences gives the gradient of Σ direction · define(in) with regard to in[i] by central differences.
func differences(in []reference.Tensor, i int, direction []float64, define func([]reference.Tensor) reference.Tensor) []float64 {
	const h = 1e-5
	objective := func() float64 {
		sum := 0.0
		for k, v := range define(in).Data {
			sum += direction[k] * v
		}
		return sum
	}
	gradient := make([]float64, len(in[i].Data))
	for k, v := range in[i].Data {
		in[i].Data[k] = v + h
		above := objective()
		in[i].Data[k] = v - h
		below := objective()
		in[i].Data[k] = v
		gradient[k] = (above - below) / (2 * h)
	}
	return gradient
}

// TestStockOps compares convolution and max-pooling with Gorgonia's own, values and gradients.
func TestStockOps(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 0))
	x, w, b := random(r, 2, 3, 8, 8), random(r, 4, 3, 3, 3), random(r, 4)
	direction := random(r, 2, 4, 4, 4)
	var values [2][]gorgonia.Value
	for i, stock := range []bool{false, true} {
		g := gorgonia.NewGraph()
		nx, nw, nb := node(g, "x", x), node(g, "w", w), node(g, "b", b)
		var y *gorgonia.Node
		if stock {
			y = gorgonia.Must(gorgonia.Conv2d(nx, nw, tensor.Shape{3, 3}, []int{1, 1}, []int{1, 1}, []int{1, 1}))
			bias := gorgonia.Must(gorgonia.Reshape(nb, tensor.Shape{1, 4, 1, 1}))
			y = gorgonia.Must(gorgonia.BroadcastAdd(y, bias, nil, []byte{0, 2, 3}))
			y = gorgonia.Must(gorgonia.MaxPool2D(gorgonia.Must(gorgonia.Rectify(y)), tensor.Shape{2, 2}, []int{0, 0}, []int{2, 2}))
		} else {
			y = gorgonia.Must(Conv(gorgonia.Must(ToNHWC(nx)), nw, nb, LayerOptions{ReLU: true}))
			y = gorgonia.Must(ToNCHW(gorgonia.Must(MaxPool(y))))
		}
		cost := gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.HadamardProd(y, node(g, "direction", direction)))))
		if _, err := gorgonia.Grad(cost, nx, nw, nb); err != nil {
			t.Fatal(err)
		}
		// Both in Gorgonia's own machine: our ops must work there too.
		vm := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(nx, nw, nb))
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		values[i] = append(values[i], y.Value())
		for _, n := range []*gorgonia.Node{nx, nw, nb} {
			grad, err := n.Grad()
			if err != nil {
				t.Fatal(err)
			}
			values[i] = append(values[i], grad)
		}
		if err := vm.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for k, name := range []string{"output", "gradient of x", "gradient of w", "gradient of b"} {
		want := values[1][k].Data().([]float32)
		wide := make([]float64, len(want))
		for i, v := range want {
			wide[i] = float64(v)
		}
		if e := relative(t, values[0][k], wide); e > 1e-4 {
			t.Errorf("%s: relative difference %.1e from Gorgonia's", name, e)
		}
	}
}

// TestDropout checks the share of dropped elements, the scale of the others, that the gradient drops the same ones,
// and that the iteration chooses which.
func TestDropout(t *testing.T) {
	g := gorgonia.NewGraph()
	ones := reference.New(100, 100)
	for i := range ones.Data {
		ones.Data[i] = 1
	}
	x := node(g, "x", ones)
	iteration := gorgonia.NewScalar(g, tensor.Int, gorgonia.WithName("iteration"), gorgonia.WithValue(3))
	y, err := Dropout(x, iteration, 0.25, 42)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gorgonia.Grad(gorgonia.Must(gorgonia.Sum(y)), x); err != nil {
		t.Fatal(err)
	}
	vm, err := machine.New(g, machine.Outputs(y), machine.Gradients(x))
	if err != nil {
		t.Fatal(err)
	}
	run := func(i int) (out []float32) {
		if err := gorgonia.Let(iteration, i); err != nil {
			t.Fatal(err)
		}
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		return append(out, y.Value().Data().([]float32)...)
	}
	first := run(3)
	gradient, err := x.Grad()
	if err != nil {
		t.Fatal(err)
	}
	dropped := 0
	for i, v := range first {
		if v == 0 {
			dropped++
		} else if math.Abs(float64(v)-4.0/3) > 1e-6 {
			t.Fatalf("element %d is %v, want 0 or 4/3", i, v)
		}
		if got := gradient.Data().([]float32)[i]; got != v {
			t.Fatalf("element %d: gradient %v, output %v", i, got, v)
		}
	}
	if dropped < 2300 || dropped > 2700 { // 2500 ± 4.6 standard deviations
		t.Errorf("%d of 10000 elements dropped, want about 2500", dropped)
	}
	same := 0
	for i, v := range run(4) {
		if v == first[i] {
			same++
		}
	}
	if same > 7000 { // independent masks agree in 0.75² + 0.25² = 62.5 %
		t.Errorf("another iteration leaves %d of 10000 elements the same", same)
	}
	for i, v := range run(3) {
		if v != first[i] {
			t.Fatalf("the same iteration drops other elements: %d", i)
		}
	}
}

// TestErrors: shapes that do not fit are refused when the graph is built, labels when it runs.
func TestErrors(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 0))
	g := gorgonia.NewGraph()
	x, w, b := node(g, "x", random(r, 1, 4, 4, 3)), node(g, "w", random(r, 2, 5, 3, 3)), node(g, "b", random(r, 2))
	even, wide := node(g, "even", random(r, 2, 3, 2, 2)), node(g, "wide", random(r, 3))
	fits := node(g, "fits", random(r, 2, 3, 3, 3))
	m, v := node(g, "m", random(r, 2, 4)), node(g, "v", random(r, 3, 5))
	scalar := gorgonia.NewScalar(g, tensor.Int, gorgonia.WithName("i"), gorgonia.WithValue(0))
	for name, declare := range map[string]func() (*gorgonia.Node, error){
		"channels":    func() (*gorgonia.Node, error) { return Conv(x, w, b, LayerOptions{}) },
		"even kernel": func() (*gorgonia.Node, error) { return Conv(x, even, b, LayerOptions{}) },
		"biases":      func() (*gorgonia.Node, error) { return Conv(x, fits, wide, LayerOptions{}) },
		"no map":      func() (*gorgonia.Node, error) { return MaxPool(m) },
		"features":    func() (*gorgonia.Node, error) { return Linear(m, v, wide, LayerOptions{}) },
		"LRN size":    func() (*gorgonia.Node, error) { return LRN(x, LRNOptions{}) },
		"dropout":     func() (*gorgonia.Node, error) { return Dropout(m, scalar, 1, 0) },
		"layout":      func() (*gorgonia.Node, error) { return ToNHWC(m) },
	} {
		if _, err := declare(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	two := node(g, "boxes of two classes", random(r, 2, 8))
	for name, declare := range map[string]func() (*gorgonia.Node, error){
		"boxes of 5 numbers":   func() (*gorgonia.Node, error) { return Euclidean(v, labelsNode(g, []int{0, 1, 0}), v, 1) },
		"targets of 8 numbers": func() (*gorgonia.Node, error) { return Euclidean(two, labelsNode(g, []int{0, 1}), two, 1) },
		"rows of targets": func() (*gorgonia.Node, error) {
			return Euclidean(two, labelsNode(g, []int{0, 1}), node(g, "one", random(r, 1, 4)), 1)
		},
		"rows of labels": func() (*gorgonia.Node, error) { return Euclidean(two, labelsNode(g, []int{0}), m, 1) },
	} {
		if _, err := declare(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for name, loss := range map[string]*gorgonia.Node{
		"label 4 of 4 classes":          gorgonia.Must(CrossEntropy(m, labelsNode(g, []int{0, 4}))),
		"label 2 of boxes of 2 classes": gorgonia.Must(Euclidean(two, labelsNode(g, []int{0, 2}), m, 1)),
		"label -2":                      gorgonia.Must(Euclidean(m, labelsNode(g, []int{0, -2}), m, 1)),
	} {
		vm, err := machine.New(g, machine.Outputs(loss))
		if err != nil {
			t.Fatal(err)
		}
		if err := vm.RunAll(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestStockEuclidean compares the Euclidean loss with the same made of Gorgonia's own ops, value and gradient, in
// Gorgonia's machine.
func TestStockEuclidean(t *testing.T) {
	const classes, rows, factor = 3, 4, 0.5
	labels := []int{2, -1, 0, 1}
	r := rand.New(rand.NewPCG(5, 0))
	boxes, targets := random(r, rows, 4*classes), random(r, rows, 4)
	mask, spread := reference.New(rows, 4*classes), reference.New(rows, 4*classes)
	for row, label := range labels {
		for k := range 4 {
			if label >= 0 {
				mask.Data[row*4*classes+4*label+k] = 1
				spread.Data[row*4*classes+4*label+k] = targets.Data[4*row+k]
			}
		}
	}
	var values, gradients [2][]float32
	for i, stock := range []bool{false, true} {
		g := gorgonia.NewGraph()
		x := node(g, "boxes", boxes)
		var loss *gorgonia.Node
		if stock {
			d := gorgonia.Must(gorgonia.Sub(gorgonia.Must(gorgonia.HadamardProd(x, node(g, "mask", mask))), node(g, "spread", spread)))
			loss = gorgonia.Must(gorgonia.Mul(gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.Square(d)))), gorgonia.NewConstant(float32(factor/3.))))
		} else {
			loss = gorgonia.Must(Euclidean(x, labelsNode(g, labels), node(g, "targets", targets), factor))
		}
		if _, err := gorgonia.Grad(loss, x); err != nil {
			t.Fatal(err)
		}
		vm := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(x))
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		gradient, err := x.Grad()
		if err != nil {
			t.Fatal(err)
		}
		values[i], gradients[i] = []float32{loss.Value().Data().(float32)}, gradient.Data().([]float32)
		if err := vm.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for name, pair := range map[string][2][]float32{"loss": values, "gradient": gradients} {
		for k, want := range pair[1] {
			if got := pair[0][k]; math.Abs(float64(got-want)) > 1e-6*math.Abs(float64(want)) {
				t.Errorf("%s %d: %v, Gorgonia's %v", name, k, got, want)
			}
		}
	}
}

// TestPooledReLU: masking the gradient of a pooling's output gives the gradients that masking that of its input gives,
// and is done only where nothing else reads the ReLU's output.
func TestPooledReLU(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 0))
	x, w, b, direction := random(r, 2, 6, 8, 3), random(r, 5, 3, 3, 3), random(r, 5), random(r, 2, 3, 4, 5)
	for i := range b.Data {
		b.Data[i] -= 3 // so that whole windows are zero
	}
	for _, again := range []bool{false, true} {
		var gradients [2][][]float32
		for i, hidden := range []bool{true, false} {
			g := gorgonia.NewGraph()
			learnables := gorgonia.Nodes{node(g, "x", x), node(g, "w", w), node(g, "b", b)}
			h := gorgonia.Must(Conv(learnables[0], learnables[1], learnables[2], LayerOptions{ReLU: true}))
			pooled := h
			if hidden {
				pooled = gorgonia.Must(ToNHWC(gorgonia.Must(ToNCHW(h))))
			}
			cost := gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.HadamardProd(gorgonia.Must(MaxPool(pooled)), node(g, "direction", direction)))))
			if again {
				cost = gorgonia.Must(gorgonia.Add(cost, gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.Square(h))))))
			}
			if _, err := gorgonia.Grad(cost, learnables...); err != nil {
				t.Fatal(err)
			}
			vm, err := machine.New(g, machine.Outputs(cost), machine.Gradients(learnables...))
			if err != nil {
				t.Fatal(err)
			}
			if err := vm.RunAll(); err != nil {
				t.Fatal(err)
			}
			want := tensor.Shape{2, 6, 8, 5} // of what is masked
			if !hidden && !again {
				want = tensor.Shape{2, 3, 4, 5}
			}
			for _, n := range g.AllNodes() {
				if op, ok := n.Op().(operation); ok && op.computation == (maskByOutput{4}) && !n.Shape().Eq(want) {
					t.Errorf("hidden %t, used otherwise %t: masked %v, want %v", hidden, again, n.Shape(), want)
				}
			}
			for _, n := range learnables {
				grad, err := n.Grad()
				if err != nil {
					t.Fatal(err)
				}
				gradients[i] = append(gradients[i], grad.Data().([]float32))
			}
		}
		if !slices.EqualFunc(gradients[0], gradients[1], slices.Equal[[]float32]) {
			t.Errorf("used otherwise %t: the gradients differ", again)
		}
	}
}
