package reproduce

import (
	"fmt"
	"path/filepath"

	"vgg/configs"
	"vgg/trainer"
)

// training is a net of section 4 and how it is trained.
type training struct {
	config string
	scale  configs.Scale // the paper's S
	seed   uint64
}

// from is the training whose weights a training starts from, as in section 3.1; false for random weights.
func (t training) from() (training, bool) {
	switch {
	case t.scale == configs.Jitter:
		return training{t.config, configs.S384, t.seed}, true
	case t.scale == configs.S384:
		return training{t.config, configs.S256, t.seed}, true
	case t.config == configs.A.Name || t.config == configs.ALRN.Name || t.config == configs.B5.Name:
		return training{}, false
	}
	return training{configs.A.Name, configs.S256, t.seed}, true
}

// test is a trained net on the pictures of the tests by one protocol, other than both, at one scale Q of ours.
type test struct {
	training
	protocol configs.Protocol
	q        int
}

// recipe is how a net is trained. A second training scale gets a tenth of the learning rate (section 3.1) and half of
// the epochs.
func (p Plan) recipe(t training) configs.Recipe {
	r, s := p.Recipe, p.scale(t.scale)
	r.Config, r.Training.Seed = t.config, t.seed
	r.Augment.ScaleMin, r.Augment.ScaleMax = s.Min, s.Max
	from, ok := t.from()
	switch {
	case !ok:
	case from.config == t.config:
		r.Weights = p.weights(from)
		r.Training.LearningRate /= 10
		r.Training.Epochs = (r.Training.Epochs + 1) / 2
	default:
		r.InitFrom = p.weights(from)
	}
	return r
}

// name names a net among those of its seed, such as D-S32-64.
func (p Plan) name(t training) string {
	s := p.scale(t.scale)
	if s.Max != s.Min {
		return fmt.Sprintf("%s-S%d-%d", t.config, s.Min, s.Max)
	}
	return fmt.Sprintf("%s-S%d", t.config, s.Min)
}

// dir is the run directory of a net.
func (p Plan) dir(t training) string { return filepath.Join(p.Dir, seedFolder(t.seed), p.name(t)) }

func seedFolder(seed uint64) string { return fmt.Sprintf("seed-%d", seed) }

// weights is the file of the weights of a net's best epoch.
func (p Plan) weights(t training) string { return filepath.Join(p.dir(t), trainer.BestFile) }

// predictions is the file of the predictions of a test.
func (p Plan) predictions(t test) string {
	folder := "tests"
	if p.HeldOut != nil {
		folder = "held-out"
	}
	return filepath.Join(p.dir(t.training), folder, fmt.Sprintf("%s-%d.safetensors", t.protocol, t.q))
}

// describe names a training in words.
func (p Plan) describe(t training) string {
	what := fmt.Sprintf("seed %d, net %s, S = %v", t.seed, t.config, p.scale(t.scale))
	if from, ok := t.from(); ok {
		return fmt.Sprintf("%s, from net %s, S = %v", what, from.config, p.scale(from.scale))
	}
	return what + ", from random"
}
