package foreign

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/internal/text"
	"vgg/weights"
)

// adopt gives a file from elsewhere torchvision's names and shapes, and the metadata that follow from these.
func adopt(f *weights.File, n weights.Normalisation) error {
	for i := range f.Tensors {
		fromTimm(&f.Tensors[i])
	}
	renumber(f)
	seen := map[string]bool{}
	for _, t := range f.Tensors {
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
}

// renumber gives the fully connected layers today's numbers, by their order: the first torchvision had dropout in front
// of them, and so classifier.1, 4 and 6; without dropout they are 0, 2 and 4. A layer that was put in the place of
// another may be part of a group, as classifier.6.1. Weights of convolutions, as dense nets have them, get two
// dimensions.
func renumber(f *weights.File) {
	var layers []string
	for i := range f.Tensors {
		t := &f.Tensors[i]
		layer, isWeight := strings.CutSuffix(t.Name, ".weight")
		if !isWeight || !strings.HasPrefix(t.Name, "classifier.") {
			continue
		}
		if len(t.Shape) == 4 {
			t.Shape = flatten(t.Shape)
		}
		layers = append(layers, layer)
	}
	slices.SortFunc(layers, func(a, b string) int { return slices.Compare(numbers(a), numbers(b)) })
	if len(layers) != len(fullyConnected) {
		return // which the net that gets them reports
	}
	names := map[string]string{}
	var old []string
	for i, l := range fullyConnected {
		if layers[i] != l.Torchvision {
			old = append(old, layers[i]+" is "+l.Torchvision)
		}
		names[layers[i]] = l.Torchvision
	}
	if old == nil {
		return
	}
	f.Note("fully connected layers by their order: %s", text.FirstFew(old, 3))
	for i := range f.Tensors {
		t := &f.Tensors[i]
		dot := max(0, strings.LastIndexByte(t.Name, '.'))
		if name, ok := names[t.Name[:dot]]; ok {
			t.Name = name + t.Name[dot:]
		}
	}
}

// numbers are those in a name: 6 and 1 in classifier.6.1.
func numbers(name string) (all []int) {
	for _, part := range strings.Split(name, ".")[1:] {
		n, _ := strconv.Atoi(part)
		all = append(all, n)
	}
	return all
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
