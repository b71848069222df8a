package trainer

import (
	"fmt"
	"time"

	"github.com/pkg/errors"
)

// Stalls are looked for so often, a wait is never too long before leastStall, and before the first step, when a rank may
// list and measure many pictures, not before startStall.
const (
	stallLook  = time.Second
	leastStall = 600 * time.Second
	startStall = time.Hour
)

// watch ends this rank's world through Job.Stalled when a wait is too long: longer than run.stall_seconds, or than ten
// times the longest step or round of validation so far.
func (s *session) watch(seconds float64) {
	w := s.job.World
	if w.Size() == 1 || seconds == 0 || s.job.Stalled == nil {
		return
	}
	for {
		select {
		case <-s.ended:
			return
		case <-time.After(stallLook):
		}
		limit := s.longestWait(seconds)
		when, allows := fmt.Sprintf("in iteration %d", s.iteration.Load()+1), "run.stall_seconds allows"
		if !s.stepping.Load() {
			when, allows = "before the first step", "an hour or run.stall_seconds allows"
		}
		if what, long := w.Waiting(); what != "" && long > limit {
			s.job.Stalled(errors.Errorf("trainer: %s has waited %.0f s %s for %s, longer than %s (%.0f s): look at these ranks and their network, then resume the run",
				w.Name(w.Rank()), long.Seconds(), when, what, allows, limit.Seconds()))
			return
		}
	}
}

// longestWait is how long a wait may be, with run.stall_seconds.
func (s *session) longestWait(seconds float64) time.Duration {
	limit := max(leastStall, 10*time.Duration(s.longest.Load()))
	if seconds >= 0 {
		limit = time.Duration(seconds * float64(time.Second))
	}
	if !s.stepping.Load() {
		limit = max(limit, startStall)
	}
	return limit
}

// took notes how long a step or a round of validation took.
func (s *session) took(d time.Duration) { s.longest.Store(max(s.longest.Load(), int64(d))) }
