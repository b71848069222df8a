package reproduce

import (
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/trainer"
)

// BoxPlan says what of appendix A is reproduced: Tables 8 and 9.
type BoxPlan struct {
	// Classifier trains the classification net from random weights. Its S stands for the paper's 384. For 256 stands the S
	// at which the net's input shows as much of a picture as the paper's does.
	Classifier configs.Recipe
	Boxes      configs.Recipe // trains the localisation nets from it; regression, S, seed and what is frozen are set for each
	Seeds      []uint64       // everything is trained once with each
	Dir        string         // the folder of all files
}

// Validate gives an error if the plan cannot be carried out. It names the key of the recipe to change.
func (p BoxPlan) Validate() error {
	c := p.Classifier
	small, large := p.scale(configs.S256), p.scale(configs.S384)
	switch {
	case c.Weights != "" || c.InitFrom != "" || p.Boxes.Weights != "" || p.Boxes.InitFrom != "":
		return errors.New("reproduce: the recipes start from weights: want none (weights, init_from)")
	case c.Boxes.Regression != "":
		return errors.Errorf("reproduce: recipe %s trains no classification net (boxes.regression)", c.Name)
	case c.Augment.ScaleMax != c.Augment.ScaleMin:
		return errors.New("reproduce: the classification net is trained with scale jittering: appendix A has none (augment.scale_min, augment.scale_max)")
	case large.Min <= small.Min:
		return errors.Errorf("reproduce: S = %v stands for the paper's 384, and %v for 256: want more than %[2]v (augment.scale_min, augment.scale_max)", large, small)
	case c.Data == "":
		return errors.Errorf("reproduce: recipe %s names no pictures: set its key data", c.Name)
	case c.Config != p.Boxes.Config || !reflect.DeepEqual(c.Net, p.Boxes.Net):
		return errors.Errorf("reproduce: recipes %s and %s are of other nets: want the same config and table net", c.Name, p.Boxes.Name)
	}
	if err := checkSeeds(p.Seeds); err != nil {
		return err
	}
	if err := c.Validate(); err != nil {
		return err
	}
	return p.recipe(boxTraining{scale: configs.S384, regression: configs.RegressPerClass}).Validate()
}

// checkSeeds wants one or more, each once.
func checkSeeds(seeds []uint64) error {
	if len(seeds) == 0 {
		return errors.New("reproduce: no seed: want at least one")
	}
	for i, seed := range seeds {
		if slices.Contains(seeds[:i], seed) {
			return errors.Errorf("reproduce: seed %d twice: want each once", seed)
		}
	}
	return nil
}

// scale is ours for one of the paper's.
func (p BoxPlan) scale(paper configs.Scale) configs.Scale {
	s := p.Classifier.Augment.ScaleMin
	if paper == configs.S256 {
		s = int(math.Round(float64(p.Classifier.Net.Input) * 256 / configs.Input))
	}
	return configs.Scale{Min: s, Max: s}
}

// testScale is our Q for one of the paper's.
func (p BoxPlan) testScale(paper int) int {
	nearest := configs.S384
	if paper == configs.S256.Min {
		nearest = configs.S256
	}
	return p.scale(nearest).Min + int(math.Round(float64((paper-nearest.Min)*p.Classifier.Net.Input)/configs.Input))
}

// boxTraining is a net of appendix A and how it is trained.
type boxTraining struct {
	scale      configs.Scale      // the paper's S
	regression configs.Regression // "" for the classification net
	all        bool               // all layers are trained; otherwise the fully connected ones
	seed       uint64
}

// from is the training whose weights a training starts from; false for random weights.
func (t boxTraining) from() (boxTraining, bool) {
	switch {
	case t.regression != "":
		return boxTraining{scale: t.scale, seed: t.seed}, true
	case t.scale == configs.S384:
		return boxTraining{scale: configs.S256, seed: t.seed}, true
	}
	return boxTraining{}, false
}

// recipe is how a net is trained. A second training scale of the classification net gets a tenth of the learning rate,
// as in section 3.1, and half of the epochs, which is ours.
func (p BoxPlan) recipe(t boxTraining) configs.Recipe {
	r := p.Boxes
	from, fine := t.from()
	if t.regression == "" {
		r = p.Classifier
		if fine {
			r.Training.LearningRate /= 10
			r.Training.Epochs = (r.Training.Epochs + 1) / 2
		}
	} else {
		r.Boxes.Regression = t.regression
		r.Training.Freeze = nil
		if !t.all {
			r.Training.Freeze = convolutions(r.Config)
		}
	}
	if fine {
		r.Weights = p.weights(from)
	}
	s := p.scale(t.scale)
	r.Training.Seed, r.Augment.ScaleMin, r.Augment.ScaleMax = t.seed, s.Min, s.Max
	return r
}

// convolutions are the stages of a net.
func convolutions(config string) (stages []string) {
	c, err := configs.ByName(config)
	if err != nil {
		return nil // Validate says so
	}
	for _, l := range c.Convolutions() {
		stages = append(stages, l.StageName())
	}
	return slices.Compact(stages)
}

// name is that of the net's run directory.
func (p BoxPlan) name(t boxTraining) string {
	if t.regression == "" {
		return fmt.Sprintf("classes-S%d", p.scale(t.scale).Min)
	}
	return fmt.Sprintf("%s-%s-S%d", t.regression, map[bool]string{true: "all", false: "fc"}[t.all], p.scale(t.scale).Min)
}

func (p BoxPlan) seedDir(seed uint64) string {
	return filepath.Join(p.Dir, seedFolder(seed))
}

// dir is the run directory of a net.
func (p BoxPlan) dir(t boxTraining) string { return filepath.Join(p.seedDir(t.seed), p.name(t)) }

// weights is the file of the weights of a net's best epoch.
func (p BoxPlan) weights(t boxTraining) string { return filepath.Join(p.dir(t), trainer.BestFile) }

// describe names a training in words.
func (p BoxPlan) describe(t boxTraining) string {
	what := fmt.Sprintf("seed %d, ", t.seed)
	switch {
	case t.regression == "":
		what += "classes"
	case t.all:
		what += fmt.Sprintf("boxes %s, all layers", t.regression)
	default:
		what += fmt.Sprintf("boxes %s, fully connected layers", t.regression)
	}
	what += fmt.Sprintf(", S = %v", p.scale(t.scale))
	if from, ok := t.from(); ok {
		return what + ", from " + p.name(from)
	}
	return what + ", from random"
}
