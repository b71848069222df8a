package kernel

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// withThreads runs a test with 1, 2, 3 and 5 threads.
func withThreads(t *testing.T, f func(t *testing.T)) {
	saved := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(saved)
	for _, threads := range []int{1, 2, 3, 5} {
		runtime.GOMAXPROCS(threads)
		t.Run(fmt.Sprintf("%d threads", threads), f)
	}
}

// coverage counts how often each element of [0, n) has been computed.
type coverage []atomic.Int32

func (c coverage) add(lo, hi int) {
	for i := lo; i < hi; i++ {
		c[i].Add(1)
	}
}

func (c coverage) check(t *testing.T, want int32) {
	t.Helper()
	for i := range c {
		if got := c[i].Load(); got != want {
			t.Fatalf("element %d of %d is computed %d times, want %d", i, len(c), got, want)
		}
	}
}

func TestParallelCoversEveryElementOnce(t *testing.T) {
	withThreads(t, func(t *testing.T) {
		for _, n := range []int{0, 1, 2, 3, 5, 8, 13, 64, 1000} {
			for _, grain := range []int{-1, 0, 1, 2, 3, 7, 64, 999, 1000, 1001} {
				var calls atomic.Int32
				covered := make(coverage, n)
				parallel(n, grain, func(lo, hi int) {
					calls.Add(1)
					covered.add(lo, hi)
					if hi-lo < min(n, grain) || hi <= lo {
						t.Errorf("%d elements, grain %d: range [%d, %d)", n, grain, lo, hi)
					}
				})
				covered.check(t, 1)
				if want := max(1, min(n, n/max(grain, 1), runtime.GOMAXPROCS(0))); n > 0 && int(calls.Load()) != want {
					t.Errorf("%d elements, grain %d: %d ranges, want %d", n, grain, calls.Load(), want)
				}
			}
		}
	})
}

func TestParallelGridCoversEveryElementOnce(t *testing.T) {
	withThreads(t, func(t *testing.T) {
		for _, rows := range []int{1, 2, 3, 7, 20} {
			for _, columns := range []int{1, 2, 5, 8, 31} {
				var calls atomic.Int32
				covered := make(coverage, rows*columns)
				parallelGrid(rows, columns, func(row0, row1, column0, column1 int) {
					calls.Add(1)
					if row0 >= row1 || column0 >= column1 {
						t.Errorf("%d×%d: block [%d, %d) × [%d, %d)", rows, columns, row0, row1, column0, column1)
					}
					for r := row0; r < row1; r++ {
						covered.add(r*columns+column0, r*columns+column1)
					}
				})
				covered.check(t, 1)
				if calls.Load() > int32(runtime.GOMAXPROCS(0)) {
					t.Errorf("%d×%d: %d blocks for %d threads", rows, columns, calls.Load(), runtime.GOMAXPROCS(0))
				}
			}
		}
	})
}

// TestParallelGridIsEven checks shapes where one dimension alone has too few pieces for all threads.
func TestParallelGridIsEven(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(6))
	for _, c := range []struct{ rows, columns, largest int }{{2, 3, 1}, {3, 2, 1}, {1, 12, 2}, {12, 1, 2}, {4, 6, 4}, {5, 5, 5}} {
		var largest atomic.Int32
		parallelGrid(c.rows, c.columns, func(row0, row1, column0, column1 int) {
			for size := int32((row1 - row0) * (column1 - column0)); ; {
				before := largest.Load()
				if size <= before || largest.CompareAndSwap(before, size) {
					return
				}
			}
		})
		if int(largest.Load()) != c.largest {
			t.Errorf("%d×%d on 6 threads: the largest block has %d elements, want %d", c.rows, c.columns, largest.Load(), c.largest)
		}
	}
}

func TestParallelNested(t *testing.T) {
	withThreads(t, func(t *testing.T) {
		const outer, middle, inner = 7, 5, 3
		covered := make(coverage, outer*middle*inner)
		parallel(outer, 1, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				parallelGrid(middle, inner, func(row0, row1, column0, column1 int) {
					for j := row0; j < row1; j++ {
						parallel(column1-column0, 1, func(lo, hi int) {
							at := (i*middle+j)*inner + column0
							covered.add(at+lo, at+hi)
						})
					}
				})
			}
		})
		covered.check(t, 1)
	})
}

func TestParallelFromManyGoroutines(t *testing.T) {
	withThreads(t, func(t *testing.T) {
		const callers, calls, n = 8, 10, 40
		var wait sync.WaitGroup
		for range callers {
			wait.Go(func() {
				covered := make(coverage, n)
				for call := range calls {
					parallel(n, 1, covered.add)
					covered.check(t, int32(call+1))
				}
			})
		}
		wait.Wait()
	})
}

// TestParallelSeesWrites checks without atomics that a range sees what the caller wrote before the call, and the caller
// what the range wrote; the race detector checks it too.
func TestParallelSeesWrites(t *testing.T) {
	withThreads(t, func(t *testing.T) {
		x := make([]int, 100)
		for round := range 20 {
			parallel(len(x), 1, func(lo, hi int) {
				for i := lo; i < hi; i++ {
					x[i]++
				}
			})
			for i := range x {
				if x[i] != 2*round+1 {
					t.Fatalf("element %d is %d in round %d", i, x[i], round)
				}
				x[i]++
			}
		}
	})
}

func TestThreadsChangeBetweenCalls(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	covered := make(coverage, 30)
	for i, threads := range []int{2, 5, 1, 8, 3, 2, 8} {
		runtime.GOMAXPROCS(threads)
		var calls atomic.Int32
		parallel(len(covered), 1, func(lo, hi int) { calls.Add(1); covered.add(lo, hi) })
		covered.check(t, int32(i+1))
		if int(calls.Load()) != threads {
			t.Errorf("%d ranges with %d threads", calls.Load(), threads)
		}
	}
}

// TestWorkersSleepAndWake gives workers work after a pause that is longer than they spin.
func TestWorkersSleepAndWake(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	covered := make(coverage, 4)
	for round := range 3 {
		parallel(len(covered), 1, covered.add)
		covered.check(t, int32(round+1))
		for _, w := range pool.workers[:3] {
			awaitSleep(t, &w.start)
		}
	}
	// A caller that waits for a slow worker sleeps too.
	var begun atomic.Int32
	var slow atomic.Bool
	go func() {
		awaitSleep(t, &pool.done)
		slow.Store(true)
	}()
	parallel(len(covered), 1, func(lo, hi int) {
		for begun.Add(1); begun.Load() < 4; { // so that the caller takes no more than its own
			time.Sleep(time.Millisecond)
		}
		for lo > 0 && !slow.Load() {
			time.Sleep(time.Millisecond)
		}
		covered.add(lo, hi)
	})
	covered.check(t, 4)
}

// TestBusyWorkersAreNotAwaited has a worker that is held up by something else while calls go on without it.
func TestBusyWorkersAreNotAwaited(t *testing.T) {
	p := threadPool{done: event{wake: make(chan struct{})}}
	p.workers = []*worker{{number: 1, start: event{wake: make(chan struct{})}}} // that does not run yet
	covered := make(coverage, 10)
	for round := range 5 {
		p.run(len(covered), 2, 2, covered.add)
		covered.check(t, int32(round+1))
	}
	go p.work(p.workers[0]) // the signals of five calls wait for it
	for round := range 1000 {
		p.run(len(covered), 2, 2, covered.add)
		covered.check(t, int32(round+6))
	}
}

// awaitSleep waits until the goroutine that waits for an event sleeps.
func awaitSleep(t *testing.T, e *event) {
	for begin := time.Now(); e.state.Load() != asleep; time.Sleep(time.Millisecond) {
		if time.Since(begin) > 30*time.Second {
			t.Error("the waiting goroutine does not sleep")
			return
		}
	}
}

// TestEvent has two goroutines take turns, with and without pauses in which the other one falls asleep.
func TestEvent(t *testing.T) {
	there, back := event{wake: make(chan struct{})}, event{wake: make(chan struct{})}
	turn := 0 // not atomic: the events order the accesses
	const turns = 100
	var wait sync.WaitGroup
	wait.Go(func() {
		for i := range turns {
			there.wait()
			if turn != 2*i+1 {
				t.Errorf("turn %d after the signal number %d", turn, i)
			}
			turn++
			if i%50 == 0 {
				awaitSleep(t, &back)
			}
			back.signal()
		}
	})
	for i := range turns {
		turn++
		if i%70 == 0 {
			awaitSleep(t, &there)
		}
		there.signal()
		back.wait()
		if turn != 2*i+2 {
			t.Errorf("turn %d after the answer number %d", turn, i)
		}
	}
	wait.Wait()
}

func TestBlocks(t *testing.T) {
	for n := range 200 {
		for most := 1; most < 70; most++ {
			i, count := 0, ceilDiv(n, most)
			for begin, size := range blocks(n, most) {
				lo, hi := share(n, count, i)
				if begin != lo || size != hi-lo || size > most || size < 1 {
					t.Fatalf("block %d of %d elements, at most %d: [%d, %d), want [%d, %d)", i, n, most, begin, begin+size, lo, hi)
				}
				i++
			}
			if i != count {
				t.Fatalf("%d blocks of %d elements, at most %d: want %d", i, n, most, count)
			}
		}
	}
}

func TestPieces(t *testing.T) {
	withThreads(t, func(t *testing.T) {
		threads := runtime.GOMAXPROCS(0)
		for _, n := range []int{0, 1, 2, 7, 30, 100, 1000} {
			for _, piece := range []int{1, 5, 40, 2000} {
				var calls atomic.Int32
				covered := make(coverage, n)
				parallelPieces(n, 1, piece, func(lo, hi int) {
					calls.Add(1)
					covered.add(lo, hi)
					if hi-lo < min(piece, n/threads) {
						t.Errorf("%d elements in pieces of %d: range [%d, %d)", n, piece, lo, hi)
					}
				})
				covered.check(t, 1)
				if most := int32(mostPieces * threads); calls.Load() > most || threads > 1 && n >= int(most)*piece && calls.Load() != most {
					t.Errorf("%d elements in pieces of %d: %d ranges, want %d", n, piece, calls.Load(), most)
				}
			}
		}
	})
}
