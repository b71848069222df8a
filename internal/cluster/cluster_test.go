package cluster

import (
	"math"
	"testing"

	"gorgonia.org/gorgonia"

	"vgg/configs"
	"vgg/graph"
)

func layersOf(t *testing.T, config configs.Config) []graph.LayerSummary {
	t.Helper()
	g := gorgonia.NewGraph()
	net, err := graph.Build(g, graph.NewInput(g, 1, 3, 224, 224), config, graph.Options{Init: configs.InitZero})
	if err != nil {
		t.Fatal(err)
	}
	return net.Summary()
}

// TestBytes: net D at a mini-batch of 256, in MB that a rank sends a step, beside an all-reduce of everything.
func TestBytes(t *testing.T) {
	layers := layersOf(t, configs.D)
	gradients := Gradients(layers, 256)
	if len(gradients) != configs.D.WeightLayers() || gradients[0].Layer != "fc8" || gradients[len(gradients)-1].Ready != 1 {
		t.Fatalf("%+v", gradients)
	}
	for ranks, want := range map[int][2]float64{1: {0, 0}, 2: {81, 553}, 4: {121, 830}, 8: {141, 969}, 16: {151, 1038}} {
		j := Job{Ranks: ranks, MiniBatch: 256, MicroBatch: 16}
		all := j.StepAllReduced(gradients, Speed{}, Network{BytesPerSecond: 1e6}).Wait
		if got := j.SentAll(gradients) / 1e6; math.Round(got) != want[0] || math.Round(all) != want[1] {
			t.Errorf("%d ranks: %.1f MB, and %.1f for matrices, want %v", ranks, got, all, want)
		}
	}
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
	} {
		if err := j.Validate(); (err == nil) != want {
			t.Errorf("%+v: %v", j, err)
		}
	}
}
