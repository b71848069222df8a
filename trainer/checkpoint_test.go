package trainer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"vgg/configs"
	"vgg/dataset"
	"vgg/history"
	"vgg/weights"
)

// canceller cancels training after a number of steps.
type canceller struct {
	notes
	after  int
	cancel func()
}

func (c *canceller) Step(epoch, step int, loss float64) {
	c.notes.Step(epoch, step, loss)
	if c.steps == c.after {
		c.cancel()
	}
}

// checkpointed is a job of 3 epochs of 8 steps, each of 2 micro-batches, whose draws are all random.
func checkpointed(t testing.TB, dir string) Job {
	r := quick(t)
	r.Training.MicroBatch, r.Augment.Flip, r.Net.Dropout, r.Schedule.Patience = 8, true, 0.5, 1
	r.Run.CheckpointMinutes, r.Run.LogEvery = 0, 1
	return Job{Recipe: r, Set: set(128, 3), Dir: dir, Observer: &notes{}}
}

// outcome is what a run must end with, however often it was interrupted: the weights, and the history without its
// times.
func outcome(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	for _, name := range []string{BestFile, LastFile} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		b.Write(data)
	}
	h, err := history.Read(filepath.Join(dir, history.FileName))
	if err != nil {
		t.Fatal(err)
	}
	for i := range h {
		h[i].Seconds, h[i].ImagesPerSecond, h[i].LoaderWaitPercent, h[i].ExchangeWaitPercent = 0, 0, 0, 0
	}
	if err := h.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// uninterrupted is the outcome of a run that is not interrupted.
func uninterrupted(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if _, err := Train(context.Background(), checkpointed(t, dir)); err != nil {
		t.Fatal(err)
	}
	if files, err := os.ReadDir(filepath.Join(dir, CheckpointDir)); err != nil || len(files) != keptCheckpoints {
		t.Errorf("%d checkpoints are left, %v", len(files), err)
	}
	return outcome(t, dir)
}

// TestResume interrupts a run after every step in turn, 24 times, and it ends as one that was never interrupted.
func TestResume(t *testing.T) {
	want := uninterrupted(t)
	dir := t.TempDir()
	resumes := 0
	for {
		ctx, cancel := context.WithCancel(context.Background())
		job := checkpointed(t, dir)
		job.Resume = resumes > 0
		job.Observer = &canceller{after: 1, cancel: cancel}
		h, err := Train(ctx, job)
		cancel()
		if err == nil {
			if len(h) != 3 {
				t.Errorf("%d epochs", len(h))
			}
			break
		}
		if !errors.Is(err, context.Canceled) || !errors.Is(err, ErrInterrupted) || !strings.Contains(err.Error(), fmt.Sprintf("after iteration %d (the run can be resumed)", resumes+1)) {
			t.Fatal(err)
		}
		resumes++
	}
	if resumes < 24 {
		t.Errorf("resumed %d times", resumes)
	}
	if outcome(t, dir) != want {
		t.Error("a run that was interrupted after each step ends otherwise")
	}
	log, err := os.ReadFile(filepath.Join(dir, LogFile))
	if err != nil || strings.Count(string(log), "\n") != 24 {
		t.Errorf("log.jsonl has %d lines, want 24, %v", strings.Count(string(log), "\n"), err)
	}
	job := checkpointed(t, dir)
	job.Resume = true
	if _, err := Train(context.Background(), job); !errors.Is(err, ErrFinished) || !strings.Contains(err.Error(), "is finished after 3 epochs") {
		t.Errorf("resuming a finished run: %v", err)
	}
	job.Recipe.Training.Epochs = 4
	if _, err := Train(context.Background(), job); !errors.Is(err, ErrChanged) || !strings.Contains(err.Error(), "training.epochs = 4, not 3") {
		t.Errorf("more epochs: %v", err)
	}
	job.Force = []string{"epochs"}
	if h, err := Train(context.Background(), job); err != nil || len(h) != 4 {
		t.Errorf("%d epochs, %v", len(h), err)
	}
	job = checkpointed(t, dir)
	if _, err := Train(context.Background(), job); !errors.Is(err, ErrRunExists) || !strings.Contains(err.Error(), "holds a training already") {
		t.Errorf("a new run over an old one: %v", err)
	}
}

// TestResumeErrors: a directory without a run, another run, and a run in use are refused.
func TestResumeErrors(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	job := checkpointed(t, dir)
	job.Observer = &canceller{after: 3, cancel: cancel}
	if _, err := Train(ctx, job); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	file := filepath.Join(dir, RecipeFile)
	for want, change := range map[string]func(*Job){
		"no checkpoint in":                   func(j *Job) { j.Dir = t.TempDir() },
		"is not a run directory":             func(j *Job) { j.Dir = file },
		"missing is not a run directory":     func(j *Job) { j.Dir = filepath.Join(dir, "missing") },
		"training.learning_rate = 0.5, not":  func(j *Job) { j.Recipe.Training.LearningRate = 0.5 },
		"stripes holds other pictures":       func(j *Job) { j.Set = set(132, 3) },
		"net.dropout = 0.25, not 0.5; train": func(j *Job) { j.Recipe.Net.Dropout, j.Recipe.Training.Batch = 0.25, 32 },
	} {
		job := checkpointed(t, dir)
		job.Resume = true
		change(&job)
		if _, err := Train(context.Background(), job); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
	held, err := openFiles(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	job = checkpointed(t, dir)
	job.Resume = true
	if _, err := Train(context.Background(), job); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), fmt.Sprintf("in use by another training (PID %d on ", os.Getpid())) {
		t.Errorf("a run in use: %v", err)
	}
	held.close()
	if _, err := Train(context.Background(), job); err != nil {
		t.Errorf("a run that is no longer in use: %v", err)
	}
}

// fault makes one operation on files fail, that of number at: creating, writing (nothing, or half of the data) or
// renaming.
type fault struct {
	at    int
	count atomic.Int64 // checkpoints are written in the background
	err   error
	half  bool // write half of the data
}

func (f *fault) fails() bool { return f.count.Add(1) == int64(f.at) }

func (f *fault) operations() int { return int(f.count.Load()) }

func (f *fault) create(path string) (pending, error) {
	if f.fails() {
		return nil, f.err
	}
	p, err := createPending(path)
	return &failing{p, f}, err
}

type failing struct {
	pending
	*fault
}

func (f *failing) Write(p []byte) (int, error) {
	if !f.fails() {
		return f.pending.Write(p)
	}
	if f.half {
		f.pending.Write(p[:len(p)/2])
	}
	return 0, f.err
}

func (f *failing) CloseAtomicallyReplace() error {
	if f.fails() {
		return f.err
	}
	return f.pending.CloseAtomicallyReplace()
}

// TestFaults makes each operation on the run's files fail in turn, or every fifth with -short: the run ends with the
// reason, and can be resumed to the same end.
func TestFaults(t *testing.T) {
	small := func(dir string) Job {
		job := checkpointed(t, dir)
		job.Set, job.Recipe.Training.Epochs, job.Recipe.Run.LogEvery = set(48, 3), 2, 0 // 6 steps
		return job
	}
	clean := t.TempDir()
	job := small(clean)
	all := &fault{}
	job.create = all.create
	if _, err := Train(context.Background(), job); err != nil {
		t.Fatal(err)
	}
	want := outcome(t, clean)
	if all.operations() < 40 {
		t.Fatalf("only %d operations", all.operations())
	}
	failures := 0
	every := 1
	if testing.Short() {
		every = 5
	}
	for at := 1; at <= all.operations(); at += every {
		dir := t.TempDir()
		f := &fault{at: at, err: syscall.ENOSPC, half: at%2 == 0}
		job := small(dir)
		job.create = f.create
		_, err := Train(context.Background(), job)
		if ended := err != nil; ended != (f.operations() >= at) {
			t.Errorf("%d operations, of which number %d fails: the run ended with %v", f.operations(), at, err)
		}
		if err != nil {
			failures++
			if !errors.Is(err, syscall.ENOSPC) || !errors.Is(err, ErrWrite) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "make room") {
				t.Fatalf("operation %d: %v", at, err)
			}
			job = small(dir)
			names, _ := (&checkpoints{dir: filepath.Join(dir, CheckpointDir)}).names()
			job.Resume = len(names) > 0 // else it failed before the first
			// What fails while the last step's checkpoint is written leaves a run that is finished.
			if _, err = Train(context.Background(), job); err != nil && !strings.Contains(err.Error(), "is finished after 2 epochs") {
				t.Fatalf("operation %d, then resumed: %v", at, err)
			}
		}
		if outcome(t, dir) != want {
			t.Errorf("operation %d: the run ends otherwise", at)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "*", ".*[0-9]")); len(left) > 0 {
			t.Errorf("operation %d leaves %v", at, left)
		}
	}
	// No checkpoint is begun while one is being written, so that a run may have fewer operations than the first one.
	if failures < all.operations()/every/2 {
		t.Errorf("only %d of %d operations failed", failures, all.operations())
	}
	t.Logf("%d of %d operations failed in turn and ended the run; all were resumed", failures, all.operations())

	// With "continue" the run goes on without the file.
	dir := t.TempDir()
	n := &notes{}
	job = small(dir)
	job.Recipe.Run.OnDiskFull, job.Observer = configs.OnDiskFullContinue, n
	job.create = (&fault{at: 30, err: syscall.ENOSPC}).create
	if _, err := Train(context.Background(), job); err != nil || !strings.Contains(strings.Join(n.notices, "\n"), "going on without a file") {
		t.Errorf("%v, notices %q", err, n.notices)
	}
}

// TestInterruptedWithoutRoom interrupts runs that cannot write: then the end is not a mere interruption. Where there is
// room again, all steps are saved.
func TestInterruptedWithoutRoom(t *testing.T) {
	for _, roomAgain := range []bool{true, false} {
		ctx, cancel := context.WithCancel(context.Background())
		n := &notes{}
		job := checkpointed(t, t.TempDir())
		job.Recipe.Run.OnDiskFull, job.Observer = configs.OnDiskFullContinue, n
		var written atomic.Int64
		job.create = func(path string) (pending, error) {
			if !strings.Contains(path, CheckpointDir) {
				return createPending(path)
			}
			if at := written.Add(1); at == 3 || at > 3 && !roomAgain {
				cancel()
				return nil, syscall.ENOSPC
			}
			return createPending(path)
		}
		_, err := Train(ctx, job)
		cancel()
		if !errors.Is(err, ErrInterrupted) || !strings.Contains(err.Error(), "context canceled") {
			t.Errorf("room again %t: %v", roomAgain, err)
		}
		if canceled := errors.Is(err, context.Canceled); canceled != roomAgain || canceled == errors.Is(err, ErrWrite) {
			t.Errorf("room again %t: %v", roomAgain, err)
		}
		c := checkpoints{dir: filepath.Join(job.Dir, CheckpointDir)}
		newest, err := c.newest(func(m string) { t.Error(m) })
		if err != nil {
			t.Fatal(err)
		}
		if (newest.Iteration == n.steps) != roomAgain {
			t.Errorf("room again %t: saved up to iteration %d of %d", roomAgain, newest.Iteration, n.steps)
		}
	}
}

// TestCheckpointNames: the newest is the first, where epochs have more digits, too.
func TestCheckpointNames(t *testing.T) {
	c := checkpoints{dir: t.TempDir()}
	for _, name := range []string{"000000090-9.safetensors", "000000090-10.safetensors", "000000099-10.safetensors", "000000081-9.safetensors", "other"} {
		if err := os.WriteFile(filepath.Join(c.dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	got, err := c.names()
	want := []string{"000000099-10.safetensors", "000000090-10.safetensors", "000000090-9.safetensors", "000000081-9.safetensors"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}

// TestDamagedCheckpoint flips a thousand bits of a checkpoint, a hundred with -short: it is never loaded, but the one
// before.
func TestDamagedCheckpoint(t *testing.T) {
	dir := t.TempDir()
	if _, err := Train(context.Background(), checkpointed(t, dir)); err != nil {
		t.Fatal(err)
	}
	c := checkpoints{dir: filepath.Join(dir, CheckpointDir)}
	names, err := c.names()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(c.dir, names[0])
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	last, err := c.newest(func(m string) { t.Error(m) })
	if err != nil {
		t.Fatal(err)
	}
	header := int(whole[0]) + int(whole[1])<<8 + int(whole[2])<<16
	r := rand.New(rand.NewPCG(1, 1))
	flips := 1000
	if testing.Short() {
		flips = 100
	}
	for i := range flips {
		damaged := slices.Clone(whole)
		at := r.IntN(len(whole))
		if i%2 == 0 {
			at = r.IntN(8 + header)
		}
		damaged[at] ^= 1 << r.IntN(8)
		if err := os.WriteFile(path, damaged, 0o666); err != nil {
			t.Fatal(err)
		}
		told := ""
		before, err := c.newest(func(m string) { told = m })
		if err != nil || before.Iteration > last.Iteration || before.Step == last.Step && before.Epoch == last.Epoch || !strings.Contains(told, path) {
			t.Fatalf("byte %d of %d flipped: loaded %+v, %v, told %q", at, len(whole), before, err, told)
		}
	}
	for _, length := range []int{0, 7, 100, header, len(whole) / 2, len(whole) - 1} {
		if err := os.WriteFile(path, whole[:length], 0o666); err != nil {
			t.Fatal(err)
		}
		if before, err := c.newest(func(string) {}); err != nil || before.Epoch == last.Epoch && before.Step == last.Step {
			t.Errorf("cut to %d bytes: %v", length, err)
		}
	}
	// With no other checkpoint left the run cannot be resumed.
	if err := os.Remove(filepath.Join(c.dir, names[1])); err != nil {
		t.Fatal(err)
	}
	job := checkpointed(t, dir)
	job.Resume = true
	if _, err := Train(context.Background(), job); !errors.Is(err, ErrNoCheckpoint) || !strings.Contains(err.Error(), "none of the 1 checkpoints") {
		t.Errorf("no usable checkpoint: %v", err)
	}
	// A file of weights is no checkpoint, nor is one of another version.
	for want, change := range map[string]func(*weights.File){
		"is no checkpoint":   func(f *weights.File) { delete(f.Metadata, progressKey) },
		"of another version": func(f *weights.File) { f.Metadata[progressKey] = `{"format": 2}`; f.Seal() },
		"no checksums":       func(f *weights.File) { delete(f.Metadata, "sha256") },
		"wrong":              func(f *weights.File) { f.Tensors[0].Data[0]++ },
	} {
		if err := os.WriteFile(path, whole, 0o666); err != nil {
			t.Fatal(err)
		}
		f, err := weights.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		change(f)
		if _, _, err := decodeProgress(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

// TestDivergence: a loss or gradient that is not finite stops training before the weights change, or rolls back to the
// last checkpoint with a tenth of the learning rate, until that is small enough.
func TestDivergence(t *testing.T) {
	job := checkpointed(t, t.TempDir())
	job.Recipe.Training.LearningRate = 1e4
	_, err := Train(context.Background(), job)
	var d *divergence
	if !errors.As(err, &d) || !errors.Is(err, ErrDiverged) || !strings.HasPrefix(d.layer, "conv") && !strings.HasPrefix(d.layer, "fc") || !strings.Contains(err.Error(), "at learning rate 10000") {
		t.Fatal(err)
	}
	c, err := (&checkpoints{dir: filepath.Join(job.Dir, CheckpointDir)}).newest(func(m string) { t.Error(m) })
	if err != nil {
		t.Fatal(err)
	}
	for _, tensor := range c.file.Tensors {
		for _, v := range tensor.Data {
			if v != v || math.IsInf(float64(v), 0) {
				t.Fatalf("%s of the last checkpoint is not finite", tensor.Name)
			}
		}
	}
	n := &notes{}
	job = checkpointed(t, t.TempDir())
	job.Recipe.Training.LearningRate, job.Recipe.Run.OnDivergence, job.Recipe.Run.CheckpointMinutes, job.Observer = 1e4, configs.OnDivergenceLowerLR, 1e6, n
	h, err := Train(context.Background(), job)
	if err != nil || len(h) != 3 {
		t.Fatalf("%d epochs, %v", len(h), err)
	}
	if text := strings.Join(n.notices, "\n"); !strings.Contains(text, "back to iteration 0, with the learning rate divided by 10, now 1e+03") || h[2].LearningRate > 100 {
		t.Errorf("learning rate %v, notices:\n%s", h[2].LearningRate, text)
	}
	if _, err := history.Read(filepath.Join(job.Dir, history.FileName)); err != nil {
		t.Error(err)
	}
}

// TestDivergedCheckpoint: training goes back beyond a checkpoint from which no step can be made, and its notes say so. The
// checkpoint is removed when a later one is written.
func TestDivergedCheckpoint(t *testing.T) {
	dir := t.TempDir()
	job := checkpointed(t, dir)
	ctx, cancel := context.WithCancel(context.Background())
	job.Observer, job.Recipe.Run.OnDivergence = &canceller{after: 5, cancel: cancel}, configs.OnDivergenceLowerLR
	if _, err := Train(ctx, job); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	c := checkpoints{dir: filepath.Join(dir, CheckpointDir)}
	names, err := c.names()
	if err != nil || len(names) != 2 {
		t.Fatal(names, err)
	}
	newest, err := c.newest(func(m string) { t.Error(m) })
	if err != nil {
		t.Fatal(err)
	}
	for _, tensor := range newest.file.Tensors {
		for i := range tensor.Data {
			tensor.Data[i] *= 1e20
		}
	}
	f, err := newest.progress.encode(newest.file.Tensors)
	if err != nil {
		t.Fatal(err)
	}
	if err := weights.Write(filepath.Join(c.dir, names[0]), f); err != nil {
		t.Fatal(err)
	}
	job.Resume, job.Observer = true, &notes{}
	if _, err := Train(context.Background(), job); err != nil {
		t.Fatal(err)
	}
	summary, err := ReadSummary(dir)
	at, _ := strconv.Atoi(iteration(names[1]))
	if want := fmt.Sprintf("back to iteration %d, with", at); err != nil || !strings.Contains(strings.Join(summary.Notes, "\n"), want) {
		t.Errorf("%v, %q lacks %q", err, summary.Notes, want)
	}
	if left, err := c.names(); err != nil || slices.Contains(left, names[0]) {
		t.Errorf("%v, %v", left, err)
	}
}

// TestGradientNotFinite: the layer is named.
func TestGradientNotFinite(t *testing.T) {
	s, err := newSession(context.Background(), checkpointed(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if layer := s.gradientNotFinite(); layer != "" {
		t.Errorf("%s before anything was computed", layer)
	}
	g, err := s.learnables[4].Grad()
	if err != nil {
		t.Fatal(err)
	}
	g.Data().([]float32)[7] = float32(math.Inf(-1))
	if layer, want := s.gradientNotFinite(), s.net.Parameters()[4].Layer; layer != want {
		t.Errorf("found in %q, want %q", layer, want)
	}
}

// BenchmarkCheckpoint writes checkpoints of the paper's net A, 133 million weights and as many velocities. It reports
// how long one blocks training, how long it takes in all, and what percentage that is of the 10 minutes between two
// checkpoints: the most that training can lose.
func BenchmarkCheckpoint(b *testing.B) {
	job := checkpointed(b, b.TempDir())
	job.Recipe.Net.Width, job.Recipe.Net.FC, job.Recipe.Net.Input = 1, configs.FC, configs.Input
	job.Recipe.Training.Batch, job.Recipe.Training.MicroBatch = 1, 1
	s, err := newSession(context.Background(), job)
	if err != nil {
		b.Fatal(err)
	}
	defer s.close()
	grey := &dataset.Batch{Pixels: make([]float32, s.net.Input.Shape().TotalSize()), Labels: []int{0}, Pictures: 1}
	if _, err := s.training.run(grey, 0); err != nil {
		b.Fatal(err)
	}
	if err := s.solver.Step(s.learnables); err != nil { // which makes the velocities
		b.Fatal(err)
	}
	var blocked, whole time.Duration
	for b.Loop() {
		start := time.Now()
		if err := s.checkpoint(); err != nil {
			b.Fatal(err)
		}
		blocked += time.Since(start)
		if err := s.checkpoints.wait(); err != nil {
			b.Fatal(err)
		}
		whole += time.Since(start)
	}
	each := whole.Seconds() / float64(b.N)
	b.ReportMetric(blocked.Seconds()/float64(b.N), "s-blocked")
	b.ReportMetric(each, "s-whole")
	b.ReportMetric(100*each/600, "%-of-10-min")
}
