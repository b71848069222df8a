package configs

import (
	"strings"
)

// BadPictures is what happens when a picture cannot be read.
type BadPictures string

// The values of Pictures.Bad.
const (
	BadStop BadPictures = "stop" // the run ends
	BadSkip BadPictures = "skip" // the run goes on without the picture, until more than Pictures.SkipShare cannot be read
)

// OnDiskFull is what happens when a file of a run cannot be written.
type OnDiskFull string

// The values of Run.OnDiskFull.
const (
	OnDiskFullStop     OnDiskFull = "stop"
	OnDiskFullContinue OnDiskFull = "continue" // without the file
)

// OnDivergence is what happens when the loss or a gradient is not finite.
type OnDivergence string

// The values of Run.OnDivergence.
const (
	OnDivergenceStop    OnDivergence = "stop"
	OnDivergenceLowerLR OnDivergence = "lower-lr" // roll back to the last checkpoint, with a tenth of the learning rate
)

// Normalisation is how pixels are brought into a common range.
type Normalisation string

// The values of Augment.Normalisation.
const (
	NormaliseMean    Normalisation = "mean"     // subtract the mean of each channel (section 2.1)
	NormaliseMeanStd Normalisation = "mean-std" // and divide by its standard deviation
)

// Init is a way to draw initial weights; biases always start at 0.
type Init string

// The initialisers. A fan is the number of inputs (or outputs) of a unit times the kernel's area.
const (
	InitPaper  Init = "paper"  // N(0, 0.1²): variance 1e-2, as section 3.1 prints it
	InitSmall  Init = "small"  // N(0, 0.01²): standard deviation 1e-2, as most re-implementations read it
	InitGlorot Init = "glorot" // uniform with variance 2 / (fan-in + fan-out): Glorot & Bengio, the later note of section 3.1
	InitHe     Init = "he"     // N(0, 2 / fan-in): He et al., made for ReLU

	// InitIdentity is InitHe, but a 1×1 convolution that keeps the number of channels starts as the identity: a net C then
	// computes what a net B of the same seed does.
	InitIdentity Init = "identity"

	InitZero Init = "zero" // all zeros, not for recipes: for a graph whose weights are loaded or do not matter
)

// InitByName gives the initialiser of a name, in any case. Glorot's is also called xavier, and He's kaiming. The error
// for an unknown name lists those of recipes and suggests the nearest.
func InitByName(name string) (Init, error) {
	for init, names := range map[Init][]string{
		InitPaper: nil, InitSmall: nil, InitIdentity: nil, InitZero: nil, InitGlorot: {"xavier"}, InitHe: {"kaiming"},
	} {
		for _, known := range append(names, string(init)) {
			if strings.EqualFold(name, known) {
				return init, nil
			}
		}
	}
	return "", unknown("initialiser", name, suggest(name, append(texts(recipeInits()...), "xavier", "kaiming")),
		"Known are paper, small, glorot (xavier), he (kaiming) and identity")
}

// recipeInits are the initialisers that recipes may name.
func recipeInits() []Init { return []Init{InitPaper, InitSmall, InitGlorot, InitHe, InitIdentity} }
