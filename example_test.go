package vgg_test

import (
	"context"
	"fmt"
	"image"
	"log"
	"os"
	"path/filepath"
	"sync"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/augment"
	"vgg/configs"
	"vgg/dataset"
	"vgg/evaluate"
	"vgg/graph"
	"vgg/graph/machine"
	"vgg/trainer"
	"vgg/weights"
)

// check ends the program if there is an error, and must returns a value if there is none.
func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

// An epoch of training, written out.
func Example() {
	set := must(dataset.Open("embedded", dataset.Options{}))
	transform := augment.Transform{Size: 32, Flip: true, Mean: []float64{73}, Std: []float64{90}}
	loader := must(dataset.NewLoader(set.Train, 1, dataset.LoaderOptions{Batch: 32, Transform: transform, Training: true}))

	g := gorgonia.NewGraph()
	x, labels := graph.NewInput(g, 32, 1, 32, 32), graph.NewLabels(g, 32)
	net := must(graph.Build(x, configs.A, graph.Options{Classes: 10, Width: 0.125, FC: 64, Dropout: 0.5, Seed: 1}))
	loss := must(net.Loss(labels))
	must(gorgonia.Grad(loss, net.Learnables()...)) // Gorgonia's symbolic differentiation
	vm := must(machine.New(g, machine.Outputs(loss), machine.Gradients(net.Learnables()...)))
	solver := &trainer.SGD{LearningRate: 1e-2, Momentum: 0.9, WeightDecay: 5e-4}

	step := 0
	for batch, err := range loader.Epoch(context.Background(), 1) {
		check(err)
		check(gorgonia.Let(x, tensor.New(tensor.WithShape(32, 1, 32, 32), tensor.WithBacking(batch.Pixels))))
		check(gorgonia.Let(labels, tensor.New(tensor.WithShape(32), tensor.WithBacking(batch.Labels))))
		check(net.SetIteration(step)) // dropout then drops other units in each step
		check(vm.RunAll())
		check(solver.Step(gorgonia.NodesToValueGrads(net.Learnables())))
		step++
	}
	fmt.Println(step, "steps; better than guessing:", loss.Value().Data().(float32) < 2)
	// Output: 312 steps; better than guessing: true
}

// A training by a recipe, with all that cmd/train does.
func Example_recipe() {
	dir := must(os.MkdirTemp("", "run"))
	recipe := must(configs.LoadRecipe("quick"))
	check(recipe.Apply("config=B", "epochs=1", "net.width=0.125", "net.fc=64", "training.limit=1000"))
	history := must(trainer.Train(context.Background(), trainer.Job{Recipe: recipe, Dir: dir}))
	fmt.Printf("%d epoch, %d weights\n", len(history), len(must(weights.Read(filepath.Join(dir, trainer.BestFile))).Tensors))
	check(os.RemoveAll(dir))
	// Output: 1 epoch, 26 weights
}

// A net that is not in the paper.
func Example_ownNet() {
	mine := configs.Config{Name: "mine", Stages: [][]configs.Row{
		{configs.Conv(3, 8), configs.Conv(3, 8)},   // two 3×3 convolutions with 8 channels, then a max-pool
		{configs.Conv(3, 16), configs.Conv(1, 16)}, // a 3×3 and a 1×1 convolution, then a max-pool
	}}
	g := gorgonia.NewGraph()
	net := must(graph.Build(graph.NewInput(g, 2, 3, 16, 16), mine, graph.Options{Classes: 4, FC: 32}))
	fmt.Println(net.Logits.Shape())
	// Output: (2, 4)
}

// A trained net for other classes.
func Example_fineTuning() {
	file := small(10)
	g := gorgonia.NewGraph()
	net := must(graph.Build(graph.NewInput(g, 8, 3, 32, 32), configs.A, graph.Options{
		Classes: 5, Width: 1.0 / 16, FC: 16, Freeze: []string{"conv1", "conv2"}}))
	check(net.Load(file.Tensors, "conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7")) // all layers but fc8
	fmt.Println("the first learnable:", net.Learnables()[0].Name())
	// Output: the first learnable: conv3_1.weight
}

// Predictions from several goroutines, such as those of a server, that share the weights.
func Example_prediction() {
	file, pictures := small(2), []augment.Picture{augment.FromImage(image.NewRGBA(image.Rect(0, 0, 60, 40)), 3)}
	model := must(evaluate.NewModel("net A", file))
	var running sync.WaitGroup
	for range 4 {
		shared := model.Share()
		running.Go(func() {
			answers := must(shared.Predict(evaluate.Options{Protocol: configs.Dense}, pictures...))
			_ = model.Info.Classes[answers[0].Ranking()[0]] // the most probable class
		})
	}
	running.Wait()
	fmt.Println("done")
	// Output: done
}

// A net on disk, with what a reader has to know of it.
func Example_savedNet() {
	path := filepath.Join(must(os.MkdirTemp("", "net")), "mine.safetensors")
	g := gorgonia.NewGraph()
	mine := configs.Config{Name: "mine", Stages: [][]configs.Row{{configs.Conv(3, 8)}, {configs.Conv(3, 16)}}}
	net := must(graph.Build(graph.NewInput(g, 1, 3, 32, 32), mine, graph.Options{Classes: 2, FC: 16}))
	info := weights.Info{
		Config: mine.Name, Layers: weights.LayersOf(mine), Width: 1, FC: 16, Input: 32, Channels: 3,
		Classes: []string{"cat", "dog"}, Mean: []float64{124, 117, 104}, Std: []float64{1, 1, 1},
	}
	check(weights.Write(path, weights.File{Tensors: net.Tensors(), Metadata: info.Metadata()}))
	model := must(evaluate.ReadModel(path))
	fmt.Println(model.Info.Config, model.Info.Classes)
	check(os.RemoveAll(filepath.Dir(path)))
	// Output: mine [cat dog]
}

// small is a narrow net A with random weights, as weights.Read returns a trained one.
func small(classes int) *weights.File {
	g := gorgonia.NewGraph()
	net := must(graph.Build(graph.NewInput(g, 1, 3, 32, 32), configs.A, graph.Options{Classes: classes, Width: 1.0 / 16, FC: 16, Seed: 1}))
	info := weights.Info{Config: "A", Width: 1.0 / 16, FC: 16, Input: 32, Channels: 3, Mean: []float64{124, 117, 104}, Std: []float64{1, 1, 1}}
	for i := range classes {
		info.Classes = append(info.Classes, fmt.Sprint("class ", i))
	}
	return &weights.File{Metadata: info.Metadata(), Tensors: net.Tensors()}
}
