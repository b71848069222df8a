package trainer

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"vgg/internal/mpi"
)

// TestWatch: a wait ends the world when it is longer than the recipe allows; by default neither a slow first step does,
// nor a wait of up to ten times the longest step.
func TestWatch(t *testing.T) {
	for name, c := range map[string]struct {
		seconds float64
		begun   bool
		longest time.Duration
		waits   []time.Duration
		stalled string // what is said
	}{
		"a slow first step":      {-1, true, 0, []time.Duration{590 * time.Second, 590 * time.Second}, ""},
		"a silent first step":    {-1, true, 0, []time.Duration{610 * time.Second}, "run.stall_seconds allows (600 s)"},
		"a slow start":           {30, false, 0, []time.Duration{59 * time.Minute}, ""},
		"a silent start":         {30, false, 0, []time.Duration{61 * time.Minute}, "before the first step for the gradients, longer than an hour or run.stall_seconds allows (3600 s)"},
		"slow steps":             {-1, true, 100 * time.Second, []time.Duration{990 * time.Second}, ""},
		"silence":                {-1, true, 100 * time.Second, []time.Duration{time.Second, 1010 * time.Second}, "in iteration 8 for the gradients, longer than run.stall_seconds allows (1000 s)"},
		"a limit of one's own":   {30, true, 100 * time.Second, []time.Duration{20 * time.Second, 40 * time.Second}, "rank 0 has waited 31 s"},
		"within one's own limit": {30, true, 0, []time.Duration{20 * time.Second, 20 * time.Second}, ""},
		"for ever":               {0, true, 0, []time.Duration{time.Hour}, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			said := ""
			s := &session{job: Job{World: mpi.Local(2)[0], Stalled: func(err error) { said = err.Error() }}, ended: make(chan struct{})}
			s.stepping.Store(c.begun)
			s.took(c.longest)
			s.took(c.longest / 2)
			s.iteration.Store(7)
			go s.watch(c.seconds)
			for _, wait := range c.waits {
				_ = s.job.World.Wait("the gradients", func() error { time.Sleep(wait); return nil })
				time.Sleep(time.Hour) // it computes
			}
			close(s.ended)
			synctest.Wait()
			if !strings.Contains(said, c.stalled) || (said == "") != (c.stalled == "") {
				t.Errorf("%s: %q, want %q", name, said, c.stalled)
			}
		})
	}
}
