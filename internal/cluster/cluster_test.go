package cluster

import (
	"math"
	"runtime"
	"slices"
	"sync"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/configs"
	"vgg/graph"
	"vgg/graph/machine"
	"vgg/internal/mpi"
	"vgg/trainer"
)

func layersOf(t *testing.T, config configs.Config) []graph.LayerSummary {
	t.Helper()
	g := gorgonia.NewGraph()
	net, err := graph.Build(graph.NewInput(g, 1, 3, 224, 224), config, graph.Options{Init: configs.InitZero})
	if err != nil {
		t.Fatal(err)
	}
	return net.Summary()
}

// TestBytes: net D at a mini-batch of 256 in micro-batches of 16, in MB that a rank sends a step, beside an all-reduce
// of everything.
func TestBytes(t *testing.T) {
	layers := layersOf(t, configs.D)
	gradients := Gradients(layers, 256)
	if len(gradients) != configs.D.WeightLayers() || gradients[0].Layer != "fc8" || gradients[len(gradients)-1].Ready != 1 {
		t.Fatalf("%+v", gradients)
	}
	for ranks, want := range map[int][2]float64{1: {0, 0}, 2: {81, 553}, 3: {160, 738}, 4: {121, 830}, 6: {167, 922}, 8: {141, 969}, 16: {151, 1038}} {
		j := Job{Ranks: ranks, MiniBatch: 256, MicroBatch: 16}
		all := j.StepAllReduced(gradients, Speed{}, Network{BytesPerSecond: 1e6}).Wait
		if got := j.SentAll(gradients) / 1e6; math.Round(got) != want[0] || math.Round(all) != want[1] {
			t.Errorf("%d ranks: %.1f MB, and %.1f for matrices, want %v", ranks, got, all, want)
		}
	}
}

// TestBytesCounted: what ranks send in a step is what is predicted, by factors and sums, for any number of ranks.
func TestBytesCounted(t *testing.T) {
	for _, c := range []struct {
		microBatches, pictures int
		ranks                  []int
		sums                   []float64 // mean of the ranks
	}{
		{8, 1, []int{2, 3, 4, 5, 6, 8}, []float64{1, 5. / 3, 1, 6. / 5, 1, 1}},
		{8, 4, []int{2, 8}, []float64{1, 1}},
		{12, 2, []int{2, 3, 8}, []float64{1, 7. / 3, 1}},
	} {
		for i, ranks := range c.ranks {
			j := Job{Ranks: ranks, MiniBatch: c.microBatches * c.pictures, MicroBatch: c.pictures}
			if got := j.sums(); math.Abs(got-c.sums[i]) > 1e-9 {
				t.Errorf("%+v: %v sums, want %v", j, got, c.sums[i])
			}
			sent, gradients := count(t, j)
			factors := slices.ContainsFunc(gradients, func(g Gradient) bool { return g.Factors > 0 })
			total := 0.0
			for rank, bytes := range sent {
				total += bytes
				if want := j.SentAll(gradients); c.microBatches%ranks == 0 && j.sums() == 1 && math.Abs(bytes-want) > 0.01*want {
					t.Errorf("%+v, rank %d: %v bytes, want %v", j, rank, bytes, want)
				}
			}
			if mean, want := total/float64(ranks), j.SentAll(gradients); math.Abs(mean-want) > 0.01*want || !factors {
				t.Errorf("%+v: %v bytes (factors %t), want %v", j, mean, factors, want)
			}
		}
	}
}

// count counts the bytes that each rank sends in a step of a small net.
func count(t *testing.T, j Job) (sent []float64, gradients []Gradient) {
	t.Helper()
	sent = make([]float64, j.Ranks)
	var all sync.WaitGroup
	for rank, world := range mpi.Local(j.Ranks) {
		all.Go(func() {
			net, step, err := trainedNet(world, j)
			if err != nil {
				t.Error(err)
				return
			}
			if err := step(); err != nil {
				t.Error(err)
				return
			}
			sent[rank] = float64(world.Sent())
			if rank == 0 {
				gradients = Gradients(net.Summary(), j.MiniBatch)
			}
		})
	}
	all.Wait()
	return sent, gradients
}

// TestStepsKeepMemory: what is alive does not grow from the 100th step of two ranks to the 1,000th, nor do goroutines.
func TestStepsKeepMemory(t *testing.T) {
	j := Job{Ranks: 2, MiniBatch: 4, MicroBatch: 1}
	var steps []func() error
	for _, world := range mpi.Local(j.Ranks) {
		_, step, err := trainedNet(world, j)
		if err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	alive := func(n int) (bytes uint64, goroutines int) {
		var ranks sync.WaitGroup
		for _, step := range steps {
			ranks.Go(func() {
				for range n {
					if err := step(); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		ranks.Wait()
		runtime.GC()
		runtime.GC() // sync.Pools let go in the second
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc, runtime.NumGoroutine()
	}
	bytes, goroutines := alive(100)
	later, more := alive(900)
	t.Logf("alive after 100 steps: %d bytes, %d goroutines; after 1,000: %d, %d", bytes, goroutines, later, more)
	if later > bytes+bytes/100 || more > goroutines {
		t.Errorf("memory grows with the steps")
	}
	runtime.KeepAlive(steps)
}

// trainedNet makes a net and the steps that a rank computes of it.
func trainedNet(world *mpi.World, j Job) (net *graph.Net, step func() error, err error) {
	g := gorgonia.NewGraph()
	x := graph.NewInput(g, j.MicroBatch, 3, 32, 32)
	if net, err = graph.Build(x, configs.A, graph.Options{Classes: 3, Width: 0.05, FC: 1536, Init: configs.InitZero}); err != nil {
		return nil, nil, err
	}
	labels := graph.NewLabels(g, j.MicroBatch)
	for n, v := range map[*gorgonia.Node]*tensor.Dense{
		x:      tensor.New(tensor.WithShape(x.Shape()...), tensor.Of(tensor.Float32)),
		labels: tensor.New(tensor.WithShape(j.MicroBatch), tensor.Of(tensor.Int)),
	} {
		if err := gorgonia.Let(n, v); err != nil {
			return nil, nil, err
		}
	}
	loss, err := net.Loss(labels)
	if err != nil {
		return nil, nil, err
	}
	if _, err := gorgonia.Grad(loss, net.Learnables()...); err != nil {
		return nil, nil, err
	}
	sums, err := trainer.NewGradients(world, j.MiniBatch/j.MicroBatch, j.MicroBatch)
	if err != nil {
		return nil, nil, err
	}
	vm, err := machine.New(g, machine.Outputs(loss), machine.Gradients(net.Learnables()...), machine.Products(j.MiniBatch), sums.Option())
	if err != nil {
		return nil, nil, err
	}
	own, _ := trainer.Share(j.MiniBatch/j.MicroBatch, world.Rank(), j.Ranks)
	return net, func() error {
		sums.Begin()
		for range own {
			sums.Next()
			if err := vm.RunAll(); err != nil {
				return err
			}
		}
		return sums.Finish()
	}, sums.Bind(vm, net.Learnables())
}

// TestFactors: the rule of package outer chooses factors by the size of the mini-batch.
func TestFactors(t *testing.T) {
	layers := layersOf(t, configs.D)
	for miniBatch, want := range map[int]int{256: 3, 803: 3, 804: 2, 2047: 2, 2048: 1, 3521: 1, 3522: 0} {
		factors := 0
		for _, g := range Gradients(layers, miniBatch) {
			if g.Factors > 0 {
				factors++
			}
			if g.Summed > g.Bytes || (g.Factors > 0) == (g.Summed == g.Bytes) {
				t.Errorf("%+v", g)
			}
		}
		if factors != want {
			t.Errorf("mini-batch %d: %d layers by factors, want %d", miniBatch, factors, want)
		}
	}
}

// TestStep: two gradients, of which the network carries the first while the second is computed.
func TestStep(t *testing.T) {
	gradients := []Gradient{{Layer: "second", Bytes: 30, Summed: 30, Ready: 0.25}, {Layer: "first", Bytes: 20, Summed: 20, Ready: 1}}
	s := Speed{Forward: 1, Backward: 4, Update: 0.5, Product: 0.125}
	j := Job{Ranks: 2, MiniBatch: 8, MicroBatch: 2}
	for _, c := range []struct {
		rate float64 // bytes a second
		want Cost
	}{
		{10, Cost{Compute: 10, Wait: 2, Update: 1.5, Hidden: 3}}, // the first takes as long as there is left to compute
		{20, Cost{Compute: 10, Wait: 1, Update: 1.5, Hidden: 1.5}},
		{5, Cost{Compute: 10, Wait: 7, Update: 1.5, Hidden: 3}}, // 3 of the first are left, then 4 for the second
	} {
		if got := j.Step(gradients, s, Network{BytesPerSecond: c.rate}); got != c.want {
			t.Errorf("%v bytes a second: %+v, want %+v", c.rate, got, c.want)
		}
	}
	if got, want := j.Step(gradients, s, Network{BytesPerSecond: 10, Latency: 0.5}).Wait, 4.0; got != want {
		t.Errorf("with latency: a wait of %v s, want %v", got, want)
	}
	if got, want := j.StepAllReduced(gradients, s, Network{BytesPerSecond: 10}), (Cost{Compute: 10, Wait: 5, Update: 1}); got != want {
		t.Errorf("all-reduced: %+v, want %+v", got, want)
	}
	alone := Job{Ranks: 1, MiniBatch: 8, MicroBatch: 2}.Step(gradients, s, Network{BytesPerSecond: 1})
	if alone.Wait != 0 || alone.Hidden != 0 || alone.Total() != 21.5 {
		t.Errorf("alone: %+v", alone)
	}
}

func TestValidate(t *testing.T) {
	for j, want := range map[Job]bool{
		{1, 8, 8}: true, {4, 256, 32}: true, {256, 256, 1}: true,
		{3, 24, 4}: false, {0, 8, 8}: false, {4, 256, 48}: false, {512, 256, 1}: false, {2, 8, 0}: false,
		{1 << 62, 8, 4}: false, {2, 0, 4}: false, {2, -8, 4}: false,
	} {
		if err := j.Validate(); (err == nil) != want {
			t.Errorf("%+v: %v", j, err)
		}
	}
}
