// Package augment turns decoded pictures into inputs of a net, as small pure functions: the rescaling, cropping,
// flipping and colour shift of section 3.1 of the paper (arXiv 1409.1556), and the plain view that tests take.
//
// In goes a Picture of 8 bits a channel and a View that says what to do; out come float32 values (C, H, W) with the
// training set's mean subtracted. Every random draw is a function of (seed, epoch, index).
package augment

import (
	"image"
	"image/color"
	"math"

	"golang.org/x/image/draw"
)

// Picture is a decoded picture, 8 bits a channel, interleaved (H, W, C), with 1 channel (grey) or 3 (RGB).
type Picture struct {
	Width, Height, Channels int
	Pix                     []uint8
}

// FromImage converts a decoded image to 1 or 3 channels. What is transparent lies over white.
func FromImage(img image.Image, channels int) Picture {
	b := img.Bounds()
	p := Picture{b.Dx(), b.Dy(), channels, make([]uint8, b.Dx()*b.Dy()*channels)}
	if grey, ok := img.(*image.Gray); ok && channels == 1 {
		for y := range p.Height {
			copy(p.Pix[y*p.Width:(y+1)*p.Width], grey.Pix[grey.PixOffset(b.Min.X, b.Min.Y+y):])
		}
		return p
	}
	rgba := image.NewRGBA(image.Rect(0, 0, p.Width, p.Height))
	draw.Draw(rgba, rgba.Rect, image.White, image.Point{}, draw.Src)
	draw.Draw(rgba, rgba.Rect, img, b.Min, draw.Over)
	for i := range p.Width * p.Height {
		r, g, b := rgba.Pix[4*i], rgba.Pix[4*i+1], rgba.Pix[4*i+2]
		if channels == 1 {
			p.Pix[i] = color.GrayModel.Convert(color.RGBA{r, g, b, 255}).(color.Gray).Y
		} else {
			p.Pix[3*i], p.Pix[3*i+1], p.Pix[3*i+2] = r, g, b
		}
	}
	return p
}

// Image converts the picture for drawing and encoding.
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

// Rescale changes the size isotropically so that the smaller side is s, with a Catmull-Rom filter, which averages over
// the pixels that vanish when it shrinks (CatmullRom of golang.org/x/image/draw). A picture that has that size already is
// returned as it is.
func Rescale(p Picture, s int) Picture {
	smaller := min(p.Width, p.Height)
	if smaller == s {
		return p
	}
	scale := func(side int) int { return max(s, int(math.Round(float64(side)*float64(s)/float64(smaller)))) }
	img := image.Rect(0, 0, scale(p.Width), scale(p.Height))
	if p.Channels == 1 {
		dst := image.NewGray(img)
		draw.CatmullRom.Scale(dst, img, p.Image(), p.Image().Bounds(), draw.Src, nil)
		return FromImage(dst, 1)
	}
	dst := image.NewRGBA(img)
	draw.CatmullRom.Scale(dst, img, p.Image(), p.Image().Bounds(), draw.Src, nil)
	return FromImage(dst, 3)
}
