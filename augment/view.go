package augment

import (
	"math/rand/v2"

	"github.com/pkg/errors"
)

// Range is the training scale S of section 3.1, the smaller side of a rescaled picture: fixed where Min and Max are
// equal, else uniform between them, both included. The zero Range does not rescale.
type Range struct{ Min, Max int }

// PCA holds the principal components of the training set's colours in 0–255 units: the eigenvalues of the RGB
// covariance, and for each the eigenvector.
type PCA struct {
	Eigenvalues  [3]float64
	Eigenvectors [3][3]float64
}

// View says how a picture becomes the net's input.
type View struct {
	Size        int       // side of the square input in pixels
	Scale       Range     // S
	Crop        bool      // take the input from a random place in training; false = from the centre
	Pad         int       // border of mean-coloured pixels on each side, before cropping
	Flip        bool      // mirror in training with probability 1/2
	ColourShift float64   // standard deviation of α in the colour shift (paper: 0.1); 0 = off
	PCA         PCA       // for the colour shift
	Mean, Std   []float64 // of each channel, 0–255 units: subtracted, and divided by
}

// Validate checks the view for pictures of so many channels.
func (v View) Validate(channels int) error {
	switch {
	case channels != 1 && channels != 3:
		return errors.Errorf("augment: pictures of %d channels: want 1 or 3", channels)
	case v.Size < 1:
		return errors.Errorf("augment: an input of %d pixels: want a positive size", v.Size)
	case v.Scale.Min < 0 || v.Scale.Max < v.Scale.Min || v.Scale.Min == 0 && v.Scale.Max > 0:
		return errors.Errorf("augment: scale from %d to %d: want 0 < scale_min ≤ scale_max, or both 0", v.Scale.Min, v.Scale.Max)
	case v.Scale.Min > 0 && v.Scale.Min+2*v.Pad < v.Size:
		return errors.Errorf("augment: pictures rescaled to %d with a border of %d are smaller than the input of %d: raise scale_min", v.Scale.Min, v.Pad, v.Size)
	case v.Pad < 0 || v.ColourShift < 0:
		return errors.Errorf("augment: pad %d, colour shift %v: want no negative numbers", v.Pad, v.ColourShift)
	case v.ColourShift > 0 && channels != 3:
		return errors.New("augment: a colour shift needs pictures of 3 channels: set colour_shift = 0")
	case len(v.Mean) != channels || len(v.Std) != channels:
		return errors.Errorf("augment: mean and standard deviation of %d and %d channels for pictures of %d", len(v.Mean), len(v.Std), channels)
	}
	for _, s := range v.Std {
		if !(s > 0) {
			return errors.Errorf("augment: standard deviation %v: want a positive number", s)
		}
	}
	return nil
}

// placement is one way to look at a picture that has been rescaled.
type placement struct {
	left, top int  // of the input in the picture, negative where it reaches into the border
	mirrored  bool // left to right
	shift     [3]float64
}

// Training writes the view that training takes of picture index in an epoch to dst (C, Size, Size).
func (v View) Training(dst []float32, p Picture, seed uint64, epoch, index int) error {
	r := rand.New(rand.NewPCG(mix(seed^mix(uint64(epoch))), mix(uint64(index))))
	if v.Scale.Min > 0 {
		p = Rescale(p, v.Scale.Min+r.IntN(v.Scale.Max-v.Scale.Min+1))
	}
	pad, err := v.border(p)
	if err != nil {
		return err
	}
	at := placement{left: (p.Width - v.Size) / 2, top: (p.Height - v.Size) / 2}
	if v.Crop {
		at.left = r.IntN(p.Width+2*pad-v.Size+1) - pad
		at.top = r.IntN(p.Height+2*pad-v.Size+1) - pad
	}
	if v.Flip {
		at.mirrored = r.IntN(2) == 1
	}
	if v.ColourShift > 0 {
		for k, eigenvalue := range v.PCA.Eigenvalues {
			alpha := v.ColourShift * r.NormFloat64()
			for c := range at.shift {
				// Krizhevsky et al. mean colours from 0 to 1: a variance is then 255² times smaller, a shift 255 times.
				at.shift[c] += v.PCA.Eigenvectors[k][c] * alpha * eigenvalue / 255
			}
		}
	}
	v.write(dst, p, at)
	return nil
}

// mix is the finaliser of SplitMix64: neighbouring numbers become unrelated ones.
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Test writes the view without augmentation: rescaled to Q = (Smin + Smax) / 2 (section 3.2), the centre.
func (v View) Test(dst []float32, p Picture) error {
	if v.Scale.Min > 0 {
		p = Rescale(p, (v.Scale.Min+v.Scale.Max)/2)
	}
	if _, err := v.border(p); err != nil {
		return err
	}
	v.write(dst, p, placement{left: (p.Width - v.Size) / 2, top: (p.Height - v.Size) / 2})
	return nil
}

// border gives the width of the border. Pictures that are not rescaled get one that makes them as large as the input.
func (v View) border(p Picture) (int, error) {
	smaller := min(p.Width, p.Height)
	if v.Scale.Min == 0 {
		return max(v.Pad, (v.Size-smaller+1)/2), nil
	}
	if smaller+2*v.Pad < v.Size {
		return 0, errors.Errorf("augment: a picture of %d×%d is smaller than the input of %d: raise scale_min", p.Width, p.Height, v.Size)
	}
	return v.Pad, nil
}

// write fills dst (C, Size, Size); what lies outside the picture is the mean, that is, zero.
func (v View) write(dst []float32, p Picture, at placement) {
	area := v.Size * v.Size
	var factor, offset [3]float32
	for c := range p.Channels {
		factor[c] = float32(1 / v.Std[c])
		offset[c] = float32((at.shift[c] - v.Mean[c]) / v.Std[c])
	}
	clear(dst[:p.Channels*area])
	first, last := max(0, -at.left), min(v.Size, p.Width-at.left) // columns of the input that lie in the picture
	for y := range v.Size {
		row := at.top + y
		if row < 0 || row >= p.Height {
			continue
		}
		for x := first; x < last; x++ {
			from := (row*p.Width + at.left + x) * p.Channels
			to := y*v.Size + x
			if at.mirrored {
				to = y*v.Size + v.Size - 1 - x
			}
			for c := range p.Channels {
				dst[c*area+to] = float32(p.Pix[from+c])*factor[c] + offset[c]
			}
		}
	}
}
