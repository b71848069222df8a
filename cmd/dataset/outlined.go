package main

import (
	"image"
	"image/color"

	"golang.org/x/image/draw"

	"vgg/augment"
	"vgg/boxes"
	"vgg/dataset"
	"vgg/plots"
)

// How boxes are drawn on a contact sheet.
const (
	outlinedSide = 160 // pixels that a tile with boxes has at least, to show thin lines
	outlineWidth = 2
	leastInView  = 0.5 // of a box, to be trained on
	boxColours   = "; boxes of the picture's class in yellow, in red where less than half of one is in view"
)

var (
	inView  = color.RGBA{255, 220, 0, 255}
	outside = color.RGBA{255, 60, 60, 255}
)

// outlined draws the boxes of picture i of the training split, of its class, on what a crop of it shows, enlarged.
func (s *survey) outlined(img image.Image, crop augment.Crop, i int) (image.Image, error) {
	boxed, ok := s.train.(dataset.Boxed)
	if !ok {
		return img, nil
	}
	p, objects, err := boxed.Located(i)
	if err != nil {
		return nil, suggestCheck(err)
	}
	size := img.Bounds().Size()
	factor := max(1, (outlinedSide+size.X-1)/size.X)
	large := image.NewRGBA(image.Rectangle{Max: size.Mul(factor)})
	draw.NearestNeighbor.Scale(large, large.Rect, img, img.Bounds(), draw.Src, nil)
	for _, o := range objects {
		if o.Class != s.train.Label(i) {
			continue
		}
		b, c := crop.InCrop(p, o.Box), inView
		if b.InView(boxes.Unit) < leastInView {
			c = outside
		}
		if b = b.Clip(boxes.Unit); !b.Empty() {
			plots.Outline(large, b.Scale(float64(large.Rect.Dx()), float64(large.Rect.Dy())), c, outlineWidth)
		}
	}
	return large, nil
}
