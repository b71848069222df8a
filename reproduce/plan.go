package reproduce

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/dataset"
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
	Nets     []string // the nets of Table 1 to train, A among them; none = all
	Dir      string   // the folder of all files
	Records  string   // the folder of what is kept of each training and its tests; "" = records in Dir
	Build    string   // names the program in records

	// AtOnce is how many trainings, with their tests, one process does at a time, each with its share of the threads: a
	// small net gains less from a second thread than a second net does. 0 = 1.
	AtOnce int

	// HeldOut, if not nil, are pictures of the same classes by which nothing was chosen. The tests are on its validation
	// pictures then, and none of their errors is shown until the tests are opened: Opening says why, and each opening is
	// written down among the records.
	HeldOut  *dataset.Set
	Opening  string
	Protocol string // what the report says of how all this was chosen; "" = nothing

	split   string                // describes the pictures, for the records; "" = those that come with the program
	subject func(picture int) int // of the pictures tested; nil = each its own
	fixed   bool                  // only the nets at the smallest scale, by dense evaluation at that scale

	// World are ranks that share the trainings, each of which calls Run with the same plan and pictures. The folder is one
	// that all see. nil = one process.
	World *mpi.World
}

// withRecords is the plan with a folder of records.
func (p Plan) withRecords() Plan {
	if p.Records == "" {
		p.Records = filepath.Join(p.Dir, "records")
	}
	return p
}

// forSet is the plan for a set, whose pictures its records must be of.
func (p Plan) forSet(set *dataset.Set) Plan {
	if !dataset.BuiltIn(p.Recipe.Data) {
		p.split = set.SplitID()
	}
	tested := set
	if p.HeldOut != nil {
		if tested = p.HeldOut; !dataset.BuiltIn(tested.Source.Spec) {
			p.split += "; held out: " + tested.SplitID()
		}
	}
	if repeated, ok := tested.Val.(dataset.Repeated); ok {
		p.subject = repeated.Subject
	}
	return p
}

// sealed tells whether the errors of the tests stay unknown.
func (p Plan) sealed() bool { return p.HeldOut != nil && p.Opening == "" }

// tested names what the tests are on.
func (p Plan) tested(set *dataset.Set) string {
	if p.HeldOut == nil {
		return fmt.Sprintf("the %d validation pictures", set.Val.Len())
	}
	return fmt.Sprintf("%d pictures held out (%s, %s)", p.HeldOut.Val.Len(), p.HeldOut.Name, p.HeldOut.Chosen())
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
	case strings.ContainsAny(p.Opening, "\r\n"):
		return errors.New("reproduce: the reason of the opening has several lines: want one")
	case p.Recipe.Data == "":
		return errors.Errorf("reproduce: recipe %s names no pictures: set its key data", p.Recipe.Name)
	}
	for i, n := range p.Nets {
		if slices.Contains(p.Nets[:i], n) {
			return errors.Errorf("reproduce: net %s twice: want each once", n)
		}
		if c, err := configs.ByName(n); err != nil || c.Name != n || n == configs.B5.Name {
			var known []string
			for _, c := range configs.All() {
				known = append(known, c.Name)
			}
			return errors.Errorf("reproduce: no net %q in Table 1: its nets are %s", n, strings.Join(known, ", "))
		}
	}
	if len(p.Nets) > 0 && !slices.Contains(p.Nets, configs.A.Name) {
		return errors.New("reproduce: nets without A, from which the others start (section 3.1)")
	}
	if err := checkSeeds(p.Seeds); err != nil {
		return err
	}
	return p.Recipe.Validate()
}

// tables are the paper's, with the rows of the plan's nets.
func (p Plan) tables() (some []paperTable) {
	for _, t := range tables() {
		if t.rows = slices.DeleteFunc(t.rows, func(r row) bool { return !p.has(r) }); len(t.rows) > 0 {
			some = append(some, t)
		}
	}
	return some
}

// has tells whether the plan trains and tests the nets of a row.
func (p Plan) has(r row) bool {
	if one := r.nets[0]; p.fixed && (len(r.nets) > 1 || one.Train != configs.S256 || len(one.Test) > 1) {
		return false
	}
	return !slices.ContainsFunc(r.nets, func(n configs.TestedNet) bool {
		return len(p.Nets) > 0 && !slices.Contains(p.Nets, n.Config) && n.Config != configs.B5.Name
	})
}

// rows are all that the plan's tables and findings need.
func (p Plan) rows() (all []row) {
	for _, t := range p.tables() {
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
	kept  *record // nil if it is not there; otherwise others start from the net, or are tested together with it
}
