// Command stock times a training step of net A as Gorgonia alone offers it: its own ops, tape machine and solver.
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
	batch := flag.Int("batch", 1, "pictures a step")
	steps := flag.Int("steps", 2, "steps to measure, after one that is not")
	flag.Parse()
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
	x := input(g, "x", batch, 3, configs.Input, configs.Input)
	labels := input(g, "labels", batch, configs.Classes)
	cost, learnables := netA(g, x, labels)
	if _, err := gorgonia.Grad(cost, learnables...); err != nil {
		return 0, err
	}
	vm := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(learnables...))
	defer vm.Close()
	solver := gorgonia.NewMomentum(gorgonia.WithLearnRate(1e-4))
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

// netA declares the net and its loss, the mean of -log softmax at the labels (one-hot).
func netA(g *gorgonia.ExprGraph, x, labels *gorgonia.Node) (*gorgonia.Node, gorgonia.Nodes) {
	var learnables gorgonia.Nodes
	weight := func(shape ...int) *gorgonia.Node {
		w := gorgonia.NewTensor(g, tensor.Float32, len(shape), gorgonia.WithShape(shape...),
			gorgonia.WithName(fmt.Sprint("w", len(learnables))), gorgonia.WithInit(gorgonia.GlorotU(1)))
		learnables = append(learnables, w)
		return w
	}
	h := x
	for _, stage := range configs.A.Stages {
		for _, l := range stage {
			w := weight(l.Channels, h.Shape()[1], 3, 3)
			h = gorgonia.Must(gorgonia.Rectify(gorgonia.Must(gorgonia.Conv2d(h, w, tensor.Shape{3, 3}, []int{1, 1}, []int{1, 1}, []int{1, 1}))))
		}
		h = gorgonia.Must(gorgonia.MaxPool2D(h, tensor.Shape{2, 2}, []int{0, 0}, []int{2, 2}))
	}
	h = gorgonia.Must(gorgonia.Reshape(h, tensor.Shape{h.Shape()[0], h.Shape()[1:].TotalSize()}))
	h = gorgonia.Must(gorgonia.Rectify(gorgonia.Must(gorgonia.Mul(h, weight(h.Shape()[1], configs.FC)))))
	h = gorgonia.Must(gorgonia.Rectify(gorgonia.Must(gorgonia.Mul(h, weight(configs.FC, configs.FC)))))
	h = gorgonia.Must(gorgonia.SoftMax(gorgonia.Must(gorgonia.Mul(h, weight(configs.FC, configs.Classes)))))
	picked := gorgonia.Must(gorgonia.HadamardProd(gorgonia.Must(gorgonia.Log(h)), labels))
	return gorgonia.Must(gorgonia.Neg(gorgonia.Must(gorgonia.Mean(picked)))), learnables
}

func input(g *gorgonia.ExprGraph, name string, shape ...int) *gorgonia.Node {
	data := make([]float32, tensor.Shape(shape).TotalSize())
	for i := range data {
		data[i] = rand.Float32()
	}
	return gorgonia.NewTensor(g, tensor.Float32, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name),
		gorgonia.WithValue(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data))))
}
