package reproduce

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"vgg/configs"
	"vgg/history"
	"vgg/internal/threads"
	"vgg/trainer"
)

// counting counts the trainings that are under way and their epochs, and acts at one of these.
type counting struct {
	now, most, epochs *atomic.Int32
	at                int32
	act               func(threads int) error
}

func (c counting) Training(string, configs.Recipe) trainer.Observer { return c }
func (c counting) Notice(string)                                    {}
func (c counting) Begin(int, []string) error {
	if now := c.now.Add(1); now > c.most.Load() {
		c.most.Store(now)
	}
	return nil
}
func (c counting) Step(int, int, float64) {}
func (c counting) Epoch(h history.History) error {
	if len(h) == 2 { // the last
		c.now.Add(-1)
	}
	if c.epochs.Add(1) == c.at {
		return c.act(threads.Count())
	}
	return nil
}

// TestAtOnce: trainings at the same time leave what one after the other leaves, also after one of them has failed, or all
// were interrupted.
func TestAtOnce(t *testing.T) {
	alone := plan(t)
	if _, err := Run(context.Background(), alone, set(), nil); err != nil {
		t.Fatal(err)
	}
	count := threads.Count()
	together := plan(t)
	together.AtOnce = 3
	watch := counting{new(atomic.Int32), new(atomic.Int32), new(atomic.Int32), 5, nil}
	failure := errors.New("as it was told")
	watch.act = func(compute int) error {
		if compute > max(1, count/2) {
			t.Errorf("%d of %d threads for each of several trainings", compute, count)
		}
		return failure
	}
	if _, err := Run(context.Background(), together, set(), watch); !errors.Is(err, failure) {
		t.Fatalf("after a failure: %v", err)
	}
	if most := watch.most.Load(); most < 2 || most > 3 {
		t.Errorf("%d trainings at once, want 2 or 3", most)
	}
	ctx, cancel := context.WithCancel(context.Background())
	watch.at, watch.act = watch.epochs.Load()+9, func(int) error { cancel(); return nil }
	if _, err := Run(ctx, together, set(), watch); !errors.Is(err, context.Canceled) {
		t.Fatalf("after an interruption: %v", err)
	}
	if _, err := os.Stat(filepath.Join(together.Dir, MarkdownFile)); err == nil {
		t.Error("a report before all is done")
	}
	if _, err := Run(context.Background(), together, set(), nil); err != nil {
		t.Fatal(err)
	}
	want, got := results(t, alone), results(t, together)
	for name, tensors := range want {
		if got[name] != tensors {
			t.Errorf("%s: %q, want %q", name, got[name], tensors)
		}
	}
	if a, b := timeless(t, alone), timeless(t, together); a != b || len(got) != len(want) {
		t.Errorf("another report, or %d files, want %d:\n%s\n%s", len(got), len(want), a, b)
	}
	if now := threads.Count(); now != count {
		t.Errorf("%d threads afterwards, want %d", now, count)
	}
}
