package trainer

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"vgg/configs"
	"vgg/dataset"
	"vgg/history"
)

// small is checkpointed with 3 steps an epoch.
func small(t *testing.T, dir string, epochs int) Job {
	job := checkpointed(t, dir)
	job.Set, job.Recipe.Training.Epochs = set(48, 3), epochs
	return job
}

// resumed is a job that resumes small by the recipe in its directory, as the command does.
func resumed(t *testing.T, dir string) Job {
	t.Helper()
	job := small(t, dir, 1)
	job.Resume = true
	var err error
	if job.Recipe, err = configs.LoadRecipe(filepath.Join(dir, RecipeFile)); err != nil {
		t.Fatal(err)
	}
	return job
}

// run trains, and ends training after some steps; 0 is never.
func (j Job) run(t *testing.T, steps int) (history.History, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if steps > 0 {
		j.Observer = &canceller{after: steps, cancel: cancel}
	}
	return Train(ctx, j)
}

// TestProlong: a run that is prolonged twice, and interrupted after any of its steps, goes on without being allowed
// anything again, and ends as one that had as many epochs from the start.
func TestProlong(t *testing.T) {
	straight := t.TempDir()
	if _, err := small(t, straight, 5).run(t, 0); err != nil {
		t.Fatal(err)
	}
	want := outcome(t, straight)
	for steps := 1; steps <= 6; steps++ {
		dir := t.TempDir()
		if _, err := small(t, dir, 1).run(t, 0); err != nil {
			t.Fatal(err)
		}
		for _, epochs := range []int{3, 5} {
			job := resumed(t, dir)
			job.Recipe.Training.Epochs, job.Force = epochs, []string{"epochs"}
			for {
				h, err := job.run(t, steps)
				if err == nil {
					if len(h) != epochs {
						t.Errorf("interrupted after %d steps: %d epochs, want %d", steps, len(h), epochs)
					}
					break
				}
				if errors.Is(err, ErrFinished) {
					break // it was interrupted after the last step
				}
				if !errors.Is(err, ErrInterrupted) {
					t.Fatalf("interrupted after %d steps: %v", steps, err)
				}
				job = resumed(t, dir)
			}
		}
		if outcome(t, dir) != want {
			t.Errorf("interrupted after %d steps: the run ends otherwise", steps)
		}
		both := [2]string{}
		for i, d := range []string{straight, dir} {
			data, err := os.ReadFile(filepath.Join(d, RecipeFile))
			if err != nil {
				t.Fatal(err)
			}
			both[i] = string(data)
		}
		if both[0] != both[1] {
			t.Errorf("interrupted after %d steps: the recipe is\n%s", steps, both[1])
		}
	}
}

// TestProlongFaults makes each operation on files fail in turn while a run is prolonged: the same command goes on, and
// so does one without it once the new recipe is in a checkpoint.
func TestProlongFaults(t *testing.T) {
	straight := t.TempDir()
	if _, err := small(t, straight, 2).run(t, 0); err != nil {
		t.Fatal(err)
	}
	want := outcome(t, straight)
	every := 3
	if testing.Short() {
		every = 11
	}
	failed := 0
	for at := 1; ; at += every {
		dir := t.TempDir()
		if _, err := small(t, dir, 1).run(t, 0); err != nil {
			t.Fatal(err)
		}
		f := &fault{at: at, err: syscall.ENOSPC, half: at%2 == 0}
		job := resumed(t, dir)
		job.Recipe.Training.Epochs, job.Force, job.create = 2, []string{"epochs"}, f.create
		_, err := job.run(t, 0)
		if f.operations() < at {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		if !errors.Is(err, ErrWrite) {
			t.Fatalf("operation %d: %v", at, err)
		}
		failed++
		job.create = nil
		if _, err := job.run(t, 0); err != nil && !errors.Is(err, ErrFinished) {
			t.Fatalf("operation %d, then again: %v", at, err)
		}
		if outcome(t, dir) != want {
			t.Errorf("operation %d: the run ends otherwise", at)
		}
	}
	if failed < 15/every {
		t.Errorf("only %d operations failed", failed)
	}
}

// TestMoved: the same pictures in another place are accepted with a note, others only if allowed, and both from then
// on.
func TestMoved(t *testing.T) {
	place := func(spec string, pictures int) *dataset.Set {
		s := set(pictures, 3)
		r := checkpointed(t, "").Recipe
		s.Source = dataset.Source{Spec: spec, ValShare: r.Pictures.ValShare, SplitSeed: r.Pictures.SplitSeed}
		return s
	}
	dir := t.TempDir()
	job := small(t, dir, 9)
	job.Set, job.Recipe.Data = place("old", 48), "old"
	if _, err := job.run(t, 4); !errors.Is(err, ErrInterrupted) {
		t.Fatal(err)
	}
	for _, c := range []struct {
		place    string
		pictures int
		force    []string
		want     string // note, or error
		refused  bool
	}{
		{"new", 48, nil, `the run goes on with data = "new", not "old"`, false},
		{"new", 48, nil, "", false},
		{"new", 52, nil, "stripes holds other pictures", true},
		{"other", 52, nil, `data = "other", not "new"; the data set stripes holds other pictures`, true},
		{"other", 52, []string{"DATA"}, "epoch 2 begins anew", false},
		{"other", 52, nil, "", false},
		{"renamed", 52, []string{"data"}, `classes a, b, c, in this order, and the data set stripes has b, a, c: begin a new run that starts from`, true},
	} {
		n := &notes{}
		ctx, cancel := context.WithCancel(context.Background())
		observer := &canceller{after: 1, cancel: cancel}
		job := resumed(t, dir)
		before := job.Recipe.Statistics
		job.Set, job.Recipe.Data, job.Force, job.Observer = place(c.place, c.pictures), c.place, c.force, observer
		if c.place == "renamed" {
			job.Set.Classes = []string{"b", "a", "c"}
		}
		_, err := Train(ctx, job)
		cancel()
		n = &observer.notes
		if (err != nil && !errors.Is(err, ErrInterrupted)) != c.refused || errors.Is(err, ErrInterrupted) == c.refused {
			t.Errorf("%+v: %v", c, err)
		}
		said := strings.Join(n.begin, "\n")
		if c.refused {
			said = err.Error()
		}
		if !strings.Contains(said, c.want) || c.want == "" && strings.Contains(said, "goes on with") {
			t.Errorf("%+v: said %s", c, said)
		}
		if r := resumed(t, dir).Recipe; !c.refused && (r.Data != c.place || r.Statistics != before) {
			t.Errorf("%+v: the recipe has data = %q, and statistics %+v, before %+v", c, r.Data, r.Statistics, before)
		}
	}
}

// TestResumeChanged: what a run is allowed to go on with has its effect, and stays.
func TestResumeChanged(t *testing.T) {
	dir := t.TempDir()
	job := small(t, dir, 1)
	job.Recipe.Schedule = configs.Schedule{Factor: 10, Patience: 1, MinImprovement: 99, MaxDivisions: 0}
	job.Recipe.Training.Epochs = 5
	if h, err := job.run(t, 0); err != nil || len(h) != 2 {
		t.Fatalf("%d epochs, %v", len(h), err)
	}
	job = resumed(t, dir)
	job.Recipe.Training.Epochs, job.Force = 9, []string{"epochs"}
	if _, err := job.run(t, 0); !errors.Is(err, ErrFinished) || !errors.Is(err, ErrScheduleEnded) || !strings.Contains(err.Error(), "its schedule has ended training") {
		t.Errorf("more epochs after the schedule has ended: %v", err)
	}
	job.Recipe.Schedule.MaxDivisions, job.Recipe.Training.LearningRate = 1, 0.002
	job.Force = []string{"epochs", "Schedule.Max_Divisions", "learning_rate"}
	h, err := job.run(t, 0)
	if err != nil || len(h) != 4 || h[1].LearningRate != 0.02 || h[2].LearningRate != 0.002 {
		t.Errorf("%+v, %v", h, err)
	}
	job = resumed(t, dir)
	job.Recipe.Training.Momentum, job.Force = 0.5, []string{"momentun"}
	if _, err := job.run(t, 0); err == nil || !strings.Contains(err.Error(), `unknown key "momentun"; did you mean "momentum"? Known are name, `) {
		t.Errorf("unknown key: %v", err)
	}
	var summary Summary
	data, err := os.ReadFile(filepath.Join(dir, SummaryFile))
	if err == nil {
		err = json.Unmarshal(data, &summary)
	}
	if text := strings.Join(summary.Notes, "\n"); err != nil || summary.Epochs != 4 || summary.Iterations != 12 ||
		strings.Count(text, "data: stripes") != 1 || !strings.Contains(text, "goes on with training.epochs = 9, not 5") {
		t.Errorf("summary %+v, %v", summary, err)
	}
}

// TestMiniBatchesChange: in the middle of an epoch other mini-batches begin its pass anew.
func TestMiniBatchesChange(t *testing.T) {
	dir := t.TempDir()
	if _, err := small(t, dir, 2).run(t, 5); !errors.Is(err, ErrInterrupted) {
		t.Fatal(err)
	}
	job := resumed(t, dir)
	n := &notes{}
	job.Recipe.Training.Batch, job.Force, job.Observer = 8, []string{"batch"}, n
	h, err := job.run(t, 0)
	if err != nil || len(h) != 2 || h[1].Iteration != 5+6 || !strings.Contains(strings.Join(n.begin, "\n"), "epoch 2 begins anew") {
		t.Errorf("%+v, %v, notes %q", h, err, n.begin)
	}
}

// TestNeverOverwritten: any file of a run keeps a new one out of its directory, and stays as it is.
func TestNeverOverwritten(t *testing.T) {
	for _, name := range append(slices.Clone(runFiles), CheckpointDir+"/000000003-2.safetensors") {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, CheckpointDir), 0o777); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte("# mine"), 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := small(t, dir, 1).run(t, 0)
		if data, _ := os.ReadFile(file); string(data) != "# mine" || !errors.Is(err, ErrRunExists) || !strings.Contains(err.Error(), strings.Split(name, "/")[0]) {
			t.Errorf("%s: %q, %v", name, data, err)
		}
		if entries, _ := os.ReadDir(dir); len(entries) > 3 {
			t.Errorf("%s: left %v", name, entries)
		}
	}
	// Files of others stay, and so does a checkpoint that was put aside.
	dir := t.TempDir()
	for _, name := range []string{".config.2", ".recipe.toml", "notes.txt", ".best.safetensors17"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := small(t, dir, 1).run(t, 0); err != nil {
		t.Fatal(err)
	}
	for name, stays := range map[string]bool{".config.2": true, ".recipe.toml": true, "notes.txt": true, ".best.safetensors17": false} {
		if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != stays {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A run without its checkpoints stays too.
	before := outcome(t, dir)
	if err := os.RemoveAll(filepath.Join(dir, CheckpointDir)); err != nil {
		t.Fatal(err)
	}
	if _, err := small(t, dir, 1).run(t, 0); !errors.Is(err, ErrRunExists) || !errors.Is(err, ErrNoCheckpoint) || outcome(t, dir) != before {
		t.Errorf("without checkpoints: %v", err)
	}
}
