package trainer

import "vgg/configs"

// Plateau is the schedule of section 3.1: the learning rate is divided when the validation error stops falling, and
// training ends when it stops falling after the last division.
type Plateau struct {
	configs.Schedule
	LearningRate float64

	best      float64 // lowest error so far, percent
	since     int     // epochs since then, or since the last division
	divisions int
	started   bool
}

// Observe takes an epoch's validation top-1 error in percent. It reports whether the learning rate was divided, and
// whether training is done.
func (p *Plateau) Observe(error float64) (divided, done bool) {
	if !p.started || error < p.best-p.MinImprovement {
		p.started, p.best, p.since = true, error, 0
		return false, false
	}
	if p.since++; p.since < p.Patience {
		return false, false
	}
	if p.divisions == p.MaxDivisions {
		return false, true
	}
	p.divisions++
	p.since = 0
	p.LearningRate /= p.Factor
	return true, false
}
