package graph

import (
	"math"
	"math/rand/v2"

	"github.com/pkg/errors"
)

// Init is a way to draw initial weights; biases always start at 0.
type Init string

// The initialisers. A fan is the number of inputs (or outputs) of a unit times the kernel's area.
const (
	Paper  Init = "paper"  // N(0, 0.1²): variance 1e-2, as section 3.1 prints it
	Small  Init = "small"  // N(0, 0.01²): standard deviation 1e-2, as most re-implementations read it
	Glorot Init = "glorot" // uniform with variance 2 / (fan-in + fan-out): Glorot & Bengio, the later note of section 3.1
	He     Init = "he"     // N(0, 2 / fan-in): He et al., made for ReLU
	Zero   Init = "zero"   // all zeros: for graphs that are only looked at, or loaded into at once
)

// DefaultInit is the initialiser with which all six nets train from random; the README has the runs.
const DefaultInit = He

// values draws a weight tensor of shape (out, in, …).
func (i Init) values(shape []int, seed uint64) ([]float32, error) {
	area := 1
	for _, d := range shape[2:] {
		area *= d
	}
	fanIn, fanOut := float64(shape[1]*area), float64(shape[0]*area)
	r := rand.New(rand.NewPCG(seed, 0))
	var draw func() float64
	switch i {
	case Paper:
		draw = func() float64 { return 0.1 * r.NormFloat64() }
	case Small:
		draw = func() float64 { return 0.01 * r.NormFloat64() }
	case Glorot:
		limit := math.Sqrt(6 / (fanIn + fanOut))
		draw = func() float64 { return limit * (2*r.Float64() - 1) }
	case Zero:
		return make([]float32, shape[0]*shape[1]*area), nil
	case He:
		deviation := math.Sqrt(2 / fanIn)
		draw = func() float64 { return deviation * r.NormFloat64() }
	default:
		return nil, errors.Errorf("unknown initialiser %q: want %s, %s, %s or %s", string(i), Paper, Small, Glorot, He)
	}
	values := make([]float32, shape[0]*shape[1]*area)
	for k := range values {
		values[k] = float32(draw())
	}
	return values, nil
}
