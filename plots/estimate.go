package plots

import "github.com/pkg/errors"

// Estimate is a value with its interval from Low to High, which equal Value if there is none.
type Estimate struct{ Value, Low, High float64 }

// check wants finite values in order.
func (e Estimate) check() error {
	switch {
	case !finite(e.Value) || !finite(e.Low) || !finite(e.High):
		return errors.Errorf("%v, from %v to %v, is not finite", e.Value, e.Low, e.High)
	case e.Low > e.Value || e.Value > e.High:
		return errors.Errorf("%v is not between its ends %v and %v", e.Value, e.Low, e.High)
	}
	return nil
}

func (e Estimate) hasInterval() bool { return e.Low != e.High }
