package graph

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/configs"
)

// NewInput declares the node in g of a mini-batch of n pictures, float32 of shape (n, channels, height, width), for
// Build. Bind its value with gorgonia.Let before each run.
func NewInput(g *gorgonia.ExprGraph, n, channels, height, width int) *gorgonia.Node {
	return gorgonia.NewTensor(g, tensor.Float32, 4, gorgonia.WithShape(n, channels, height, width), gorgonia.WithName("x"))
}

// NewLabels declares the node in g of the labels of n pictures, a vector of type int, for Net.Loss. Bind its value with
// gorgonia.Let before each run.
func NewLabels(g *gorgonia.ExprGraph, n int) *gorgonia.Node {
	return gorgonia.NewVector(g, tensor.Int, gorgonia.WithShape(n), gorgonia.WithName("labels"))
}

// NewTargets declares the node in g of the boxes of n pictures, float32 of shape (n, 4), for Net.BoxLoss. Bind its
// value with gorgonia.Let before each run.
func NewTargets(g *gorgonia.ExprGraph, n int) *gorgonia.Node {
	return gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(n, configs.BoxNumbers), gorgonia.WithName("targets"))
}
