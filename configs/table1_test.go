package configs

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// columns is Table 1 in another notation: a number is a 3×3 convolution, one
// with a stroke a 1×1 convolution, a bar a max-pool.
var columns = map[string]string{
	"A":     "64 | 128 | 256 256 | 512 512 | 512 512",
	"A-LRN": "64 LRN | 128 | 256 256 | 512 512 | 512 512",
	"B":     "64 64 | 128 128 | 256 256 | 512 512 | 512 512",
	"C":     "64 64 | 128 128 | 256 256 256' | 512 512 512' | 512 512 512'",
	"D":     "64 64 | 128 128 | 256 256 256 | 512 512 512 | 512 512 512",
	"E":     "64 64 | 128 128 | 256 256 256 256 | 512 512 512 512 | 512 512 512 512",
}

func column(c Config) string {
	var stages []string
	for _, stage := range c.Stages {
		var layers []string
		for _, l := range stage {
			switch l {
			case lrn():
				layers = append(layers, "LRN")
			case Conv(3, l.Channels):
				layers = append(layers, fmt.Sprint(l.Channels))
			case Conv(1, l.Channels):
				layers = append(layers, fmt.Sprint(l.Channels)+"'")
			default:
				layers = append(layers, l.String())
			}
		}
		stages = append(stages, strings.Join(layers, " "))
	}
	return strings.Join(stages, " | ")
}

// parameters counts weights and biases at 224×224 RGB input and 1,000 classes.
func parameters(c Config) int {
	n, in, side := 0, 3, Input
	for _, stage := range c.Stages {
		for _, l := range stage {
			if l.Kind == Convolution {
				n += l.Kernel*l.Kernel*in*l.Channels + l.Channels
				in = l.Channels
			}
		}
		side /= 2
	}
	in *= side * side
	for _, out := range []int{FC, FC, Classes} {
		n += in*out + out
		in = out
	}
	return n
}

func TestTable1(t *testing.T) {
	order := []string{"A", "A-LRN", "B", "C", "D", "E"}
	weightLayers := []int{11, 11, 13, 16, 16, 19}
	counts := []int{132863336, 132863336, 133047848, 133638952, 138357544, 143667240}
	all := All()
	if len(all) != len(order) {
		t.Fatalf("%d configs, want %d", len(all), len(order))
	}
	for i, c := range all {
		if c.Name != order[i] {
			t.Errorf("config %d is %s, want %s", i, c.Name, order[i])
		}
		if got := column(c); got != columns[c.Name] {
			t.Errorf("%s: %s, want %s", c.Name, got, columns[c.Name])
		}
		if got := c.WeightLayers(); got != weightLayers[i] {
			t.Errorf("%s: %d weight layers, want %d", c.Name, got, weightLayers[i])
		}
		if got := parameters(c); got != counts[i] {
			t.Errorf("%s: %d parameters, want %d", c.Name, got, counts[i])
		}
		if err := c.Validate(); err != nil {
			t.Error(err)
		}
	}
}

func TestTable2(t *testing.T) {
	for i, count := range Table2() {
		c := All()[i]
		if count.Config != c.Name {
			t.Errorf("row %d is %s, want %s", i, count.Config, c.Name)
		}
		if got := parameters(c); got != count.Exact {
			t.Errorf("%s: %d parameters, table says %d", c.Name, got, count.Exact)
		}
		if got := int(math.Round(float64(count.Exact) / 1e6)); got != count.Millions {
			t.Errorf("%s: %d million parameters, table says %d", c.Name, got, count.Millions)
		}
	}
}

func TestByName(t *testing.T) {
	for name, want := range map[string]string{"D": "D", "a-lrn": "A-LRN", "e": "E", "vgg11": "A", "VGG13": "B", "vgg16": "D", "Vgg19": "E", "VGG-16": "D", "vgg_13": "B", "ALRN": "A-LRN", "a_lrn": "A-LRN", "b5x5": "B-5x5"} {
		if c, err := ByName(name); err != nil || c.Name != want {
			t.Errorf("ByName(%q) = %s, %v", name, c.Name, err)
		}
	}
	for name, want := range map[string]string{
		"A-LNR": `; did you mean "A-LRN"?`, "EE": `; did you mean "E"?`, "vgg17": `; did you mean "vgg11"?`, "": ". Known", "16": ". Known", "F": ". Known",
	} {
		_, err := ByName(name)
		mustSay(t, err, fmt.Sprintf("unknown config %q%s", name, want), "A-LRN (11)", "E (19, vgg19)")
	}
	_, err := ByName("VGG16_bn")
	mustSay(t, err, `config "VGG16_bn" has batch normalisation`, "the net without it is D")
}

func TestConfigValidate(t *testing.T) {
	one := func(layers ...Row) Config { return Config{"own", [][]Row{{Conv(3, 8)}, layers}} }
	if err := one(Conv(5, 8), lrn(), Conv(1, 1), lrn()).Validate(); err != nil {
		t.Error(err)
	}
	if err := (Config{"d", D.Stages}).Validate(); err != nil {
		t.Errorf("Table 1's own net under its name: %v", err)
	}
	for _, test := range []struct {
		config Config
		want   string
	}{
		{Config{"", D.Stages}, "config without a name"},
		{Config{"d", B.Stages}, `config "d": the name belongs to a net of the paper`},
		{Config{"own", nil}, `config "own" has no stages`},
		{one(), `config "own": stage 2 is empty`},
		{one(lrn()), "stage 2, layer 1: LRN must follow a convolution"},
		{one(Conv(3, 8), Row{LRN, 5, 0}), "stage 2, layer 2: LRN takes neither kernel nor channels, not 5 and 0"},
		{one(Conv(3, 8), Row{Kind: MaxPool}), `stage 2, layer 2: kind "pool": use Convolution or LRN`},
		{one(Conv(2, 8)), "stage 2, layer 1: kernel 2 must be odd"},
		{one(Conv(-1, 8)), "kernel -1 must be odd and positive"},
		{one(Conv(3, 0)), "channels 0 must be positive"},
		{one(Conv(257, 8)), "kernel 257 and channels 8: want at most 256 and 1048576"},
	} {
		mustSay(t, test.config.Validate(), test.want)
	}
}

// TestParse: what String writes is read back.
func TestParse(t *testing.T) {
	for _, c := range append(All(), B5, Config{"own", [][]Row{{Conv(7, 1), lrn(), lrn()}, {Conv(1, mostChannels)}}}) {
		if got, err := Parse(c.Name, c.String()); err != nil || got.Name != c.Name || !got.equal(c) {
			t.Errorf("%s is read as %+v, %v", c, got, err)
		}
	}
	if got, want := ALRN.String(), "conv3-64 LRN maxpool conv3-128 maxpool conv3-256 conv3-256 maxpool conv3-512 conv3-512 maxpool conv3-512 conv3-512 maxpool"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for layers, want := range map[string]string{
		"":                                     `config "own" has no stages`,
		"maxpool":                              "stage 1 is empty",
		"conv3-8":                              "the last row is conv3-8: want maxpool",
		"conv3-8 maxpool conv3-8":              "the last row is conv3-8: want maxpool",
		"LRN maxpool":                          "LRN must follow a convolution",
		"conv2-8 maxpool":                      "kernel 2 must be odd",
		"conv3-0 maxpool":                      "channels 0 must be positive",
		"conv3-8 relu maxpool":                 `row 2 is "relu": want conv3-64`,
		"conv3-08 maxpool":                     `row 1 is "conv3-08"`,
		"conv3-8x maxpool":                     `row 1 is "conv3-8x"`,
		"conv3-9999999 maxpool":                "kernel 3 and channels 9999999: want at most 256 and 1048576",
		"conv3-8 FC-4096 maxpool":              `row 2 is "FC-4096"`,
		strings.Repeat("conv3-8 maxpool ", 17): "17 stages of 17 rows",
		strings.Repeat("conv3-8 ", 1001) + "maxpool": "1 stages of 1001 rows",
	} {
		_, err := Parse("own", layers)
		mustSay(t, err, `config "own"`, want)
	}
	_, err := Parse("D", "conv3-8 maxpool")
	mustSay(t, err, "the name belongs to a net of the paper")
}

// FuzzParse: what is read passes Validate, and String writes it.
func FuzzParse(f *testing.F) {
	f.Add("conv3-64 LRN maxpool conv5-128 maxpool")
	f.Add(D.String())
	f.Fuzz(func(t *testing.T, layers string) {
		c, err := Parse("own", layers)
		if err == nil && (c.Validate() != nil || c.String() != strings.Join(strings.Fields(layers), " ")) {
			t.Fatalf("%q is read as %q: %v", layers, c, c.Validate())
		}
	})
}

func TestRowString(t *testing.T) {
	for want, r := range map[string]Row{"conv3-64": Conv(3, 64), "conv1-512": c1(512), "LRN": lrn(), "maxpool": {Kind: MaxPool}, "FC-4096": {Kind: FullyConnected, Channels: FC}} {
		if r.String() != want {
			t.Errorf("%s, want %s", r, want)
		}
	}
}

// mustSay wants an error of one line that contains all of the parts.
func mustSay(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want %q", parts)
		return
	}
	if strings.ContainsAny(err.Error(), "\r\n") {
		t.Errorf("%q is more than a line", err)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}

// TestLayers: the numbers are those of torchvision's vgg11 and vgg16, and go on counting where LRN is in between.
func TestLayers(t *testing.T) {
	for _, c := range []struct {
		config Config
		want   string
	}{
		{A, "conv1_1:0 pool1 conv2_1:3 pool2 conv3_1:6 conv3_2:8 pool3 conv4_1:11 conv4_2:13 pool4 conv5_1:16 conv5_2:18 pool5"},
		{ALRN, "conv1_1:0 lrn1_1 pool1 conv2_1:4 pool2 conv3_1:7 conv3_2:9 pool3 conv4_1:12 conv4_2:14 pool4 conv5_1:17 conv5_2:19 pool5"},
		{D, "conv1_1:0 conv1_2:2 pool1 conv2_1:5 conv2_2:7 pool2 conv3_1:10 conv3_2:12 conv3_3:14 pool3 conv4_1:17 conv4_2:19 conv4_3:21 pool4 conv5_1:24 conv5_2:26 conv5_3:28 pool5"},
	} {
		var got []string
		var rows []Row
		for _, l := range c.config.Layers() {
			switch number, isFeature := strings.CutPrefix(l.Torchvision, "features."); {
			case isFeature:
				got = append(got, l.Name+":"+number)
			case l.Stage > 0:
				got = append(got, l.Name)
			}
			if l.Kind == Convolution || l.Kind == LRN {
				rows = append(rows, l.Row)
			}
			if l.Stage > 0 && !strings.HasPrefix(strings.TrimLeft(l.Name, "convlrp"), fmt.Sprint(l.Stage)) {
				t.Errorf("%s: stage %d has %s", c.config.Name, l.Stage, l.Name)
			}
		}
		if got := strings.Join(got, " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.config.Name, got, c.want)
		}
		if want := slices.Concat(c.config.Stages...); !slices.Equal(rows, want) {
			t.Errorf("%s: %v, want %v", c.config.Name, rows, want)
		}
		got = nil
		for _, l := range c.config.FullyConnected() {
			got = append(got, fmt.Sprintf("%s %v %s %t", l.Name, l.Row, l.WeightName(), l.Hidden))
		}
		if got, want := strings.Join(got, ", "), "fc6 FC-4096 classifier.0.weight true, fc7 FC-4096 classifier.3.weight true, fc8 FC-1000 classifier.6.weight false"; got != want {
			t.Errorf("%s: %s, want %s", c.config.Name, got, want)
		}
	}
}
