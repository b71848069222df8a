package augment

import (
	"image"
	"image/color"

	"github.com/pkg/errors"
)

// Picture is a decoded picture, 8 bits a channel, interleaved (H, W, C), with 1 channel (grey) or 3 (RGB).
type Picture struct {
	Width, Height, Channels int
	Pix                     []uint8
}

// FromImage converts a decoded image to a picture of 1 or 3 channels, with white behind what is transparent. Luminance
// and chroma become RGB as in libjpeg, CMYK as in Pillow.
func FromImage(img image.Image, channels int) Picture {
	b := img.Bounds()
	if grey, ok := img.(*image.Gray); ok && channels == 1 {
		p := Picture{b.Dx(), b.Dy(), 1, make([]uint8, b.Dx()*b.Dy())}
		for y := range p.Height {
			copy(p.Pix[y*p.Width:(y+1)*p.Width], grey.Pix[grey.PixOffset(b.Min.X, b.Min.Y+y):])
		}
		return p
	}
	p := Picture{b.Dx(), b.Dy(), channels, make([]uint8, channels*b.Dx()*b.Dy())}
	fill := rgbRows(img)
	line := make([]uint8, 3*p.Width)
	for y := range p.Height {
		row := p.Pix[y*p.Width*channels:][:p.Width*channels]
		if channels == 3 {
			fill(row, b.Min.Y+y)
			continue
		}
		fill(line, b.Min.Y+y)
		for x := range row {
			row[x] = color.GrayModel.Convert(color.RGBA{line[3*x], line[3*x+1], line[3*x+2], 255}).(color.Gray).Y
		}
	}
	return p
}

// Check is an error if the picture has no pixels, another number of channels than 1 or 3, or too few or too many bytes.
func (p Picture) Check() error {
	if p.Width < 1 || p.Height < 1 || p.Channels != 1 && p.Channels != 3 || p.Width > len(p.Pix) || len(p.Pix) != p.Width*p.Height*p.Channels {
		return errors.Errorf("augment: a picture of %d×%d with %d channels and %d bytes", p.Width, p.Height, p.Channels, len(p.Pix))
	}
	return nil
}

// Image converts the picture to an image of the standard library, for drawing and encoding.
func (p Picture) Image() image.Image {
	if p.Channels == 1 {
		return &image.Gray{Pix: p.Pix, Stride: p.Width, Rect: image.Rect(0, 0, p.Width, p.Height)}
	}
	rgba := image.NewRGBA(image.Rect(0, 0, p.Width, p.Height))
	for i := range p.Width * p.Height {
		copy(rgba.Pix[4*i:], p.Pix[3*i:3*i+3])
		rgba.Pix[4*i+3] = 255
	}
	return rgba
}

// Coloured reports whether the channels of any pixel differ.
func (p Picture) Coloured() bool {
	if p.Channels != 3 {
		return false
	}
	for i := 0; i < len(p.Pix); i += 3 {
		if p.Pix[i] != p.Pix[i+1] || p.Pix[i] != p.Pix[i+2] {
			return true
		}
	}
	return false
}

// WithChannels converts a picture that passes Check to 1 channel or 3.
func (p Picture) WithChannels(channels int) Picture {
	if p.Channels == channels {
		return p
	}
	return FromImage(p.Image(), channels)
}
