package graph

import (
	"math"
	"math/rand/v2"

	"vgg/configs"
)

// DefaultInit is the initialiser of a net whose Options name none. All six nets of Table 1 learn with it from the
// start.
const DefaultInit = configs.InitHe

// initialValues draws a weight tensor of shape (out, in, …).
func initialValues(init configs.Init, shape []int, seed uint64) ([]float32, error) {
	init, err := configs.InitByName(string(init))
	if err != nil {
		return nil, err
	}
	area := 1
	for _, d := range shape[2:] {
		area *= d
	}
	fanIn, fanOut := float64(shape[1]*area), float64(shape[0]*area)
	r := rand.New(rand.NewPCG(seed, 0))
	var draw func() float64
	switch init {
	case configs.InitPaper:
		draw = func() float64 { return 0.1 * r.NormFloat64() }
	case configs.InitSmall:
		draw = func() float64 { return 0.01 * r.NormFloat64() }
	case configs.InitGlorot:
		limit := math.Sqrt(6 / (fanIn + fanOut))
		draw = func() float64 { return limit * (2*r.Float64() - 1) }
	case configs.InitZero:
		return make([]float32, shape[0]*shape[1]*area), nil
	default: // InitHe, InitIdentity
		deviation := math.Sqrt(2 / fanIn)
		draw = func() float64 { return deviation * r.NormFloat64() }
	}
	values := make([]float32, shape[0]*shape[1]*area)
	if init == configs.InitIdentity && len(shape) == 4 && area == 1 && shape[0] == shape[1] {
		for channel := range shape[0] {
			values[channel*shape[1]+channel] = 1
		}
		return values, nil
	}
	for k := range values {
		values[k] = float32(draw())
	}
	return values, nil
}
