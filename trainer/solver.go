package trainer

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"vgg/internal/kernel"
	"vgg/internal/outer"
)

// SGD is gradient descent with momentum and weight decay (section 3.1), as a gorgonia.Solver:
//
//	v ← μ v − η (∇ / Accumulated + λ w)
//	w ← w + v
//
// with learning rate η, momentum μ and weight decay λ, which applies to weights and biases alike. The same pass clears
// the gradient, and multiplies one that is held as its factors (package outer) tile by tile. (Gorgonia's own Momentum
// solver applies λ to the velocity instead of the weights.)
type SGD struct {
	LearningRate float64
	Momentum     float64
	WeightDecay  float64
	Accumulated  float64 // micro-batches whose gradients were summed; one with rows that do not count is a fraction of one; 0 = 1

	// KeepGradients does not clear the gradients, which saves writing them: the caller calls machine.VM.ClearGradients.
	KeepGradients bool

	velocities [][]float32
}

// Step updates the learnables, which must be the same in every call, in the same order.
func (s *SGD) Step(model []gorgonia.ValueGrad) error {
	if s.velocities == nil {
		s.velocities = make([][]float32, len(model))
	}
	if len(model) != len(s.velocities) {
		return errors.Errorf("trainer: a step for %d learnables after one for %d", len(model), len(s.velocities))
	}
	accumulated := s.Accumulated
	if accumulated == 0 {
		accumulated = 1
	}
	update := kernel.SGD{
		LearningRate: float32(s.LearningRate),
		Momentum:     float32(s.Momentum),
		WeightDecay:  float32(s.WeightDecay),
		Scale:        1 / float32(accumulated),
		Keep:         s.KeepGradients,
	}
	for i, n := range model {
		gradient, err := n.Grad()
		if err != nil {
			return errors.Wrapf(err, "trainer: learnable %d has no gradient", i)
		}
		w, ok := n.Value().Data().([]float32)
		if !ok || len(w) != gradient.Size() {
			return mismatch(i, n, gradient)
		}
		if s.velocities[i] == nil {
			s.velocities[i] = make([]float32, len(w))
		}
		if len(s.velocities[i]) != len(w) {
			return errors.Errorf("trainer: learnable %d has %d values after a step with %d", i, len(w), len(s.velocities[i]))
		}
		if p, ok := gradient.(*outer.Gradient); ok {
			layer := p.Layer()
			if err := layer.Validate(); err != nil {
				return errors.Wrapf(err, "trainer: the gradient of learnable %d", i)
			}
			update.StepLinear(layer, w, s.velocities[i], p.X, p.G)
			if !update.Keep {
				p.Clear()
			}
			continue
		}
		g, ok := gradient.Data().([]float32)
		if !ok || len(g) != len(w) {
			return mismatch(i, n, gradient)
		}
		update.Step(w, s.velocities[i], g)
	}
	return nil
}

func mismatch(i int, n gorgonia.ValueGrad, gradient gorgonia.Value) error {
	return errors.Errorf("trainer: learnable %d is %T of %v with a gradient of %v: want float32 tensors of one shape", i, n.Value(), n.Value().Shape(), gradient.Shape())
}
