package configs

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pkg/errors"
)

// Layer is a row of Table 1 in its place in a net.
type Layer struct {
	Name  string `json:"name"` // conv1_1, lrn1_1 (stage, and number among those of its kind), pool1, fc6
	Stage int    `json:"-"`    // from 1; 0 for fully connected layers
	Row
	Hidden      bool   `json:"-"` // fully connected with a ReLU and dropout after it
	Torchvision string `json:"-"` // torchvision's name, features.0 or classifier.6, which files use; "" without weights
}

// HasWeights says whether the layer has weights and biases: convolutions and fully connected layers do.
func (l Layer) HasWeights() bool { return l.Torchvision != "" }

// WeightName is the name of the layer's weights in files: features.0.weight.
func (l Layer) WeightName() string { return l.Torchvision + ".weight" }

// BiasName is the name of the layer's biases in files: features.0.bias.
func (l Layer) BiasName() string { return l.Torchvision + ".bias" }

// StageName is the name of the layer's stage, conv1 to conv5 in the paper's nets; a fully connected layer is one of its
// own.
func (l Layer) StageName() string {
	if l.Stage == 0 {
		return l.Name
	}
	return fmt.Sprintf("conv%d", l.Stage)
}

// poolKernel is the side of the max-pools' square in pixels, and their stride (section 2.1).
const poolKernel = 2

// Layers lists all layers from the first convolution to the last fully connected one. Channels are those of Table 1,
// which the options of a graph may change.
func (c Config) Layers() []Layer {
	var layers []Layer
	feature := 0 // in torchvision, which counts the ReLUs and max-pools too
	for s, stage := range c.Stages {
		convolutions, norms := 0, 0
		for _, row := range stage {
			l := Layer{Stage: s + 1, Row: row}
			if row.Kind == LRN {
				norms++
				l.Name = fmt.Sprintf("lrn%d_%d", s+1, norms)
				feature++
			} else {
				convolutions++
				l.Name = fmt.Sprintf("conv%d_%d", s+1, convolutions)
				l.Torchvision = fmt.Sprintf("features.%d", feature)
				feature += 2
			}
			layers = append(layers, l)
		}
		layers = append(layers, Layer{Name: fmt.Sprintf("pool%d", s+1), Stage: s + 1, Row: Row{Kind: MaxPool, Kernel: poolKernel}})
		feature++
	}
	for i, outputs := range []int{FC, FC, Classes} {
		layers = append(layers, Layer{
			Name:        fmt.Sprintf("fc%d", len(c.Stages)+1+i),
			Row:         Row{Kind: FullyConnected, Channels: outputs},
			Hidden:      i < 2,
			Torchvision: fmt.Sprintf("classifier.%d", 3*i), // counts the ReLUs and dropouts too
		})
	}
	return layers
}

// ofKind lists the layers of a kind.
func (c Config) ofKind(kind Kind) []Layer {
	return slices.DeleteFunc(c.Layers(), func(l Layer) bool { return l.Kind != kind })
}

// Convolutions lists the convolutions in order.
func (c Config) Convolutions() []Layer { return c.ofKind(Convolution) }

// FullyConnected lists the three fully connected layers in order, fc6, fc7 and fc8 in the paper's nets. Their names in
// files are the same in all nets.
func (c Config) FullyConnected() []Layer { return c.ofKind(FullyConnected) }

// Select gives the names of the layers with weights that are named (conv1_1, fc6), or whose stages are (conv1). The
// error for a name that is neither lists those that are.
func (c Config) Select(names ...string) (map[string]bool, error) {
	selected, known := map[string]bool{}, map[string]bool{}
	var listed []string
	for _, l := range c.Layers() {
		if !l.HasWeights() {
			continue
		}
		for _, name := range []string{l.StageName(), l.Name} {
			if !known[name] {
				known[name], listed = true, append(listed, name)
			}
			if slices.Contains(names, name) {
				selected[l.Name] = true
			}
		}
	}
	for _, name := range names {
		if !known[name] {
			return nil, errors.Errorf("%q: config %s has no such stage, nor such a layer with weights: it has %s", name, c.Name, strings.Join(listed, ", "))
		}
	}
	return selected, nil
}

// WeightLayers counts the layers that have weights, as the head of Table 1 does: the convolutions and the three fully
// connected layers.
func (c Config) WeightLayers() int { return len(c.Convolutions()) + len(c.FullyConnected()) }

// Stride is the number of pixels of the input, in each direction, to one of the last feature maps: 32 for the paper's
// nets, whose inputs have sides that are multiples of it.
func (c Config) Stride() int { return 1 << len(c.Stages) }

// CheckInput refuses a side in pixels of a net's square input that is not a positive multiple of the stride.
func (c Config) CheckInput(side int) error {
	if stride := c.Stride(); side < 1 || side%stride != 0 {
		return errors.Errorf("pictures of %d×%[1]d pixels cannot be halved by the %d max-pools of net %s: want a multiple of %d", side, len(c.Stages), c.Name, stride)
	}
	return nil
}
