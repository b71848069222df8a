package ordered

import (
	"context"
	"iter"
	"sync"

	"vgg/internal/threads"
)

// Map yields i and f(i) for i from 0 to n-1. It computes the next results on other goroutines while the loop's body
// runs, as many at once as threads.Count tells; no more than ahead results wait at a time (at least one), which bounds
// their memory. Cancelling ctx ends the sequence early; ctx.Err() tells. When the loop ends, every goroutine has ended.
func Map[T any](ctx context.Context, n, ahead int, f func(i int) T) iter.Seq2[int, T] {
	return func(yield func(int, T) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var running sync.WaitGroup
		defer running.Wait()
		defer cancel()
		type item struct {
			index  int
			result chan T // with room for the result, so that its goroutine never blocks
		}
		work := make(chan item)
		waiting := make(chan item, max(1, ahead)) // in the list's order; its room bounds what is computed ahead
		for range min(n, threads.Count()) {
			running.Go(func() {
				for it := range work {
					it.result <- f(it.index)
				}
			})
		}
		running.Go(func() {
			defer close(waiting)
			defer close(work)
			for i := range n {
				it := item{i, make(chan T, 1)}
				select {
				case waiting <- it:
				case <-ctx.Done():
					return
				}
				select {
				case work <- it:
				case <-ctx.Done():
					return
				}
			}
		})
		for it := range waiting {
			select {
			case result := <-it.result:
				if ctx.Err() != nil || !yield(it.index, result) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}
