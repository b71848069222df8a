package main

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"slices"

	"vgg/evaluate"
	"vgg/metrics"
)

// confused is what nets get wrong, and how sure they are.
type confused struct {
	calibration *metrics.Calibration
	mistakes    []mistake // in the order of the pictures
}

// mistake is a picture that is taken for another class than its own.
type mistake struct {
	picture, class, predicted int
	sure, right               float64 // the probabilities of the predicted and of the true class
}

// add takes a prediction.
func (c *confused) add(p evaluate.Prediction) error {
	first := p.Ranking()[0]
	if first != p.Class {
		c.mistakes = append(c.mistakes, mistake{p.Picture, p.Class, first, p.Probabilities[first], p.Probabilities[p.Class]})
	}
	return c.calibration.Add(p.Probabilities[first], first == p.Class)
}

// calibrationLine says how sure the nets are, and how often right.
func (c *confused) calibrationLine() string {
	all := c.calibration.All()
	return fmt.Sprintf("expected calibration error %.2f %% (%d bins): right in %.2f %%, sure of %.2f %% on average",
		c.calibration.ECE(), len(c.calibration.Bins), all.Accuracy(), all.Confidence())
}

// worst are the mistakes of each class, the surest first.
func (c *confused) worst(classes int) [][]mistake {
	of := make([][]mistake, classes)
	for _, m := range c.mistakes {
		of[m.class] = append(of[m.class], m)
	}
	for _, all := range of {
		slices.SortStableFunc(all, func(a, b mistake) int { return cmp.Compare(b.sure, a.sure) })
	}
	return of
}

// table is the mistakes by class, the surest first, as CSV.
func table(worst [][]mistake, name func(picture int) string, classes []string) ([]byte, error) {
	var data bytes.Buffer
	out := csv.NewWriter(&data) // keeps its first error for Error
	_ = out.Write([]string{"picture", "class", "predicted", "probability", "probability_of_class"})
	for _, all := range worst {
		for _, m := range all {
			_ = out.Write([]string{name(m.picture), classes[m.class], classes[m.predicted], probability(m.sure), probability(m.right)})
		}
	}
	out.Flush()
	return data.Bytes(), out.Error()
}
