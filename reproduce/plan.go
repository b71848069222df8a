package reproduce

import (
	"slices"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/internal/mpi"
)

// Plan says what is reproduced.
type Plan struct {
	// Recipe trains net A. The other nets differ from it in the net, in the scale S and in the weights that they start
	// from. Its range from scale_min to scale_max stands for the paper's [256;512], its lower end for 256 and its
	// middle for 384.
	Recipe   configs.Recipe
	Seeds    []uint64 // everything is trained once with each
	Ablation bool     // also train the shallow net of section 4.1
	Dir      string   // the folder of all files

	// World are ranks that share the trainings, each of which calls Run with the same plan and pictures. The folder is one
	// that all see. nil = one process.
	World *mpi.World
}

// Validate gives an error if the plan cannot be carried out. It names the key of the recipe to change.
func (p Plan) Validate() error {
	a := p.Recipe.Augment
	switch {
	case p.Recipe.Weights != "" || p.Recipe.InitFrom != "":
		return errors.New("reproduce: the recipe starts from weights: section 4 begins with net A from random (weights, init_from)")
	case a.ScaleMin == 0 || a.ScaleMax <= a.ScaleMin+1:
		return errors.Errorf("reproduce: S from %d to %d: want a range, for the paper's [256;512] (augment.scale_min, augment.scale_max)",
			a.ScaleMin, a.ScaleMax)
	case a.Pad != 0:
		return errors.Errorf("reproduce: a border of %d pixels: want none, the paper has none (augment.pad)", a.Pad)
	case p.Recipe.Data == "":
		return errors.Errorf("reproduce: recipe %s names no pictures: set its key data", p.Recipe.Name)
	}
	if err := checkSeeds(p.Seeds); err != nil {
		return err
	}
	return p.Recipe.Validate()
}

// rows are all that the plan's tables and findings need.
func (p Plan) rows() (all []row) {
	for _, t := range tables() {
		all = append(all, t.rows...)
	}
	if p.Ablation {
		return append(all, ablation()...)
	}
	return all
}

// scale is ours for one of the paper's.
func (p Plan) scale(paper configs.Scale) configs.Scale {
	jitter := p.Recipe.Augment.Scale()
	switch paper {
	case configs.S256:
		return configs.Scale{Min: jitter.Min, Max: jitter.Min}
	case configs.S384:
		return configs.Scale{Min: jitter.Middle(), Max: jitter.Middle()}
	}
	return jitter
}

// testScales are our Q for a net that the paper tests at one scale or at several.
func (p Plan) testScales(net configs.TestedNet) []int {
	s := p.scale(net.Train)
	if len(net.Test) == 1 {
		return []int{s.Middle()}
	}
	return s.TestScales(p.Recipe.Net.Input)
}

// tests are those whose outputs a row averages, for one seed.
func (p Plan) tests(r row, seed uint64) (all []test) {
	protocols := []configs.Protocol{r.protocol}
	if r.protocol == configs.Both {
		protocols = []configs.Protocol{configs.Dense, configs.MultiCrop}
	}
	for _, net := range r.nets {
		for _, protocol := range protocols {
			for _, q := range p.testScales(net) {
				all = append(all, test{training{net.Config, net.Train, seed}, protocol, q})
			}
		}
	}
	return all
}

// work lists the trainings of a seed, each after the one that it starts from, and the tests of each.
func (p Plan) work(seed uint64) (order []training, tests map[training][]test) {
	tests = map[training][]test{}
	var need func(t training)
	need = func(t training) {
		if from, ok := t.from(); ok {
			need(from)
		}
		if !slices.Contains(order, t) {
			order = append(order, t)
		}
	}
	for _, r := range p.rows() {
		for _, t := range p.tests(r, seed) {
			need(t.training)
			if !slices.Contains(tests[t.training], t) {
				tests[t.training] = append(tests[t.training], t)
			}
		}
	}
	return order, tests
}

// job is a training with its tests.
type job struct {
	training
	tests []test
}

// jobs lists those of all seeds, each after the one that it starts from.
func (p Plan) jobs() (all []job) {
	for _, seed := range p.Seeds {
		order, tests := p.work(seed)
		for _, t := range order {
			all = append(all, job{t, tests[t]})
		}
	}
	return all
}
