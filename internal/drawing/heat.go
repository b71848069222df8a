package drawing

import (
	"image"
	"image/color"
	"math"
	"slices"
)

// Heat draws values (height, width) over a picture of that size: the picture is dark and grey, and the higher a value,
// the more it gives way to red, yellow and white. The largest value is white, 0 and less show the picture alone. The
// colours become lighter with the value, so that they are in order in grey too.
func Heat(picture image.Image, values []float32) *image.RGBA {
	b := picture.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	most := slices.Max(values)
	for i, v := range values {
		x, y := i%b.Dx(), i/b.Dx()
		grey := color.GrayModel.Convert(picture.At(b.Min.X+x, b.Min.Y+y)).(color.Gray).Y
		share := 0.0
		if most > 0 {
			share = max(0, float64(v/most))
		}
		out.SetRGBA(x, y, heated(float64(grey), share))
	}
	return out
}

// heated mixes a grey level, darkened, with the colour of a share from 0 to 1.
func heated(grey, share float64) color.RGBA {
	const darkest, spread = 20, 0.4 // of the picture
	base := darkest + spread*grey
	// Of a body that glows: red, then green, then blue.
	glow := [3]float64{255 * min(1, 2*share), 255 * min(1, max(0, 1.7*share-0.5)), 255 * min(1, max(0, 4*share-3))}
	cover := min(0.85, 1.4*share) // what lies below stays to be seen
	var mixed [3]uint8
	for c := range mixed {
		mixed[c] = uint8(math.Round(base*(1-cover) + glow[c]*cover))
	}
	return color.RGBA{mixed[0], mixed[1], mixed[2], 255}
}

// Light draws values (height, width) from 0 up as light on black. The brightest of the pixels, one in two hundred, are
// white, so that a few large values do not hide the others.
func Light(values []float32, width int) *image.Gray {
	const rank = 200
	sorted := slices.Sorted(slices.Values(values))
	white := sorted[len(sorted)-1-len(sorted)/rank]
	out := image.NewGray(image.Rect(0, 0, width, len(values)/width))
	for i, v := range values {
		if v > 0 {
			out.Pix[i] = uint8(math.Round(255 * min(1, float64(v/max(white, math.SmallestNonzeroFloat32)))))
		}
	}
	return out
}
