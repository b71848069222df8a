package weights

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/pkg/errors"

	"vgg/configs"
)

// adopt makes a file from elsewhere one of ours: torchvision's names and shapes, and metadata as far as these tell.
func (f *File) adopt(n Normalisation) error {
	seen := map[string]bool{}
	for i := range f.Tensors {
		t := &f.Tensors[i]
		t.Name = strings.TrimPrefix(t.Name, "module.") // of DataParallel
		fromTimm(t)
		if seen[t.Name] {
			return errors.Errorf("tensor %s occurs twice", t.Name)
		}
		seen[t.Name] = true
	}
	slices.SortStableFunc(f.Tensors, byLayer)
	return f.describe(n)
}

// layers of timm: the fully connected ones are convolutions there, but the last.
var timmLayers = map[string]string{"pre_logits.fc1": "classifier.0", "pre_logits.fc2": "classifier.3", "head.fc": "classifier.6"}

func fromTimm(t *Tensor) {
	dot := max(0, strings.LastIndexByte(t.Name, '.'))
	layer, ok := timmLayers[t.Name[:dot]]
	if !ok {
		return
	}
	t.Name = layer + t.Name[dot:]
	if len(t.Shape) == 4 {
		t.Shape = flatten(t.Shape)
	}
}

// flatten is the shape (out, in·kernel·kernel) of a convolution that is to be a fully connected layer.
func flatten(shape []int) []int { return []int{shape[0], shape[1] * shape[2] * shape[3]} }

// byLayer puts features before the classifier, by number, weights before biases, and all else behind.
func byLayer(a, b Tensor) int {
	part := func(t Tensor) (rank, number, suffix int) {
		fields := strings.Split(t.Name, ".")
		rank = slices.Index([]string{"features", "classifier"}, fields[0])
		if rank < 0 || len(fields) != 3 {
			return 2, 0, 0
		}
		number, _ = strconv.Atoi(fields[1])
		return rank, number, slices.Index([]string{"weight", "bias"}, fields[2])
	}
	ar, an, as := part(a)
	br, bn, bs := part(b)
	return slices.Compare([]int{ar, an, as}, []int{br, bn, bs})
}

// refuseBatchNorm gives the reason if the names are those of a net with batch normalisation.
func refuseBatchNorm(names []string) error {
	for _, name := range names {
		if strings.Contains(name, "features.") && strings.HasSuffix(name, ".running_mean") {
			return errors.Errorf("%s: a net with batch normalisation (such as vgg16_bn), which the paper's nets lack: use the plain one (such as vgg16)", name)
		}
	}
	return nil
}

// convolutions lists those of a config.
func convolutions(c configs.Config) []configs.Row {
	return slices.DeleteFunc(c.Rows(), func(r configs.Row) bool { return r.Kind != configs.Convolution })
}

func known() []configs.Config { return append(configs.All(), configs.B5) }

// describe fills in the metadata that names and shapes tell and the file lacks.
func (f *File) describe(n Normalisation) error {
	first, ok := f.Tensor(firstLayer)
	if !ok || len(first.Shape) != 4 {
		return nil // not one of the paper's nets: whoever uses the tensors will say what is missing
	}
	fill := func(key, value string) {
		if f.Metadata[key] == "" {
			f.set(key, value)
		}
	}
	fill("channels", strconv.Itoa(first.Shape[1]))
	fc6, ok6 := f.Tensor("classifier.0.weight")
	fc8, ok8 := f.Tensor("classifier.6.weight")
	if ok6 && len(fc6.Shape) == 2 {
		fill("fc", strconv.Itoa(fc6.Shape[0]))
	}
	if ok8 && len(fc8.Shape) == 2 {
		fill("classes", strconv.Itoa(fc8.Shape[0]))
	}
	config, last, ok := f.config()
	if ok {
		fill("config", config.Name)
		if w, ok := f.width(config); ok {
			fill("width", formatFloat(w))
		}
		if ok6 && len(fc6.Shape) == 2 {
			if side, ok := inputSide(fc6.Shape[1], last, len(config.Stages)); ok {
				fill("input", strconv.Itoa(side))
			}
		}
	}
	if f.Metadata["mean"] != "" || f.Metadata["std"] != "" || first.Shape[1] != 3 {
		return nil
	}
	if f.Metadata["input"] == strconv.Itoa(configs.Input) {
		scale := scales[n]
		fill("scale_min", strconv.Itoa(scale[0]))
		fill("scale_max", strconv.Itoa(scale[1]))
	}
	return f.Normalise(n)
}

// scales are the training scales S that sources are known for: the authors published nets trained with scale
// jittering; torchvision and timm test theirs at Q = 256.
var scales = map[Normalisation][2]int{TorchVision: {256, 256}, Caffe: {256, 512}}

// config finds the net whose convolutions the file has, and the channels of the last.
func (f *File) config() (found configs.Config, last int, ok bool) {
	var have []configs.Row
	for _, t := range f.Tensors {
		number, ok := strings.CutSuffix(t.Name, ".weight")
		feature, err := strconv.Atoi(strings.TrimPrefix(number, "features."))
		if ok && err == nil && len(t.Shape) == 4 {
			have = append(have, configs.Row{Feature: feature, Layer: configs.Conv(t.Shape[2], t.Shape[0])})
			last = t.Shape[0]
		}
	}
	i := slices.IndexFunc(known(), func(c configs.Config) bool {
		return slices.EqualFunc(convolutions(c), have, func(a, b configs.Row) bool {
			return a.Feature == b.Feature && a.Kernel == b.Kernel
		})
	})
	if i < 0 {
		return configs.Config{}, 0, false
	}
	return known()[i], last, true
}

// width finds a multiplier that gives every convolution its channels: max(1, round(width · channels)).
func (f *File) width(c configs.Config) (float64, bool) {
	low, high, ratio := 0.0, math.Inf(1), 0.0
	for _, conv := range convolutions(c) {
		t, _ := f.Tensor(fmt.Sprintf("features.%d.weight", conv.Feature))
		out, channels := float64(t.Shape[0]), float64(conv.Channels)
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

// inputSide is the side of the pictures for which fc6 takes so many features of so many channels.
func inputSide(features, channels, stages int) (int, bool) {
	if channels < 1 || features%channels != 0 {
		return 0, false
	}
	side := int(math.Round(math.Sqrt(float64(features / channels))))
	return side << stages, side > 0 && side*side*channels == features
}
