package graph

import (
	"math"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/internal/finite"
	"vgg/weights"
)

// Options are what a config leaves open. The zero value of each field means the paper's choice, or the default named.
type Options struct {
	Classes int          // outputs of the last layer, unless Boxes is set; 0 = 1000
	Width   float64      // multiplies the channels of every convolution; 0 = 1
	FC      int          // width of the two hidden fully connected layers; 0 = 4096
	Init    configs.Init // how the weights start; "" = DefaultInit
	Seed    uint64       // of the initial weights and of dropout

	// Boxes makes the last layer predict boxes (appendix A): four outputs for each class or, "single", four. "" = class
	// scores. BoxLoss is what the Euclidean loss makes of the four differences; "" = LossSum.
	Boxes   configs.Regression
	BoxLoss configs.BoxLoss

	// Dropout is the probability of dropping a hidden fully connected unit (section 3.1: 0.5); 0 = off, as for inference.
	// Warning: call Net.SetIteration before each step with a number not used before; else every step drops the same units.
	Dropout float64

	// Dense is the side in pixels of the pictures that the weights were trained on, where x has larger ones. The fully
	// connected layers are then applied at every position, as the convolutions that section 3.2 turns them into, and the
	// logits are the mean of the class score map; boxes stay those of each position. 0 = as large as x.
	Dense int

	// Freeze names layers (conv1_1, fc6) and stages (conv1) that are not trained. Their weights are not learnables and get
	// no gradients, and below the first layer that is trained no gradients are declared at all. It changes nothing in a
	// graph for inference.
	Freeze []string

	// From and Weights give the weights instead of Init: tensors as Load takes them, such as a file's, or a net of the
	// same shapes. They are not copied, so training changes theirs. Graphs that share weights may run at the same time,
	// each on its own goroutine with a machine of its own, as long as nobody changes the weights.
	From    []weights.Tensor
	Weights *Net

	// Inference says that the weights do not change: they are prepared for the kernels once (machine.Constants), together
	// for all inference graphs that share them through Weights. Such graphs have no gradients.
	Inference bool

	InputGradient bool // let gorgonia.Grad differentiate with regard to x too
}

func (o Options) withDefaults() Options {
	if o.Classes == 0 {
		o.Classes = configs.Classes
	}
	if o.Width == 0 {
		o.Width = 1
	}
	if o.FC == 0 {
		o.FC = configs.FC
	}
	if o.BoxLoss == "" {
		o.BoxLoss = configs.LossSum
	}
	if o.Init == "" {
		o.Init = DefaultInit
	}
	return o
}

// outputs is the number of channels or features that a layer gives; 0 where they stay as they are.
func (o Options) outputs(l configs.Layer) float64 {
	switch {
	case l.Kind == configs.Convolution:
		return max(1, math.Round(o.Width*float64(l.Channels)))
	case l.Hidden:
		return float64(o.FC)
	case l.Kind == configs.FullyConnected:
		return float64(o.Boxes.Outputs(o.Classes))
	}
	return 0
}

func (o Options) validate() error {
	switch {
	case o.Classes < 1:
		return errors.Errorf("graph: %d classes: want at least 1", o.Classes)
	case o.Boxes != "" && o.Boxes != configs.RegressPerClass && o.Boxes != configs.RegressSingle:
		return errors.Errorf("graph: boxes %q: want %q or %q, or none for class scores", o.Boxes, configs.RegressPerClass, configs.RegressSingle)
	case o.BoxLoss != configs.LossSum && o.BoxLoss != configs.LossMean:
		return errors.Errorf("graph: the loss of boxes is %q: want %q or %q", o.BoxLoss, configs.LossSum, configs.LossMean)
	case !(o.Width > 0) || !finite.Is(o.Width):
		return errors.Errorf("graph: width %v: want a positive multiplier such as 0.25", o.Width)
	case o.FC < 1:
		return errors.Errorf("graph: %d fully connected units: want at least 1", o.FC)
	case o.Dense < 0:
		return errors.Errorf("graph: dense evaluation of a net for pictures of %d pixels: want 0 or the side that it was trained with", o.Dense)
	case o.From != nil && o.Weights != nil:
		return errors.New("graph: weights both from tensors and from a net: want one of Options.From and Options.Weights")
	case !(o.Dropout >= 0 && o.Dropout < 1):
		return errors.Errorf("graph: dropout probability %v: want one in [0, 1)", o.Dropout)
	}
	return nil
}
