package trainer

import "vgg/configs"

// ReduceOnPlateau is the learning-rate schedule of section 3.1: the learning rate is divided when the validation error
// stops falling, and training ends when it stops falling after the last division. With Every the number of epochs decides
// instead.
type ReduceOnPlateau struct {
	configs.Schedule `json:"-"`
	LearningRate     float64 `json:"learning_rate"`

	// The state, zero at the start.
	Best      float64 `json:"best"`      // lowest error so far, in percent
	Since     int     `json:"since"`     // epochs since the best, or since the last division
	Divisions int     `json:"divisions"` // of the learning rate so far
	Started   bool    `json:"started"`   // whether Best is set
}

// exhausted tells whether training is done.
func (p *ReduceOnPlateau) exhausted() bool {
	return p.Every == 0 && p.Since >= p.Patience && p.Divisions >= p.MaxDivisions
}

// Observe takes the validation top-1 error of an epoch, in percent. It reports whether it divided the learning rate,
// and whether training is done.
func (p *ReduceOnPlateau) Observe(top1Error float64) (divided, done bool) {
	if p.Every > 0 {
		if p.Since++; p.Since < p.Every || p.Divisions >= p.MaxDivisions {
			return false, false
		}
		p.divide()
		return true, false
	}
	if !p.Started || top1Error < p.Best-p.MinImprovement {
		p.Started, p.Best, p.Since = true, top1Error, 0
		return false, false
	}
	p.Since++
	if p.Since < p.Patience || p.exhausted() {
		return false, p.exhausted()
	}
	p.divide()
	return true, false
}

func (p *ReduceOnPlateau) divide() {
	p.Divisions++
	p.Since = 0
	p.LearningRate /= p.Factor
}
