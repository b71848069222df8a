package foreign

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/weights"
)

// adopt gives a file from elsewhere torchvision's names and shapes, and the metadata that follow from these.
func adopt(f *weights.File, n weights.Normalisation) error {
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
	return describe(f, n)
}

// timmLayers are timm's names of the fully connected layers. All but the last are convolutions there.
var timmLayers = []string{"pre_logits.fc1", "pre_logits.fc2", "head.fc"}

// fullyConnected are the fully connected layers, which have the same names in files of all nets.
var fullyConnected = configs.A.FullyConnected()

// fromTimm gives a tensor of timm torchvision's name and shape.
func fromTimm(t *weights.Tensor) {
	dot := max(0, strings.LastIndexByte(t.Name, '.'))
	i := slices.Index(timmLayers, t.Name[:dot])
	if i < 0 {
		return
	}
	t.Name = fullyConnected[i].Torchvision + t.Name[dot:]
	if len(t.Shape) == 4 {
		t.Shape = flatten(t.Shape)
	}
}

// flatten is the shape (out, in·kernel·kernel) of a convolution that is to be a fully connected layer.
func flatten(shape []int) []int { return []int{shape[0], shape[1] * shape[2] * shape[3]} }

// byLayer puts features before the classifier, by number, weights before biases, and everything else after them.
func byLayer(a, b weights.Tensor) int {
	part := func(t weights.Tensor) (rank, number, suffix int) {
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

// known lists the nets whose weights are recognised.
func known() []configs.Config { return append(configs.All(), configs.B5) }

// describe fills in the metadata that the file lacks and that names and shapes determine.
func describe(f *weights.File, n weights.Normalisation) error {
	first, ok := f.Tensor(configs.A.Layers()[0].WeightName()) // which has this name in all nets
	if !ok || len(first.Shape) != 4 {
		return nil // not one of the paper's nets: the user of the tensors reports what is missing
	}
	if f.Metadata == nil {
		f.Metadata = map[string]string{}
	}
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
		fill("config", config.Name)
		if w, ok := widthOf(f, config); ok {
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
	if f.Metadata["mean"] != "" || f.Metadata["std"] != "" || first.Shape[1] != 3 {
		return nil
	}
	if f.Metadata["input"] == strconv.Itoa(configs.Input) {
		scale := scales[n]
		fill("scale_min", strconv.Itoa(scale.Min))
		fill("scale_max", strconv.Itoa(scale.Max))
	}
	return f.Normalise(n)
}

// scales are the training scales S of the sources: the authors published nets trained with scale
// jittering; torchvision and timm test theirs at Q = 256.
var scales = map[weights.Normalisation]configs.Scale{weights.TorchVision: {Min: 256, Max: 256}, weights.Caffe: {Min: 256, Max: 512}}

// configOf finds the net whose convolutions the file has.
func configOf(f *weights.File) (configs.Config, bool) {
	kernels := map[string]int{} // of the convolutions, by the name of their weights
	for _, t := range f.Tensors {
		if strings.HasPrefix(t.Name, "features.") && strings.HasSuffix(t.Name, ".weight") && len(t.Shape) == 4 {
			kernels[t.Name] = t.Shape[2]
		}
	}
	for _, c := range known() {
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

// inputSide is the side of the pictures for which fc6 takes that number of features, of feature maps with that number of
// channels.
func inputSide(features, channels, stride int) (int, bool) {
	if channels < 1 || features%channels != 0 {
		return 0, false
	}
	side := int(math.Round(math.Sqrt(float64(features / channels))))
	return side * stride, side > 0 && side*side*channels == features
}
