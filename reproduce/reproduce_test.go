package reproduce

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"vgg/augment"
	"vgg/configs"
	"vgg/dataset"
	"vgg/evaluate"
	"vgg/history"
	"vgg/plots"
	"vgg/trainer"
)

// stripes is a split of grey pictures whose class decides the direction of their stripes.
type stripes struct{ pictures, classes int }

func (s stripes) Len() int          { return s.pictures }
func (s stripes) Label(i int) int   { return i % s.classes }
func (s stripes) Name(i int) string { return fmt.Sprintf("stripes %d", i) }

func (s stripes) Picture(i int) (augment.Picture, error) {
	p := augment.Picture{Width: 40, Height: 36, Channels: 1, Pix: make([]uint8, 40*36)}
	angle := math.Pi * float64(s.Label(i)) / float64(s.classes)
	for k := range p.Pix {
		x, y := float64(k%40), float64(k/40)
		p.Pix[k] = uint8(127 + 100*math.Sin(x*math.Cos(angle)+y*math.Sin(angle)+float64(i)))
	}
	return p, nil
}

func set() *dataset.Set {
	return &dataset.Set{
		Name: "stripes", Source: dataset.Source{Spec: "embedded", ValShare: 0.1, SplitSeed: 1}, Channels: 1,
		Classes: []string{"a", "b", "c", "d", "e", "f"}, Train: stripes{48, 6}, Val: stripes{18, 6},
	}
}

func plan(t *testing.T) Plan {
	t.Helper()
	r, err := configs.LoadRecipe("miniature")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Apply("net.width=0.0625", "net.fc=16", "training.epochs=2", "training.batch=16"); err != nil {
		t.Fatal(err)
	}
	return Plan{Recipe: r, Seeds: []uint64{1, 2}, Dir: filepath.Join(t.TempDir(), "out")}
}

// TestPlan: what is trained, from what, and tested at which scales.
func TestPlan(t *testing.T) {
	p := plan(t)
	order, tests := p.work(1)
	var trained []string
	for _, net := range order {
		name := filepath.Base(p.dir(net))
		if from, ok := net.from(); ok {
			if !slices.Contains(trained, filepath.Base(p.dir(from))) {
				t.Errorf("%s comes before what it starts from", name)
			}
			name += "←" + filepath.Base(p.dir(from))
		}
		trained = append(trained, filepath.Base(p.dir(net)))
		r := p.recipe(net)
		fine := strings.Contains(name, "48") || strings.Contains(name, "64")
		if fine != (r.Training.LearningRate == 0.001 && r.Training.Epochs == 1 && r.Weights != "") {
			t.Errorf("%s is trained by %+v", name, r.Training)
		}
		if strings.HasSuffix(name, "←A-S32") != (r.InitFrom != "") {
			t.Errorf("%s starts from %q", name, r.InitFrom)
		}
	}
	want := []string{"A-S32", "A-LRN-S32", "B-S32", "C-S32", "C-S48", "C-S32-64", "D-S32", "D-S48", "D-S32-64", "E-S32", "E-S48", "E-S32-64"}
	if !slices.Equal(trained, want) {
		t.Errorf("trained are %v, want %v", trained, want)
	}
	var jitter []string
	for _, one := range tests[training{"D", configs.Jitter, 1}] {
		jitter = append(jitter, fmt.Sprint(one.protocol, one.q))
	}
	if want := []string{"dense48", "dense32", "dense64", "multi-crop32", "multi-crop48", "multi-crop64"}; !slices.Equal(jitter, want) {
		t.Errorf("D with jittering is tested by %v, want %v", jitter, want)
	}
	if got := len(p.tests(fusions()[0], 1)); got != 2+3+2+3+3+2+3 {
		t.Errorf("the submission averages %d tests", got)
	}
	p.Ablation = true
	if order, tests = p.work(1); len(order) != 13 || len(tests[training{"B-5x5", configs.S256, 1}]) != 1 {
		t.Errorf("with the shallow net, %d trainings", len(order))
	}
}

// silent counts the trainings that were not finished before.
type silent struct {
	trainings int
	notices   []string
}

func (s *silent) Training(string, configs.Recipe) trainer.Observer { return begun{s} }
func (s *silent) Notice(m string)                                  { s.notices = append(s.notices, m) }

type begun struct{ *silent }

func (b begun) Begin(int, []string) error { b.trainings++; return nil }
func (begun) Step(int, int, float64)      {}
func (begun) Epoch(history.History) error { return nil }

// stopping cancels after a number of trainings and epochs.
type stopping struct {
	silent
	cancel func()
	epochs int
}

func (s *stopping) Training(string, configs.Recipe) trainer.Observer { return s }
func (s *stopping) Begin(int, []string) error                        { return nil }
func (s *stopping) Step(int, int, float64)                           {}
func (s *stopping) Epoch(history.History) error {
	if s.epochs--; s.epochs == 0 {
		s.cancel()
	}
	return nil
}

// timeless is the report of a plan without its times.
func timeless(t *testing.T, p Plan) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(p.Dir, MarkdownFile))
	if err != nil {
		t.Fatal(err)
	}
	text = regexp.MustCompile(`\| \d+ \|\n`).ReplaceAll(text, []byte("|\n"))
	return regexp.MustCompile(`add up to .* to .*: where`).ReplaceAllString(string(text), "")
}

// TestRun interrupts a run, continues it, and compares its report with that of an uninterrupted run. Then it runs the
// plan again, which computes nothing twice.
func TestRun(t *testing.T) {
	p := plan(t)
	p.Ablation = true
	ctx, cancel := context.WithCancel(context.Background())
	if _, err := Run(ctx, p, set(), &stopping{cancel: cancel, epochs: 7}); !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted: %v", err)
	}
	watch := &silent{}
	report, err := Run(context.Background(), p, set(), watch)
	if err != nil {
		t.Fatal(err)
	}
	if watch.trainings != 26-3 {
		t.Errorf("%d trainings after the interruption, want 23", watch.trainings)
	}
	whole := plan(t)
	whole.Ablation = true
	if _, err := Run(context.Background(), whole, set(), nil); err != nil {
		t.Fatal(err)
	}
	if a, b := timeless(t, p), timeless(t, whole); a != b {
		t.Errorf("interrupted or not makes a difference:\n%s\n%s", a, b)
	}
	for _, lost := range []string{"seed-2/E-S48/tests/dense-48.safetensors", "records/seed-2/E-S48.json"} {
		if err := os.Remove(filepath.Join(p.Dir, lost)); err != nil {
			t.Fatal(err)
		}
	}
	again := &silent{}
	p.Build = "a later build"
	if _, err := Run(context.Background(), p, set(), again); err != nil {
		t.Fatal(err)
	}
	if tested := strings.Count(strings.Join(again.notices, "\n"), "tested:"); again.trainings != 0 || tested != 1 {
		t.Errorf("a second time: %d trainings, %d tests", again.trainings, tested)
	}
	for name, later := range map[string]bool{"A-S32": false, "E-S48": true} { // E starts from A, which is not recorded again
		text, err := os.ReadFile(filepath.Join(p.Dir, "records/seed-2", name+".json"))
		if err != nil || strings.Contains(string(text), p.Build) != later {
			t.Errorf("%s, %v: %.300s", name, err, text)
		}
	}
	var lines []int
	for _, table := range report.Tables {
		lines = append(lines, len(table.Lines))
	}
	if want := []int{12, 10, 6, 4}; !slices.Equal(lines, want) {
		t.Errorf("Tables 3 to 6 have %v lines, want %v", lines, want)
	}
	html, err := os.ReadFile(filepath.Join(p.Dir, HTMLFile))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(html), `<img src="data:image/png;base64,`); n != 10 {
		t.Errorf("%d pictures in the page, want 10", n)
	}
	if outside := regexp.MustCompile(`(src|href)="(https?:|//)[^"]*"`).FindAllString(string(html), -1); len(outside) != 1 {
		t.Errorf("the page refers to %v, want the paper alone", outside)
	}

	// Another recipe needs another folder.
	p.Recipe.Training.Momentum = 0.8
	var folder *FolderError
	if _, err := Run(context.Background(), p, set(), &silent{}); !errors.As(err, &folder) || !strings.Contains(err.Error(), "training.momentum") {
		t.Errorf("another recipe: %v", err)
	}
}

// TestValidate: the error for a plan that cannot be carried out says what is wrong.
func TestValidate(t *testing.T) {
	for _, c := range []struct {
		want   string
		change func(*Plan)
	}{
		{"no seed", func(p *Plan) { p.Seeds = nil }},
		{"seed 3 twice", func(p *Plan) { p.Seeds = []uint64{3, 1, 3} }},
		{"scale_min", func(p *Plan) { p.Recipe.Augment.ScaleMax = p.Recipe.Augment.ScaleMin }},
		{"scale_min", func(p *Plan) { p.Recipe.Augment.ScaleMin, p.Recipe.Augment.ScaleMax = 0, 0 }},
		{"augment.pad", func(p *Plan) { p.Recipe.Augment.Pad = 4 }},
		{"from random", func(p *Plan) { p.Recipe.Weights = "a.safetensors" }},
		{"several lines", func(p *Plan) { p.Opening = "a\nb" }},
		{"names no pictures", func(p *Plan) { p.Recipe.Data = "" }},
		{"momentum", func(p *Plan) { p.Recipe.Training.Momentum = 2 }},
		{"its nets are A, A-LRN, B, C, D, E", func(p *Plan) { p.Nets = []string{"A", "F"} }},
	} {
		p := plan(t)
		c.change(&p)
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v does not say %q", err, c.want)
		}
	}
	if err := plan(t).Validate(); err != nil {
		t.Error(err)
	}
	one := set()
	one.Classes = one.Classes[:1]
	if _, err := Run(context.Background(), plan(t), one, nil); err == nil || !strings.Contains(err.Error(), "has one class (a)") {
		t.Error(err)
	}
}

// TestGain compares with numbers worked out by hand.
func TestGain(t *testing.T) {
	a := [][]bool{{true, true, false, false}, {true, false, false, true}}
	b := [][]bool{{false, true, false, false}, {false, false, true, false}}
	// By picture 1, 0, −1/2, 1/2: mean 1/4, variance 3/8 − 1/16 = 5/16.
	half := 1.959964 * math.Sqrt(5.0/16/4)
	g := newGain(b, a, nil)
	if g.Value != 25 || math.Abs(g.Low-100*(.25-half)) > 1e-9 || math.Abs(g.High-100*(.25+half)) > 1e-9 || !slices.Equal(g.seeds, []float64{25, 25}) {
		t.Errorf("%+v", g)
	}
	// Of two subjects: sums of 1 and 0, each half a picture from twice the mean.
	half = 1.959964 * math.Sqrt(.5*.5+.5*.5) / 4
	if g := newGain(b, a, func(i int) int { return 7 * (i / 2) }); g.Value != 25 || math.Abs(g.Low-100*(.25-half)) > 1e-9 {
		t.Errorf("of two subjects: %+v", g)
	}
	// As many gained as lost, of pictures whose share no float64 has.
	wins, losses := make([]bool, 7), make([]bool, 7)
	wins[1], wins[2], losses[5], losses[6] = true, true, true, true
	if g := newGain([][]bool{losses}, [][]bool{wins}, nil); g.seeds[0] != 0 || g.Value != 0 {
		t.Errorf("a tie: %+v", g)
	}
	// The t quantiles of 1 and 3 degrees of freedom are 12.706205 and 3.182446.
	for _, c := range []struct{ seeds, want []float64 }{
		{[]float64{25, 25}, []float64{25, 25}},
		{[]float64{1, 3}, []float64{2 - 12.706205, 2 + 12.706205}}, // deviation √2, of √2
		{[]float64{1, 2, 3, 4}, []float64{2.5 - 3.182446*math.Sqrt(5.0/3)/2, 2.5 + 3.182446*math.Sqrt(5.0/3)/2}},
	} {
		if s := (gain{seeds: c.seeds}).overSeeds(); math.Abs(s.Low-c.want[0]) > 1e-4 || math.Abs(s.High-c.want[1]) > 1e-4 {
			t.Errorf("%v: %+v, want %v", c.seeds, s, c.want)
		}
	}
	if s := (gain{seeds: []float64{7}}).overSeeds(); s.Value != 7 || !math.IsNaN(s.Low) || !math.IsNaN(s.High) {
		t.Errorf("one seed: %+v", s)
	}
}

// TestVerdicts: the intervals over pictures and over seeds both count.
func TestVerdicts(t *testing.T) {
	clear, weak, worse := plots.Estimate{Value: 2, Low: 1, High: 3}, plots.Estimate{Value: 2, Low: -1, High: 5}, plots.Estimate{Value: -2, Low: -3, High: -1}
	for _, c := range []struct {
		ours    plots.Estimate
		seeds   []float64
		is      relation
		outcome Outcome
		want    string
	}{
		{clear, []float64{2}, isBetter, Shown, "shown, by one seed"},
		{clear, []float64{1.9, 2.1}, isBetter, Shown, "shown"},
		{clear, []float64{1, 3}, isBetter, Uncertain, "uncertain: shown by these 2 seeds, but others may differ"},
		{clear, []float64{1, 2, 2, 3}, isBetter, Shown, "shown"},
		{clear, []float64{-1, 5}, isBetter, Uncertain, "uncertain: the seeds disagree"},
		{weak, []float64{-1, 5}, isBetter, Uncertain, "uncertain: the seeds disagree"},
		{weak, []float64{2}, isBetter, Open, "uncertain: the same direction, but within the uncertainty of the pictures"},
		{weak, []float64{1.9, 2.1}, isBetter, Open, "uncertain: the same direction, but within the uncertainty of the pictures"},
		{plots.Estimate{Value: -1, Low: -3, High: 1}, []float64{-1, -1}, isBetter, Open, "uncertain: no improvement, within the uncertainty of the pictures"},
		{worse, []float64{-2}, isBetter, Against, "not so here: the opposite, by one seed"},
		{worse, []float64{-2.1, -1.9}, isBetter, Against, "not so here: the opposite"},
		{worse, []float64{-3.9, -0.1}, isBetter, Uncertain, "uncertain: the opposite by these 2 seeds, but others may differ"},
		{clear, []float64{1.9, 2.1}, notBetter, Against, "not so here: it improves"},
		{clear, []float64{1, 3}, notBetter, Uncertain, "uncertain: it improves by these 2 seeds, but others may differ"},
		{weak, []float64{2, 2}, notBetter, Uncertain, "uncertain: by the seeds, half a point or more is possible"},
		{weak, []float64{2}, notBetter, Open, "uncertain: an improvement, but within the uncertainty of the pictures"},
		{worse, []float64{-3.9, -0.1}, notBetter, Uncertain, "uncertain: by the seeds, half a point or more is possible"},
		{worse, []float64{-2}, notBetter, Shown, "shown: no improvement, by one seed"},
		{plots.Estimate{Value: 0.1, Low: -0.2, High: 0.4}, []float64{0.2, 0, 0.1, 0.2, -0.1}, notBetter, Shown, "shown: less than half a point to either side"},
		{worse, []float64{-5, 1}, notBetter, Uncertain, "uncertain: by the seeds, half a point or more is possible"},
		// A seed without a difference does not agree.
		{clear, []float64{2, 2, 2, 2, 2, 2, 2, 0}, isBetter, Uncertain, "uncertain: the seeds disagree"},
		{clear, []float64{2, 2, 2, 2, 2, 2, 2, 0}, notBetter, Uncertain, "uncertain: it improves by these 8 seeds, but others may differ"},
	} {
		if f := newFinding("", 0, c.is, gain{c.ours, c.seeds}); f.Outcome != c.outcome || f.Verdict != c.want {
			t.Errorf("%+v: %s, %s", c, f.Outcome, f.Verdict)
		}
	}
}

// TestClaims: the paper's side of each finding is as the paper has it.
func TestClaims(t *testing.T) {
	p := plan(t)
	p.Ablation = true
	want := []float64{-.1, .9, 2.3, .6, 1.1, 7, .8, 1.2, 1.4, 1, .8, .7, .4, .2, .4, .2, .7, .7}
	claims := p.claims()
	if len(claims) != len(want) {
		t.Fatalf("%d claims, want %d", len(claims), len(want))
	}
	for i, c := range claims {
		if math.Abs(c.paper-want[i]) > 1e-9 || len(p.tests(c.candidate, 1)) == 0 || len(p.tests(c.baseline, 1)) == 0 {
			t.Errorf("%s: %v points in the paper, want %v", c.text, c.paper, want[i])
		}
	}
}

// TestPredictions: predictions are read back as they were written, and a damaged file is refused.
func TestPredictions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tests", "dense-48.safetensors")
	written := []evaluate.Prediction{{Picture: 3, Class: 1, Probabilities: []float64{.25, .75}}, {Picture: 5, Class: 0, Probabilities: []float64{.5, .5}}}
	if err := writePredictions(path, written, 1.5); err != nil {
		t.Fatal(err)
	}
	back, seconds, err := readPredictions(path)
	if err != nil || seconds != 1.5 || fmt.Sprint(back) != fmt.Sprint(written) {
		t.Fatalf("%v %v, %v", back, seconds, err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range data {
		damaged := slices.Clone(data)
		damaged[i] ^= 1 << (i % 8)
		if err := os.WriteFile(path, damaged, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, _, err := readPredictions(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
}
