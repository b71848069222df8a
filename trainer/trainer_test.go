package trainer

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"vgg/augment"
	"vgg/configs"
	"vgg/dataset"
	"vgg/history"
	"vgg/weights"
)

// stripes is a split of grey pictures whose class decides the direction of their stripes.
type stripes struct{ pictures, classes int }

func (s stripes) Len() int          { return s.pictures }
func (s stripes) Label(i int) int   { return i % s.classes }
func (s stripes) Name(i int) string { return "stripes" }

func (s stripes) Picture(i int) (augment.Picture, error) {
	p := augment.Picture{Width: 32, Height: 32, Channels: 1, Pix: make([]uint8, 32*32)}
	angle := math.Pi * float64(s.Label(i)) / float64(s.classes)
	for k := range p.Pix {
		x, y := float64(k%32), float64(k/32)
		p.Pix[k] = uint8(127 + 100*math.Sin(x*math.Cos(angle)+y*math.Sin(angle)+float64(i)))
	}
	return p, nil
}

func set(pictures, classes int) *dataset.Set {
	s := &dataset.Set{Name: "stripes", Channels: 1, Train: stripes{pictures, classes}, Val: stripes{pictures / 4, classes}}
	for i := range classes {
		s.Classes = append(s.Classes, string(rune('a'+i)))
	}
	return s
}

func quick(t testing.TB) configs.Recipe {
	t.Helper()
	r, err := configs.LoadRecipe("quick")
	if err != nil {
		t.Fatal(err)
	}
	r.Net.Width, r.Net.FC, r.Net.Dropout = 1.0/16, 32, 0.1
	r.Training.Batch, r.Training.Epochs, r.Training.LearningRate = 16, 3, 0.02
	r.Augment.Flip = false
	r.Data = "" // the pictures are made by set
	return r
}

// notes is an Observer that collects notes and notices.
type notes struct {
	begin   []string
	notices []string
	steps   int
}

func (n *notes) Begin(_ int, s []string) error { n.begin = s; return nil }
func (n *notes) Step(int, int, float64)        { n.steps++ }
func (n *notes) Epoch(history.History) error   { return nil }
func (n *notes) Notice(s string)               { n.notices = append(n.notices, s) }

// TestTrain learns to tell stripes apart and writes a complete run directory.
func TestTrain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	n := &notes{}
	r := quick(t)
	r.Training.Epochs = 6
	h, err := Train(context.Background(), Job{Recipe: r, Set: set(256, 3), Dir: dir, Observer: n})
	if err != nil {
		t.Fatal(err)
	}
	best, _ := h.Best()
	if best.ValTop1Error > 10 {
		t.Errorf("validation error %v %%, want at most 10", best.ValTop1Error)
	}
	if n.steps != 6*16 || h[len(h)-1].Iteration != 6*16 {
		t.Errorf("%d steps, %d in the history, want %d", n.steps, h[len(h)-1].Iteration, 6*16)
	}
	if !math.IsNaN(best.ValTop5Error) {
		t.Errorf("top-5 error of three classes is %v, want none", best.ValTop5Error)
	}
	saved, err := history.Read(filepath.Join(dir, history.FileName))
	if err != nil || len(saved) != len(h) {
		t.Errorf("history: %d rows, %v", len(saved), err)
	}
	var summary Summary
	data, err := os.ReadFile(filepath.Join(dir, SummaryFile))
	if err == nil {
		err = json.Unmarshal(data, &summary)
	}
	if err != nil || summary.BestEpoch != best.Epoch || summary.Config != "A" || summary.Classes != 3 {
		t.Errorf("summary %+v, %v", summary, err)
	}
	again, err := configs.LoadRecipe(filepath.Join(dir, RecipeFile))
	measured := again.Statistics
	again.Statistics = configs.Statistics{}
	if err != nil || !again.Equal(r) {
		t.Errorf("recipe: %+v, %v", again, err)
	}
	if measured.Pictures != 256 || math.Abs(measured.Mean[0]-127) > 1 || math.Abs(measured.Std[0]-71) > 1 {
		t.Errorf("statistics in the recipe: %+v", measured)
	}
	f, err := weights.Read(filepath.Join(dir, BestFile))
	if err != nil {
		t.Fatal(err)
	}
	info, err := weights.ParseInfo(f.Metadata)
	if err != nil || !slices.Equal(info.Classes, []string{"a", "b", "c"}) || info.Epoch != best.Epoch || len(info.Mean) != 1 {
		t.Errorf("metadata %+v, %v", info, err)
	}

	// Training can start from what was saved, and so can a deeper net.
	r.Training.Epochs = 1
	n = &notes{}
	r.Weights = filepath.Join(dir, BestFile)
	further, err := Train(context.Background(), Job{Recipe: r, Set: set(256, 3), Observer: n})
	if err != nil || further[0].ValTop1Error > best.ValTop1Error+10 {
		t.Errorf("going on: %+v, %v", further, err)
	}
	r.Config, r.Weights, r.InitFrom = "E", "", r.Weights
	if _, err = Train(context.Background(), Job{Recipe: r, Set: set(64, 3), Observer: n}); err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(n.begin, "\n"); !strings.Contains(text, "conv3_2: from net A (features.8.weight → features.12.weight") || strings.Contains(text, "conv4_1") {
		t.Errorf("notes of the transfer:\n%s", text)
	}
}

// TestReproducible: the same seed gives the same bits with any number of threads; another seed gives others.
func TestReproducible(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	r := quick(t)
	r.Training.Epochs, r.Training.MicroBatch, r.Augment.Flip, r.Net.Dropout = 2, 8, true, 0.5
	run := func(threads int) (files [2]string) {
		runtime.GOMAXPROCS(threads)
		dir := t.TempDir()
		h, err := Train(context.Background(), Job{Recipe: r, Set: set(64, 3), Dir: dir, Observer: &notes{}})
		if err != nil {
			t.Fatal(err)
		}
		w, err := os.ReadFile(filepath.Join(dir, BestFile))
		if err != nil {
			t.Fatal(err)
		}
		for i := range h {
			h[i].Seconds, h[i].ImagesPerSecond, h[i].LoaderWaitPercent, h[i].ExchangeWaitPercent = 0, 0, 0, 0
		}
		var csv strings.Builder
		if err := h.WriteCSV(&csv); err != nil {
			t.Fatal(err)
		}
		return [2]string{string(w), csv.String()}
	}
	first := run(1)
	for _, threads := range []int{1, 2, 3} {
		if run(threads) != first {
			t.Errorf("another run, with %d threads, differs", threads)
		}
	}
	r.Training.Seed++
	if other := run(1); other[0] == first[0] || other[1] == first[1] {
		t.Error("another seed gives the same run")
	}
}

// TestDiagnosis: there is a notice for a net whose signal vanishes, and none for a net that learns.
func TestDiagnosis(t *testing.T) {
	r := quick(t)
	r.Net.Init, r.Training.Epochs = configs.InitSmall, 1
	n := &notes{}
	if _, err := Train(context.Background(), Job{Recipe: r, Set: set(64, 3), Observer: n}); err != nil {
		t.Fatal(err)
	}
	text := strings.Join(n.notices, "\n")
	for _, want := range []string{"ln(3) = 1.099", "gradient norm", "conv1_1", "fc8", "dead", "conv5_2", "init_from", `net.init = "he"`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in the diagnosis:\n%s", want, text)
		}
	}
	r.Net.Init = configs.InitHe
	n = &notes{}
	if _, err := Train(context.Background(), Job{Recipe: r, Set: set(512, 3), Observer: n}); err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(n.notices, "\n"); strings.Contains(text, "does not learn") || !strings.Contains(text, "stripes is a training picture too") {
		t.Errorf("a net that learns, on pictures of which some are in both splits: %s", text)
	}
}

// TestDiagnosisByValidation: whatever the loss of the training pass, and the loss of a net that is too sure of itself but
// tells classes, only a net that guesses in validation is called stuck.
func TestDiagnosisByValidation(t *testing.T) {
	s, err := newSession(context.Background(), Job{Recipe: quick(t), Set: set(400, 4), Observer: &notes{}}) // 100 to validate, 25 of each class
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	for _, c := range []struct {
		epoch      int
		loss, top1 float64
		stuck      bool
	}{
		{1, math.Log(4), 75, true},
		{3, math.Log(4), 75, true},
		{4, math.Log(4), 75, false}, // said often enough
		{1, 0.9 * math.Log(4), 75, false},
		{1, 3, 75, true},
		{1, 3, 70, true}, // no more than chance, up to 78
		{1, 3, 60, false},
		{1, math.NaN(), 75, true},
	} {
		row := history.Epoch{Epoch: c.epoch, TrainLoss: 9, ValLoss: c.loss, ValTop1Error: c.top1}
		if said := s.diagnose(row); (said != "") != c.stuck || c.stuck && !strings.Contains(said, "the validation loss is") {
			t.Errorf("%+v: %q", c, said)
		}
	}
}

// TestRemedies: what was done already is not advised.
func TestRemedies(t *testing.T) {
	s, err := newSession(context.Background(), Job{Recipe: quick(t), Set: set(400, 4), Observer: &notes{}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	for _, c := range []struct {
		weights string
		steps   int
		want    []string
	}{
		{"", 9, []string{"more epochs", "learning rate", "initialiser", "net A"}},
		{"", 10, []string{"learning rate", "initialiser", "net A"}},
		{"a.safetensors", 10, []string{"learning rate"}},
	} {
		s.job.Recipe.Weights, s.steps = c.weights, c.steps
		got := s.remedies(0.01)
		same := slices.EqualFunc(got, c.want, strings.Contains)
		if !same {
			t.Errorf("weights %q, %d steps: %q", c.weights, c.steps, got)
		}
	}
}

// TestNarrowView: a notice says that the net sees a small part of the pictures.
func TestNarrowView(t *testing.T) {
	job := Job{Recipe: quick(t), Set: set(64, 3), Observer: &notes{}}
	job.Set.Train = large{job.Set.Train}
	for _, scale := range []int{0, 32} {
		job.Recipe.Augment.ScaleMin, job.Recipe.Augment.ScaleMax = scale, scale
		s, err := newSession(context.Background(), job)
		if err != nil {
			t.Fatal(err)
		}
		s.close()
	}
	want := []string{"pictures are not resized: of 80×60 pixels the net sees 32×32: augment.scale_min and augment.scale_max resize them, as the recipe flowers does"}
	if got := job.Observer.(*notes).notices; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// large is a split of pictures larger than the net's input.
type large struct{ dataset.Split }

func (l large) Picture(i int) (augment.Picture, error) {
	p, err := l.Split.Picture(i)
	return augment.Picture{Width: 80, Height: 60, Channels: p.Channels, Pix: make([]uint8, 80*60*p.Channels)}, err
}

// TestSchedule: training ends when the error stops falling after the last division.
func TestSchedule(t *testing.T) {
	r := quick(t)
	r.Training.Epochs = 50
	r.Schedule = configs.Schedule{Factor: 10, Patience: 1, MinImprovement: 99, MaxDivisions: 2}
	n := &notes{}
	h, err := Train(context.Background(), Job{Recipe: r, Set: set(32, 3), Observer: n})
	if err != nil {
		t.Fatal(err)
	}
	if len(h) != 4 || math.Abs(h[3].LearningRate-0.0002) > 1e-9 {
		t.Errorf("%d epochs, the last at rate %v; want 4, 0.0002", len(h), h[len(h)-1].LearningRate)
	}
}

// TestOwnNet: a net that is not in Table 1 is trained, resumed and started from, and its weights name its layers.
func TestOwnNet(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	r := quick(t)
	r.Config, r.Net.Layers, r.Net.Width = "mine", []string{"conv7-4", "maxpool", "conv3-8", "conv1-8", "maxpool"}, 1
	r.Training.Epochs = 1
	if _, err := Train(context.Background(), Job{Recipe: r, Set: set(64, 3), Dir: dir}); err != nil {
		t.Fatal(err)
	}
	f, err := weights.Read(filepath.Join(dir, BestFile))
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Info()
	if err != nil || info.Config != "mine" || info.Layers != strings.Join(r.Net.Layers, " ") {
		t.Errorf("%+v, %v", info, err)
	}
	again, err := configs.LoadRecipe(filepath.Join(dir, RecipeFile))
	if err != nil {
		t.Fatal(err)
	}
	again.Training.Epochs = 2
	if h, err := Train(context.Background(), Job{Recipe: again, Set: set(64, 3), Dir: dir, Resume: true, Force: []string{"epochs"}}); err != nil || len(h) != 2 {
		t.Errorf("resumed: %d epochs, %v", len(h), err)
	}
	r.Weights = dir
	if _, err := Train(context.Background(), Job{Recipe: r, Set: set(64, 3)}); err != nil {
		t.Error(err)
	}
}

// TestFailures: each error names its cause.
func TestFailures(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	wrong := filepath.Join(t.TempDir(), "wrong.safetensors")
	if err := weights.Write(wrong, weights.File{Metadata: map[string]string{"config": "A"}}); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Job){
		"unknown config":    func(j *Job) { j.Recipe.Config = "F" },
		"net.input":         func(j *Job) { j.Recipe.Net.Input = 48 },
		"mini-batch of 512": func(j *Job) { j.Recipe.Training.Batch = 512 },
		"run directory":     func(j *Job) { j.Dir = filepath.Join(file, "run") },
		"weights = ":        func(j *Job) { j.Recipe.Weights = wrong },
		"init_from = ":      func(j *Job) { j.Recipe.InitFrom = wrong },
		"weights = \"gone":  func(j *Job) { j.Recipe.Weights = "gone.safetensors" },
		"names no pictures": func(j *Job) { j.Set = nil },
		"data = \"missing":  func(j *Job) { j.Set, j.Recipe.Data = nil, "missing" },
		"\"\", 0 and 0, not \"embedded\", 0.1 and 1": func(j *Job) { j.Recipe.Data = "embedded" },
		"validation": func(j *Job) { j.Set.Val = stripes{0, 3} },
	} {
		job := Job{Recipe: quick(t), Set: set(64, 3), Observer: &notes{}}
		change(&job)
		if _, err := Train(context.Background(), job); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}

	dir := t.TempDir()
	job := Job{Recipe: quick(t), Set: set(64, 3), Dir: dir, Observer: &notes{}}
	job.Recipe.Training.LearningRate = 1e20
	h, err := Train(context.Background(), job)
	if err == nil || !strings.Contains(err.Error(), "the loss is") || !strings.Contains(err.Error(), "training.learning_rate") {
		t.Errorf("divergence: %v", err)
	}
	if len(h) > 0 {
		t.Errorf("%d epochs of a training that diverges at once", len(h))
	}
	for _, size := range []int{1, 2} { // the only step of an epoch diverges: the validation tells
		dir := filepath.Join(t.TempDir(), "run")
		errs := trainOn(context.Background(), size, func(int) Job {
			job := Job{Recipe: quick(t), Set: set(16, 3), Dir: dir, Observer: &notes{}}
			job.Recipe.Training.LearningRate, job.Recipe.Training.MicroBatch = 1e20, 8
			return job
		})
		for rank, err := range errs {
			if !errors.Is(err, ErrDiverged) || !strings.Contains(err.Error(), "in epoch 1, validation after iteration 1, ") {
				t.Errorf("rank %d of %d: divergence in the only step: %v", rank, size, err)
			}
		}
		if files, _ := filepath.Glob(filepath.Join(dir, "*.safetensors")); len(files) > 0 {
			t.Errorf("written: %v", files)
		}
	}
}
