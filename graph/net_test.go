package graph

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/configs"
	"vgg/graph/machine"
	"vgg/internal/reference"
	"vgg/weights"
)

// mini is a net small enough for every test.
var mini = Options{Classes: 7, Width: 1.0 / 32, FC: 11, Init: configs.InitHe, Seed: 5}

// trainee is a net with its loss, gradients and machine.
type trainee struct {
	*Net
	x, labels, loss *gorgonia.Node
	vm              *machine.VM
}

func newTrainee(t *testing.T, config configs.Config, batch int, o Options) *trainee {
	t.Helper()
	return newTraineeOf(t, config, batch, 32, 32, o)
}

func newTraineeOf(t *testing.T, config configs.Config, batch, height, width int, o Options) *trainee {
	t.Helper()
	g := gorgonia.NewGraph()
	n := &trainee{x: NewInput(g, batch, 3, height, width)}
	n.labels = NewLabels(g, batch)
	var err error
	if n.Net, err = Build(n.x, config, o); err != nil {
		t.Fatal(err)
	}
	if n.loss, err = n.Loss(n.labels); err != nil {
		t.Fatal(err)
	}
	if _, err = gorgonia.Grad(n.loss, n.Learnables()...); err != nil {
		t.Fatal(err)
	}
	if n.vm, err = machine.New(g, machine.Outputs(n.loss, n.Logits), machine.Gradients(n.Learnables()...)); err != nil {
		t.Fatal(err)
	}
	return n
}

// run computes loss and gradients for pictures (N, 3, height, width).
func (n *trainee) run(t *testing.T, pictures []float32, labels []int) float64 {
	t.Helper()
	if err := gorgonia.Let(n.x, tensor.New(tensor.WithShape(n.x.Shape()...), tensor.WithBacking(pictures))); err != nil {
		t.Fatal(err)
	}
	if err := gorgonia.Let(n.labels, tensor.New(tensor.WithShape(len(labels)), tensor.WithBacking(labels))); err != nil {
		t.Fatal(err)
	}
	if err := n.vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	return float64(n.loss.Value().Data().(float32))
}

func (n *trainee) gradients(t *testing.T) [][]float32 {
	t.Helper()
	var all [][]float32
	for _, l := range n.Learnables() {
		grad, err := l.Grad()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, slices.Clone(grad.Data().([]float32)))
	}
	return all
}

func batch(r *rand.Rand, pictures int) ([]float32, []int) { return batchOf(r, pictures, 32, 32) }

func batchOf(r *rand.Rand, pictures, height, width int) ([]float32, []int) {
	x, labels := make([]float32, pictures*3*height*width), make([]int, pictures)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	for i := range labels {
		labels[i] = r.IntN(mini.Classes)
	}
	return x, labels
}

// referenceLoss is the loss of a config in float64, from Table 1 and the definitions of the operations alone. The fully
// connected layers see side×side pixels of the last maps at a time.
func referenceLoss(config configs.Config, side int, parameters []reference.Tensor, x reference.Tensor, labels []int) (loss float64, logits reference.Tensor) {
	next := func() (w, b reference.Tensor) {
		w, b = parameters[0], parameters[1]
		parameters = parameters[2:]
		return w, b
	}
	h := reference.ToNHWC(x)
	for _, stage := range config.Stages {
		for _, l := range stage {
			if l.Kind == configs.LRN {
				h = reference.LRN(h, 5, 1e-4, 0.75, 2)
				continue
			}
			w, b := next()
			h = reference.Conv(h, w, b, true)
		}
		h = reference.MaxPool(h)
	}
	h = reference.Windows(h, side)
	for i := range 3 {
		w, b := next()
		h = reference.Linear(h, w, b, i < 2)
	}
	h = reference.MeanRows(h, h.Shape[0]/len(labels))
	return reference.CrossEntropy(h, labels), h
}

// TestNets compares each of the six nets with its definition in float64: logits, loss, and the gradient of every
// learnable along a random direction with central differences.
func TestNets(t *testing.T) {
	for _, config := range configs.All() {
		t.Run(config.Name, func(t *testing.T) { checkNet(t, config, 32, 32, mini) })
	}
}

// TestOddMaps does so for pictures whose maps are odd before most max-pools: dense nets, and one whose fully connected
// layers see the whole of the last maps, of 2×2.
func TestOddMaps(t *testing.T) {
	dense := mini
	dense.Dense = 32
	t.Run("dense A", func(t *testing.T) { checkNet(t, configs.A, 53, 33, dense) })
	t.Run("dense C", func(t *testing.T) { checkNet(t, configs.C, 35, 43, dense) })
	t.Run("B", func(t *testing.T) { checkNet(t, configs.B, 45, 45, mini) })
}

// checkNet compares a net with its definition, on two pictures.
func checkNet(t *testing.T, config configs.Config, height, width int, o Options) {
	side := o.Dense / 32
	if o.Dense == 0 {
		side = (height + 31) / 32
	}
	r := rand.New(rand.NewPCG(11, 0))
	n := newTraineeOf(t, config, 2, height, width, o)
	defer n.vm.Close()
	pictures, labels := batchOf(r, 2, height, width)
	x := reference.New(2, 3, height, width)
	for i, v := range pictures {
		x.Data[i] = float64(v)
	}
	var parameters []reference.Tensor
	for _, p := range n.Tensors() {
		for i := range p.Data { // biases start at 0: give them values too
			p.Data[i] += float32(0.1 * r.NormFloat64())
		}
		wide := reference.New(p.Shape...)
		for i, v := range p.Data {
			wide.Data[i] = float64(v)
		}
		parameters = append(parameters, wide)
	}
	loss := n.run(t, pictures, labels)
	want, logits := referenceLoss(config, side, parameters, x, labels)
	if math.Abs(loss-want) > 1e-5*want {
		t.Errorf("loss %v, want %v", loss, want)
	}
	for i, v := range n.Logits.Value().Data().([]float32) {
		if math.Abs(float64(v)-logits.Data[i]) > 1e-4*(1+math.Abs(logits.Data[i])) {
			t.Errorf("logit %d is %v, want %v", i, v, logits.Data[i])
		}
	}
	for i, gradient := range n.gradients(t) {
		p := parameters[i]
		direction, start := make([]float64, len(p.Data)), slices.Clone(p.Data)
		slope, norm := 0.0, 0.0
		for k := range direction {
			direction[k] = r.NormFloat64()
			slope += direction[k] * float64(gradient[k])
			norm += float64(gradient[k]) * float64(gradient[k])
		}
		shifted := func(h float64) float64 {
			for k, d := range direction {
				p.Data[k] = start[k] + h*d
			}
			loss, _ := referenceLoss(config, side, parameters, x, labels)
			copy(p.Data, start)
			return loss
		}
		const h = 1e-8 // small enough that hardly a ReLU or a maximum switches in between
		difference := (shifted(h) - shifted(-h)) / (2 * h)
		if math.Abs(slope-difference) > 1e-2*math.Abs(difference)+1e-4*math.Sqrt(norm) || norm == 0 {
			t.Errorf("%s: slope %v, central difference %v, gradient norm %v", n.Parameters()[i].Name, slope, difference, math.Sqrt(norm))
		}
	}
}

// TestMicroBatches: a batch of 32 has the mean of the gradients of its four quarters.
func TestMicroBatches(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 0))
	pictures, labels := batch(r, 32)
	whole := newTrainee(t, configs.B, 32, mini)
	defer whole.vm.Close()
	whole.run(t, pictures, labels)
	o := mini
	o.Weights = whole.Net
	quarter := newTrainee(t, configs.B, 8, o)
	defer quarter.vm.Close()
	for i := range 4 {
		size := len(pictures) / 4
		quarter.run(t, pictures[i*size:(i+1)*size], labels[i*8:(i+1)*8])
	}
	want, got := whole.gradients(t), quarter.gradients(t)
	for i := range want {
		difference, norm := 0.0, 0.0
		for k, w := range want[i] {
			d := float64(got[i][k])/4 - float64(w)
			difference += d * d
			norm += float64(w) * float64(w)
		}
		if difference > 1e-10*norm || norm == 0 {
			t.Errorf("%s: relative difference %.1e", whole.Parameters()[i].Name, math.Sqrt(difference/norm))
		}
	}
}

// TestParameters counts the weights of Table 2 on the graphs.
func TestParameters(t *testing.T) {
	want := map[string]int{"A": 132863336, "A-LRN": 132863336, "B": 133047848, "C": 133638952, "D": 138357544, "E": 143667240}
	for _, config := range configs.All() {
		g := gorgonia.NewGraph()
		x := NewInput(g, 1, 3, 224, 224)
		n, err := Build(x, config, Options{Init: configs.InitZero})
		if err != nil {
			t.Fatal(err)
		}
		sum, counted := 0, 0
		for _, l := range n.Summary() {
			sum += l.Parameters
		}
		for _, p := range n.Parameters() {
			counted += p.Node.Shape().TotalSize()
		}
		if sum != want[config.Name] || counted != sum {
			t.Errorf("%s: %d in the summary, %d counted, want %d", config.Name, sum, counted, want[config.Name])
		}
	}
}

// TestSummary checks net D against the course's table and section 2.3.
func TestSummary(t *testing.T) {
	g := gorgonia.NewGraph()
	x := NewInput(g, 1, 3, 224, 224)
	n, err := Build(x, configs.D, Options{Init: configs.InitZero})
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]LayerSummary{}
	activations := 0
	for _, l := range n.Summary() {
		rows[l.Name] = l
		activations += l.Activations
	}
	for _, c := range []struct {
		name                              string
		activations, weights, adds, field int
	}{
		{"input", 150528, 0, 0, 1},
		{"conv1_1", 3211264, 1728, 86704128, 3},
		{"conv1_2", 3211264, 36864, 1849688064, 5},
		{"pool1", 802816, 0, 0, 6},
		{"conv3_3", 802816, 589824, 1849688064, 40},
		{"pool5", 25088, 0, 0, 212},
		{"fc6", 4096, 102760448, 102760448, 224},
		{"fc8", 1000, 4096000, 4096000, 224},
	} {
		l := rows[c.name]
		if l.Activations != c.activations || l.Weights != c.weights || l.MultiplyAdds != c.adds || l.ReceptiveField != c.field {
			t.Errorf("%s: %+v, want %+v", c.name, l, c)
		}
	}
	if activations != 15237608 {
		t.Errorf("%d activations, want 15,237,608 (not the 24 M that the course's page states)", activations)
	}
}

// TestSize: it is what the graphs have, for all nets, also dense ones and maps of odd sides.
func TestSize(t *testing.T) {
	for _, config := range configs.All() {
		for _, c := range []struct {
			o             Options
			height, width int
		}{{mini, 32, 32}, {mini, 70, 96}, {Options{Classes: 3, Width: 0.05, FC: 7, Dense: 64}, 96, 128}, {Options{Classes: 3, Width: 0.05, FC: 7, Boxes: configs.RegressPerClass}, 32, 32}} {
			const pictures = 2
			c.o.Init = configs.InitZero
			x := NewInput(gorgonia.NewGraph(), pictures, 3, c.height, c.width)
			n, err := Build(x, config, c.o)
			if err != nil {
				t.Fatal(err)
			}
			weights, largest := 0, 0
			for _, l := range n.Summary()[1:] {
				weights, largest = weights+l.Weights, max(largest, pictures*l.Activations)
			}
			if w, l := Size(config, c.o, x.Shape()...); w != float64(weights) || l != float64(largest) {
				t.Errorf("%s, %+v on %d×%d: %g weights, largest map %g, want %d and %d", config.Name, c.o, c.height, c.width, w, l, weights, largest)
			}
		}
	}
}

// TestInitialisers checks mean and variance of the weights of one layer.
func TestInitialisers(t *testing.T) {
	shape := []int{64, 32, 3, 3}
	for init, deviation := range map[configs.Init]float64{
		configs.InitPaper: 0.1, configs.InitSmall: 0.01, configs.InitGlorot: math.Sqrt(2.0 / (32*9 + 64*9)),
		configs.InitHe: math.Sqrt(2.0 / (32 * 9)), configs.InitIdentity: math.Sqrt(2.0 / (32 * 9)), configs.InitZero: 0,
	} {
		values, err := initialValues(init, shape, 1)
		if err != nil {
			t.Fatal(err)
		}
		mean, square := 0.0, 0.0
		for _, v := range values {
			mean += float64(v) / float64(len(values))
			square += float64(v) * float64(v) / float64(len(values))
		}
		if got := math.Sqrt(square); math.Abs(got-deviation) > 0.02*deviation || math.Abs(mean) > 0.03*deviation {
			t.Errorf("%s: mean %.2g, standard deviation %.4g, want %.4g", init, mean, got, deviation)
		}
	}
	if _, err := initialValues("orthogonal", shape, 1); err == nil || !strings.Contains(err.Error(), "glorot") {
		t.Errorf("unknown initialiser: %v", err)
	}
}

// TestIdentity: net C, whose 1×1 convolutions start as the identity, computes what net B of the same seed does.
func TestIdentity(t *testing.T) {
	var logits [2][]float32
	for i, config := range []configs.Config{configs.B, configs.C} {
		o := mini
		o.Init, o.Dropout = configs.InitIdentity, 0
		x := NewInput(gorgonia.NewGraph(), 2, 3, 32, 32)
		net, err := Build(x, config, o)
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(1, 2))
		pixels := make([]float32, x.Shape().TotalSize())
		for k := range pixels {
			pixels[k] = float32(r.NormFloat64())
		}
		vm, err := machine.New(x.Graph(), machine.Outputs(net.Logits))
		if err != nil {
			t.Fatal(err)
		}
		defer vm.Close()
		if err := gorgonia.Let(x, tensor.New(tensor.WithShape(x.Shape()...), tensor.WithBacking(pixels))); err != nil {
			t.Fatal(err)
		}
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		logits[i] = slices.Clone(net.Logits.Value().Data().([]float32))
	}
	if largest := slices.Max(logits[0]); largest == 0 || !slices.Equal(logits[0], logits[1]) {
		t.Errorf("B gives %v, C %v", logits[0], logits[1])
	}
}

// TestSharedWeights: an inference graph of another batch size sees what training changes.
func TestSharedWeights(t *testing.T) {
	training := newTrainee(t, configs.A, 4, mini)
	defer training.vm.Close()
	o := mini
	o.Weights = training.Net
	single := newTrainee(t, configs.A, 1, o)
	defer single.vm.Close()
	training.Tensors()[0].Data[5] = 42
	if got := single.Tensors()[0].Data[5]; got != 42 {
		t.Errorf("weight is %v in the second graph, want 42", got)
	}
	o.FC++
	g := gorgonia.NewGraph()
	x := NewInput(g, 1, 3, 32, 32)
	if _, err := Build(x, configs.A, o); err == nil || !strings.Contains(err.Error(), "classifier.0.weight") {
		t.Errorf("other shapes: %v", err)
	}
}

// TestInference: the graph whose weights are prepared once gives the logits of the training graph, in every run.
func TestInference(t *testing.T) {
	for _, config := range []configs.Config{configs.A, configs.C} {
		r := rand.New(rand.NewPCG(4, 0))
		o := mini
		o.Width = 0.25 // wide enough for every kind of convolution
		training := newTrainee(t, config, 3, o)
		o.Weights, o.Inference = training.Net, true
		g := gorgonia.NewGraph()
		x := NewInput(g, 3, 3, 32, 32)
		n, err := Build(x, config, o)
		if err != nil {
			t.Fatal(err)
		}
		vm, err := machine.New(g, machine.Outputs(n.Logits), machine.Constants(n.Learnables()...))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			pictures, labels := batch(r, 3)
			training.run(t, pictures, labels)
			if err := gorgonia.Let(x, tensor.New(tensor.WithShape(3, 3, 32, 32), tensor.WithBacking(pictures))); err != nil {
				t.Fatal(err)
			}
			if err := vm.RunAll(); err != nil {
				t.Fatal(err)
			}
			want := training.Logits.Value().Data().([]float32)
			for i, got := range n.Logits.Value().Data().([]float32) {
				if math.Abs(float64(got-want[i])) > 1e-4*(1+math.Abs(float64(want[i]))) {
					t.Fatalf("%s: logit %d is %v, in the training graph %v", config.Name, i, got, want[i])
				}
			}
		}
		training.vm.Close()
		vm.Close()
	}
}

// let binds a node to its value.
func let(t testing.TB, n *gorgonia.Node, v gorgonia.Value) {
	t.Helper()
	if err := gorgonia.Let(n, v); err != nil {
		t.Fatal(err)
	}
}

// TestTransfer takes over net A's layers into net E: those of section 3.1 and no others.
func TestTransfer(t *testing.T) {
	a := newTrainee(t, configs.A, 1, mini)
	defer a.vm.Close()
	o := mini
	o.Seed++
	e := newTrainee(t, configs.E, 1, o)
	defer e.vm.Close()
	before := map[string][]float32{}
	for _, p := range e.Tensors() {
		before[p.Name] = slices.Clone(p.Data)
	}
	copied, err := e.Transfer(configs.A, a.Tensors())
	if err != nil {
		t.Fatal(err)
	}
	var layers []string
	for _, c := range copied {
		layers = append(layers, c.Layer)
	}
	if got, want := strings.Join(layers, " "), "conv1_1 conv2_1 conv3_1 conv3_2 fc6 fc7 fc8"; got != want {
		t.Errorf("layers %s, want %s", got, want)
	}
	source := map[string][]float32{}
	for i, p := range a.Parameters() {
		source[p.Layer+strings.TrimLeft(p.Name, "abcdefghijklmnopqrstuvwxyz.0123456789")] = a.Tensors()[i].Data
		source[p.Layer+p.Name[strings.LastIndexByte(p.Name, '.'):]] = a.Tensors()[i].Data
	}
	for i, p := range e.Parameters() {
		data := e.Tensors()[i].Data
		want := before[p.Name]
		if slices.Contains(layers, p.Layer) {
			want = source[p.Layer+p.Name[strings.LastIndexByte(p.Name, '.'):]]
		}
		if !slices.Equal(data, want) {
			t.Errorf("%s (%s) is not what it should be", p.Name, p.Layer)
		}
	}

	narrow := mini
	narrow.Width /= 2
	other := newTrainee(t, configs.A, 1, narrow)
	defer other.vm.Close()
	if _, err := e.Transfer(configs.A, other.Tensors()); err == nil || !strings.Contains(err.Error(), "conv1_1") {
		t.Errorf("another width: %v", err)
	}
	if _, err := e.Transfer(configs.A, nil); err == nil {
		t.Error("no tensors: no error")
	}
}

// TestLoad puts one net's weights into another and refuses those that do not fit, changing nothing.
func TestLoad(t *testing.T) {
	a := newTrainee(t, configs.A, 1, mini)
	defer a.vm.Close()
	o := mini
	o.Seed++
	b := newTrainee(t, configs.A, 1, o)
	defer b.vm.Close()
	if err := b.Load(a.Tensors()); err != nil {
		t.Fatal(err)
	}
	for i, p := range b.Tensors() {
		if !slices.Equal(p.Data, a.Tensors()[i].Data) {
			t.Errorf("%s was not loaded", p.Name)
		}
	}
	clone := func() []weights.Tensor {
		tensors := a.Tensors()
		for i := range tensors {
			tensors[i].Data = make([]float32, len(tensors[i].Data))
		}
		return tensors
	}
	for want, change := range map[string]func([]weights.Tensor) []weights.Tensor{
		"no features.0.weight":                     func(ts []weights.Tensor) []weights.Tensor { return ts[1:] },
		"unknown extra":                            func(ts []weights.Tensor) []weights.Tensor { return append(ts, weights.Tensor{Name: "extra"}) },
		"two tensors are called features.0.weight": func(ts []weights.Tensor) []weights.Tensor { return append(ts, ts[0]) },
		"features.0.bias is [2] and has 1 values":  func(ts []weights.Tensor) []weights.Tensor { ts[1].Data = ts[1].Data[:1]; return ts },
		"features.0.bias is [3]":                   func(ts []weights.Tensor) []weights.Tensor { ts[1].Shape = []int{3}; return ts },
	} {
		if err := b.Load(change(clone())); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
		if slices.Max(b.Tensors()[0].Data) == 0 {
			t.Errorf("%s: weights were changed", want)
		}
	}
}

func TestBuildErrors(t *testing.T) {
	build := func(size int, config configs.Config, o Options) error {
		g := gorgonia.NewGraph()
		x := NewInput(g, 1, 3, size, size)
		_, err := Build(x, config, o)
		return err
	}
	for want, err := range map[string]error{
		"want float32 pict":   build(0, configs.A, mini),
		"dropout":             build(32, configs.A, Options{Dropout: 1}),
		"classes":             build(32, configs.A, Options{Classes: -1}),
		"width":               build(32, configs.A, Options{Width: -1}),
		"fully connected":     build(32, configs.A, Options{FC: -1}),
		"unknown initialiser": build(32, configs.A, Options{Init: "x", Width: 0.1, FC: 8}),
		"takes at least":      build(32*100_000, configs.A, mini),
		"lower its width":     build(32, configs.A, Options{Width: 1e300}),
		"or classes":          build(32, configs.A, Options{Classes: 3_000_000_000}),
		"connected units":     build(32, configs.A, Options{FC: 2_000_000_000}),
		"stage":               build(32, configs.Config{Name: "empty"}, mini),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
	n := newTrainee(t, configs.A, 1, mini)
	defer n.vm.Close()
	if _, err := n.Layer("conv1_2"); err == nil || !strings.Contains(err.Error(), "conv1_1, pool1") {
		t.Errorf("unknown layer: %v", err)
	}
}
