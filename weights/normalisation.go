package weights

import (
	"fmt"
	"slices"

	"github.com/pkg/errors"

	"vgg/configs"
)

// Normalisation names what a net expects of pixels.
type Normalisation string

// The normalisations of nets trained on ImageNet. All are for R, G and B, in 0–255 units.
const (
	Paper       Normalisation = "paper"       // section 2.1: less the mean of the training pictures
	TorchVision Normalisation = "torchvision" // also timm: less the mean, over the standard deviation
	Caffe       Normalisation = "caffe"       // less the mean; the first layer is for B, G and R, and is reversed
)

// The metadata about the normalisation.
const (
	NormalisationKey = "normalisation" // its name, or custom if the user gave mean or deviation
	turnedKey        = "first_layer"   // says that the first layer was reversed
)

// normalisations lists them.
func normalisations() []Normalisation { return []Normalisation{Paper, TorchVision, Caffe} }

// Normalise writes the mean and the deviation of one of these into the metadata. With Caffe, the first layer's
// weights are reversed from B, G, R to R, G, B, unless the metadata say that this was done.
func (f *File) Normalise(n Normalisation) error {
	mean, std := []float64{123.68, 116.779, 103.939}, []float64{1, 1, 1}
	switch n {
	case Paper, Caffe:
	case TorchVision:
		mean, std = []float64{0.485 * 255, 0.456 * 255, 0.406 * 255}, []float64{0.229 * 255, 0.224 * 255, 0.225 * 255}
	default:
		return errors.Errorf("normalisation %q: want one of %v", n, normalisations())
	}
	first, ok := f.Tensor(FirstLayer)
	if !ok || len(first.Shape) != 4 || first.Shape[1] != len(mean) {
		return errors.Errorf("normalisation %s is for nets of three channels: this one has %s", n, channelsOf(first))
	}
	if n == Caffe && f.Metadata[turnedKey] == "" {
		turn(first)
		f.set(turnedKey, "turned from B, G, R to R, G, B")
	}
	f.set(NormalisationKey, string(n))
	f.set("mean", formatFloats(mean))
	f.set("std", formatFloats(std))
	return nil
}

// MeanStd are what the metadata say is subtracted from pixels, and what they are then divided by, a number for each
// channel; nil if they do not tell both.
func (f *File) MeanStd() (mean, std []float64, err error) {
	p := infoParser{metadata: f.Metadata}
	mean, std = p.numbers("mean", optional), p.numbers("std", optional)
	if len(mean) == 0 || len(std) == 0 {
		return nil, nil, p.err
	}
	p.check(len(std) == len(mean), "std", "wants as many numbers as mean")
	p.check(slices.Min(std) > 0, "std", "is not above 0")
	return mean, std, p.err
}

// FirstLayer and LastLayer are the names of the weights of the first convolution and of fc8, in files of all nets.
var (
	FirstLayer = configs.A.Layers()[0].WeightName()
	LastLayer  = configs.A.FullyConnected()[2].WeightName()
)

func channelsOf(first Tensor) string {
	if len(first.Shape) != 4 {
		return "no " + FirstLayer
	}
	return fmt.Sprint(first.Shape[1])
}

// turn reverses the input channels of a convolution (out, in, kernel, kernel).
func turn(t Tensor) {
	in, size := t.Shape[1], t.Shape[2]*t.Shape[3]
	if in*size == 0 {
		return
	}
	for filter := range slices.Chunk(t.Data, in*size) {
		for a, b := 0, in-1; a < b; a, b = a+1, b-1 {
			for i := range size {
				filter[a*size+i], filter[b*size+i] = filter[b*size+i], filter[a*size+i]
			}
		}
	}
}

// set changes the metadata.
func (f *File) set(key, value string) {
	if f.Metadata == nil {
		f.Metadata = map[string]string{}
	}
	f.Metadata[key] = value
}
