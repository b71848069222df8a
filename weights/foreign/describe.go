package foreign

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"vgg/configs"
	"vgg/weights"
)

// known lists the nets whose weights are recognised.
func known() []configs.Config { return append(configs.All(), configs.B5) }

// describe fills in the metadata that the file lacks and that names and shapes determine.
func describe(f *weights.File, n weights.Normalisation) error {
	first, ok := f.Tensor(weights.FirstLayer)
	if !ok || len(first.Shape) != 4 {
		return nil // not one of the paper's nets: the user of the tensors reports what is missing
	}
	if f.Metadata == nil {
		f.Metadata = map[string]string{}
	}
	ours := weights.HasInfo(f.Metadata)
	fill := func(key, value string) {
		if f.Metadata[key] == "" {
			f.Metadata[key] = value
		}
	}
	fill("channels", strconv.Itoa(first.Shape[1]))
	fc6, ok6 := f.Tensor(fullyConnected[0].WeightName())
	fc8, ok8 := f.Tensor(fullyConnected[2].WeightName())
	if ok6 && len(fc6.Shape) == 2 {
		fill("fc", strconv.Itoa(fc6.Shape[0]))
	}
	if ok8 && len(fc8.Shape) == 2 {
		fill("classes", strconv.Itoa(fc8.Shape[0]))
	}
	if config, ok := configOf(f); ok {
		w, ok := widthOf(f, config)
		if !ok && f.Metadata["config"] == "" { // a net of the paper with other channels
			config, w, ok = reshaped(f, config), 1, true
			fill("layers", config.String())
		}
		fill("config", config.Name)
		if ok {
			fill("width", strconv.FormatFloat(w, 'g', -1, 64))
		}
		if ok6 && len(fc6.Shape) == 2 {
			convolutions := config.Convolutions()
			last, _ := f.Tensor(convolutions[len(convolutions)-1].WeightName())
			if side, ok := inputSide(fc6.Shape[1], last.Shape[0], config.Stride()); ok {
				fill("input", strconv.Itoa(side))
			}
		}
	}
	if ours || first.Shape[1] != 3 {
		return nil // only metadata without any of ours are those of the source
	}
	if f.Metadata["input"] == strconv.Itoa(configs.Input) {
		scale := scales[n]
		fill("scale_min", strconv.Itoa(scale.Min))
		fill("scale_max", strconv.Itoa(scale.Max))
	}
	f.Assumed = n
	return f.Normalise(n)
}

// scales are the training scales S of the sources: the authors published nets trained with scale
// jittering; torchvision and timm test theirs at Q = 256.
var scales = map[weights.Normalisation]configs.Scale{weights.TorchVision: {Min: 256, Max: 256}, weights.Caffe: {Min: 256, Max: 512}}

// reshaped is a net like c with the channels that the file's convolutions have.
func reshaped(f *weights.File, c configs.Config) configs.Config {
	own, at := configs.Config{Name: "like-" + c.Name}, 0
	convolutions := c.Convolutions()
	for _, stage := range c.Stages {
		stage = slices.Clone(stage)
		for i := range stage {
			if stage[i].Kind == configs.Convolution {
				t, _ := f.Tensor(convolutions[at].WeightName())
				stage[i].Channels = t.Shape[0]
				at++
			}
		}
		own.Stages = append(own.Stages, stage)
	}
	return own
}

// configOf finds the net whose convolutions the file has: that of its metadata, or one of the paper.
func configOf(f *weights.File) (configs.Config, bool) {
	kernels := map[string]int{} // of the convolutions, by the name of their weights
	for _, t := range f.Tensors {
		if strings.HasPrefix(t.Name, "features.") && strings.HasSuffix(t.Name, ".weight") && len(t.Shape) == 4 {
			kernels[t.Name] = t.Shape[2]
		}
	}
	nets := known()
	if own, err := configs.Parse(f.Metadata["config"], f.Metadata["layers"]); err == nil {
		nets = append(nets, own)
	}
	for _, c := range nets {
		convolutions := c.Convolutions()
		same := len(convolutions) == len(kernels)
		for _, l := range convolutions {
			same = same && kernels[l.WeightName()] == l.Kernel
		}
		if same {
			return c, true
		}
	}
	return configs.Config{}, false
}

// widthOf finds a multiplier that gives every convolution its channels: max(1, round(width · channels)).
func widthOf(f *weights.File, c configs.Config) (float64, bool) {
	low, high, ratio := 0.0, math.Inf(1), 0.0
	for _, l := range c.Convolutions() {
		t, _ := f.Tensor(l.WeightName())
		out, channels := float64(t.Shape[0]), float64(l.Channels)
		if out > 1 {
			low = max(low, (out-0.5)/channels)
		}
		high = min(high, (out+0.5)/channels)
		ratio = out / channels
	}
	switch {
	case low <= ratio && ratio < high && ratio > 0: // the last, which is exact for all the usual widths
		return ratio, true
	case low < high:
		return (low + high) / 2, true
	}
	return 0, false
}

// inputSide is the side of the pictures for which fc6 takes that number of features, of feature maps with that number
// of channels.
func inputSide(features, channels, stride int) (int, bool) {
	if channels < 1 || features%channels != 0 {
		return 0, false
	}
	side := int(math.Round(math.Sqrt(float64(features / channels))))
	return side * stride, side > 0 && side*side*channels == features
}
