package trainer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"vgg/configs"
	"vgg/internal/mpi"
)

// trainOn trains on a number of ranks in this process, and returns the errors by rank.
func trainOn(ctx context.Context, ranks int, job func(rank int) Job) []error {
	errs := make([]error, ranks)
	var wait sync.WaitGroup
	for rank, w := range mpi.Local(ranks) {
		wait.Go(func() {
			j := job(rank)
			j.World = w
			_, errs[rank] = Train(ctx, j)
		})
	}
	wait.Wait()
	return errs
}

// shared is a job of 2 epochs of mini-batches of 17 micro-batches, and a last validation batch that is not full.
func shared(t *testing.T, dir string) Job {
	r := quick(t)
	r.Training.Batch, r.Training.MicroBatch, r.Training.Epochs = 34, 2, 2
	r.Augment.Flip, r.Net.Dropout, r.Net.FC = true, 0.5, 24
	return Job{Recipe: r, Set: set(80, 3), Dir: dir, Observer: &notes{}}
}

// TestRanks: any number of ranks leaves the same bytes, and counts its pictures and bytes.
func TestRanks(t *testing.T) {
	dir := t.TempDir()
	alone := filepath.Join(dir, "alone")
	if _, err := Train(context.Background(), shared(t, alone)); err != nil {
		t.Fatal(err)
	}
	want := outcome(t, alone)
	for _, ranks := range []int{2, 3, 4, 9} {
		run := filepath.Join(dir, fmt.Sprint(ranks))
		for rank, err := range trainOn(context.Background(), ranks, func(int) Job { return shared(t, run) }) {
			if err != nil {
				t.Fatalf("rank %d of %d: %v", rank, ranks, err)
			}
		}
		if outcome(t, run) != want {
			t.Errorf("%d ranks leave other bytes", ranks)
		}
		var sum Summary
		data, err := os.ReadFile(filepath.Join(run, SummaryFile))
		if err == nil {
			err = json.Unmarshal(data, &sum)
		}
		pictures := 0
		for _, n := range sum.RankPictures {
			pictures += n
		}
		if err != nil || sum.Ranks != ranks || len(sum.RankPictures) != ranks || pictures != 2*2*34 || slices.Min(sum.RankPictures) == 0 {
			t.Errorf("%d ranks: %+v, error %v", ranks, sum, err)
		}
		floats := 4 * float64(sum.Parameters)
		if sent := float64(sum.RankBytes[0]); ranks == 2 && (sent < floats || sent > 5*floats) {
			t.Errorf("%d ranks send %.0f bytes a step, the weights are %.0f", ranks, sent, floats)
		}
	}
}

// TestFactors is TestRanks for layers whose gradients are held as factors.
func TestFactors(t *testing.T) {
	dir := t.TempDir()
	job := func(name string) Job {
		j := shared(t, filepath.Join(dir, name))
		j.Recipe.Net.FC, j.Recipe.Training.Batch, j.Recipe.Training.Epochs = 1536, 12, 1
		j.Recipe.Training.Limit = 36
		return j
	}
	n := &notes{}
	for ranks, name := range []string{"", "1", "2", "3"} {
		if ranks == 0 {
			continue
		}
		for _, err := range trainOn(context.Background(), ranks, func(rank int) Job {
			j := job(name)
			if rank == 0 {
				j.Observer = n
			}
			return j
		}) {
			if err != nil {
				t.Fatalf("%d ranks: %v", ranks, err)
			}
		}
		if outcome(t, filepath.Join(dir, name)) != outcome(t, filepath.Join(dir, "1")) {
			t.Errorf("%d ranks leave other bytes", ranks)
		}
	}
	if said := strings.Join(n.begin, "\n"); !strings.Contains(said, "exchanged as factors (12.3 kB a picture) for fc7, as sums") {
		t.Errorf("notes: %s", said)
	}
}

// TestRankErrors: an error on one rank ends all, with the rank's name, and the run can be resumed on another number of
// ranks; ranks that differ are refused.
func TestRankErrors(t *testing.T) {
	dir := t.TempDir()
	alone, run := filepath.Join(dir, "alone"), filepath.Join(dir, "run")
	holes := func(dir string, picture int) Job {
		j := shared(t, dir)
		j.Set = set(80, 3)
		j.Set.Train = broken{stripes{80, 3}, []int{picture}}
		j.Recipe.Statistics = configs.Statistics{Pictures: 1, Std: [3]float64{1, 1, 1}}
		return j
	}
	if _, err := Train(context.Background(), holes(alone, -1)); err != nil {
		t.Fatal(err)
	}
	for rank, err := range trainOn(context.Background(), 3, func(rank int) Job { return holes(run, []int{-1, -1, 7}[rank]) }) {
		if err == nil || !strings.Contains(err.Error(), "rank 2: ") || !strings.Contains(err.Error(), ": broken") || !errors.As(err, new(mpi.SharedError)) {
			t.Errorf("rank %d: %v", rank, err)
		}
	}
	for rank, err := range trainOn(context.Background(), 4, func(rank int) Job {
		j := holes(run, -1)
		j.Resume = rank == 0
		return j
	}) {
		if err != nil {
			t.Errorf("resumed: rank %d: %v", rank, err)
		}
	}
	if outcome(t, run) != outcome(t, alone) {
		t.Error("resumed on 4 ranks, the run leaves other bytes")
	}
	for name, change := range map[string]func(j *Job, rank int){
		"at most one rank for each; training.micro_batch = 17 gives enough": func(j *Job, rank int) { j.Recipe.Training.MicroBatch = 34 },
		"the pictures (rank 0 has 80 + 20 pictures": func(j *Job, rank int) {
			if rank == 1 {
				j.Set = set(79, 3)
			}
		},
	} {
		for rank, err := range trainOn(context.Background(), 2, func(rank int) Job {
			j := shared(t, "")
			change(&j, rank)
			return j
		}) {
			if err == nil || !strings.Contains(err.Error(), name) || !errors.As(err, new(mpi.SharedError)) {
				t.Errorf("rank %d: %v, want %s", rank, err, name)
			}
		}
	}
}

// TestRanksSkip: a picture that one rank cannot read is known to all.
func TestRanksSkip(t *testing.T) {
	dir := t.TempDir()
	job := func(name string) Job {
		j := shared(t, filepath.Join(dir, name))
		j.Set = set(80, 3)
		j.Set.Train = broken{stripes{80, 3}, []int{7}}
		j.Recipe.Pictures.Bad, j.Recipe.Pictures.SkipShare = configs.BadSkip, 0.1
		j.Recipe.Statistics = configs.Statistics{Pictures: 1, Std: [3]float64{1, 1, 1}}
		return j
	}
	if _, err := Train(context.Background(), job("alone")); err != nil {
		t.Fatal(err)
	}
	for rank, err := range trainOn(context.Background(), 3, func(int) Job { return job("ranks") }) {
		if err != nil {
			t.Errorf("rank %d: %v", rank, err)
		}
	}
	if outcome(t, filepath.Join(dir, "ranks")) != outcome(t, filepath.Join(dir, "alone")) {
		t.Error("3 ranks leave other bytes")
	}
	skipped, err := os.ReadFile(filepath.Join(dir, "ranks", SkippedFile))
	if err != nil || !strings.Contains(string(skipped), "stripes7,broken") {
		t.Errorf("%s, error %v", skipped, err)
	}
}

// TestRanksDiverge: a rank whose loss is not a number names the layer, and all go back to the last checkpoint.
func TestRanksDiverge(t *testing.T) {
	dir := t.TempDir()
	job := func(name string) Job {
		j := shared(t, filepath.Join(dir, name))
		j.Set, j.Recipe.Training.Batch, j.Recipe.Training.MicroBatch, j.Recipe.Training.LearningRate = set(128, 3), 16, 4, 1e4
		j.Recipe.Run.OnDivergence, j.Recipe.Run.CheckpointMinutes = configs.OnDivergenceLowerLR, 1e6
		return j
	}
	n := &notes{}
	alone := job("alone")
	alone.Observer = n
	if _, err := Train(context.Background(), alone); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(n.notices, "\n"), "divided by 10") {
		t.Fatalf("did not diverge: %q", n.notices)
	}
	for rank, err := range trainOn(context.Background(), 3, func(int) Job { return job("ranks") }) {
		if err != nil {
			t.Errorf("rank %d: %v", rank, err)
		}
	}
	if outcome(t, filepath.Join(dir, "ranks")) != outcome(t, filepath.Join(dir, "alone")) {
		t.Error("3 ranks leave other bytes")
	}
}

// TestRanksInterrupted: a rank that is asked to end makes all end after the same step.
func TestRanksInterrupted(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c := &canceller{after: 1, cancel: cancel}
	for rank, err := range trainOn(ctx, 3, func(rank int) Job {
		j := shared(t, filepath.Join(dir, "run"))
		if rank == 0 {
			j.Observer = c
		}
		return j
	}) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("rank %d: %v", rank, err)
		}
	}
	for rank, err := range trainOn(context.Background(), 2, func(rank int) Job {
		j := shared(t, filepath.Join(dir, "run"))
		j.Resume = true
		return j
	}) {
		if err != nil {
			t.Errorf("resumed: rank %d: %v", rank, err)
		}
	}
	if _, err := Train(context.Background(), shared(t, filepath.Join(dir, "alone"))); err != nil {
		t.Fatal(err)
	}
	if outcome(t, filepath.Join(dir, "run")) != outcome(t, filepath.Join(dir, "alone")) {
		t.Error("interrupted on 3 ranks and resumed on 2, the run leaves other bytes")
	}
}
