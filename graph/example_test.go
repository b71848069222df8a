package graph_test

import (
	"fmt"
	"log"
	"math"
	"strings"

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

// A narrow net A trained by our machine, which plans its memory beforehand.
func Example() {
	pixels, classes := pictures(8, 32)
	g := gorgonia.NewGraph()
	x := gorgonia.NewTensor(g, tensor.Float32, 4, gorgonia.WithShape(8, 3, 32, 32), gorgonia.WithName("x"), gorgonia.WithValue(pixels))
	labels := gorgonia.NewVector(g, tensor.Int, gorgonia.WithShape(8), gorgonia.WithName("labels"), gorgonia.WithValue(classes))
	net, err := graph.Build(g, x, configs.A, graph.Options{Classes: 2, Width: 1.0 / 16, FC: 16, Init: graph.He, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	loss, err := net.Loss(labels)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := gorgonia.Grad(loss, net.Learnables()...); err != nil {
		log.Fatal(err)
	}
	vm, err := machine.New(g, machine.Outputs(loss), machine.Gradients(net.Learnables()...))
	if err != nil {
		log.Fatal(err)
	}
	defer vm.Close()
	solver := gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(0.05))
	for range 40 {
		if err := vm.RunAll(); err != nil {
			log.Fatal(err)
		}
		if err := solver.Step(gorgonia.NodesToValueGrads(net.Learnables())); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println("learnt:", loss.Value().Data().(float32) < 0.1)
	// Output: learnt: true
}

// The same graph runs in Gorgonia's own tape machine.
func Example_tapeMachine() {
	pixels, classes := pictures(8, 32)
	g := gorgonia.NewGraph()
	x := gorgonia.NewTensor(g, tensor.Float32, 4, gorgonia.WithShape(8, 3, 32, 32), gorgonia.WithName("x"), gorgonia.WithValue(pixels))
	labels := gorgonia.NewVector(g, tensor.Int, gorgonia.WithShape(8), gorgonia.WithName("labels"), gorgonia.WithValue(classes))
	net, err := graph.Build(g, x, configs.A, graph.Options{Classes: 2, Width: 1.0 / 16, FC: 16, Init: graph.He, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	loss, err := net.Loss(labels)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := gorgonia.Grad(loss, net.Learnables()...); err != nil {
		log.Fatal(err)
	}
	vm := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(net.Learnables()...))
	defer vm.Close()
	solver := gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(0.05))
	for range 40 {
		if err := vm.RunAll(); err != nil {
			log.Fatal(err)
		}
		if err := solver.Step(gorgonia.NodesToValueGrads(net.Learnables())); err != nil {
			log.Fatal(err)
		}
		vm.Reset()
	}
	fmt.Println("learnt:", loss.Value().Data().(float32) < 0.1)
	// Output: learnt: true
}

// A net may be cut anywhere and go on with Gorgonia's own ops: here global average pooling and one linear layer
// instead of the three fully connected ones.
func ExampleNet_Layer() {
	pixels, classes := pictures(8, 64)
	g := gorgonia.NewGraph()
	x := gorgonia.NewTensor(g, tensor.Float32, 4, gorgonia.WithShape(8, 3, 64, 64), gorgonia.WithName("x"), gorgonia.WithValue(pixels))
	net, err := graph.Build(g, x, configs.A, graph.Options{Width: 1.0 / 16, FC: 16, Init: graph.He, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	pool5, err := net.Layer("pool5") // (8, 32, 2, 2)
	if err != nil {
		log.Fatal(err)
	}
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
	if _, err := gorgonia.Grad(loss, learnables...); err != nil {
		log.Fatal(err)
	}
	vm, err := machine.New(g, machine.Outputs(loss), machine.Gradients(learnables...))
	if err != nil {
		log.Fatal(err)
	}
	defer vm.Close()
	solver := gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(0.01))
	var first, last float32
	for i := range 30 {
		if err := vm.RunAll(); err != nil {
			log.Fatal(err)
		}
		if last = loss.Value().Data().(float32); i == 0 {
			first = last
		}
		if err := solver.Step(gorgonia.NodesToValueGrads(learnables)); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println("loss fell:", last < first/4)
	// Output: loss fell: true
}
