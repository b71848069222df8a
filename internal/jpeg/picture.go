package jpeg

import (
	"image"

	"vgg/internal/chroma"
)

// picture gives the samples as an image, in the colours that libjpeg takes them for.
func (d *decoder) picture() image.Image {
	f := d.frame
	c := f.components
	bounds := image.Rect(0, 0, f.width, f.height)
	if len(c) == 1 {
		return &image.Gray{Pix: c[0].samples, Stride: 8 * c[0].stride, Rect: bounds}
	}
	if len(c) == 4 {
		return f.inks(d.hasAdobe && d.adobe != 0)
	}
	if ratio, ok := f.ratio(); ok && !d.isRGB() {
		return &image.YCbCr{Y: c[0].samples, Cb: c[1].samples, Cr: c[2].samples, YStride: 8 * c[0].stride, CStride: 8 * c[1].stride,
			SubsampleRatio: ratio, Rect: bounds}
	}
	return f.rgba(d.isRGB())
}

// isRGB tells whether three components are red, green and blue.
func (d *decoder) isRGB() bool {
	c := d.frame.components
	switch {
	case d.jfif:
		return false
	case d.hasAdobe:
		return d.adobe == 0
	}
	return c[0].id == 'R' && c[1].id == 'G' && c[2].id == 'B'
}

// ratio gives the name that package image has for the subsampling, if there is one.
func (f *frame) ratio() (image.YCbCrSubsampleRatio, bool) {
	y, cb, cr := f.components[0], f.components[1], f.components[2]
	if y.across != f.most.across || y.down != f.most.down || cb.across != cr.across || cb.down != cr.down {
		return 0, false
	}
	ratio, ok := map[[2]int]image.YCbCrSubsampleRatio{
		{1, 1}: image.YCbCrSubsampleRatio444, {2, 1}: image.YCbCrSubsampleRatio422, {2, 2}: image.YCbCrSubsampleRatio420,
		{1, 2}: image.YCbCrSubsampleRatio440, {4, 1}: image.YCbCrSubsampleRatio411, {4, 2}: image.YCbCrSubsampleRatio410,
	}[[2]int{y.across / cb.across, y.down / cb.down}]
	return ratio, ok
}

// planes gives the components, to be read a row of pixels at a time.
func (f *frame) planes() []*chroma.Plane {
	planes := make([]*chroma.Plane, len(f.components))
	for i, c := range f.components {
		planes[i] = &chroma.Plane{Pix: c.samples, Stride: 8 * c.stride, Width: c.width, Height: c.height,
			Across: f.most.across / c.across, Down: f.most.down / c.down}
	}
	return planes
}

// rgba converts three components to RGB, unless they are that already.
func (f *frame) rgba(isRGB bool) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, f.width, f.height))
	planes := f.planes()
	for y := range f.height {
		row := img.Pix[y*img.Stride:][:4*f.width]
		first, second, third := planes[0].Row(y)[:f.width], planes[1].Row(y), planes[2].Row(y)
		if !isRGB {
			chroma.RGB(row, 4, first, second, third)
		}
		for x := range f.width {
			if isRGB {
				row[4*x], row[4*x+1], row[4*x+2] = first[x], second[x], third[x]
			}
			row[4*x+3] = 255
		}
	}
	return img
}

// inks converts four components to inks. Adobe's programs, which alone make such files, store inks inverted; the
// luminance and chroma of the first three (YCCK) are those of the inverse again.
func (f *frame) inks(isYCCK bool) *image.CMYK {
	img := image.NewCMYK(image.Rect(0, 0, f.width, f.height))
	planes := f.planes()
	for y := range f.height {
		row := img.Pix[y*img.Stride:][:4*f.width]
		for i, p := range planes {
			if i == 3 || !isYCCK {
				for x, v := range p.Row(y)[:f.width] {
					row[4*x+i] = 255 - v
				}
			}
		}
		if isYCCK {
			chroma.RGB(row, 4, planes[0].Row(y)[:f.width], planes[1].Row(y), planes[2].Row(y))
		}
	}
	return img
}
