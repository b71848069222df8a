// Package configs is the paper as data: what a net is made of, how it is
// trained, and what the authors measured. Layers go out to package graph as a
// [Config], hyper-parameters to package trainer as a [Recipe] (in come names,
// TOML files and --set flags), reported errors to whoever prints a comparison.
// It covers Tables 1 and 2 (section 2), the training of section 3.1, and Tables
// 3 to 7 (section 4) of Simonyan & Zisserman, arXiv 1409.1556.
package configs

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pkg/errors"
)

// Kind says what a [Layer] does.
type Kind int

const (
	// Convolution has stride 1, padding (kernel-1)/2, which keeps the
	// resolution, a bias, and a ReLU after it. It is the zero value.
	Convolution Kind = iota
	// LRN is local response normalisation across channels; shape kept, no
	// weights. Its parameters are LRNK, LRNN, LRNAlpha and LRNBeta.
	LRN
)

// Parameters of local response normalisation, those of Krizhevsky et al.
// (2012), which section 2.1 takes over:
//
//	b_c = a_c / (k + alpha * sum of a_j² over the n channels around c)^beta
//
// Alpha is not divided by n, as in the paper that defines it; Caffe and PyTorch
// divide, so there the same layer is written alpha = 5e-4.
const (
	LRNK     = 2
	LRNN     = 5
	LRNAlpha = 1e-4
	LRNBeta  = 0.75
)

// The fixed sizes of Table 1: width of the first two fully connected layers,
// classes of ILSVRC, and side of the square input in pixels.
const (
	FC      = 4096
	Classes = 1000
	Input   = 224
)

// Layer is one row of a column of Table 1.
type Layer struct {
	Kind     Kind
	Kernel   int // side of the square kernel in pixels, odd; 0 for LRN
	Channels int // output channels at width 1; 0 for LRN
}

// Conv returns a convolution with a kernel×kernel receptive field.
func Conv(kernel, channels int) Layer { return Layer{Convolution, kernel, channels} }

// String writes the layer as Table 1 does: "conv3-64", "LRN".
func (l Layer) String() string {
	if l.Kind == LRN {
		return "LRN"
	}
	return fmt.Sprintf("conv%d-%d", l.Kernel, l.Channels)
}

// Config is a column of Table 1, or a net of the user's own written the same
// way. A 2×2 max-pool of stride 2 follows every stage; after the last come
// FC, FC and FC-classes, with a ReLU and dropout after the first two.
type Config struct {
	Name   string
	Stages [][]Layer
}

func c3(channels int) Layer { return Conv(3, channels) }
func c1(channels int) Layer { return Conv(1, channels) }

func lrn() Layer { return Layer{Kind: LRN} }

// Table 1, a line a stage. Treat as read-only.
var (
	A = Config{"A", [][]Layer{
		{c3(64)},
		{c3(128)},
		{c3(256), c3(256)},
		{c3(512), c3(512)},
		{c3(512), c3(512)},
	}}
	ALRN = Config{"A-LRN", [][]Layer{
		{c3(64), lrn()},
		{c3(128)},
		{c3(256), c3(256)},
		{c3(512), c3(512)},
		{c3(512), c3(512)},
	}}
	B = Config{"B", [][]Layer{
		{c3(64), c3(64)},
		{c3(128), c3(128)},
		{c3(256), c3(256)},
		{c3(512), c3(512)},
		{c3(512), c3(512)},
	}}
	C = Config{"C", [][]Layer{
		{c3(64), c3(64)},
		{c3(128), c3(128)},
		{c3(256), c3(256), c1(256)},
		{c3(512), c3(512), c1(512)},
		{c3(512), c3(512), c1(512)},
	}}
	D = Config{"D", [][]Layer{
		{c3(64), c3(64)},
		{c3(128), c3(128)},
		{c3(256), c3(256), c3(256)},
		{c3(512), c3(512), c3(512)},
		{c3(512), c3(512), c3(512)},
	}}
	E = Config{"E", [][]Layer{
		{c3(64), c3(64)},
		{c3(128), c3(128)},
		{c3(256), c3(256), c3(256), c3(256)},
		{c3(512), c3(512), c3(512), c3(512)},
		{c3(512), c3(512), c3(512), c3(512)},
	}}
)

// B5 is the shallow net that section 4.1 compares with B: each pair of 3×3
// convolutions is one of 5×5, which sees as much. Treat as read-only.
var B5 = Config{"B-5x5", [][]Layer{
	{Conv(5, 64)},
	{Conv(5, 128)},
	{Conv(5, 256)},
	{Conv(5, 512)},
	{Conv(5, 512)},
}}

// All returns the columns of Table 1 in the paper's order.
func All() []Config { return []Config{A, ALRN, B, C, D, E} }

// ByName returns the column of Table 1 with that name, in any case, or B5. The
// error for an unknown name lists the known ones and suggests the nearest.
func ByName(name string) (Config, error) {
	var names, listed []string
	for _, c := range append(All(), B5) {
		if strings.EqualFold(c.Name, name) {
			return c, nil
		}
		names = append(names, c.Name)
		listed = append(listed, fmt.Sprintf("%s (%d)", c.Name, c.WeightLayers()))
	}
	return Config{}, errors.Errorf("unknown config %q; did you mean %q? Known, with their weight layers, are %s",
		name, nearest(name, names), strings.Join(listed, ", "))
}

// WeightLayers counts the layers that have weights, as the head of Table 1
// does: the convolutions and the three fully connected layers.
func (c Config) WeightLayers() int {
	n := 3
	for _, stage := range c.Stages {
		for _, l := range stage {
			if l.Kind == Convolution {
				n++
			}
		}
	}
	return n
}

// Row is a layer in its place.
type Row struct {
	Layer
	Stage   int    // from 1
	Name    string // conv1_1, lrn1_1: stage, and number among those of its kind
	Feature int    // in torchvision, which counts the ReLUs and max-pools too: features.0
}

// Rows lists the layers of all stages in order.
func (c Config) Rows() []Row {
	var rows []Row
	feature := 0
	for s, stage := range c.Stages {
		convs, norms := 0, 0
		for _, l := range stage {
			row := Row{Layer: l, Stage: s + 1, Feature: feature}
			if l.Kind == LRN {
				norms++
				row.Name = fmt.Sprintf("lrn%d_%d", s+1, norms)
				feature++
			} else {
				convs++
				row.Name = fmt.Sprintf("conv%d_%d", s+1, convs)
				feature += 2
			}
			rows = append(rows, row)
		}
		feature++
	}
	return rows
}

// Validate says whether a net can be built from the config; the error names the
// stage and layer that stand in the way. A net of the user's own needs a name
// that ByName does not know for another net, because weights files store it.
func (c Config) Validate() error {
	if c.Name == "" {
		return errors.New("config without a name: set Config.Name")
	}
	if known, err := ByName(c.Name); err == nil && !known.equal(c) {
		return errors.Errorf("config %q: the name belongs to a net of the paper with other layers; choose another", c.Name)
	}
	if len(c.Stages) == 0 {
		return errors.Errorf("config %q has no stages: give at least one", c.Name)
	}
	for s, stage := range c.Stages {
		if len(stage) == 0 {
			return errors.Errorf("config %q: stage %d is empty: give it a convolution", c.Name, s+1)
		}
		for i, l := range stage {
			if fault := l.fault(i == 0); fault != "" {
				return errors.Errorf("config %q: stage %d, layer %d: %s", c.Name, s+1, i+1, fault)
			}
		}
	}
	return nil
}

// fault says what is wrong with a layer, "" if nothing is.
func (l Layer) fault(first bool) string {
	switch {
	case l.Kind == LRN && first:
		return "LRN must follow a convolution of its stage"
	case l.Kind == LRN && (l.Kernel != 0 || l.Channels != 0):
		return fmt.Sprintf("LRN takes neither kernel nor channels, not %d and %d", l.Kernel, l.Channels)
	case l.Kind == LRN:
		return ""
	case l.Kind != Convolution:
		return fmt.Sprintf("unknown kind %d: use Convolution or LRN", l.Kind)
	case l.Kernel < 1 || l.Kernel%2 == 0:
		return fmt.Sprintf("kernel %d must be odd and positive, so that padding keeps the resolution", l.Kernel)
	case l.Channels < 1:
		return fmt.Sprintf("channels %d must be positive", l.Channels)
	}
	return ""
}

// equal compares the layers.
func (c Config) equal(other Config) bool {
	return slices.EqualFunc(c.Stages, other.Stages, slices.Equal[[]Layer])
}
