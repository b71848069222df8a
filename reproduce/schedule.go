package reproduce

import (
	"cmp"
	"context"
	"fmt"
	"sync"

	"vgg/dataset"
	"vgg/internal/threads"
)

// schedule gives out jobs, to goroutines or, on rank 0, to ranks.
type schedule struct {
	jobs  []job
	begin func(worker, number int) // is told of each

	underWay func(count int) // is told how many are, whenever that changes; nil: nobody is

	mutex   sync.Mutex
	changed *sync.Cond
	begun   map[training]bool
	done    map[training]bool
	stopped bool
}

func newSchedule(jobs []job, begin func(worker, number int)) *schedule {
	s := &schedule{jobs: jobs, begin: begin, begun: map[training]bool{}, done: map[training]bool{}}
	s.changed = sync.NewCond(&s.mutex)
	return s
}

// stop gives out no more jobs.
func (s *schedule) stop() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.stopped = true
	s.changed.Broadcast()
}

// next takes the number of the job that a worker has done, none if it is negative, and gives that of its next one; false
// if there is none. It waits for one that can begin.
func (s *schedule) next(worker, done int) (number int, ok bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if done >= 0 {
		s.done[s.jobs[done].training] = true
		s.changed.Broadcast()
	}
	defer s.tell()
	for ; !s.stopped && len(s.begun) < len(s.jobs); s.wait() {
		for i, j := range s.jobs {
			from, needs := j.from()
			if !s.begun[j.training] && (!needs || s.done[from]) {
				s.begun[j.training] = true
				s.begin(worker, i)
				return i, true
			}
		}
	}
	return 0, false
}

func (s *schedule) wait() {
	s.tell()
	s.changed.Wait()
}

func (s *schedule) tell() {
	if s.underWay != nil {
		s.underWay(len(s.begun) - len(s.done))
	}
}

// together does jobs, as many at once as the plan says. Those that are under way share the threads.
func (p Plan) together(ctx context.Context, jobs []job, set *dataset.Set, observer Observer) error {
	working, cancel := context.WithCancel(ctx)
	defer cancel()
	s := newSchedule(jobs, func(_, number int) {
		observer.Notice(fmt.Sprintf("%d of %d: %s", number+1, len(jobs), p.describe(jobs[number].training)))
	})
	defer context.AfterFunc(working, s.stop)()
	all := threads.Count()
	defer threads.Set(all, 0)
	s.underWay = func(count int) {
		each := max(1, all/max(1, count))
		threads.Set(each, all-each)
	}
	var workers sync.WaitGroup
	var failed sync.Mutex
	err := error(nil)
	for worker := range max(1, p.AtOnce) {
		workers.Go(func() {
			for number, ok := s.next(worker, -1); ok; number, ok = s.next(worker, number) {
				if e := p.do(working, jobs[number], set, observer); e != nil {
					failed.Lock()
					if err == nil || isInterruption(err) {
						err = e
					}
					failed.Unlock()
					cancel() // the others write a checkpoint
					return
				}
			}
		})
	}
	workers.Wait()
	return cmp.Or(err, ctx.Err())
}
