package kernel

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// How threads share work: parallel cuts [0, n) into ranges, one a thread, of which it computes the first itself and
// gives the others to the workers of a pool; then it waits for them. All callers share one pool, which serves one of
// them at a time. A caller that finds it in use, on another goroutine or inside a range, starts goroutines of its own, so
// calls may be concurrent and nested.
//
// Workers are goroutines that never end. Between two calls they spin for some hundreds of microseconds before they
// sleep, because a net is a quick succession of short calls, and waking a sleeping thread takes longer than many of them.

// parallel calls f with consecutive ranges [lo, hi) that cover [0, n), each on a thread of its own, and returns when all
// are done. No range is shorter than grain unless n is: small work stays on the calling goroutine.
func parallel(n, grain int, f func(lo, hi int)) {
	ranges := min(runtime.GOMAXPROCS(0), n/max(grain, 1))
	if ranges <= 1 {
		if n > 0 {
			f(0, n)
		}
		return
	}
	if pool.inUse.TryLock() {
		pool.run(n, ranges, f)
		pool.inUse.Unlock()
		return
	}
	var wait sync.WaitGroup
	for i := 1; i < ranges; i++ {
		wait.Go(func() { f(share(n, ranges, i)) })
	}
	f(share(n, ranges, 0))
	wait.Wait()
}

// parallelGrid calls f with blocks that cover [0, rows) × [0, columns), each on a thread of its own, and returns when all
// are done. The largest block is as small as possible; among equals it has the fewest rows.
func parallelGrid(rows, columns int, f func(row0, row1, column0, column1 int)) {
	threads := runtime.GOMAXPROCS(0)
	rowRanges, columnRanges, smallest := 1, 1, rows*columns
	for r := 1; r <= min(threads, rows); r++ {
		c := min(threads/r, columns)
		if largest := ceilDiv(rows, r) * ceilDiv(columns, c); largest <= smallest {
			rowRanges, columnRanges, smallest = r, c, largest
		}
	}
	parallel(rowRanges*columnRanges, 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			row0, row1 := share(rows, rowRanges, i/columnRanges)
			column0, column1 := share(columns, columnRanges, i%columnRanges)
			f(row0, row1, column0, column1)
		}
	})
}

// pool is what all callers share.
var pool = threadPool{done: event{wake: make(chan struct{})}}

// A threadPool is a set of workers that compute the ranges of one call at a time.
type threadPool struct {
	inUse   sync.Mutex
	workers []*worker

	// The call that is being served.
	n, ranges  int
	f          func(lo, hi int)
	unfinished atomic.Int32 // ranges of workers
	done       event
}

// A worker computes one range of each call that has enough of them.
type worker struct {
	number int // of its range; the caller's has number 0
	start  event
}

func (p *threadPool) run(n, ranges int, f func(lo, hi int)) {
	for len(p.workers) < ranges-1 {
		w := &worker{number: len(p.workers) + 1, start: event{wake: make(chan struct{})}}
		p.workers = append(p.workers, w)
		go p.work(w)
	}
	p.n, p.ranges, p.f = n, ranges, f
	p.unfinished.Store(int32(ranges - 1))
	for _, w := range p.workers[:ranges-1] {
		w.start.signal()
	}
	f(share(n, ranges, 0))
	p.done.wait()
	p.f = nil
}

func (p *threadPool) work(w *worker) {
	for {
		w.start.wait()
		p.f(share(p.n, p.ranges, w.number))
		if p.unfinished.Add(-1) == 0 {
			p.done.signal()
		}
	}
}

// An event is what one goroutine signals and another waits for, in turn.
type event struct {
	state atomic.Uint32 // one of the following
	wake  chan struct{}
}

const (
	pending   = iota
	asleep    // pending, and the waiting goroutine receives from wake
	signalled // and not yet noticed
)

func (e *event) signal() {
	if e.state.Swap(signalled) == asleep {
		e.wake <- struct{}{}
	}
}

// wait returns after the signal, and makes the event pending again.
func (e *event) wait() {
	for i := range spins {
		if e.state.Load() == signalled {
			e.state.Store(pending)
			return
		}
		if i%spinsYield == spinsYield-1 {
			runtime.Gosched()
		}
	}
	if e.state.CompareAndSwap(pending, asleep) {
		<-e.wake
	}
	e.state.Store(pending)
}
