package generalise

import (
	"context"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"vgg/augment"
	"vgg/evaluate"
	"vgg/graph"
	"vgg/internal/ordered"
	"vgg/internal/threads"
	"vgg/weights"
)

// PixelsSide is the side, in pixels, of the pictures that Pixels takes.
const PixelsSide = 32

// Pixels are features without a net: the square in the middle of a picture, resized to 32×32 pixels, normalised as for a
// net, whose channels it has, and divided by its L2 norm.
func (p *Pictures) Pixels(ctx context.Context, like *evaluate.Model) (*Features, error) {
	transform := augment.Transform{Size: PixelsSide, Mean: like.Info.Mean, Std: like.Info.Std}
	width := PixelsSide * PixelsSide * like.Info.Channels
	f := p.newFeatures(width, 1)
	values := make([]float32, len(p.items)*width)
	all := block{p, 0, len(p.items), like.Info.Channels}
	p.progress.Restart(len(p.items))
	for i, err := range ordered.Map(ctx, len(p.items), 2*threads.Count(), func(i int) error {
		picture, err := all.Picture(i)
		if err != nil {
			return err
		}
		crop := picture.Centre(PixelsSide, PixelsSide, PixelsSide)
		return errors.Wrap(transform.Crop(values[i*width:][:width], picture, crop), all.Name(i))
	}) {
		if err != nil {
			return nil, err
		}
		p.progress.Set(i+1, "pixels")
	}
	f.put(p, values, width, 0)
	return f, ctx.Err()
}

// RandomWeights is a net like another, with weights drawn as for training.
func RandomWeights(like *evaluate.Model, seed uint64) (*evaluate.Model, error) {
	info := like.Info
	config, err := info.Net()
	if err != nil {
		return nil, err
	}
	g := gorgonia.NewGraph()
	x := graph.NewInput(g, 1, info.Channels, info.Input, info.Input)
	net, err := graph.Build(x, config, graph.Options{Classes: len(info.Classes), Width: info.Width, FC: info.FC, Seed: seed})
	if err != nil {
		return nil, err
	}
	return evaluate.NewModel("random weights like "+like.Name, &weights.File{Metadata: info.Metadata(), Tensors: net.Tensors()})
}
