package trainer

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"vgg/configs"
	"vgg/graph"
	"vgg/weights"
)

// startFile writes weights of a net as quick trains them, with random values, for as many classes as names; change may
// change the file before.
func startFile(t *testing.T, names []string, change func(*weights.File)) string {
	t.Helper()
	r := quick(t)
	g := gorgonia.NewGraph()
	net, err := graph.Build(graph.NewInput(g, 1, 1, 32, 32), configs.A, graph.Options{Classes: len(names), Width: r.Net.Width, FC: r.Net.FC, Seed: 99})
	if err != nil {
		t.Fatal(err)
	}
	for _, tensor := range net.Tensors() {
		if len(tensor.Shape) == 1 { // biases, which are 0 in a new net
			for i := range tensor.Data {
				tensor.Data[i] = float32(i+1) / 256
			}
		}
	}
	info := weights.Info{Config: "A", Width: r.Net.Width, FC: r.Net.FC, Input: 32, Channels: 1, Classes: names, Mean: []float64{100}, Std: []float64{50}}
	f := weights.File{Metadata: info.Metadata(), Tensors: net.Tensors()}
	if change != nil {
		change(&f)
	}
	path := filepath.Join(t.TempDir(), "start.safetensors")
	if err := weights.Write(path, f); err != nil {
		t.Fatal(err)
	}
	return path
}

func bare(f *weights.File) {
	f.Metadata = map[string]string{"config": "A", "mean": "100", "std": "50"}
}

// TestStartClasses: the last layer is kept, put into the data's order, or new; the others are always kept.
func TestStartClasses(t *testing.T) {
	for _, c := range []struct {
		names  []string // of the weights' classes; the data's are a, b, c
		change func(*weights.File)
		rows   []int // of the weights' last layer in the net's; nil for a new one
		note   string
	}{
		{[]string{"a", "b", "c"}, nil, []int{0, 1, 2}, "weights: all layers from "},
		{[]string{"c", "a", "b"}, nil, []int{1, 2, 0}, "another order"},
		{[]string{"0", "1", "2"}, bare, []int{0, 1, 2}, "taken to be a, b, c, in this order"},
		{[]string{"x", "y", "z"}, nil, nil, "fc8 is new (he): other classes: the net knows 3 (x, y, z), but not a, b, c"},
		{[]string{"a", "b", "c", "d"}, nil, nil, "fc8 is new (he): the file knows 4 classes, and the data have 3 of them"},
		{[]string{"a", "b"}, nil, nil, "but not c"},
		{[]string{"0", "1", "2", "3", "4"}, bare, nil, "have 5, without names, not the data's 3"},
		{[]string{"a", "b", "c"}, func(f *weights.File) {
			f.Tensors = slices.DeleteFunc(f.Tensors, func(t weights.Tensor) bool { return strings.HasPrefix(t.Name, "classifier.6.") })
		}, nil, "fc8 is new (he): the file has no fc8"},
	} {
		job := Job{Recipe: quick(t), Set: set(64, 3), Observer: &notes{}}
		job.Recipe.Weights = startFile(t, c.names, c.change)
		s, err := newSession(context.Background(), job)
		if err != nil {
			t.Errorf("%v: %v", c.names, err)
			continue
		}
		defer s.close()
		if !slices.ContainsFunc(s.progress.Notes, func(n string) bool { return strings.HasPrefix(n, "weights: ") && strings.Contains(n, c.note) }) {
			t.Errorf("%v: notes %q, want %q", c.names, s.progress.Notes, c.note)
		}
		f, err := weights.Read(job.Recipe.Weights)
		if err != nil {
			t.Fatal(err)
		}
		job.Recipe.Weights = ""
		fresh, err := newSession(context.Background(), job)
		if err != nil {
			t.Fatal(err)
		}
		defer fresh.close()
		for i, got := range s.net.Tensors() {
			want, found := f.Tensor(got.Name)
			if strings.HasPrefix(got.Name, "classifier.6.") {
				if c.rows == nil {
					want = fresh.net.Tensors()[i]
				} else if found {
					size := len(want.Data) / want.Shape[0]
					var data []float32
					for _, row := range c.rows {
						data = append(data, want.Data[row*size:(row+1)*size]...)
					}
					want.Data = data
				}
			}
			if !slices.Equal(got.Data, want.Data) {
				t.Errorf("%v: %s is not what it should be", c.names, got.Name)
			}
		}
	}
}

// TestStartNormalisation: pixels are normalised as the weights expect, unless the recipe says otherwise.
func TestStartNormalisation(t *testing.T) {
	own := startFile(t, []string{"a", "b", "c"}, nil)
	silent := startFile(t, []string{"a", "b", "c"}, func(f *weights.File) { delete(f.Metadata, "std") })
	colour := startFile(t, []string{"a", "b", "c"}, func(f *weights.File) { f.Metadata["mean"], f.Metadata["std"] = "1,2,3", "1,1,1" })
	for _, c := range []struct {
		name      string
		change    func(*configs.Recipe)
		mean, std float64
		want      string // in the notes, or in the error if mean is 0
	}{
		{"of the file", func(r *configs.Recipe) { r.Weights = own }, 100, 50, "pixels: normalised by mean [100] and deviation [50], as " + own},
		{"of the file of net A", func(r *configs.Recipe) { r.Config, r.InitFrom = "B", own }, 100, 50, "as " + own},
		{"of the recipe", func(r *configs.Recipe) {
			r.Weights, r.Augment.PixelMean, r.Augment.PixelStd = own, []float64{7}, []float64{8}
		}, 7, 8, "although " + own + " expects mean [100]"},
		{"of the recipe alone", func(r *configs.Recipe) { r.Augment.PixelMean, r.Augment.PixelStd = []float64{7}, []float64{0.25} }, 7, 0.25, ""},
		{"unknown, but given", func(r *configs.Recipe) {
			r.Weights, r.Augment.PixelMean, r.Augment.PixelStd = silent, []float64{7}, []float64{8}
		}, 7, 8, ""},
		{"unknown", func(r *configs.Recipe) { r.Weights = silent }, 0, 0, "give augment.pixel_mean and augment.pixel_std"},
		{"of three channels", func(r *configs.Recipe) { r.Weights = colour }, 0, 0, "pictures of 3 channels, and those of stripes have 1"},
		{"three numbers", func(r *configs.Recipe) {
			r.Augment.PixelMean, r.Augment.PixelStd = []float64{7, 7, 7}, []float64{1, 1, 1}
		}, 0, 0, "augment.pixel_mean has 3 numbers"},
	} {
		job := Job{Recipe: quick(t), Set: set(64, 3), Observer: &notes{}}
		c.change(&job.Recipe)
		s, err := newSession(context.Background(), job)
		if c.mean == 0 {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, want %q", c.name, err, c.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		defer s.close()
		if !slices.Equal(s.transform.Mean, []float64{c.mean}) || !slices.Equal(s.transform.Std, []float64{c.std}) {
			t.Errorf("%s: mean %v, deviation %v", c.name, s.transform.Mean, s.transform.Std)
		}
		if !strings.Contains(strings.Join(s.progress.Notes, "\n"), c.want) {
			t.Errorf("%s: notes %q, want %q", c.name, s.progress.Notes, c.want)
		}
	}
}

// frozenJob trains on one of two micro-batches a step, with frozen layers below and between trained ones.
func frozenJob(t *testing.T, dir, start string) Job {
	job := checkpointed(t, dir)
	job.Recipe.Weights, job.Recipe.Training.Freeze = start, []string{"conv1", "conv2", "fc6"}
	job.Recipe.Training.LearningRate = 0.002
	return job
}

// TestFreeze: frozen layers keep their bits, have no gradient, and stay frozen after a resume, which ends as a run that
// was not interrupted.
func TestFreeze(t *testing.T) {
	start := startFile(t, []string{"x", "y", "z"}, nil)
	file, err := weights.Read(start)
	if err != nil {
		t.Fatal(err)
	}
	whole := t.TempDir()
	if _, err := Train(context.Background(), frozenJob(t, whole, start)); err != nil {
		t.Fatal(err)
	}
	last, err := weights.Read(filepath.Join(whole, LastFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, tensor := range last.Tensors {
		before, _ := file.Tensor(tensor.Name)
		frozen := slices.Contains([]string{"features.0", "features.3", "classifier.0"}, tensor.Name[:strings.LastIndexByte(tensor.Name, '.')])
		if slices.Equal(tensor.Data, before.Data) != frozen {
			t.Errorf("%s: frozen %t, and it is not so after training", tensor.Name, frozen)
		}
	}
	var summary Summary
	text, err := os.ReadFile(filepath.Join(whole, SummaryFile))
	if err != nil || json.Unmarshal(text, &summary) != nil || !slices.Equal(summary.Frozen, []string{"conv1_1", "conv2_1", "fc6"}) {
		t.Errorf("summary: %s, %v", text, err)
	}
	recipe, err := os.ReadFile(filepath.Join(whole, RecipeFile))
	if err != nil || !bytes.Contains(recipe, []byte("freeze = [\"conv1\", \"conv2\", \"fc6\"]\n")) || !bytes.Contains(recipe, []byte("pixel_mean = [100.0]\n")) {
		t.Errorf("recipe: %s, %v", recipe, err)
	}

	// Killed before its first checkpoint, a run has left its recipe, with pixels as the weights have them.
	killed := t.TempDir()
	if err := os.WriteFile(filepath.Join(killed, RecipeFile), recipe, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := (&files{dir: killed}).begin(frozenJob(t, killed, start).Recipe); err != nil {
		t.Errorf("the same run again: %v", err)
	}

	resumeFrozen(t, start, outcome(t, whole))

	s, err := newSession(context.Background(), frozenJob(t, "", start))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	for _, p := range s.net.Parameters() {
		if _, err := p.Node.Grad(); p.Frozen && err == nil {
			t.Errorf("%s has a gradient", p.Name)
		}
	}
}

// resumeFrozen interrupts and resumes a run, which must end with an outcome, and resumes it with fewer frozen layers.
func resumeFrozen(t *testing.T, start, want string) {
	dir := t.TempDir()
	for steps := 5; ; steps = 7 {
		ctx, cancel := context.WithCancel(context.Background())
		job := frozenJob(t, dir, start)
		job.Resume = steps != 5
		job.Observer = &canceller{after: steps, cancel: cancel}
		_, err := Train(ctx, job)
		cancel()
		if err == nil {
			break
		}
		if !strings.Contains(err.Error(), "can be resumed") {
			t.Fatal(err)
		}
	}
	if outcome(t, dir) != want {
		t.Error("an interrupted run ends otherwise")
	}
	last, err := weights.Read(filepath.Join(dir, LastFile))
	if err != nil {
		t.Fatal(err)
	}
	job := frozenJob(t, dir, start)
	job.Resume, job.Recipe.Training.Freeze, job.Recipe.Training.Epochs = true, []string{"conv1"}, 4
	if _, err := Train(context.Background(), job); err == nil || !strings.Contains(err.Error(), `training.freeze = ["conv1"], not ["conv1", "conv2", "fc6"]`) {
		t.Errorf("other frozen layers: %v", err)
	}
	job.Force = []string{"freeze", "epochs"}
	if _, err := Train(context.Background(), job); err != nil {
		t.Fatal(err)
	}
	thawed, err := weights.Read(filepath.Join(dir, LastFile))
	if err != nil {
		t.Fatal(err)
	}
	same := map[string]bool{}
	for _, name := range []string{"features.0.weight", "features.3.weight", "classifier.0.weight"} {
		a, _ := thawed.Tensor(name)
		b, _ := last.Tensor(name)
		same[name] = slices.Equal(a.Data, b.Data)
	}
	if want := map[string]bool{"features.0.weight": true, "features.3.weight": false, "classifier.0.weight": false}; !maps.Equal(same, want) {
		t.Errorf("unchanged after thawing: %v", same)
	}
}

// TestCheckpointAsWeights: a checkpoint is not taken for the weights of a net.
func TestCheckpointAsWeights(t *testing.T) {
	checkpoint, err := progress{}.encode([]weights.Tensor{{Name: "features.0.bias", Shape: []int{1}, Data: []float32{1}}})
	if err != nil {
		t.Fatal(err)
	}
	job := checkpointed(t, t.TempDir())
	job.Recipe.Weights = filepath.Join(t.TempDir(), "000000001-1.safetensors")
	if err := weights.Write(job.Recipe.Weights, checkpoint); err != nil {
		t.Fatal(err)
	}
	if _, err := Train(context.Background(), job); err == nil || !strings.Contains(err.Error(), "is a checkpoint, from which a training goes on: give the weights of its run, best.safetensors") {
		t.Error(err)
	}
}

// TestFreezeErrors names what cannot be frozen.
func TestFreezeErrors(t *testing.T) {
	start := startFile(t, []string{"x", "y"}, nil)
	for want, freeze := range map[string][]string{
		`"conv6": config A has no such stage`:                           {"conv6"},
		"leaves no layer to train":                                      {"conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8"},
		"training.freeze freezes fc8, which is new: other classes":      {"fc8"},
		`weights = "` + start + `": training.freeze freezes fc8, which`: {"fc8", "conv1"},
	} {
		job := Job{Recipe: quick(t), Set: set(64, 3), Observer: &notes{}}
		job.Recipe.Weights, job.Recipe.Training.Freeze = start, freeze
		if _, err := newSession(context.Background(), job); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", freeze, err, want)
		}
	}
	job := Job{Recipe: quick(t), Set: set(64, 2), Observer: &notes{}}
	job.Recipe.Weights, job.Recipe.Net.Width, job.Recipe.Config = start, 0.125, "B"
	if _, err := newSession(context.Background(), job); err == nil || !strings.Contains(err.Error(), `of a net with config = "A", not B, net.width = "0.0625", not 0.125`) {
		t.Errorf("another net: %v", err)
	}
	job = Job{Recipe: quick(t), Set: set(64, 2), Observer: &notes{}}
	job.Recipe.Weights = startFile(t, job.Set.Classes, func(f *weights.File) {
		for i, one := range f.Tensors {
			if one.Name == "classifier.6.bias" {
				f.Tensors[i].Shape, f.Tensors[i].Data = []int{1}, one.Data[:1]
			}
		}
	})
	if _, err := newSession(context.Background(), job); err == nil || !strings.Contains(err.Error(), "classifier.6.bias") {
		t.Errorf("a bias of another length: %v", err)
	}
}
