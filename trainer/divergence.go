package trainer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"vgg/configs"
	"vgg/dataset"
	"vgg/graph"
	"vgg/graph/machine"
	"vgg/internal/kernel"
	"vgg/internal/outer"
)

// divergence is the error for a loss or gradient that is not finite. In a step, the weights are still those before it.
type divergence struct {
	progress   progress // before the step
	validating bool     // after the epoch's last step
	what       string   // is not finite
	layer      string   // the first one in which it is not
	remedies   string
}

func (d *divergence) Error() string {
	kept := "the weights before this step are kept"
	if d.validating {
		kept = "these weights are not written"
	}
	return fmt.Sprintf("trainer: %s in epoch %d, %s, at learning rate %g, first in %s: %s; try %s",
		d.what, d.progress.Epoch, d.when(), d.progress.Schedule.LearningRate, d.layer, kept, d.remedies)
}

func (d *divergence) when() string {
	if d.validating {
		return fmt.Sprintf("validation after iteration %d", d.progress.Iteration)
	}
	return fmt.Sprintf("iteration %d", d.progress.Iteration+1)
}

func (*divergence) Is(target error) bool { return target == ErrDiverged }

// divergence makes the error for the current step, with the remedies that the recipe does not use yet.
func (s *session) divergence(what, layer string) *divergence {
	r, remedies := s.job.Recipe, []string{"a lower learning rate (training.learning_rate)"}
	if r.Net.Init != configs.InitHe && r.Net.Init != configs.InitIdentity {
		remedies = append(remedies, fmt.Sprintf("another initialiser (net.init = %q)", configs.InitHe))
	}
	if r.Augment.Normalisation != configs.NormaliseMeanStd {
		remedies = append(remedies, fmt.Sprintf("normalised pictures (augment.normalisation = %q)", configs.NormaliseMeanStd))
	}
	if r.Run.OnDivergence != configs.OnDivergenceLowerLR {
		remedies = append(remedies, fmt.Sprintf("a run that lowers it by itself (run.on_divergence = %q)", configs.OnDivergenceLowerLR))
	}
	return &divergence{s.progress, s.progress.Step == s.steps, what, layer, strings.Join(remedies, ", or ")}
}

// lossDiverged makes the error for a loss of a net, for training or for validation, that is not finite; micro is the number of the micro-batch in the step.
func (s *session) lossDiverged(loss float64, net *graph.Net, batch *dataset.Batch, micro int) error {
	layer, err := firstNotFinite(net, batch, s.progress.Iteration*s.micro+micro)
	if err != nil {
		return errors.Wrapf(err, "trainer: the loss is %v, and the search for the layer failed", loss)
	}
	return s.divergence(fmt.Sprintf("the loss is %v", loss), layer)
}

// firstNotFinite names the first layer of a net whose output is NaN or infinite for a batch. It runs the batch again
// through a graph that keeps the outputs of all layers.
func firstNotFinite(of *graph.Net, batch *dataset.Batch, iteration int) (layer string, err error) {
	o := of.Options
	o.Weights = of
	g := gorgonia.NewGraph()
	shape := of.Input.Shape()
	net, err := graph.Build(graph.NewInput(g, shape[0], shape[1], shape[2], shape[3]), of.Config, o)
	if err != nil {
		return "", err
	}
	r, err := lossOf(net)
	if err != nil {
		return "", err
	}
	var layers []*gorgonia.Node
	var names []string
	for _, l := range net.Config.Layers() {
		node, err := net.Layer(l.Name)
		if err != nil {
			return "", err
		}
		layers, names = append(layers, node), append(names, l.Name)
	}
	if r.vm, err = machine.New(g, machine.Outputs(append(layers, r.loss)...)); err != nil {
		return "", err
	}
	defer r.vm.Close()
	if _, err := r.run(batch, iteration); err != nil {
		return "", err
	}
	for i, node := range layers {
		if !kernel.Finite(node.Value().Data().([]float32)) {
			return names[i], nil
		}
	}
	return "the loss", nil
}

// gradientNotFinite names the layer nearest to the loss, the first of the backward pass, whose gradient is NaN or
// infinite; "" if there is none.
func (s *session) gradientNotFinite() string {
	for _, p := range slices.Backward(s.net.Parameters()) {
		if p.Frozen {
			continue
		}
		if g, err := p.Node.Grad(); err != nil || !finiteGradient(g) {
			return p.Layer
		}
	}
	return ""
}

// finiteGradient tells whether no element of a gradient is infinite or not a number.
func finiteGradient(g gorgonia.Value) bool {
	if p, ok := g.(*outer.Gradient); ok {
		return p.Finite()
	}
	return kernel.Finite(g.Data().([]float32))
}

// leastLearningRate is the lowest learning rate that is tried.
const leastLearningRate = 1e-10

// rollBack restores the last checkpoint and divides the learning rate by 10, if err is a divergence and the recipe asks
// for it; else it returns err.
func (s *session) rollBack(err error) error {
	var d *divergence
	if !errors.As(err, &d) || s.job.Recipe.Run.OnDivergence != configs.OnDivergenceLowerLR {
		return err
	}
	rate := s.progress.Schedule.LearningRate / 10
	if rate < leastLearningRate {
		return errors.Wrap(err, "trainer: no lower learning rate helps")
	}
	elapsed := s.elapsed()
	failed := s.job.World.First("rank 0, which reads the last checkpoint", func() error {
		if err := s.goBack(err); err != nil {
			return err
		}
		s.progress.Notes = append(s.progress.Notes, d.wentBack(s.progress.Iteration, rate))
		return nil
	})
	if failed == nil {
		failed = s.shareState()
	}
	if failed != nil {
		return failed
	}
	s.secondsBefore = elapsed
	s.progress.Schedule.LearningRate = rate
	s.job.Observer.Notice(d.wentBack(s.progress.Iteration, rate))
	return nil
}

func (d *divergence) wentBack(iteration int, rate float64) string {
	return fmt.Sprintf("%s in %s, first in %s: back to iteration %d, with the learning rate divided by 10, now %.3g", d.what, d.when(), d.layer, iteration, rate)
}

// goBack restores the last checkpoint after err, which it returns if there are none.
func (s *session) goBack(err error) error {
	if s.files == nil {
		return err
	}
	if err := s.tolerate(s.checkpoints.wait()); err != nil {
		return err
	}
	k := &s.checkpoints
	if k.restored != "" && k.restoredAt == s.progress.Iteration { // whatever the learning rate: no step was made
		k.diverged = append(k.diverged, k.restored)
	}
	c, failed := k.newest(s.job.Observer.Notice)
	if failed != nil {
		return errors.Wrap(err, failed.Error())
	}
	return s.restore(c)
}
