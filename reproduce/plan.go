// Package reproduce goes through section 4 of the paper (arXiv 1409.1556) in miniature: it trains the paper's nets on any
// data set, tests them by the paper's protocols, and holds Tables 3 to 6 beside the paper's.
//
// In go a recipe and a data set; out comes a folder with a run directory for each net, the predictions of each test, and
// a report. Whatever of it exists already is not done again.
package reproduce

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/trainer"
)

// Plan says what is reproduced.
type Plan struct {
	// Recipe trains net A; the others differ from it in the net, in the scale and in what they start from. Its range from
	// scale_min to scale_max stands for the paper's [256;512], its lower end for 256 and its middle for 384.
	Recipe   configs.Recipe
	Seeds    []uint64
	Ablation bool   // also train the shallow net of section 4.1
	Dir      string // where everything is written
}

// training is a net of section 4, by the paper's training scale S.
type training struct {
	config string
	scale  configs.Scale
	seed   uint64
}

// from is the net that a training starts from, as section 3.1 has it; false for random weights.
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

// test is one look of a trained net at the validation pictures, at one scale Q of ours.
type test struct {
	training
	protocol configs.Protocol // but both
	q        int
}

// row is a line of a table: tests that are averaged, for a seed that is left open.
type row struct {
	label    string // of several nets
	nets     []configs.Evaluation
	paper    configs.Result
	protocol configs.Protocol
}

// The rows of the paper's tables.
func table(evaluations []configs.Evaluation) (rows []row) {
	for _, e := range evaluations {
		rows = append(rows, row{nets: []configs.Evaluation{e}, paper: configs.Result{Nets: 1, Top1: e.Top1, Top5: e.Top5}, protocol: e.Protocol})
	}
	return rows
}

// table6 fuses nets that are tested at several scales. Those of the submission are the ones that the paper lists.
func table6() (rows []row) {
	net := func(config string, scale configs.Scale) configs.Evaluation {
		return configs.Evaluation{Config: config, Train: scale, Test: make([]int, 3)}
	}
	two := []configs.Evaluation{net("D", configs.Jitter), net("E", configs.Jitter)}
	seven := []configs.Evaluation{
		net("C", configs.S256), net("C", configs.S384),
		net("D", configs.S256), net("D", configs.S384), net("D", configs.Jitter),
		net("E", configs.S256), net("E", configs.S384),
	}
	for _, p := range configs.Table6() {
		r := row{label: p.Method, nets: two, paper: p, protocol: p.Protocol}
		if p.Nets == len(seven) {
			r.nets = seven
		}
		rows = append(rows, r)
	}
	return rows
}

// ablation compares B with the shallow net on a centre crop; the paper gives the difference alone.
func ablation() []row {
	var rows []row
	for _, config := range []string{configs.B.Name, configs.B5.Name} {
		rows = append(rows, row{nets: []configs.Evaluation{{Config: config, Train: configs.S256, Test: []int{256}}}, protocol: configs.Center})
	}
	return rows
}

// rows are all that the plan's tables need.
func (p Plan) rows() []row {
	all := slices.Concat(table(configs.Table3()), table(configs.Table4()), table(configs.Table5()), table6())
	if p.Ablation {
		all = append(all, ablation()...)
	}
	return all
}

// tests are those that a row averages.
func (p Plan) tests(r row, seed uint64) (all []test) {
	protocols := []configs.Protocol{r.protocol}
	if r.protocol == configs.Both {
		protocols = []configs.Protocol{configs.Dense, configs.MultiCrop}
	}
	for _, e := range r.nets {
		for _, protocol := range protocols {
			for _, q := range p.testScales(e) {
				all = append(all, test{training{e.Config, e.Train, seed}, protocol, q})
			}
		}
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
func (p Plan) testScales(e configs.Evaluation) []int {
	s := p.scale(e.Train)
	if len(e.Test) == 1 {
		return []int{s.Middle()}
	}
	return s.TestScales(p.Recipe.Net.Input)
}

// work lists the trainings of a seed, each after what it starts from, with their tests.
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

// recipe is how a net is trained.
func (p Plan) recipe(t training) configs.Recipe {
	r, s := p.Recipe, p.scale(t.scale)
	r.Config, r.Training.Seed = t.config, t.seed
	r.Augment.ScaleMin, r.Augment.ScaleMax = s.Min, s.Max
	from, ok := t.from()
	switch {
	case !ok:
	case from.config == t.config:
		r.Weights = filepath.Join(p.dir(from), trainer.BestFile)
		r.Training.LearningRate /= 10
		r.Training.Epochs = (r.Training.Epochs + 1) / 2
	default:
		r.InitFrom = filepath.Join(p.dir(from), trainer.BestFile)
	}
	return r
}

// dir is the run directory of a net.
func (p Plan) dir(t training) string {
	s := p.scale(t.scale)
	name := fmt.Sprintf("%s-S%d", t.config, s.Min)
	if s.Max != s.Min {
		name += fmt.Sprintf("-%d", s.Max)
	}
	return filepath.Join(p.Dir, fmt.Sprintf("seed-%d", t.seed), name)
}

func (p Plan) file(t test) string {
	return filepath.Join(p.dir(t.training), "tests", fmt.Sprintf("%s-%d.safetensors", t.protocol, t.q))
}

// describe names a training in words.
func (p Plan) describe(t training) string {
	what := fmt.Sprintf("seed %d, net %s, S = %v", t.seed, t.config, p.scale(t.scale))
	if from, ok := t.from(); ok {
		return fmt.Sprintf("%s, from net %s, S = %v", what, from.config, p.scale(from.scale))
	}
	return what + ", from random"
}

// Validate says whether the plan can be carried out; the error names the key of the recipe that stands in the way.
func (p Plan) Validate() error {
	a := p.Recipe.Augment
	switch {
	case len(p.Seeds) == 0:
		return errors.New("reproduce: no seed: want at least one")
	case p.Recipe.Weights != "" || p.Recipe.InitFrom != "":
		return errors.New("reproduce: the recipe starts from weights: section 4 begins with net A from random (weights, init_from)")
	case a.ScaleMin == 0 || a.ScaleMax <= a.ScaleMin+1:
		return errors.Errorf("reproduce: S from %d to %d: want a range, for the paper's [256;512] (augment.scale_min, augment.scale_max)", a.ScaleMin, a.ScaleMax)
	case a.Pad != 0:
		return errors.Errorf("reproduce: a border of %d pixels: want none, the paper has none (augment.pad)", a.Pad)
	}
	for i, seed := range p.Seeds {
		if slices.Contains(p.Seeds[:i], seed) {
			return errors.Errorf("reproduce: seed %d twice: want each once", seed)
		}
	}
	if p.Recipe.Data == "" {
		return errors.Errorf("reproduce: recipe %s names no pictures: give a folder or archive with --data", p.Recipe.Name)
	}
	return p.Recipe.Validate()
}
