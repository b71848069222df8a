package onnx_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"gorgonia.org/gorgonia"

	"vgg/configs"
	"vgg/graph"
	"vgg/onnx"
	"vgg/weights"
)

// A weights file becomes a model beside it: with a trained net, the file comes from weights.Read.
func ExampleWrite() {
	x := graph.NewInput(gorgonia.NewGraph(), 1, 3, 32, 32)
	net, err := graph.Build(x, configs.A, graph.Options{Classes: 2, Width: 1.0 / 16, FC: 16, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	info := weights.Info{
		Config: "A", Width: 1.0 / 16, FC: 16, Input: 32, Channels: 3, Classes: []string{"cat", "dog"},
		Mean: []float64{123.68, 116.779, 103.939}, Std: []float64{1, 1, 1},
	}
	dir, err := os.MkdirTemp("", "onnx")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "a.onnx")
	if err := onnx.Write(path, weights.File{Metadata: info.Metadata(), Tensors: net.Tensors()}); err != nil {
		log.Fatal(err)
	}
	model, err := os.Stat(path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("from", onnx.Input, "to", onnx.Output, "in", model.Size()/1000, "kB")
	// Output: from pixels to logits in 151 kB
}
