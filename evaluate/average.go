package evaluate

import (
	"github.com/pkg/errors"
)

// Average fuses tests of the same pictures, whether by several nets, at several scales or by several protocols: it
// averages their soft-max outputs (section 3.2).
func Average(tests ...[]Prediction) ([]Prediction, error) {
	if len(tests) == 0 {
		return nil, errors.New("evaluate: nothing to average")
	}
	mean := make([]Prediction, len(tests[0]))
	for i, first := range tests[0] {
		mean[i] = Prediction{Picture: first.Picture, Class: first.Class, Probabilities: make([]float64, len(first.Probabilities))}
		for _, t := range tests {
			if len(t) != len(mean) {
				return nil, errors.Errorf("evaluate: tests of %d and of %d pictures cannot be averaged", len(mean), len(t))
			}
			p := t[i]
			if p.Picture != first.Picture || p.Class != first.Class || len(p.Probabilities) != len(first.Probabilities) {
				return nil, errors.Errorf("evaluate: tests of other pictures cannot be averaged: number %d of class %d among %d, and number %d of class %d among %d",
					first.Picture, first.Class, len(first.Probabilities), p.Picture, p.Class, len(p.Probabilities))
			}
			for c, probability := range p.Probabilities {
				mean[i].Probabilities[c] += probability / float64(len(tests))
			}
		}
	}
	return mean, nil
}

// Score counts what predictions got right.
func Score(classes []string, predictions []Prediction) *Result {
	r := newResult(classes)
	for _, p := range predictions {
		r.add(p)
	}
	return r
}
