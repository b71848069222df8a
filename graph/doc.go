// Package graph declares the nets of the paper's Table 1 (arXiv 1409.1556, section 2) as Gorgonia expression graphs.
// Build takes the node of a mini-batch of pictures and a config, and gives a Net: the node of the logits, the
// learnables for gorgonia.Grad and a solver, and every layer by its name. The graph runs in package machine and in
// Gorgonia's own machines.
//
// With Options.Boxes a net predicts boxes instead of class scores (appendix A).
//
// Pictures go in as (N, C, H, W), weights are (out, in, kernel, kernel) and (out, in) as in torchvision. Several graphs
// (for training, for validation, for another batch size, for another goroutine) may share one set of weights.
//
// This declares a narrow net A for two classes, and trains it:
//
//	g := gorgonia.NewGraph()
//	x, labels := graph.NewInput(g, 8, 3, 32, 32), graph.NewLabels(g, 8)
//	net, err := graph.Build(x, configs.A, graph.Options{Classes: 2, Width: 1.0 / 16, FC: 64, Dropout: 0.5, Seed: 1})
//	check(err)
//	loss, err := net.Loss(labels)
//	check(err)
//	_, err = gorgonia.Grad(loss, net.Learnables()...)
//	check(err)
//	vm, err := machine.New(g, machine.Outputs(loss), machine.Gradients(net.Learnables()...))
//	check(err)
//	defer vm.Close()
//	solver := gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(0.05))
//	for i := range 60 {
//		check(gorgonia.Let(x, pixels))       // a mini-batch (8, 3, 32, 32) of float32
//		check(gorgonia.Let(labels, classes)) // (8) of int, from 0
//		check(net.SetIteration(i))           // else every step drops the same units
//		check(vm.RunAll())
//		check(solver.Step(gorgonia.NodesToValueGrads(net.Learnables())))
//	}
//	fmt.Println("learnt:", loss.Value().Data().(float32) < 0.3)
//
// Package trainer has the solver of section 3.1, and does all this for a recipe.
package graph
