package graph

import (
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/configs"
	"vgg/graph/machine"
)

// gradientOps counts the nodes of a graph whose op belongs to a backward pass.
func gradientOps(g *gorgonia.ExprGraph) map[string]int {
	count := map[string]int{}
	for _, n := range g.AllNodes() {
		if n.Op() == nil {
			continue
		}
		for _, kind := range []string{"convWeightGradient", "convDataGradient", "linearWeightGradient", "linearDataGradient", "biasGradient", "reluGradient", "maxPoolGradient"} {
			if strings.HasPrefix(n.Op().String(), kind) {
				count[kind]++
			}
		}
	}
	return count
}

// TestFreeze: frozen layers are no learnables, nothing is declared that only they or what lies below them would need,
// and the gradients of the others are those of the net without frozen layers, to the bit.
func TestFreeze(t *testing.T) {
	whole := newTrainee(t, configs.A, 2, mini)
	defer whole.vm.Close()
	pictures, labels := batch(rand.New(rand.NewPCG(3, 0)), 2)
	loss := whole.run(t, pictures, labels)
	want := map[string][]float32{}
	for i, gradient := range whole.gradients(t) {
		want[whole.Parameters()[i].Name] = gradient
	}
	for _, c := range []struct {
		freeze                                        []string
		learnables                                    int
		convWeights, convData, linearWeights, linData int
	}{
		{nil, 22, 8, 7, 3, 3},
		{[]string{"conv1", "conv2"}, 18, 6, 5, 3, 3},
		{[]string{"conv1", "conv2", "conv3_1"}, 16, 5, 4, 3, 3},
		{[]string{"conv1", "conv2", "conv3", "conv4", "conv5"}, 6, 0, 0, 3, 2},
		{[]string{"conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7"}, 2, 0, 0, 1, 0},
		{[]string{"conv3", "fc8"}, 16, 6, 7, 2, 3}, // what is below them is trained: the gradient goes through them
	} {
		o := mini
		o.Weights, o.Freeze = whole.Net, c.freeze
		n := newTrainee(t, configs.A, 2, o)
		count := gradientOps(n.x.Graph())
		if len(n.Learnables()) != c.learnables || count["convWeightGradient"] != c.convWeights || count["convDataGradient"] != c.convData ||
			count["linearWeightGradient"] != c.linearWeights || count["linearDataGradient"] != c.linData || count["biasGradient"] != c.learnables/2 {
			t.Errorf("frozen %v: %d learnables, %v", c.freeze, len(n.Learnables()), count)
		}
		if got := n.run(t, pictures, labels); got != loss {
			t.Errorf("frozen %v: loss %v, want %v", c.freeze, got, loss)
		}
		for _, p := range n.Parameters() {
			if p.Frozen {
				if p.Node.Deriv() != nil {
					t.Errorf("frozen %v: %s has a gradient", c.freeze, p.Name)
				}
				continue
			}
			gradient, err := p.Node.Grad()
			if err != nil || !slices.Equal(gradient.Data().([]float32), want[p.Name]) {
				t.Errorf("frozen %v: another gradient of %s (%v)", c.freeze, p.Name, err)
			}
		}
		n.vm.Close()
	}
}

// TestFreezeTapeMachine: Gorgonia's own machine gives the same gradients.
func TestFreezeTapeMachine(t *testing.T) {
	o := mini
	o.Freeze = []string{"conv1", "conv2", "conv3"}
	ours := newTrainee(t, configs.A, 2, o)
	defer ours.vm.Close()
	pictures, labels := batch(rand.New(rand.NewPCG(3, 0)), 2)
	ours.run(t, pictures, labels)
	o.Weights = ours.Net
	tape := newTrainee(t, configs.A, 2, o)
	tape.vm.Close()
	if err := gorgonia.Let(tape.x, ours.x.Value()); err != nil {
		t.Fatal(err)
	}
	if err := gorgonia.Let(tape.labels, ours.labels.Value()); err != nil {
		t.Fatal(err)
	}
	vm := gorgonia.NewTapeMachine(tape.x.Graph(), gorgonia.BindDualValues(tape.Learnables()...))
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	want := ours.gradients(t)
	for i, got := range tape.gradients(t) {
		if !slices.Equal(got, want[i]) {
			t.Errorf("another gradient of %s", tape.Learnables()[i].Name())
		}
	}
}

func TestFreezeErrors(t *testing.T) {
	for _, name := range []string{"conv6", "pool1", "", "conv1_2"} {
		o := mini
		o.Freeze = []string{"conv1", name}
		x := NewInput(gorgonia.NewGraph(), 1, 3, 32, 32)
		if _, err := Build(x, configs.A, o); err == nil || !strings.Contains(err.Error(), "conv1, conv1_1, conv2") || !strings.Contains(err.Error(), `"`+name+`"`) {
			t.Errorf("%q: error %v", name, err)
		}
	}
}

// TestFrom: tensors become the weights themselves, and those that do not fit are refused as Load refuses them.
func TestFrom(t *testing.T) {
	a := newTrainee(t, configs.A, 1, mini)
	defer a.vm.Close()
	build := func(change func(*Options)) (*Net, error) {
		o := mini
		o.Seed, o.From = 9, a.Tensors()
		change(&o)
		x := NewInput(gorgonia.NewGraph(), 1, 3, 32, 32)
		return Build(x, configs.A, o)
	}
	n, err := build(func(*Options) {})
	if err != nil {
		t.Fatal(err)
	}
	for i, got := range n.Tensors() {
		if &got.Data[0] != &a.Tensors()[i].Data[0] {
			t.Errorf("%s was copied", got.Name)
		}
	}
	for want, change := range map[string]func(*Options){
		"no features.0.weight":   func(o *Options) { o.From = o.From[1:] },
		"classifier.6.weight is": func(o *Options) { o.Classes++ },
		"one of Options.From":    func(o *Options) { o.Weights = a.Net },
	} {
		if _, err := build(change); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

// TestLoadLayers: all layers but the last come from a net of other classes.
func TestLoadLayers(t *testing.T) {
	a := newTrainee(t, configs.A, 1, mini)
	defer a.vm.Close()
	o := mini
	o.Classes, o.Seed = 3, 9
	b := newTrainee(t, configs.A, 1, o)
	defer b.vm.Close()
	fresh := slices.Clone(b.Tensors()[20].Data)
	if err := b.Load(a.Tensors(), "conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7"); err != nil {
		t.Fatal(err)
	}
	for i, got := range b.Tensors()[:20] {
		if !slices.Equal(got.Data, a.Tensors()[i].Data) {
			t.Errorf("%s was not loaded", got.Name)
		}
	}
	if !slices.Equal(b.Tensors()[20].Data, fresh) {
		t.Error("the new fc8 was changed")
	}
	for want, err := range map[string]error{
		"classifier.6.weight is [7 11], not [3 11]": b.Load(a.Tensors(), "fc8"),
		`"fc9"`:                    b.Load(a.Tensors(), "fc9"),
		"no features.0.weight":     b.Load(a.Tensors()[1:], "conv1_1"),
		"unknown features.0.extra": func() error { ts := b.Tensors(); ts[0].Name = "features.0.extra"; return b.Load(ts) }(),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

// TestConcurrentGraphs: graphs that share weights run at the same time and give what one alone gives.
// With -race it shows that they write nothing that they share.
func TestConcurrentGraphs(t *testing.T) {
	o := mini
	o.Width = 0.25 // wide enough for every kind of convolution
	training := newTrainee(t, configs.C, 2, o)
	defer training.vm.Close()
	o.Weights, o.Inference = training.Net, true
	infer := func(seed uint64) []float32 {
		pictures, _ := batch(rand.New(rand.NewPCG(seed, 0)), 2)
		x := NewInput(gorgonia.NewGraph(), 2, 3, 32, 32)
		let(t, x, tensor.New(tensor.WithShape(2, 3, 32, 32), tensor.WithBacking(pictures)))
		n, err := Build(x, configs.C, o)
		if err != nil {
			t.Error(err)
			return nil
		}
		vm, err := machine.New(x.Graph(), machine.Outputs(n.Logits), machine.Constants(n.Learnables()...))
		if err != nil {
			t.Error(err)
			return nil
		}
		defer vm.Close()
		for range 3 {
			if err := vm.RunAll(); err != nil {
				t.Error(err)
			}
		}
		return slices.Clone(n.Logits.Value().Data().([]float32))
	}
	var want, got [4][]float32
	for i := range want {
		want[i] = infer(uint64(i))
	}
	var all sync.WaitGroup
	for i := range got {
		all.Go(func() { got[i] = infer(uint64(i)) })
	}
	all.Wait()
	for i := range want {
		if !slices.Equal(got[i], want[i]) {
			t.Errorf("goroutine %d: other logits", i)
		}
	}
}
