package main

import (
	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/configs"
	"vgg/evaluate"
	"vgg/explain"
	"vgg/graph"
	"vgg/weights"
)

// explained adds, for the first picture, the class, the saliency map and, of each convolution, Grad-CAM under
// "cam " and its name, as package explain makes them from the file of the weights, and what choose does.
func explained(f flags, net *graph.Net, class int, ours *[]weights.Tensor) error {
	picture := picture((*ours)[0])
	// The net sees the bits of package augment, since other rounding may flip other choices.
	crop := picture.Centre(0, picture.Width, picture.Height)
	transform := augment.Transform{Size: f.Input, Mean: mean, Std: std}
	if err := transform.Crop(net.Input.Value().Data().([]float32)[:len(picture.Pix)], picture, crop); err != nil {
		return err
	}
	if err := choose(net, ours); err != nil {
		return err
	}
	info := info(f, net.Config)
	info.Scale = configs.Scale{Min: f.Input, Max: f.Input}
	m, err := evaluate.NewModel("net", &weights.File{Metadata: info.Metadata(), Tensors: net.Tensors()})
	if err != nil {
		return err
	}
	defer m.Close()
	*ours = append(*ours, weights.Tensor{Name: "class", Shape: []int{1}, Data: []float32{float32(class)}})
	for _, l := range net.Config.Convolutions() {
		e, err := explain.New(m, explain.Options{Layer: l.Name, Dense: f.Size != "", Scale: min(picture.Width, picture.Height)})
		if err != nil {
			return err
		}
		defer e.Close()
		v, err := e.View(picture)
		if err != nil {
			return err
		}
		if v.Width != picture.Width || v.Height != picture.Height {
			return errors.Errorf("the net sees %d×%d pixels of %d×%d", v.Width, v.Height, picture.Width, picture.Height)
		}
		if l.Name == "conv1_1" {
			saliency, err := v.Saliency(class)
			if err != nil {
				return err
			}
			addMap(ours, "saliency", saliency)
		}
		cam, err := v.GradCAM(class)
		if err != nil {
			return err
		}
		addMap(ours, "cam "+l.Name, cam)
	}
	return nil
}

func addMap(ours *[]weights.Tensor, name string, m explain.Map) {
	*ours = append(*ours, weights.Tensor{Name: name, Shape: []int{m.Height, m.Width}, Data: m.Values})
}

// picture is the first of pixels (N, C, H, W).
func picture(pixels weights.Tensor) augment.Picture {
	channels, height, width := pixels.Shape[1], pixels.Shape[2], pixels.Shape[3]
	p := augment.Picture{Width: width, Height: height, Channels: channels, Pix: make([]uint8, channels*height*width)}
	for i := range p.Pix {
		p.Pix[i%(height*width)*channels+i/(height*width)] = uint8(pixels.Data[i])
	}
	return p
}
