package augment

import (
	"math/rand/v2"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/internal/finite"
	"vgg/internal/splitmix"
)

// Transform says how a picture becomes the net's input. A picture that is smaller than the input, its border included,
// goes in the middle, surrounded by the mean.
type Transform struct {
	Size        int           // side of the square input in pixels
	Scale       configs.Scale // S
	RandomCrop  bool          // Augment takes the input from a random place; false = from the centre
	Pad         int           // border in pixels, in the mean colour, on each side, into which random crops may reach
	Flip        bool          // Augment mirrors with probability 1/2
	ColourShift float64       // standard deviation of α in the colour shift (paper: 0.1), eigenvalues in units of colours from 0 to 1; 0 = off

	// The principal components of the training set's colours in 0–255 units, for the colour shift: the eigenvalues of
	// the RGB covariance, and for each the eigenvector.
	Eigenvalues  [3]float64
	Eigenvectors [3][3]float64

	Mean, Std []float64 // of each channel, 0–255 units: subtracted, and divided by
}

// mostSize is the largest side of an input in pixels: one of 3 channels then takes 48 GiB.
const mostSize = 1 << 16

// Validate checks the transform for pictures with the given number of channels.
func (t Transform) Validate(channels int) error {
	switch {
	case channels != 1 && channels != 3:
		return errors.Errorf("augment: pictures of %d channels: want 1 or 3", channels)
	case t.Size < 1 || t.Size > mostSize:
		return errors.Errorf("augment: an input of %d pixels: want a size from 1 to %d", t.Size, mostSize)
	case t.Scale.Min < 0 || t.Scale.Max < t.Scale.Min || t.Scale.Min == 0 && t.Scale.Max > 0:
		return errors.Errorf("augment: scale from %d to %d: want 0 < scale_min ≤ scale_max, or both 0", t.Scale.Min, t.Scale.Max)
	case t.Scale.Min > 0 && t.Scale.Min+2*t.Pad < t.Size:
		return errors.Errorf("augment: pictures resized to %d with a border of %d are smaller than the input of %d: raise scale_min or pad", t.Scale.Min, t.Pad, t.Size)
	case t.Pad < 0 || t.ColourShift < 0 || !finite.Is(t.ColourShift):
		return errors.Errorf("augment: pad %d, colour shift %v: want finite numbers, none of them negative", t.Pad, t.ColourShift)
	case t.ColourShift > 0 && channels != 3:
		return errors.New("augment: a colour shift needs pictures of 3 channels: set colour_shift = 0")
	case len(t.Mean) != channels || len(t.Std) != channels:
		return errors.Errorf("augment: mean of %d and standard deviation of %d channels for pictures of %d: want one value a channel", len(t.Mean), len(t.Std), channels)
	}
	for c, s := range t.Std {
		factor, offset := float32(1/s), float32(t.Mean[c]/s)
		if !(factor > 0) || !finite.Is(float64(factor)) || !finite.Is(float64(offset)) {
			return errors.Errorf("augment: mean %v, standard deviation %v: want finite numbers, a positive deviation, and quotients that float32 holds", t.Mean[c], s)
		}
	}
	return nil
}

// Augment writes what training takes of a picture to dst (C, Size, Size): a scale S, a crop, its mirroring and a colour
// shift, drawn by (seed, epoch, index), where index is the picture's in its split. It is an error if the transform or
// the picture is not valid, or dst has another size.
func (t Transform) Augment(dst []float32, p Picture, seed uint64, epoch, index int) error {
	if err := t.check(dst, p, t.Size, t.Size); err != nil {
		return err
	}
	r := draws(seed, epoch, index)
	crop := t.draw(r, p)
	var shift [3]float64
	if t.ColourShift > 0 {
		shift = t.colourShift(r)
	}
	t.write(dst, p, crop, shift)
	return nil
}

// TrainingCrop is the crop that Augment takes of a valid picture.
func (t Transform) TrainingCrop(p Picture, seed uint64, epoch, index int) Crop {
	return t.draw(draws(seed, epoch, index), p)
}

// ValidationCrop is the crop that CentreCrop takes of a valid picture.
func (t Transform) ValidationCrop(p Picture) Crop { return p.Centre(t.Scale.Middle(), t.Size, t.Size) }

// draws is the source of the random draws for a picture.
func draws(seed uint64, epoch, index int) *rand.Rand {
	return rand.New(rand.NewPCG(unrelated(seed^unrelated(uint64(epoch))), unrelated(uint64(index))))
}

// draw draws a scale, a place and whether to mirror.
func (t Transform) draw(r *rand.Rand, p Picture) Crop {
	scale := 0
	if t.Scale.Min > 0 {
		scale = t.Scale.Min + r.IntN(t.Scale.Max-t.Scale.Min+1)
	}
	crop := p.Centre(scale, t.Size, t.Size)
	if t.RandomCrop {
		width, height := p.Resized(scale)
		crop.Left, crop.Top = t.place(r, width), t.place(r, height)
	}
	if t.Flip {
		crop.Mirrored = r.IntN(2) == 1
	}
	return crop
}

// place draws where a random crop begins along a side of a picture with borders. If the side and its two borders
// together are shorter than the input, there is one place: the middle.
func (t Transform) place(r *rand.Rand, side int) int {
	room := side + 2*t.Pad - t.Size
	drawn := r.IntN(max(0, room) + 1)
	if room < 0 {
		return (side - t.Size) / 2
	}
	return drawn - t.Pad
}

// colourShift draws the colour that is added to all pixels of a picture: a sum of the eigenvectors, each times its
// eigenvalue and a normal α.
func (t Transform) colourShift(r *rand.Rand) (shift [3]float64) {
	for k, eigenvalue := range t.Eigenvalues {
		alpha := t.ColourShift * r.NormFloat64()
		for c := range shift {
			// Krizhevsky et al. mean colours from 0 to 1: a variance is then 255² times smaller, a shift 255 times.
			shift[c] += t.Eigenvectors[k][c] * alpha * eigenvalue / 255
		}
	}
	return shift
}

// unrelated makes unrelated numbers of neighbouring ones.
func unrelated(z uint64) uint64 { return splitmix.Mix(z + splitmix.Gamma) }

// CentreCrop writes what validation takes of a picture to dst (C, Size, Size): the centre of the picture resized to
// the middle of S (section 4.1), without augmentation. Errors are as in Augment.
func (t Transform) CentreCrop(dst []float32, p Picture) error {
	if err := t.check(dst, p, t.Size, t.Size); err != nil {
		return err
	}
	t.write(dst, p, t.ValidationCrop(p), [3]float64{})
	return nil
}
