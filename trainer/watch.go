package trainer

import (
	"time"

	"github.com/pkg/errors"
)

// Stalls are looked for so often, and a wait is never too long before leastStall.
const (
	stallLook  = time.Second
	leastStall = 600 * time.Second
)

// watch ends this rank's world through Job.Stalled when a wait is too long: run.stall_seconds, or ten times the longest
// step or round of validation so far.
func (s *session) watch(end <-chan struct{}) {
	w := s.job.World
	if w.Size() == 1 || s.job.Recipe.Run.StallSeconds == 0 || s.job.Stalled == nil {
		return
	}
	for {
		select {
		case <-end:
			return
		case <-time.After(stallLook):
		}
		limit := s.longestWait()
		if what, long := w.Waiting(); what != "" && long > limit {
			s.job.Stalled(errors.Errorf("trainer: %s has waited %.0f s in iteration %d for %s, longer than run.stall_seconds allows (%.0f s): look at these ranks and their network, then resume the run",
				w.Name(w.Rank()), long.Seconds(), s.iteration.Load()+1, what, limit.Seconds()))
			return
		}
	}
}

// longestWait is how long a wait may be.
func (s *session) longestWait() time.Duration {
	if seconds := s.job.Recipe.Run.StallSeconds; seconds >= 0 {
		return time.Duration(seconds * float64(time.Second))
	}
	return max(leastStall, 10*time.Duration(s.longest.Load()))
}

// took notes how long a step or a round of validation took.
func (s *session) took(d time.Duration) { s.longest.Store(max(s.longest.Load(), int64(d))) }
