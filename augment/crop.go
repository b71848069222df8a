package augment

import (
	"fmt"
	"slices"

	"github.com/pkg/errors"

	"vgg/boxes"
	"vgg/internal/kernel"
)

// Crop is a part of a picture after isotropic resizing, in pixels of the resized picture. It may reach beyond the
// picture's edges.
type Crop struct {
	Scale         int // the smaller side of the resized picture (S in section 3.1, Q in section 3.2); 0 = not resized
	Left, Top     int
	Width, Height int
	Mirrored      bool // left to right
}

// Centre is the crop of width×height pixels from the middle of the picture, resized so that its smaller side is scale.
func (p Picture) Centre(scale, width, height int) Crop {
	resizedWidth, resizedHeight := p.Resized(scale)
	return Crop{Scale: scale, Left: (resizedWidth - width) / 2, Top: (resizedHeight - height) / 2, Width: width, Height: height}
}

// NarrowView is a message for the user if a net whose input is size×size pixels sees less than half of the picture,
// which is not resized; else it is empty.
func (p Picture) NarrowView(size int) string {
	if 2*size*size >= p.Width*p.Height {
		return ""
	}
	return fmt.Sprintf("pictures are not resized: of %d×%d pixels the net sees %d×%d", p.Width, p.Height, min(size, p.Width), min(size, p.Height))
}

// InCrop gives where a box is in a crop of picture p: from shares of the picture's sides to shares of the crop's,
// mirrored with it. It is not clipped: what is outside the crop is below 0 or above 1.
func (c Crop) InCrop(p Picture, b boxes.Box) boxes.Box {
	width, height := p.Resized(c.Scale)
	b = b.Scale(float64(width), float64(height)).Move(float64(-c.Left), float64(-c.Top))
	if c.Mirrored {
		b = b.Mirror(float64(c.Width))
	}
	return b.Scale(1/float64(c.Width), 1/float64(c.Height))
}

// InPicture is the reverse of InCrop: from shares of the crop's sides to shares of the picture's.
func (c Crop) InPicture(p Picture, b boxes.Box) boxes.Box {
	width, height := p.Resized(c.Scale)
	b = b.Scale(float64(c.Width), float64(c.Height))
	if c.Mirrored {
		b = b.Mirror(float64(c.Width))
	}
	return b.Move(float64(c.Left), float64(c.Top)).Scale(1/float64(width), 1/float64(height))
}

// Crop writes a crop of a picture to dst (C, Height, Width), normalised; what is outside the picture is the mean, that
// is, 0. It is an error if the transform or the picture is not valid, or dst has another size.
func (t Transform) Crop(dst []float32, p Picture, crop Crop) error {
	if crop.Scale < 0 || crop.Width < 1 || crop.Height < 1 {
		return errors.Errorf("augment: a crop of %d×%d pixels at scale %d: want positive sides and a scale from 0 up", crop.Width, crop.Height, crop.Scale)
	}
	if err := t.check(dst, p, crop.Width, crop.Height); err != nil {
		return err
	}
	t.write(dst, p, crop, [3]float64{})
	return nil
}

// check refuses what would read or write beyond a picture or its destination.
func (t Transform) check(dst []float32, p Picture, width, height int) error {
	if err := t.Validate(p.Channels); err != nil {
		return err
	}
	if err := p.Check(); err != nil {
		return err
	}
	if want := float64(p.Channels) * float64(width) * float64(height); float64(len(dst)) != want { // an int may overflow
		return errors.Errorf("augment: room for %d values: an input (%d, %d, %d) has %.0f", len(dst), p.Channels, height, width, want)
	}
	return nil
}

// write fills dst (C, Height, Width) with a crop whose colours are shifted. It computes only the pixels of the crop.
func (t Transform) write(dst []float32, p Picture, crop Crop, shift [3]float64) {
	width, height := p.Resized(crop.Scale)
	left, right := max(0, -crop.Left), min(crop.Width, width-crop.Left) // columns of the crop that are in the picture
	top, bottom := max(0, -crop.Top), min(crop.Height, height-crop.Top)
	if right-left < crop.Width || bottom-top < crop.Height {
		clear(dst)
	}
	if left >= right || top >= bottom {
		return
	}
	r := kernel.Resampling{
		Across: side(p.Width, width, crop.Left+left, right-left), Down: side(p.Height, height, crop.Top+top, bottom-top),
		Factor: make([]float32, p.Channels), Offset: make([]float32, p.Channels),
	}
	for c, std := range t.Std {
		r.Factor[c], r.Offset[c] = float32(1/std), float32((shift[c]-t.Mean[c])/std)
	}
	if crop.Mirrored {
		mirror(r.Across)
		left = crop.Width - right
	}
	r.Run(dst[top*crop.Width+left:], crop.Height*crop.Width, crop.Width, p.Pix, p.Width)
}

// mirror reverses the order of a side's pixels.
func mirror(s kernel.Side) {
	slices.Reverse(s.First)
	slices.Reverse(s.Weights)
	for i := range s.First {
		slices.Reverse(s.Weights[i*s.N : (i+1)*s.N])
	}
}
