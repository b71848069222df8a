// Command crosscheck writes a net with random weights, random pictures, and the logits and gradients that our code
// computes from them. peers/check-pytorch and peers/check-onnx compute the same with other frameworks and compare.
package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/configs"
	"vgg/graph"
	"vgg/graph/machine"
	"vgg/internal/cli"
	"vgg/onnx"
	"vgg/weights"
)

type flags struct {
	Config    string  `help:"Net: A (vgg11), A-LRN, B (vgg13), C, D (vgg16) or E (vgg19)." required:""`
	Width     float64 `help:"Multiplier of the channel counts." default:"1"`
	FC        int     `name:"fc" help:"Width of the hidden fully connected layers." default:"4096"`
	Classes   int     `help:"Number of classes." default:"1000"`
	Input     int     `help:"Side in pixels of the pictures that the net is for." default:"224"`
	Size      string  `help:"Height and width of the pictures in pixels, such as 75x101, if larger: the net is then dense." placeholder:"HxW"`
	Batch     int     `help:"Number of pictures." default:"2"`
	Seed      uint64  `help:"Seed of weights and pictures." default:"1"`
	Gradients bool    `help:"Also write the gradients of the loss with respect to all weights, and the outputs of the layers."`
	Explain   bool    `help:"Also write a saliency map, Grad-CAM of each convolution's maps, and the outputs of the layers, for a class drawn by the seed."`
	ONNX      bool    `name:"onnx" help:"Also write the net as ONNX."`
	Out       string  `help:"Folder for weights.safetensors, ours.safetensors and net.onnx." required:"" placeholder:"DIR"`
	cli.Threads
}

func main() {
	var f flags
	cli.Main("crosscheck", "Compute a net with random weights, for comparison with other frameworks.", &f, func(context.Context) error {
		if err := f.Threads.Apply(); err != nil {
			return err
		}
		return run(f)
	})
}

// The normalisation. Inputs are large, as in the paper, since LRN hardly changes small ones. Each channel has its own
// deviation, so that a mixed-up channel shows.
var mean, std = []float64{123.68, 116.779, 103.939}, []float64{1, 1.5, 2}

func run(f flags) error {
	config, err := configs.ByName(f.Config)
	if err != nil {
		return cli.Usage(errors.Wrap(err, "--config"))
	}
	if f.Batch < 1 {
		return cli.Usage(errors.Errorf("--batch %d: want a positive number", f.Batch))
	}
	r := rand.New(rand.NewPCG(f.Seed, 0))
	height, width, dense := f.Input, f.Input, 0
	if f.Size != "" {
		dense = f.Input
		if n, err := fmt.Sscanf(f.Size, "%dx%d", &height, &width); n < 2 || min(height, width) < f.Input {
			return cli.Usage(errors.Errorf("--size %s: want a height and a width from the input on, such as 75x101 (%v)", f.Size, err))
		}
	}
	shape := tensor.Shape{f.Batch, len(mean), height, width}
	pixels, x := pictures(r, shape)
	g := gorgonia.NewGraph()
	input := graph.NewInput(g, f.Batch, len(mean), height, width)
	if err := gorgonia.Let(input, tensor.New(tensor.WithShape(shape...), tensor.WithBacking(x))); err != nil {
		return err
	}
	net, err := graph.Build(input, config, graph.Options{
		Classes: f.Classes, Width: f.Width, FC: f.FC, Init: configs.InitHe, Seed: f.Seed, Inference: !f.Gradients && !f.Explain, Dense: dense})
	if err != nil {
		return cli.Usage(err)
	}
	tensors := net.Tensors()
	randomise(r, tensors)
	if err := save(f, weights.File{Metadata: info(f, config).Metadata(), Tensors: tensors}); err != nil {
		return err
	}

	ours := []weights.Tensor{{Name: "pixels", Shape: shape, Data: pixels}, {Name: "x", Shape: shape, Data: x}}
	switch {
	case f.Explain:
		err = explained(f, net, r.IntN(f.Classes), &ours)
	case f.Gradients:
		err = differentiate(net, r, &ours)
	default:
		err = infer(net, &ours)
	}
	if err != nil {
		return err
	}
	return weights.Write(filepath.Join(f.Out, "ours.safetensors"), weights.File{Tensors: ours})
}

// randomise changes He's initial weights so that no fault stays hidden: biases are as large as the activations instead
// of zero, and the last layer is small, so that the soft-max is not saturated.
func randomise(r *rand.Rand, tensors []weights.Tensor) {
	for _, t := range tensors {
		if strings.HasSuffix(t.Name, ".bias") {
			for i := range t.Data {
				t.Data[i] = float32(10 * r.NormFloat64())
			}
		}
	}
	for _, t := range tensors[len(tensors)-2:] {
		for i := range t.Data {
			t.Data[i] /= 64
		}
	}
}

// pictures draws pixels (N, C, H, W) from 0 to 255, and returns them as drawn and normalised.
func pictures(r *rand.Rand, shape tensor.Shape) (pixels, x []float32) {
	pixels, x = make([]float32, shape.TotalSize()), make([]float32, shape.TotalSize())
	for i := range pixels {
		c := i / (shape[2] * shape[3]) % shape[1]
		pixels[i] = float32(r.IntN(256))
		x[i] = float32((float64(pixels[i]) - mean[c]) / std[c])
	}
	return pixels, x
}

func info(f flags, config configs.Config) weights.Info {
	i := weights.Info{Config: config.Name, Width: f.Width, FC: f.FC, Input: f.Input, Channels: len(mean), Mean: mean, Std: std, ValTop1Error: math.NaN()}
	for c := range f.Classes {
		i.Classes = append(i.Classes, strconv.Itoa(c))
	}
	return i
}

func save(f flags, net weights.File) error {
	if err := os.MkdirAll(f.Out, 0o755); err != nil {
		return errors.Wrap(err, "--out")
	}
	if err := weights.Write(filepath.Join(f.Out, "weights.safetensors"), net); err != nil {
		return err
	}
	if f.ONNX {
		return onnx.Write(filepath.Join(f.Out, "net.onnx"), net)
	}
	return nil
}

// infer adds the logits (N, classes).
func infer(net *graph.Net, ours *[]weights.Tensor) error {
	vm, err := machine.New(net.Input.Graph(), machine.Outputs(net.Logits), machine.Constants(net.Learnables()...))
	if err != nil {
		return err
	}
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		return err
	}
	return add(ours, "logits", net.Logits.Value())
}

// differentiate adds the labels (N), the gradients of the loss under the names of the weights, and what choose does.
func differentiate(net *graph.Net, r *rand.Rand, ours *[]weights.Tensor) error {
	classes := make([]int, net.Input.Shape()[0])
	stored := make([]float32, len(classes)) // safetensors holds float32 here
	for i := range classes {
		classes[i] = r.IntN(net.Options.Classes)
		stored[i] = float32(classes[i])
	}
	*ours = append(*ours, weights.Tensor{Name: "labels", Shape: []int{len(classes)}, Data: stored})
	labels := graph.NewLabels(net.Input.Graph(), len(classes))
	if err := gorgonia.Let(labels, tensor.New(tensor.WithShape(len(classes)), tensor.WithBacking(classes))); err != nil {
		return err
	}
	loss, err := net.Loss(labels)
	if err != nil {
		return err
	}
	if _, err := gorgonia.Grad(loss, net.Learnables()...); err != nil {
		return errors.Wrap(err, "gradients")
	}
	if err := choose(net, ours, machine.Outputs(loss), machine.Gradients(net.Learnables()...)); err != nil {
		return err
	}
	for _, p := range net.Parameters() {
		gradient, err := p.Node.Grad()
		if err != nil {
			return errors.Wrapf(err, "gradient of %s", p.Name)
		}
		if err := add(ours, p.Name, gradient); err != nil {
			return err
		}
	}
	return nil
}

// choose runs a graph, and adds the logits and, under their names, the outputs of the layers after which a ReLU or a
// max-pool chooses.
func choose(net *graph.Net, ours *[]weights.Tensor, options ...machine.Option) error {
	outputs := map[string]*gorgonia.Node{"logits": net.Logits}
	for _, l := range net.Config.Layers() {
		if l.Kind == configs.Convolution || l.Kind == configs.LRN || l.Hidden {
			n, err := net.Layer(l.Name)
			if err != nil {
				return err
			}
			outputs[l.Name] = n
		}
	}
	for _, n := range outputs {
		options = append(options, machine.Outputs(n))
	}
	vm, err := machine.New(net.Input.Graph(), options...)
	if err != nil {
		return err
	}
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		return err
	}
	for name, n := range outputs {
		if err := add(ours, name, n.Value()); err != nil {
			return err
		}
	}
	return nil
}

func add(ours *[]weights.Tensor, name string, v gorgonia.Value) error {
	data, ok := v.Data().([]float32)
	if !ok {
		return errors.Errorf("%s is %T, want float32", name, v.Data())
	}
	*ours = append(*ours, weights.Tensor{Name: name, Shape: v.Shape(), Data: data})
	return nil
}
