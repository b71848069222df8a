package graph_test

import (
	"fmt"
	"log"
	"math"
	"strings"
	"sync"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/configs"
	"vgg/graph"
	"vgg/graph/machine"
)

// pictures makes a small batch in which the class decides the brightness.
func pictures(n, size int) (x, labels *tensor.Dense) {
	pixels, classes := make([]float32, n*3*size*size), make([]int, n)
	for i := range classes {
		classes[i] = i % 2
		for j := range 3 * size * size {
			pixels[i*3*size*size+j] = float32(2*classes[i]-1) + float32(math.Sin(float64(i*j)))
		}
	}
	return tensor.New(tensor.WithShape(n, 3, size, size), tensor.WithBacking(pixels)), tensor.New(tensor.WithShape(n), tensor.WithBacking(classes))
}

// check ends an example that fails.
func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// build declares net A for n pictures in a graph of its own.
func build(n, size int, o graph.Options) *graph.Net {
	g := gorgonia.NewGraph()
	x := graph.NewInput(g, n, 3, size, size)
	net, err := graph.Build(x, configs.A, o)
	check(err)
	return net
}

// train lowers a loss by steps of gradient descent, and gives the first one and the last.
func train(g *gorgonia.ExprGraph, loss *gorgonia.Node, learnables gorgonia.Nodes, rate float64, steps int) (first, last float32) {
	_, err := gorgonia.Grad(loss, learnables...)
	check(err)
	vm, err := machine.New(g, machine.Outputs(loss), machine.Gradients(learnables...))
	check(err)
	defer vm.Close()
	solver := gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(rate))
	for i := range steps {
		check(vm.RunAll())
		if last = loss.Value().Data().(float32); i == 0 {
			first = last
		}
		check(solver.Step(gorgonia.NodesToValueGrads(learnables)))
	}
	return first, last
}

// The package comment shows this code.
func Example() {
	pixels, classes := pictures(8, 32)
	g := gorgonia.NewGraph()
	x, labels := graph.NewInput(g, 8, 3, 32, 32), graph.NewLabels(g, 8)
	net, err := graph.Build(x, configs.A, graph.Options{Classes: 2, Width: 1.0 / 16, FC: 64, Dropout: 0.5, Seed: 1})
	check(err)
	loss, err := net.Loss(labels)
	check(err)
	_, err = gorgonia.Grad(loss, net.Learnables()...)
	check(err)
	vm, err := machine.New(g, machine.Outputs(loss), machine.Gradients(net.Learnables()...))
	check(err)
	defer vm.Close()
	solver := gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(0.05))
	for i := range 60 {
		check(gorgonia.Let(x, pixels))       // a mini-batch (8, 3, 32, 32) of float32
		check(gorgonia.Let(labels, classes)) // (8) of int, from 0
		check(net.SetIteration(i))           // else every step drops the same units
		check(vm.RunAll())
		check(solver.Step(gorgonia.NodesToValueGrads(net.Learnables())))
	}
	fmt.Println("learnt:", loss.Value().Data().(float32) < 0.3)
	// Output: learnt: true
}

// The graph runs in Gorgonia's own tape machine too.
func Example_tapeMachine() {
	pixels, classes := pictures(8, 32)
	g := gorgonia.NewGraph()
	x := graph.NewInput(g, 8, 3, 32, 32)
	check(gorgonia.Let(x, pixels))
	labels := graph.NewLabels(g, 8)
	check(gorgonia.Let(labels, classes))
	net, err := graph.Build(x, configs.A, graph.Options{Classes: 2, Width: 1.0 / 16, FC: 16, Init: configs.InitHe, Seed: 1})
	check(err)
	loss, err := net.Loss(labels)
	check(err)
	_, err = gorgonia.Grad(loss, net.Learnables()...)
	check(err)
	vm := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(net.Learnables()...))
	defer vm.Close()
	solver := gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(0.05))
	for range 40 {
		check(vm.RunAll())
		check(solver.Step(gorgonia.NodesToValueGrads(net.Learnables())))
		vm.Reset()
	}
	fmt.Println("learnt:", loss.Value().Data().(float32) < 0.1)
	// Output: learnt: true
}

// A net of your own is a literal of stages, each of which ends in a max-pool.
func ExampleBuild_config() {
	mine := configs.Config{Name: "mine", Stages: [][]configs.Row{
		{configs.Conv(3, 8), configs.Conv(3, 8)},
		{configs.Conv(3, 16), configs.Conv(1, 16)},
	}}
	pixels, classes := pictures(8, 16)
	g := gorgonia.NewGraph()
	x := graph.NewInput(g, 8, 3, 16, 16)
	check(gorgonia.Let(x, pixels))
	labels := graph.NewLabels(g, 8)
	check(gorgonia.Let(labels, classes))
	net, err := graph.Build(x, mine, graph.Options{Classes: 2, FC: 16, Seed: 1})
	check(err)
	loss, err := net.Loss(labels)
	check(err)
	first, last := train(g, loss, net.Learnables(), 0.05, 40)
	fmt.Println(net.Logits.Shape(), "learnt:", last < first/10)
	// Output: (8, 2) learnt: true
}

// Gorgonia's own ops can follow any layer: here global average pooling and one linear layer instead of the three fully
// connected ones.
func ExampleNet_Layer() {
	pixels, classes := pictures(8, 64)
	g := gorgonia.NewGraph()
	x := graph.NewInput(g, 8, 3, 64, 64)
	check(gorgonia.Let(x, pixels))
	net, err := graph.Build(x, configs.A, graph.Options{Width: 1.0 / 16, FC: 16, Seed: 1})
	check(err)
	pool5, err := net.Layer("pool5") // (8, 32, 2, 2)
	check(err)
	features := gorgonia.Must(gorgonia.Mean(pool5, 2, 3)) // (8, 32)
	w := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(32, 1), gorgonia.WithName("w"), gorgonia.WithInit(gorgonia.Zeroes()))
	scores := gorgonia.Must(gorgonia.Mul(features, w))
	targets := make([]float32, 8)
	for i, class := range classes.Data().([]int) {
		targets[i] = float32(class)
	}
	target := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(8, 1), gorgonia.WithName("target"),
		gorgonia.WithValue(tensor.New(tensor.WithShape(8, 1), tensor.WithBacking(targets))))
	loss := gorgonia.Must(gorgonia.Mean(gorgonia.Must(gorgonia.Square(gorgonia.Must(gorgonia.Sub(scores, target))))))
	learnables := gorgonia.Nodes{w}
	for _, p := range net.Parameters() {
		if strings.HasPrefix(p.Layer, "conv") {
			learnables = append(learnables, p.Node)
		}
	}
	first, last := train(g, loss, learnables, 0.01, 30)
	fmt.Println("loss fell:", last < first/4)
	// Output: loss fell: true
}

// Fine-tuning: all layers but fc8 come from a trained net, and fc8 is new, for other classes. The convolutions are
// frozen: no gradient is computed for them.
func ExampleNet_Load() {
	pixels, classes := pictures(8, 32)
	trained := build(8, 32, graph.Options{Classes: 10, Width: 1.0 / 16, FC: 16, Seed: 1}).Tensors() // of a real file, weights.Read gives them

	g := gorgonia.NewGraph()
	x := graph.NewInput(g, 8, 3, 32, 32)
	check(gorgonia.Let(x, pixels))
	labels := graph.NewLabels(g, 8)
	check(gorgonia.Let(labels, classes))
	net, err := graph.Build(x, configs.A, graph.Options{Classes: 2, Width: 1.0 / 16, FC: 16, Seed: 2,
		Freeze: []string{"conv1", "conv2", "conv3", "conv4", "conv5"}})
	check(err)
	check(net.Load(trained, "conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7"))
	loss, err := net.Loss(labels)
	check(err)
	first, last := train(g, loss, net.Learnables(), 0.05, 40)
	fmt.Println(net.Learnables()[0].Name(), "is the first that learns; loss fell:", last < first/10)
	// Output: fc6.weight is the first that learns; loss fell: true
}

// The hidden fully connected layers describe pictures (appendix B): package evaluate averages and normalises them.
func ExampleNet_Layer_features() {
	pixels, _ := pictures(3, 32)
	net := build(3, 32, graph.Options{Width: 1.0 / 16, FC: 16, Seed: 1, Inference: true})
	fc7, err := net.Layer("fc7")
	check(err)
	vm, err := machine.New(fc7.Graph(), machine.Outputs(fc7), machine.Constants(net.Learnables()...))
	check(err)
	defer vm.Close()
	check(gorgonia.Let(net.Input, pixels))
	check(vm.RunAll())
	fmt.Println(fc7.Value().Shape())
	// Output: (3, 16)
}

// Dense evaluation (section 3.2): a net trained on pictures of 32×32 runs on one of 96×64. The fully connected layers
// are applied at each of 3×2 positions, and the logits are the mean of this class score map.
func ExampleOptions_dense() {
	trained := build(1, 32, graph.Options{Classes: 5, Width: 1.0 / 16, FC: 16, Seed: 1})

	g := gorgonia.NewGraph()
	x := graph.NewInput(g, 1, 3, 96, 64)
	net, err := graph.Build(x, configs.A, graph.Options{Classes: 5, Width: 1.0 / 16, FC: 16, Dense: 32, Weights: trained})
	check(err)
	scores, err := net.Layer("fc8")
	check(err)
	vm, err := machine.New(g, machine.Outputs(scores, net.Logits))
	check(err)
	defer vm.Close()
	check(gorgonia.Let(x, tensor.New(tensor.WithShape(1, 3, 96, 64), tensor.Of(tensor.Float32))))
	check(vm.RunAll())
	fmt.Println("map", scores.Value().Shape(), "mean", net.Logits.Value().Shape())
	// Output: map (6, 5) mean (1, 5)
}

// Goroutines share one set of weights; each has a graph and a machine of its own.
func ExampleOptions_goroutines() {
	trained := build(1, 32, graph.Options{Classes: 2, Width: 1.0 / 16, FC: 16, Seed: 1})
	var logits [4]tensor.Shape
	var running sync.WaitGroup
	for i := range logits {
		running.Go(func() {
			net := build(1, 32, graph.Options{Classes: 2, Width: 1.0 / 16, FC: 16, Weights: trained, Inference: true})
			vm, err := machine.New(net.Input.Graph(), machine.Outputs(net.Logits), machine.Constants(net.Learnables()...))
			check(err)
			defer vm.Close()
			picture, _ := pictures(1, 32)
			check(gorgonia.Let(net.Input, picture))
			check(vm.RunAll())
			logits[i] = net.Logits.Value().Shape()
		})
	}
	running.Wait()
	fmt.Println(logits)
	// Output: [(1, 2) (1, 2) (1, 2) (1, 2)]
}
