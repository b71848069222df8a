package evaluate

import (
	"math"

	"vgg/augment"
	"vgg/configs"
)

// grid is the number of crops along each side of a picture: 5 in section 3.2.
const grid = 5

// cropping is one way to crop pictures: a protocol other than both, at one scale.
type cropping struct {
	protocol configs.Protocol
	scale    int
	weight   float64 // of the mean over its crops in a picture's prediction
	layer    string  // whose outputs are wanted too: features, or a map; "" for none
	mapped   bool    // as a map; features are means over a crop and its mirrored one in every protocol
}

// features says whether features are wanted.
func (c cropping) features() bool { return c.layer != "" && !c.mapped }

// croppings are those of a protocol at all scales, of equal weights that add up to weight.
func (m *Model) croppings(o Options, weight float64) (all []cropping) {
	protocols := []configs.Protocol{o.Protocol}
	if o.Protocol == configs.Both {
		protocols = []configs.Protocol{configs.Dense, configs.MultiCrop}
	}
	scales := o.ScalesFor(m)
	for _, p := range protocols {
		for _, q := range scales {
			all = append(all, cropping{protocol: p, scale: q, weight: weight / float64(len(protocols)*len(scales)), layer: o.Features})
		}
	}
	return all
}

// crops lists the crops of a picture for a net whose input has the given side, in pixels. A dense one is the whole
// resized picture.
func (c cropping) crops(p augment.Picture, input int) []augment.Crop {
	width, height := p.Resized(c.scale)
	switch c.protocol {
	case configs.Dense:
		return withMirrored(p.Centre(c.scale, max(input, width), max(input, height)))
	case configs.MultiCrop:
		var all []augment.Crop
		for _, top := range positions(height, input) {
			for _, left := range positions(width, input) {
				all = append(all, withMirrored(augment.Crop{Scale: c.scale, Left: left, Top: top, Width: input, Height: input})...)
			}
		}
		return all
	}
	centre := p.Centre(c.scale, input, input)
	if c.features() {
		return withMirrored(centre)
	}
	return []augment.Crop{centre}
}

// weights are those of crop i of n in the means of probabilities and logits, and in the mean of features. The mirrored
// crop of the center protocol counts only in the features.
func (c cropping) weights(i, n int) (predictions, features float64) {
	mean := c.weight / float64(n)
	switch {
	case c.protocol != configs.Center:
		return mean, mean
	case i == 0:
		return c.weight, mean
	}
	return 0, mean
}

// mostCrops is the number of crops of a picture. Where a side is as long as the input there are fewer.
func (c cropping) mostCrops() int {
	switch {
	case c.protocol == configs.MultiCrop:
		return 2 * grid * grid
	case c.protocol == configs.Dense, c.features():
		return 2
	}
	return 1
}

// positions are those of a regular grid of crops along a side, from one end to the other; a single one if the crop is
// as long as the side.
func positions(side, input int) []int {
	if side == input {
		return []int{0}
	}
	at := make([]int, grid)
	for i := range at {
		at[i] = int(math.Round(float64(i*(side-input)) / (grid - 1)))
	}
	return at
}

func withMirrored(c augment.Crop) []augment.Crop {
	mirrored := c
	mirrored.Mirrored = true
	return []augment.Crop{c, mirrored}
}
