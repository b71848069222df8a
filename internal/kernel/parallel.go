package kernel

import (
	"iter"
	"runtime"
	"sync"
	"sync/atomic"
)

// parallel runs f on consecutive ranges [lo, hi) that cover [0, n), one a thread, and waits for all.
// No range is shorter than grain unless n is, so that small work stays on the calling goroutine.
func parallel(n, grain int, f func(lo, hi int)) {
	parts := min(runtime.GOMAXPROCS(0), n/max(grain, 1))
	if parts <= 1 {
		if n > 0 {
			f(0, n)
		}
		return
	}
	if team.busy.TryLock() {
		team.run(n, parts, f)
		team.busy.Unlock()
		return
	}
	// Another graph has the team: goroutines of our own.
	var wait sync.WaitGroup
	for i := 1; i < parts; i++ {
		wait.Go(func() { f(n*i/parts, n*(i+1)/parts) })
	}
	f(0, n/parts)
	wait.Wait()
}

// A crew is a fixed set of goroutines that share the work of one caller at a time. Between two pieces of work they look
// out for the next for a while before they sleep, since a net is a quick succession of short ones, and to wake a
// sleeper takes longer than many of them.
type crew struct {
	busy    sync.Mutex
	workers []*worker

	n, parts int
	f        func(lo, hi int)
	left     atomic.Int32 // workers that are not done
	finished sleeper
}

var team crew

// lookouts is how often a goroutine looks before it sleeps: some hundreds of microseconds, which is longer than it takes
// to wake a sleeping processor, lest two goroutines take turns on one. After so many looks it lets others run.
const (
	lookouts = 400000
	yielding = 500
)

// A sleeper waits for an event, awake at first. Its state is one of the following.
type sleeper struct {
	state atomic.Uint32
	wake  chan struct{}
}

const (
	waiting = iota
	asleep
	happened
)

// signal makes the event happen.
func (s *sleeper) signal() {
	if s.state.Swap(happened) == asleep {
		s.wake <- struct{}{}
	}
}

// wait returns when the event has happened, and begins to wait for the next one.
func (s *sleeper) wait() {
	for i := range lookouts {
		if s.state.Load() == happened {
			s.state.Store(waiting)
			return
		}
		if i%yielding == yielding-1 {
			runtime.Gosched()
		}
	}
	if s.state.CompareAndSwap(waiting, asleep) {
		<-s.wake
	}
	s.state.Store(waiting)
}

// A worker does one part of the crew's work whenever its event happens.
type worker struct {
	start sleeper
	part  int
}

func (c *crew) run(n, parts int, f func(lo, hi int)) {
	if c.finished.wake == nil {
		c.finished.wake = make(chan struct{})
	}
	for len(c.workers) < parts-1 {
		w := &worker{part: len(c.workers) + 1, start: sleeper{wake: make(chan struct{})}}
		c.workers = append(c.workers, w)
		go c.work(w)
	}
	c.n, c.parts, c.f = n, parts, f
	c.left.Store(int32(parts - 1))
	for _, w := range c.workers[:parts-1] {
		w.start.signal()
	}
	f(0, n/parts)
	c.finished.wait()
	c.f = nil
}

func (c *crew) work(w *worker) {
	for {
		w.start.wait()
		c.f(c.n*w.part/c.parts, c.n*(w.part+1)/c.parts)
		if c.left.Add(-1) == 0 {
			c.finished.signal()
		}
	}
}

// parallelGrid does the same for a grid: it cuts [0, rows) × [0, columns) into blocks, one a thread, as even as it can,
// by rows if it is all the same.
func parallelGrid(rows, columns int, f func(row0, row1, column0, column1 int)) {
	threads := runtime.GOMAXPROCS(0)
	rowParts, columnParts, least := 1, 1, rows*columns
	for r := 1; r <= min(threads, rows); r++ {
		c := min(threads/r, columns)
		if largest := ceilDiv(rows, r) * ceilDiv(columns, c); largest <= least {
			rowParts, columnParts, least = r, c, largest
		}
	}
	parallel(rowParts*columnParts, 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			r, c := i/columnParts, i%columnParts
			f(rows*r/rowParts, rows*(r+1)/rowParts, columns*c/columnParts, columns*(c+1)/columnParts)
		}
	})
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// evenly gives the size of even blocks of n, at most most.
func evenly(n, most int) int { return ceilDiv(n, ceilDiv(n, most)) }

// parts cuts [0, n) as evenly as it can into parts of at most most, and gives the beginning and the size of each.
func parts(n, most int) iter.Seq2[int, int] {
	return func(yield func(begin, size int) bool) {
		count := ceilDiv(n, most)
		for i := range count {
			begin := n * i / count
			if !yield(begin, n*(i+1)/count-begin) {
				return
			}
		}
	}
}

// A freeList keeps the buffers that kernels work in, so that only the first calls allocate.
// (A sync.Pool would lose them in every garbage collection.)
type freeList[T any] struct {
	mutex sync.Mutex
	free  [][]T
}

var (
	scratch freeList[float32]
	offsets freeList[int]
	runs    freeList[[2]int]
)

// get returns a buffer of n elements with arbitrary contents.
func (l *freeList[T]) get(n int) []T {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	best := -1
	for i, b := range l.free {
		if best < 0 || better(cap(b), cap(l.free[best]), n) {
			best = i
		}
	}
	if best < 0 {
		return make([]T, n)
	}
	b := l.free[best]
	last := len(l.free) - 1
	l.free[best] = l.free[last]
	l.free = l.free[:last]
	if cap(b) < n {
		b = make([]T, n)
	}
	return b[:n]
}

// put gives a buffer back.
func (l *freeList[T]) put(b []T) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.free = append(l.free, b)
}

// better reports whether a buffer of size a serves a request for n better than one of size b: the smallest that is
// large enough does, or else the largest, to be replaced.
func better(a, b, n int) bool {
	if a >= n && b >= n {
		return a < b
	}
	return a > b
}
