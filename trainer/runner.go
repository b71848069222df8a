package trainer

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/configs"
	"vgg/dataset"
	"vgg/graph"
	"vgg/graph/machine"
)

// runner runs one graph on batches.
type runner struct {
	net     *graph.Net
	labels  *gorgonia.Node
	targets *gorgonia.Node // of a net that predicts boxes
	loss    *gorgonia.Node
	weight  *gorgonia.Node // factor of the gradients of a batch; training only
	deepest *gorgonia.Node // output of the last convolution, for diagnosis; validation only
	vm      *machine.VM
}

// newRunner declares a net for batches (batch, channels, input, input), for training with its gradients, which sum adds
// up; nil is for validation.
func newRunner(config configs.Config, o graph.Options, batch, channels, input int, sum *Gradients) (*runner, error) {
	if err := config.CheckInput(input); err != nil {
		return nil, errors.Wrap(err, "trainer: net.input")
	}
	g := gorgonia.NewGraph()
	x := graph.NewInput(g, batch, channels, input, input)
	net, err := graph.Build(x, config, o)
	if err != nil {
		return nil, err
	}
	r, err := lossOf(net)
	if err != nil {
		return nil, err
	}
	options := []machine.Option{machine.Outputs(r.loss, net.Output())}
	if sum != nil {
		r.weight = gorgonia.NewScalar(g, gorgonia.Float32, gorgonia.WithName("weight of the batch"))
		if _, err = gorgonia.Backpropagate(gorgonia.Nodes{r.loss}, gorgonia.Nodes{r.weight}, net.Learnables()); err != nil {
			return nil, errors.Wrap(err, "trainer: cannot differentiate the loss")
		}
		options = append(options, machine.Gradients(net.Learnables()...), machine.Products(sum.leaves*batch), sum.Option())
	} else {
		if r.deepest, err = net.Layer(deepestConvolution(config).Name); err != nil {
			return nil, err
		}
		options = append(options, machine.Outputs(r.deepest))
	}
	if r.vm, err = machine.New(g, options...); err != nil {
		return nil, err
	}
	if sum != nil {
		err = sum.Bind(r.vm, net.Learnables())
	}
	return r, err
}

// lossOf declares the labels, or the labels and the boxes, and the loss of a net.
func lossOf(net *graph.Net) (r *runner, err error) {
	labels := graph.NewLabels(net.Input.Graph(), net.Input.Shape()[0])
	r = &runner{net: net, labels: labels}
	if net.Boxes == nil {
		r.loss, err = net.Loss(labels)
		return r, err
	}
	r.targets = graph.NewTargets(net.Input.Graph(), net.Input.Shape()[0])
	r.loss, err = net.BoxLoss(labels, r.targets)
	return r, err
}

// run computes the mean loss over the pictures of a batch, in nats where the net classifies; for training it also adds
// its gradients, times the share of the rows that are pictures, so that each picture of a mini-batch counts alike.
func (r *runner) run(b *dataset.Batch, iteration int) (float64, error) {
	x := tensor.New(tensor.WithShape(r.net.Input.Shape()...), tensor.WithBacking(b.Pixels))
	if err := gorgonia.Let(r.net.Input, x); err != nil {
		return 0, errors.Wrap(err, "trainer: pictures")
	}
	if err := gorgonia.Let(r.labels, tensor.New(tensor.WithShape(len(b.Labels)), tensor.WithBacking(b.Labels))); err != nil {
		return 0, errors.Wrap(err, "trainer: labels")
	}
	if r.targets != nil {
		if err := gorgonia.Let(r.targets, tensor.New(tensor.WithShape(r.targets.Shape()...), tensor.WithBacking(b.Boxes))); err != nil {
			return 0, errors.Wrap(err, "trainer: boxes")
		}
	}
	if r.weight != nil {
		if err := gorgonia.Let(r.weight, float32(share(b.Labels))); err != nil {
			return 0, errors.Wrap(err, "trainer: weight of the batch")
		}
	}
	if err := r.net.SetIteration(iteration); err != nil {
		return 0, err
	}
	if err := r.vm.RunAll(); err != nil {
		return 0, err
	}
	return float64(r.loss.Value().Data().(float32)), nil
}

// share is the part of the rows of a batch that count, from 0 to 1.
func share(labels []int) float64 {
	n := 0
	for _, label := range labels {
		if label >= 0 {
			n++
		}
	}
	return float64(n) / float64(len(labels))
}

// output is that of the last run: logits (N, classes) or boxes (N, 4) or (N, 4 · classes).
func (r *runner) output() []float32 { return r.net.Output().Value().Data().([]float32) }
