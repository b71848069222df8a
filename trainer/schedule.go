package trainer

import "vgg/configs"

// Plateau is the schedule of section 3.1: the learning rate is divided when the validation error stops falling, and
// training ends when it stops falling after the last division.
type Plateau struct {
	configs.Schedule `json:"-"`
	LearningRate     float64 `json:"learning_rate"`

	// Where it stands: as far as it got, which zero values begin.
	Best      float64 `json:"best"`      // lowest error so far, percent
	Since     int     `json:"since"`     // epochs since then, or since the last division
	Divisions int     `json:"divisions"` // of the learning rate
	Started   bool    `json:"started"`   // whether there is a Best
}

// Observe takes an epoch's validation top-1 error in percent. It reports whether the learning rate was divided, and
// whether training is done.
func (p *Plateau) Observe(error float64) (divided, done bool) {
	if !p.Started || error < p.Best-p.MinImprovement {
		p.Started, p.Best, p.Since = true, error, 0
		return false, false
	}
	if p.Since++; p.Since < p.Patience {
		return false, false
	}
	if p.Divisions == p.MaxDivisions {
		return false, true
	}
	p.Divisions++
	p.Since = 0
	p.LearningRate /= p.Factor
	return true, false
}
