package kernel

import (
	"runtime"
	"sync"
	"sync/atomic"

	"vgg/internal/threads"
)

// How threads share work: parallel cuts [0, n) into ranges, one or a few for each thread. The caller computes the first
// ones, the workers of a pool the others. A thread that is done takes ranges that nobody has begun, because their own
// thread may be busy elsewhere, for example with reading pictures. All callers share one pool, which serves one of them
// at a time. A caller that finds it in use, on another goroutine or inside a range, starts goroutines of its own, so
// calls may be concurrent and nested.
//
// Workers are goroutines that never end. Between two calls they spin for some hundreds of microseconds before they
// sleep, because a net is a quick succession of short calls, and waking a sleeping thread takes longer than many of
// them.

// parallel calls f with consecutive ranges [lo, hi) that cover [0, n), one for each thread, and returns when all are
// done. No range is shorter than grain unless n is: small work stays on the calling goroutine.
func parallel(n, grain int, f func(lo, hi int)) { parallelPieces(n, grain, n, f) }

// Parallel calls f with consecutive ranges [lo, hi) that cover [0, n), a few for each thread, and returns when all are
// done.
func Parallel(n int, f func(lo, hi int)) { parallelPieces(n, 1, 1, f) }

// parallelPieces is parallel with up to mostPieces ranges for each thread, if none is shorter than piece: who is done
// early finds more to take.
func parallelPieces(n, grain, piece int, f func(lo, hi int)) {
	count := threads.Count()
	ranges := min(count, n/max(grain, 1))
	if ranges > 1 {
		ranges *= min(max(n/(ranges*piece), 1), mostPieces)
	}
	if ranges <= 1 {
		if n > 0 {
			f(0, n)
		}
		return
	}
	if pool.inUse.TryLock() {
		pool.run(n, ranges, min(ranges, count), f)
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

// parallelGrid calls f with blocks that cover [0, rows) × [0, columns), each on a thread of its own, and returns when
// all are done. The largest block is as small as possible; among equals it has the fewest rows.
func parallelGrid(rows, columns int, f func(row0, row1, column0, column1 int)) {
	count := threads.Count()
	rowRanges, columnRanges, smallest := 1, 1, rows*columns
	for r := 1; r <= min(count, rows); r++ {
		c := min(count/r, columns)
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
	call    atomic.Pointer[call] // the one that is being served, or the last one
	done    event
}

// A worker computes ranges of each call that has enough of them.
type worker struct {
	number int // of the range that it looks at first; the caller's has number 0
	start  event
}

// A call is one of parallel.
type call struct {
	n, ranges  int
	threads    int
	f          func(lo, hi int)
	begun      []atomic.Bool // of each range
	unfinished atomic.Int32  // ranges
}

// compute computes ranges that nobody has begun, those meant for a thread first. It reports whether it finished the
// last one.
func (c *call) compute(thread int) (last bool) {
	first, _ := share(c.ranges, c.threads, thread%c.threads)
	for k := range c.ranges {
		i := (first + k) % c.ranges
		if !c.begun[i].Load() && c.begun[i].CompareAndSwap(false, true) {
			c.f(share(c.n, c.ranges, i))
			last = c.unfinished.Add(-1) == 0
		}
	}
	return last
}

func (p *threadPool) run(n, ranges, threads int, f func(lo, hi int)) {
	for len(p.workers) < threads-1 {
		w := &worker{number: len(p.workers) + 1, start: event{wake: make(chan struct{})}}
		p.workers = append(p.workers, w)
		go p.work(w)
	}
	c := &call{n: n, ranges: ranges, threads: threads, f: f, begun: make([]atomic.Bool, ranges)}
	c.unfinished.Store(int32(ranges))
	p.call.Store(c)
	for _, w := range p.workers[:threads-1] {
		w.start.signal()
	}
	if !c.compute(0) {
		p.done.wait()
	}
	p.call.Store(&call{threads: 1}) // lets go of what f refers to
}

func (p *threadPool) work(w *worker) {
	for {
		w.start.wait()
		// A worker that comes late finds the call finished, or already the next one: it helps with what is there.
		if p.call.Load().compute(w.number) {
			p.done.signal()
		}
	}
}

// An event is what one goroutine signals and another waits for. Signals that come before it waits count as one.
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
