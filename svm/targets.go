package svm

import (
	"fmt"

	"github.com/pkg/errors"
)

// Targets say which rows are of which classes.
type Targets struct {
	// Y is (N, K): 1 if a row is of a class, -1 if not, and 0 to leave the row out of the training of that class, as VOC
	// does with pictures in which all objects of the class are difficult.
	Y []int8
	// K is the number of classes.
	K int
	// Names of the classes are for messages; nil for their numbers.
	Names []string
}

// FromLabels returns targets of rows that are of one class each, 0 to k-1. Rows with the label -1 are left out.
func FromLabels(labels []int, k int) (Targets, error) {
	t := Targets{Y: make([]int8, len(labels)*max(k, 0)), K: k}
	for i, label := range labels {
		if label < -1 || label >= k {
			return Targets{}, errors.Errorf("label %d of row %d (from 0) is not among %d classes", label, i, k)
		}
		for c := range k {
			switch {
			case label == -1:
			case c == label:
				t.Y[i*k+c] = 1
			default:
				t.Y[i*k+c] = -1
			}
		}
	}
	return t, nil
}

// name is what messages call a class.
func (t Targets) name(class int) string {
	if class < len(t.Names) {
		return fmt.Sprintf("class %q", t.Names[class])
	}
	return fmt.Sprintf("class %d (from 0)", class)
}

// check refuses targets that do not fit n rows, and classes that cannot be told from the rest.
func (t Targets) check(n int) error {
	if t.K < 1 || len(t.Y) != n*t.K {
		return errors.Errorf("%d targets are not those of %d rows and %d classes", len(t.Y), n, t.K)
	}
	if t.Names != nil && len(t.Names) != t.K {
		return errors.Errorf("%d names for %d classes", len(t.Names), t.K)
	}
	positives, negatives := make([]int, t.K), make([]int, t.K)
	for i, y := range t.Y {
		switch y {
		case 1:
			positives[i%t.K]++
		case -1:
			negatives[i%t.K]++
		case 0:
		default:
			return errors.Errorf("target of row %d, %s is %d: want 1, -1, or 0 to leave the row out", i/t.K, t.name(i%t.K), y)
		}
	}
	for c := range t.K {
		switch {
		case positives[c] == 0:
			return errors.Errorf("no row to train on is of %s: it needs at least one, or has to be left out", t.name(c))
		case negatives[c] == 0:
			return errors.Errorf("all rows to train on are of %s: there is nothing to tell it from", t.name(c))
		}
	}
	return nil
}
