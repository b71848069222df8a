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

// View says how a picture becomes the net's input. Pictures that are not rescaled, and with their borders still are
// smaller than the input, lie in its middle, surrounded by the mean.
type View struct {
	Size        int       // side of the square input in pixels
	Scale       Range     // S
	Crop        bool      // take the input from a random place in training; false = from the centre
	Pad         int       // border of mean-coloured pixels on each side, into which random crops may reach
	Flip        bool      // mirror in training with probability 1/2
	ColourShift float64   // standard deviation of α in the colour shift (paper: 0.1), eigenvalues in units of colours from 0 to 1; 0 = off
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
		return errors.Errorf("augment: pictures rescaled to %d with a border of %d are smaller than the input of %d: raise scale_min or pad", v.Scale.Min, v.Pad, v.Size)
	case v.Pad < 0 || !(v.ColourShift >= 0):
		return errors.Errorf("augment: pad %d, colour shift %v: want no negative numbers", v.Pad, v.ColourShift)
	case v.ColourShift > 0 && channels != 3:
		return errors.New("augment: a colour shift needs pictures of 3 channels: set colour_shift = 0")
	case len(v.Mean) != channels || len(v.Std) != channels:
		return errors.Errorf("augment: mean of %d and standard deviation of %d channels for pictures of %d: want one value a channel", len(v.Mean), len(v.Std), channels)
	}
	for _, s := range v.Std {
		if !(s > 0) {
			return errors.Errorf("augment: standard deviation %v: want a positive number", s)
		}
	}
	return nil
}

// Window is a part of a picture that is rescaled isotropically, in pixels of the rescaled picture. What of it lies
// outside the picture is the mean.
type Window struct {
	Scale         int // of the smaller side, Q in section 3.2; 0 = not rescaled
	Left, Top     int
	Width, Height int
	Mirrored      bool // left to right
}

// Window writes a part of a picture to dst (C, Height, Width), normalised. It is an error if the view is not valid for
// the picture, or dst has another size.
func (v View) Window(dst []float32, p Picture, w Window) error {
	if w.Scale < 0 || w.Width < 1 || w.Height < 1 {
		return errors.Errorf("augment: a part of %d×%d pixels at scale %d", w.Width, w.Height, w.Scale)
	}
	if err := v.check(dst, p, w.Width, w.Height); err != nil {
		return err
	}
	v.write(dst, p, placement{Window: w})
	return nil
}

// placement is a window in other colours.
type placement struct {
	Window
	shift [3]float64
}

// Training writes the view that training takes of picture index in an epoch to dst (C, Size, Size). It is an error if
// the view is not valid for the picture, or dst has another size.
func (v View) Training(dst []float32, p Picture, seed uint64, epoch, index int) error {
	if err := v.check(dst, p, v.Size, v.Size); err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(mix(seed^mix(uint64(epoch))), mix(uint64(index))))
	scale := 0
	if v.Scale.Min > 0 {
		scale = v.Scale.Min + r.IntN(v.Scale.Max-v.Scale.Min+1)
	}
	at := v.centre(p, scale)
	if v.Crop {
		width, height := p.Scaled(scale)
		at.Left, at.Top = v.start(r, width), v.start(r, height)
	}
	if v.Flip {
		at.Mirrored = r.IntN(2) == 1
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

// start gives the input a uniform place along a side of the picture and its borders. Where both are smaller than the
// input there is one place: in the middle.
func (v View) start(r *rand.Rand, side int) int {
	room := side + 2*v.Pad - v.Size
	place := r.IntN(max(0, room) + 1)
	if room < 0 {
		return (side - v.Size) / 2
	}
	return place - v.Pad
}

// mix is the finaliser of SplitMix64: neighbouring numbers become unrelated ones.
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Test writes the view without augmentation to dst (C, Size, Size): rescaled to Q = (Smin + Smax) / 2 (section 3.2),
// the centre. Errors are as in Training.
func (v View) Test(dst []float32, p Picture) error {
	if err := v.check(dst, p, v.Size, v.Size); err != nil {
		return err
	}
	v.write(dst, p, v.centre(p, (v.Scale.Min+v.Scale.Max)/2))
	return nil
}

// centre looks at the middle of a picture that is rescaled so that its smaller side is scale.
func (v View) centre(p Picture, scale int) placement {
	width, height := p.Scaled(scale)
	return placement{Window: Window{Scale: scale, Left: (width - v.Size) / 2, Top: (height - v.Size) / 2, Width: v.Size, Height: v.Size}}
}

// check refuses what would read or write beyond a picture or its destination.
func (v View) check(dst []float32, p Picture, width, height int) error {
	if err := v.Validate(p.Channels); err != nil {
		return err
	}
	if err := p.Check(); err != nil {
		return err
	}
	if want := p.Channels * width * height; len(dst) != want {
		return errors.Errorf("augment: room for %d values: an input (%d, %d, %d) has %d", len(dst), p.Channels, height, width, want)
	}
	return nil
}

// write fills dst (C, Height, Width); what lies outside the picture is the mean, that is, zero.
func (v View) write(dst []float32, p Picture, at placement) {
	clear(dst)
	width, height := p.Scaled(at.Scale)
	left, right := max(0, -at.Left), min(at.Width, width-at.Left) // columns of the window that lie in the picture
	top, bottom := max(0, -at.Top), min(at.Height, height-at.Top)
	if left >= right || top >= bottom {
		return
	}
	across := newTaps(p.Width, width, at.Left+left, right-left)
	down := newTaps(p.Height, height, at.Top+top, bottom-top)
	resample(p, across, down, func(y int, row []float32) {
		for c := range p.Channels {
			factor, offset := float32(1/v.Std[c]), float32((at.shift[c]-v.Mean[c])/v.Std[c])
			to := dst[(c*at.Height+top+y)*at.Width:][:at.Width]
			for i, value := range row[c*(right-left):][:right-left] {
				value = value*factor + offset
				if at.Mirrored {
					to[at.Width-1-left-i] = value
				} else {
					to[left+i] = value
				}
			}
		}
	})
}
