package op

import (
	"fmt"

	"github.com/chewxy/hm"
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/internal/kernel"
)

// Dropout sets each element of x to 0 with the given probability and divides the others by 1 - probability
// (section 3.1). Which ones is a function of seed, of the value of iteration (a scalar of type int) and of the
// element's position alone, so that resuming at an iteration draws what an uninterrupted training would have drawn.
// x and the result are (N, C).
//
// Warning: every run drops the same elements until iteration gets another value. Change it before each run.
func Dropout(x, iteration *gorgonia.Node, probability float64, seed uint64) (*gorgonia.Node, error) {
	if !(probability >= 0 && probability < 1) {
		return nil, errors.Errorf("op: dropout probability %v is not in [0, 1)", probability)
	}
	return apply(dropout{probability, seed}, x, iteration)
}

type dropout struct {
	probability float64
	seed        uint64
}

func (c dropout) String() string       { return fmt.Sprintf("dropout{%v seed:%d}", c.probability, c.seed) }
func (c dropout) signature() []hm.Type { return []hm.Type{float(2), integer(0), float(2)} }
func (c dropout) wrt() []bool          { return []bool{true, false} }
func (c dropout) inPlace() []int       { return []int{0} }

func (c dropout) infer(in []tensor.Shape) (tensor.Shape, error) { return in[0].Clone(), nil }

func (c dropout) run(out []float32, a arguments) error {
	iteration, ok := a.values[1].Data().(int)
	if !ok {
		return errors.Errorf("iteration is a %T, want an int", a.values[1].Data())
	}
	// An odd multiplier keeps the keys of successive iterations far apart.
	kernel.Dropout(out, a.data[0], float32(c.probability), c.seed+uint64(iteration)*0x9e3779b97f4a7c15)
	return nil
}

// gradient is the same op again: dropout is linear, and iteration names the same elements.
func (c dropout) gradient(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := apply(c, grad, in[1])
	return gorgonia.Nodes{dx, nil}, err
}
