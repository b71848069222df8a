package chroma

import "image"

// Rows gives a function that gives row y of an image: luminance and chroma of each pixel, valid until the next call. A
// part of an image (SubImage) keeps the place of its pixels in their samples.
func Rows(img *image.YCbCr) func(y int) (light, cb, cr []uint8) {
	r := img.Rect
	if r.Empty() {
		return func(int) (light, cb, cr []uint8) { return nil, nil, nil }
	}
	across, down := sampling(img.SubsampleRatio)
	left, top := r.Min.X/across, r.Min.Y/down
	width, height := (r.Max.X-1)/across+1-left, (r.Max.Y-1)/down+1-top
	first := img.COffset(r.Min.X, r.Min.Y)
	of := func(samples []uint8) *Plane {
		return &Plane{Pix: samples[first:], Stride: img.CStride, Width: width, Height: height, Across: across, Down: down}
	}
	cbs, crs := of(img.Cb), of(img.Cr)
	return func(y int) (light, cb, cr []uint8) {
		light = img.Y[img.YOffset(r.Min.X, y):][:r.Dx()]
		skip := r.Min.X - left*across
		return light, cbs.Row(y - top*down)[skip:][:r.Dx()], crs.Row(y - top*down)[skip:][:r.Dx()]
	}
}

// sampling gives the pixels, across and down, that share a sample of chroma.
func sampling(r image.YCbCrSubsampleRatio) (across, down int) {
	switch r {
	case image.YCbCrSubsampleRatio422:
		return 2, 1
	case image.YCbCrSubsampleRatio420:
		return 2, 2
	case image.YCbCrSubsampleRatio440:
		return 1, 2
	case image.YCbCrSubsampleRatio411:
		return 4, 1
	case image.YCbCrSubsampleRatio410:
		return 4, 2
	}
	return 1, 1
}

// Plane is one component of a picture, in rows of samples.
//
// A sample lies in the middle of its pixels, so of two pixels each takes 3/4 of their sample and 1/4 of the neighbour
// on its side; samples at the edge count as their own neighbours. Halves are rounded down and up in turn, so that the
// mean stays. As in libjpeg, a sample is repeated where pixels share it otherwise than 2×1, 1×2 or 2×2, and in planes
// of 1 or 2 columns, unless 1×2 share it.
type Plane struct {
	Pix           []uint8
	Stride        int // from row to row
	Width, Height int // in samples, at least 1
	Across, Down  int // pixels that share a sample
	pixels        []uint8
}

// Row gives row y of the pixels, of Width*Across samples, valid until the next call.
func (p *Plane) Row(y int) []uint8 {
	near := p.samples(y / p.Down)
	if p.Across == 1 && p.Down != 2 {
		return near
	}
	if p.pixels == nil {
		p.pixels = make([]uint8, p.Width*p.Across)
	}
	far := p.samples(y/p.Down - 1 + y%2*2)
	switch {
	case p.Across == 1:
		upsampleDown(p.pixels, near, far, 1+y%2)
	case p.Across == 2 && p.Down == 1 && p.Width > 2:
		upsampleAcross(p.pixels, near)
	case p.Across == 2 && p.Down == 2 && p.Width > 2:
		upsampleBoth(p.pixels, near, far)
	default:
		for i := range p.pixels {
			p.pixels[i] = near[i/p.Across]
		}
	}
	return p.pixels
}

func (p *Plane) samples(y int) []uint8 {
	return p.Pix[min(max(y, 0), p.Height-1)*p.Stride:][:p.Width]
}

// upsampleDown gives the pixels on one side of a row of samples; far is the next row on that side.
func upsampleDown(dst, near, far []uint8, round int) {
	for i := range dst {
		dst[i] = uint8((3*int(near[i]) + int(far[i]) + round) >> 2)
	}
}

// upsampleAcross puts two pixels into dst for each sample.
func upsampleAcross(dst, samples []uint8) {
	before, own := int(samples[0]), int(samples[0])
	for _, v := range samples[1:] {
		after := int(v)
		dst[1], dst[0] = uint8((3*own+after+2)>>2), uint8((3*own+before+1)>>2)
		before, own, dst = own, after, dst[2:]
	}
	dst[1], dst[0] = uint8(own), uint8((3*own+before+1)>>2)
}

// upsampleBoth is upsampleDown, then upsampleAcross, rounded once.
func upsampleBoth(dst, near, far []uint8) {
	far = far[:len(near)]
	own := 3*int(near[0]) + int(far[0]) // 4 times a pixel
	before := own
	for i := 1; i < len(near); i++ {
		after := 3*int(near[i]) + int(far[i])
		dst[1], dst[0] = uint8((3*own+after+7)>>4), uint8((3*own+before+8)>>4)
		before, own, dst = own, after, dst[2:]
	}
	dst[1], dst[0] = uint8((4*own+7)>>4), uint8((3*own+before+8)>>4)
}
