package configs

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pkg/errors"
)

// Kind says what a layer does.
type Kind string

const (
	// Convolution has stride 1, padding (kernel-1)/2, which keeps the resolution, a bias, and a ReLU after it.
	Convolution Kind = "conv"
	// LRN is local response normalisation across channels; it keeps the shape and has no weights. Its parameters are
	// LRNK, LRNN, LRNAlpha and LRNBeta.
	LRN Kind = "lrn"
	// MaxPool takes the maxima of 2×2 pixels with stride 2. It ends every stage.
	MaxPool Kind = "pool"
	// FullyConnected has a bias; the hidden ones have a ReLU and dropout after it.
	FullyConnected Kind = "fc"
)

// Parameters of local response normalisation (section 2.1), those of Krizhevsky
// et al. (2012):
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

// Row is a row of a column of Table 1.
type Row struct {
	Kind     Kind `json:"kind"`
	Kernel   int  `json:"kernel,omitempty"` // side of the square kernel in pixels, odd for convolutions; 0 for LRN and FullyConnected
	Channels int  `json:"-"`                // outputs at width 1; 0 for LRN and MaxPool, which keep their number
}

// Conv returns a convolution with a kernel×kernel receptive field.
func Conv(kernel, channels int) Row { return Row{Convolution, kernel, channels} }

// String writes the row as Table 1 does: "conv3-64", "LRN", "maxpool", "FC-4096".
func (r Row) String() string {
	switch r.Kind {
	case Convolution:
		return fmt.Sprintf("conv%d-%d", r.Kernel, r.Channels)
	case LRN:
		return "LRN"
	case MaxPool:
		return "maxpool"
	case FullyConnected:
		return fmt.Sprintf("FC-%d", r.Channels)
	}
	return string(r.Kind)
}

// Config is a column of Table 1, or a net of the user's own written the same way. Stages are made of convolutions and
// LRN; a 2×2 max-pool of stride 2 follows every stage. After the last come FC, FC and FC-classes, with a ReLU and
// dropout after the first two. Layers lists them all.
type Config struct {
	Name   string
	Stages [][]Row
}

func c3(channels int) Row { return Conv(3, channels) }
func c1(channels int) Row { return Conv(1, channels) }

func lrn() Row { return Row{Kind: LRN} }

// Table 1, a line for each stage. Treat as read-only.
var (
	A = Config{"A", [][]Row{
		{c3(64)},
		{c3(128)},
		{c3(256), c3(256)},
		{c3(512), c3(512)},
		{c3(512), c3(512)},
	}}
	ALRN = Config{"A-LRN", [][]Row{
		{c3(64), lrn()},
		{c3(128)},
		{c3(256), c3(256)},
		{c3(512), c3(512)},
		{c3(512), c3(512)},
	}}
	B = Config{"B", [][]Row{
		{c3(64), c3(64)},
		{c3(128), c3(128)},
		{c3(256), c3(256)},
		{c3(512), c3(512)},
		{c3(512), c3(512)},
	}}
	C = Config{"C", [][]Row{
		{c3(64), c3(64)},
		{c3(128), c3(128)},
		{c3(256), c3(256), c1(256)},
		{c3(512), c3(512), c1(512)},
		{c3(512), c3(512), c1(512)},
	}}
	D = Config{"D", [][]Row{
		{c3(64), c3(64)},
		{c3(128), c3(128)},
		{c3(256), c3(256), c3(256)},
		{c3(512), c3(512), c3(512)},
		{c3(512), c3(512), c3(512)},
	}}
	E = Config{"E", [][]Row{
		{c3(64), c3(64)},
		{c3(128), c3(128)},
		{c3(256), c3(256), c3(256), c3(256)},
		{c3(512), c3(512), c3(512), c3(512)},
		{c3(512), c3(512), c3(512), c3(512)},
	}}
)

// B5 is the shallow net that section 4.1 compares with B: each pair of 3×3
// convolutions is replaced by one of 5×5, with the same receptive field. Treat as
// read-only.
var B5 = Config{"B-5x5", [][]Row{
	{Conv(5, 64)},
	{Conv(5, 128)},
	{Conv(5, 256)},
	{Conv(5, 512)},
	{Conv(5, 512)},
}}

// All returns the columns of Table 1 in the paper's order.
func All() []Config { return []Config{A, ALRN, B, C, D, E} }

// torchvision is what PyTorch's users call columns of Table 1.
var torchvision = map[string]string{"A": "vgg11", "B": "vgg13", "D": "vgg16", "E": "vgg19"}

// ByName returns the column of Table 1 with that name, or B5. Columns A, B, D and E are also called vgg11, vgg13, vgg16
// and vgg19. Capitals do not matter, nor do hyphens, underscores and spaces. The error for an unknown name lists the
// known ones and suggests the nearest.
func ByName(name string) (Config, error) {
	plain, normalised := strings.CutSuffix(bare(name), "bn")
	var names, listed []string
	for _, c := range append(All(), B5) {
		other, known := torchvision[c.Name]
		if plain == bare(c.Name) || known && plain == other {
			if normalised {
				return Config{}, errors.Errorf("config %q has batch normalisation, which none of the paper's nets has; the net without it is %s", name, c.Name)
			}
			return c, nil
		}
		if names = append(names, c.Name); known {
			names = append(names, other)
			other = ", " + other
		}
		listed = append(listed, fmt.Sprintf("%s (%d%s)", c.Name, c.WeightLayers(), other))
	}
	return Config{}, unknown("config", name, suggest(name, names), "Known, with their weight layers and other names, are "+strings.Join(listed, ", "))
}

// bare is a name in small letters without what separates its parts.
func bare(name string) string {
	return strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(name))
}

// String writes the stages row by row as Table 1 does: "conv3-64 LRN maxpool conv3-128 maxpool". The fully connected
// layers, which all nets have, are left out.
func (c Config) String() string {
	var rows []string
	for _, stage := range c.Stages {
		for _, r := range stage {
			rows = append(rows, r.String())
		}
		rows = append(rows, Row{Kind: MaxPool}.String())
	}
	return strings.Join(rows, " ")
}

// The most that a config may have, far more than any net has.
const (
	mostStages   = 16 // which reduce 65,536 pixels to one
	mostRows     = 1000
	mostKernel   = 1 << 8
	mostChannels = 1 << 20
)

// Parse makes a config of the text that String writes. It is an error if the config does not pass Validate.
func Parse(name, layers string) (Config, error) {
	c := Config{Name: name}
	var stage []Row
	rows := strings.Fields(layers)
	for i, text := range rows {
		r := Row{Kind: Convolution}
		switch {
		case text == (Row{Kind: MaxPool}).String():
			c.Stages, stage = append(c.Stages, stage), nil
			continue
		case text == lrn().String():
			r = lrn()
		default:
			_, err := fmt.Sscanf(text, "conv%d-%d", &r.Kernel, &r.Channels)
			if err != nil || r.String() != text {
				return Config{}, errors.Errorf("config %q: row %d is %.40q: want conv3-64 (kernel and channels), LRN or maxpool", name, i+1, text)
			}
		}
		stage = append(stage, r)
	}
	if len(stage) > 0 {
		return Config{}, errors.Errorf("config %q: the last row is %s: want maxpool, which ends every stage", name, stage[len(stage)-1])
	}
	return c, c.Validate()
}

// Validate checks that a net can be built from the config; the error names the
// stage and the layer at fault. A net of the user's own needs a name that no net
// of the paper has, because weights files store it.
func (c Config) Validate() error {
	if c.Name == "" {
		return errors.New("config without a name: set Config.Name")
	}
	if known, err := ByName(c.Name); err == nil && !known.equal(c) {
		return errors.Errorf("config %q: the name belongs to a net of the paper with other layers; choose another", c.Name)
	}
	rows := 0
	for _, stage := range c.Stages {
		rows += len(stage)
	}
	switch {
	case len(c.Stages) == 0:
		return errors.Errorf("config %q has no stages: give at least one", c.Name)
	case len(c.Stages) > mostStages || rows > mostRows:
		return errors.Errorf("config %q: %d stages of %d rows: want at most %d and %d", c.Name, len(c.Stages), rows, mostStages, mostRows)
	}
	for s, stage := range c.Stages {
		if len(stage) == 0 {
			return errors.Errorf("config %q: stage %d is empty: give it a convolution", c.Name, s+1)
		}
		for i, r := range stage {
			if fault := r.fault(i == 0); fault != "" {
				return errors.Errorf("config %q: stage %d, layer %d: %s", c.Name, s+1, i+1, fault)
			}
		}
	}
	return nil
}

// fault says what is wrong with a row of a stage, "" if nothing is.
func (r Row) fault(first bool) string {
	switch {
	case r.Kind == LRN && first:
		return "LRN must follow a convolution of its stage"
	case r.Kind == LRN && (r.Kernel != 0 || r.Channels != 0):
		return fmt.Sprintf("LRN takes neither kernel nor channels, not %d and %d", r.Kernel, r.Channels)
	case r.Kind == LRN:
		return ""
	case r.Kind != Convolution:
		return fmt.Sprintf("kind %q: use Convolution or LRN", r.Kind)
	case r.Kernel < 1 || r.Kernel%2 == 0:
		return fmt.Sprintf("kernel %d must be odd and positive, so that padding keeps the resolution", r.Kernel)
	case r.Channels < 1:
		return fmt.Sprintf("channels %d must be positive", r.Channels)
	case r.Kernel > mostKernel || r.Channels > mostChannels:
		return fmt.Sprintf("kernel %d and channels %d: want at most %d and %d", r.Kernel, r.Channels, mostKernel, mostChannels)
	}
	return ""
}

// equal compares the stages.
func (c Config) equal(other Config) bool {
	return slices.EqualFunc(c.Stages, other.Stages, slices.Equal[[]Row])
}
