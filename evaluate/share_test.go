package evaluate

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"vgg/configs"
	"vgg/internal/mpi"
)

// ranks calls f for each rank of a world of goroutines.
func ranks(size int, f func(w *mpi.World)) {
	var all sync.WaitGroup
	for _, w := range mpi.Local(size) {
		all.Go(func() { f(w) })
	}
	all.Wait()
}

// TestRanks: ranks that share the pictures all get the predictions of one process, with the same bits, and skip the
// same pictures; with more ranks than blocks some compute nothing.
func TestRanks(t *testing.T) {
	m := small(t, 7, 1)
	for _, protocol := range []configs.Protocol{configs.Center, configs.Dense} {
		split := damaged{noise{23, 7}}
		o := Options{Protocol: protocol, Scales: []int{40}, Batch: 2, Features: "fc7"}
		want, wantSkipped := collect(t, []*Model{m}, split, o)
		for _, size := range []int{2, 3, 7} {
			ranks(size, func(w *mpi.World) {
				o := o
				o.World = w
				got, skipped := collect(t, []*Model{m.Share()}, split, o)
				if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(skipped, wantSkipped) {
					t.Errorf("%s, rank %d of %d predicts otherwise, or skips %v, want %v", protocol, w.Rank(), size, skipped, wantSkipped)
				}
				if w.Sent() == 0 {
					t.Errorf("rank %d of %d sent nothing", w.Rank(), size)
				}
			})
		}
	}
}

// TestRanksOwnError: an error that one rank's caller alone has, such as of a full disk, is not taken for one of all.
func TestRanksOwnError(t *testing.T) {
	m := small(t, 7, 1)
	full := errors.New("no space left")
	ranks(2, func(w *mpi.World) {
		_, err := Run(context.Background(), []*Model{m.Share()}, noise{8, 7}, Options{Scales: []int{40}, Batch: 2, World: w}, func(p Prediction) error {
			if w.Rank() == 0 && p.Picture == 7 { // the last
				return full
			}
			return nil
		})
		if w.Rank() == 0 && (!errors.Is(err, full) || errors.As(err, new(mpi.SharedError))) || w.Rank() > 0 && err != nil {
			t.Errorf("rank %d: %v", w.Rank(), err)
		}
	})
}

// TestRanksFail: an error of one rank ends the test on all, after the predictions of the pictures before. They return the
// same error, which names the rank.
func TestRanksFail(t *testing.T) {
	m := small(t, 7, 1)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		name   string
		cancel int // rank
		skip   func(int, error) error
		want   string
		before int // predictions
	}{
		{"a picture that cannot be read", -1, nil, "picture 3 is damaged (rank 0)", 3},
		{"too many that cannot", -1, func(picture int, reason error) error {
			if picture > 10 {
				return fmt.Errorf("too many: %w", reason)
			}
			return nil
		}, "too many: picture 17 is damaged (rank 1)", 15},
		{"a rank that is interrupted", 1, func(int, error) error { return nil }, "context canceled (rank 1)", 3},
	} {
		ranks(3, func(w *mpi.World) {
			now := context.Background()
			if w.Rank() == c.cancel {
				now = ctx
			}
			o := Options{Scales: []int{40}, Batch: 2, World: w, Skip: c.skip}
			predictions := 0
			_, err := Run(now, []*Model{m.Share()}, damaged{noise{23, 7}}, o, func(Prediction) error { predictions++; return nil })
			if predictions != c.before {
				t.Errorf("%s: rank %d: %d predictions before the error, want %d", c.name, w.Rank(), predictions, c.before)
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || !errors.As(err, new(mpi.SharedError)) ||
				errors.Is(err, context.Canceled) != (c.cancel >= 0) {
				t.Errorf("%s: rank %d: error %v, want %q", c.name, w.Rank(), err, c.want)
			}
		})
	}
}
