package evaluate

import (
	"github.com/pkg/errors"

	"vgg/metrics"
)

// Prediction is what nets say of a picture: means over its crops and over the nets.
type Prediction struct {
	Picture       int       // its index in the split, or among the pictures given to Model.Predict
	Class         int       // the true one; -1 if it is not known
	Probabilities []float64 // soft-max outputs (Classes)
	Logits        []float64 // scores before the soft-max (Classes)
	Features      []float64 // (Model.FeatureWidth), of L2 norm 1, averaged over a crop and its mirrored one, places and scales; nil unless Options.Features asks for them
	Norm          float64   // of the features before they were divided by it
}

// Ranking lists the classes from the most probable to the least; of equally probable ones the lower class comes first.
func (p Prediction) Ranking() []int { return metrics.Ranking(p.Probabilities) }

// Average fuses tests of the same pictures, whether by several nets, at several scales or by several protocols: it
// averages their soft-max outputs (sections 4.2 to 4.4). The predictions that it returns have probabilities only.
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
