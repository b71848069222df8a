package explain

import (
	"context"
	"math"
	"slices"

	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/boxes"
	"vgg/metrics"
)

// View is what a net sees of a picture, and its scores.
type View struct {
	augment.Crop
	Logits        []float32 // of each class
	Probabilities []float64

	explainer *Explainer
	picture   augment.Picture // without its pixels
	pixels    []float32       // (C, Height, Width), normalised
}

// View shows a picture to the net, converted to grey or RGB as it needs.
func (e *Explainer) View(p augment.Picture) (*View, error) {
	if err := p.Check(); err != nil {
		return nil, errors.Wrap(err, "explain")
	}
	p = p.WithChannels(e.model.Info.Channels)
	width, height := e.model.Info.Input, e.model.Info.Input
	if e.Options.Dense {
		resizedWidth, resizedHeight := p.Resized(e.Options.Scale)
		width, height = max(width, resizedWidth), max(height, resizedHeight)
	}
	v := &View{Crop: p.Centre(e.Options.Scale, width, height), explainer: e}
	v.picture = augment.Picture{Width: p.Width, Height: p.Height, Channels: p.Channels}
	g, err := e.graphsFor(height, width) // before memory is taken: it refuses views that are too large
	if err != nil {
		return nil, err
	}
	v.pixels = make([]float32, p.Channels*height*width)
	if err := e.transform.Crop(v.pixels, p, v.Crop); err != nil {
		return nil, errors.Wrap(err, "explain")
	}
	copy(g.pixels, v.pixels)
	if err := g.scores.RunAll(); err != nil {
		return nil, errors.Wrap(err, "explain")
	}
	v.Logits = slices.Clone(floats(g.net.Logits))
	v.Probabilities = metrics.Softmax(v.Logits)
	return v, nil
}

// InPicture gives the place of a point of the view, in pixels, in shares of the picture's sides.
func (v *View) InPicture(x, y float64) (atX, atY float64) {
	x, y = x/float64(v.Width), y/float64(v.Height)
	b := v.Crop.InPicture(v.picture, boxes.Box{XMin: x, YMin: y, XMax: x, YMax: y})
	return b.XMin, b.YMin
}

// InView gives where a box is in the view: from shares of the picture's sides to shares of the view's.
func (v *View) InView(b boxes.Box) boxes.Box { return v.Crop.InCrop(v.picture, b) }

// Picture is the view as a picture: the pixels of the crop, and the mean colour beyond the edges.
func (v *View) Picture() augment.Picture {
	p := augment.Picture{Width: v.Width, Height: v.Height, Channels: v.picture.Channels, Pix: make([]uint8, len(v.pixels))}
	for i, value := range v.pixels {
		c, at := i/(v.Width*v.Height), i%(v.Width*v.Height)
		level := float64(value)*v.explainer.transform.Std[c] + v.explainer.transform.Mean[c]
		p.Pix[at*p.Channels+c] = uint8(min(max(math.Round(level), 0), 255))
	}
	return p
}

// Maps makes the maps of some classes by a method; see Occlusion for ctx and each, which other methods do not use.
func (v *View) Maps(ctx context.Context, method Method, classes []int, each func(places int)) (maps []Map, err error) {
	of := map[Method]func(class int) (Map, error){Saliency: v.Saliency, GradCAM: v.GradCAM}[method]
	switch {
	case method == Occlusion:
		return v.Occlusion(ctx, classes, each)
	case of == nil:
		return nil, errors.Errorf("explain: a method %q: want one of %v", method, Methods())
	}
	for _, class := range classes {
		m, err := of(class)
		if err != nil {
			return nil, err
		}
		maps = append(maps, m)
	}
	return maps, nil
}

// check refuses classes that the net does not have.
func (v *View) check(classes ...int) error {
	for _, class := range classes {
		if class < 0 || class >= len(v.Logits) {
			return errors.Errorf("explain: class %d: %s has %d", class, v.explainer.model.Name, len(v.Logits))
		}
	}
	return nil
}
