// Command stock times a training step of net A built from Gorgonia's own ops, and run by its own tape machine and
// solver.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/configs"
)

func main() {
	batch := flag.Int("batch", 1, "pictures per step")
	steps := flag.Int("steps", 2, "steps to measure, after one warm-up step")
	flag.Parse()
	log.SetFlags(0)
	if *batch < 1 || *steps < 1 {
		log.Fatalf("stock: --batch %d --steps %d: want positive numbers", *batch, *steps)
	}
	seconds, err := measure(*batch, *steps)
	if err != nil {
		log.Fatal(err)
	}
	out := map[string]float64{"seconds_per_step": seconds, "images_per_second": float64(*batch) / seconds}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		log.Fatal(err)
	}
}

func measure(batch, steps int) (float64, error) {
	g := gorgonia.NewGraph()
	r := rand.New(rand.NewPCG(1, 0))
	x := input(g, "x", func(int) float32 { return float32(r.NormFloat64()) }, batch, 3, configs.Input, configs.Input)
	labels := input(g, "labels", func(i int) float32 { // one-hot: every picture is of class 0
		if i%configs.Classes == 0 {
			return 1
		}
		return 0
	}, batch, configs.Classes)
	cost, learnables := netA(g, x, labels)
	if _, err := gorgonia.Grad(cost, learnables...); err != nil {
		return 0, err
	}
	vm := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(learnables...))
	defer vm.Close()
	solver := gorgonia.NewMomentum(gorgonia.WithLearnRate(1e-3), gorgonia.WithMomentum(0.9), gorgonia.WithL2Reg(5e-4))
	var seconds []float64
	for i := range steps + 1 {
		start := time.Now()
		if err := vm.RunAll(); err != nil {
			return 0, err
		}
		if err := solver.Step(gorgonia.NodesToValueGrads(learnables)); err != nil {
			return 0, err
		}
		vm.Reset()
		if i > 0 {
			seconds = append(seconds, time.Since(start).Seconds())
		}
	}
	slices.Sort(seconds)
	return seconds[len(seconds)/2], nil
}

// netA declares the net and its loss, -log softmax at the labels (N, 1000), one-hot. No dropout, as with oneDNN.
func netA(g *gorgonia.ExprGraph, x, labels *gorgonia.Node) (*gorgonia.Node, gorgonia.Nodes) {
	must := gorgonia.Must
	var learnables gorgonia.Nodes
	learnable := func(init gorgonia.InitWFn, shape ...int) *gorgonia.Node {
		n := gorgonia.NewTensor(g, tensor.Float32, len(shape), gorgonia.WithShape(shape...),
			gorgonia.WithName(fmt.Sprint("learnable", len(learnables))), gorgonia.WithInit(init))
		learnables = append(learnables, n)
		return n
	}
	conv := func(h *gorgonia.Node, channels int) *gorgonia.Node {
		w := learnable(gorgonia.GlorotU(1), channels, h.Shape()[1], 3, 3)
		b := learnable(gorgonia.Zeroes(), 1, channels, 1, 1)
		h = must(gorgonia.Conv2d(h, w, tensor.Shape{3, 3}, []int{1, 1}, []int{1, 1}, []int{1, 1}))
		return must(gorgonia.BroadcastAdd(h, b, nil, []byte{0, 2, 3}))
	}
	linear := func(h *gorgonia.Node, outputs int) *gorgonia.Node {
		w := learnable(gorgonia.GlorotU(1), h.Shape()[1], outputs)
		b := learnable(gorgonia.Zeroes(), 1, outputs)
		return must(gorgonia.BroadcastAdd(must(gorgonia.Mul(h, w)), b, nil, []byte{0}))
	}
	h := x
	for _, stage := range configs.A.Stages {
		for _, l := range stage {
			h = must(gorgonia.Rectify(conv(h, l.Channels)))
		}
		h = must(gorgonia.MaxPool2D(h, tensor.Shape{2, 2}, []int{0, 0}, []int{2, 2}))
	}
	h = must(gorgonia.Reshape(h, tensor.Shape{h.Shape()[0], h.Shape()[1:].TotalSize()}))
	h = must(gorgonia.Rectify(linear(h, configs.FC)))
	h = must(gorgonia.Rectify(linear(h, configs.FC)))
	h = must(gorgonia.SoftMax(linear(h, configs.Classes)))
	picked := must(gorgonia.Sum(must(gorgonia.HadamardProd(must(gorgonia.Log(h)), labels)), 1))
	return must(gorgonia.Neg(must(gorgonia.Mean(picked)))), learnables
}

func input(g *gorgonia.ExprGraph, name string, value func(i int) float32, shape ...int) *gorgonia.Node {
	data := make([]float32, tensor.Shape(shape).TotalSize())
	for i := range data {
		data[i] = value(i)
	}
	return gorgonia.NewTensor(g, tensor.Float32, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name),
		gorgonia.WithValue(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data))))
}
