package ordered

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
)

func TestMapKeepsTheOrderAndCallsOnce(t *testing.T) {
	for _, threads := range []int{1, 2, 5} {
		for _, n := range []int{0, 1, 7, 100} {
			for _, ahead := range []int{0, 1, 3, 200} {
				t.Run(fmt.Sprintf("threads=%d,n=%d,ahead=%d", threads, n, ahead), func(t *testing.T) {
					defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
					calls := make([]atomic.Int32, n)
					next := 0
					for i, square := range Map(context.Background(), n, ahead, func(i int) int {
						calls[i].Add(1)
						for range i % 5 {
							runtime.Gosched()
						}
						return i * i
					}) {
						if i != next || square != i*i {
							t.Fatalf("%d: %d: want %d: %d", i, square, next, next*next)
						}
						next++
					}
					if next != n {
						t.Errorf("%d results: want %d", next, n)
					}
					for i := range calls {
						if c := calls[i].Load(); c != 1 {
							t.Errorf("f(%d) was called %d times", i, c)
						}
					}
				})
			}
		}
	}
}

func TestMapBoundsWhatWaits(t *testing.T) {
	const n, ahead = 200, 4
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	var begun atomic.Int32
	for i := range Map(context.Background(), n, ahead, func(i int) int { return int(begun.Add(1)) }) {
		// Besides those that wait, one is in the loop's hands and one in the distributor's.
		if most := int32(i + ahead + 3); begun.Load() > most {
			t.Fatalf("%d calls were begun before result %d was taken: want at most %d", begun.Load(), i+1, most)
		}
	}
}

func TestMapEndsEarly(t *testing.T) {
	var running atomic.Int32
	f := func(i int) int {
		running.Add(1)
		defer running.Add(-1)
		runtime.Gosched()
		return i
	}
	for i := range Map(context.Background(), 1000, 8, f) {
		if i == 3 {
			break
		}
	}
	if r := running.Load(); r != 0 {
		t.Errorf("%d calls are running after the loop was left", r)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	seen := 0
	for i := range Map(ctx, 1000, 8, f) {
		if seen = i; i == 3 {
			cancel()
		}
	}
	if seen != 3 || ctx.Err() == nil || running.Load() != 0 {
		t.Errorf("after cancelling at result 3 the last was %d, and %d calls are running", seen, running.Load())
	}
	for range Map(ctx, 3, 1, f) {
		t.Error("a result although the context was cancelled before")
	}
}
