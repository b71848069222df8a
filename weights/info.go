package weights

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/internal/finite"
	"vgg/internal/text"
)

// Info describes the net of a weights file.
type Info struct {
	Config       string             // the column of Table 1: A, A-LRN, B, C, D, E, or the name of the user's own net
	Layers       string             // of the user's own net, as configs.Parse takes them; "" for the paper's
	Width        float64            // multiplier of Table 1's channel counts; 1 is the paper's
	FC           int                // outputs of fc6 and fc7; the paper's 4096
	Input        int                // pixels of the side of a training crop; the paper's 224
	Channels     int                // 1 for grey, 3 for RGB
	Classes      []string           // the names by label
	Boxes        configs.Regression // of a net that predicts boxes (appendix A); "" for one that classifies
	Mean, Std    []float64          // per channel, in 0–255 units: the net sees (pixel − mean) / std
	Scale        configs.Scale      // the training scale S of section 3.1; zero where pictures were not resized
	Recipe       string             // the recipe's name; "" where unknown
	Epoch        int                // epochs trained; 0 where unknown
	ValTop1Error float64            // in percent, after that epoch, of test 1 of appendix A where Boxes is set; NaN where unknown
	Split        string             // what it was trained and validated on, see dataset.Set.SplitID; "" where unknown
	Sample       string             // of the pictures it was trained on, see dataset.Set.TrainingSample; "" where unknown
	ValShare     float64            // with Split: the share of the pictures to be drawn for validation where none were given
	SplitSeed    uint64             // and the seed that draws it
}

// boxesKey is the metadata key of Info.Boxes.
const boxesKey = "boxes"

// maxClasses limits what ParseInfo allocates, far above the 21,841 classes of
// the whole of ImageNet.
const maxClasses = 1 << 20

// Metadata is the form of i that File.Metadata holds, which ParseInfo reads. Numbers are in decimal, several with
// commas between them; class_names is a JSON array.
func (i Info) Metadata() map[string]string {
	m := map[string]string{
		"config":    i.Config,
		"width":     formatFloat(i.Width),
		"fc":        strconv.Itoa(i.FC),
		"input":     strconv.Itoa(i.Input),
		"channels":  strconv.Itoa(i.Channels),
		"classes":   strconv.Itoa(len(i.Classes)),
		"mean":      formatFloats(i.Mean),
		"std":       formatFloats(i.Std),
		"scale_min": strconv.Itoa(i.Scale.Min),
		"scale_max": strconv.Itoa(i.Scale.Max),
		"recipe":    i.Recipe,
		"epoch":     strconv.Itoa(i.Epoch),
	}
	m[ClassNamesKey] = EncodeClassNames(i.Classes)
	if i.Sample != "" {
		m["training_sample"] = i.Sample
	}
	if i.Split != "" {
		m["split"], m["val_share"], m["split_seed"] = i.Split, formatFloat(i.ValShare), strconv.FormatUint(i.SplitSeed, 10)
	}
	if i.Layers != "" {
		m["layers"] = i.Layers
	}
	if i.Boxes != "" {
		m[boxesKey] = string(i.Boxes)
	}
	if !math.IsNaN(i.ValTop1Error) {
		m["val_top1_error"] = formatFloat(i.ValTop1Error)
	}
	return m
}

func formatFloat(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func formatFloats(vs []float64) string {
	texts := make([]string, len(vs))
	for i, v := range vs {
		texts[i] = formatFloat(v)
	}
	return strings.Join(texts, ",")
}

// HasInfo tells whether metadata describe a net as those of Info do, perhaps in part.
func HasInfo(m map[string]string) bool {
	return slices.ContainsFunc([]string{"config", "layers", "width", "fc", "input", "channels", "mean", "std", "classes", ClassNamesKey},
		func(key string) bool { return m[key] != "" })
}

// MissingKeysError says which keys that a net needs are missing from a file's metadata.
type MissingKeysError struct {
	Keys []string // config, width, fc, input, channels, mean, std, classes: those of them that are missing
}

// Error lists the keys.
func (e *MissingKeysError) Error() string {
	return "the metadata lacks " + strings.Join(e.Keys, ", ")
}

// ParseInfo reads what Metadata wrote. If keys are missing, as in files of other programs, the error is a
// *MissingKeysError; a caller that knows their values puts them into m before the call. Without class_names the classes
// are called "0", "1", and so on; scale, recipe, epoch, error and split may be missing. Unknown keys are ignored.
func ParseInfo(m map[string]string) (Info, error) {
	p := infoParser{metadata: m}
	config, _ := p.text("config", required)
	if known, err := configs.ByName(config); err == nil && m["layers"] == "" {
		config = known.Name // which may have several
	}
	i := Info{
		Config:       config,
		Layers:       m["layers"],
		Width:        p.number("width", required),
		FC:           p.count("fc", required, 1),
		Input:        p.count("input", required, 1),
		Channels:     p.count("channels", required, 1),
		Mean:         p.numbers("mean", required),
		Std:          p.numbers("std", required),
		Scale:        configs.Scale{Min: p.count("scale_min", optional, 0), Max: p.count("scale_max", optional, 0)},
		Boxes:        configs.Regression(m[boxesKey]),
		Recipe:       m["recipe"],
		Epoch:        p.count("epoch", optional, 0),
		ValTop1Error: math.NaN(),
		Split:        m["split"],
		Sample:       m["training_sample"],
		ValShare:     p.number("val_share", optional),
		SplitSeed:    p.seed("split_seed"),
	}
	i.Classes = p.classes()
	if _, ok := m["val_top1_error"]; ok {
		i.ValTop1Error = p.number("val_top1_error", optional)
	}
	if len(p.missing) > 0 {
		return Info{}, errors.WithStack(&MissingKeysError{p.missing})
	}
	p.check(i.Config != "", "config", "is empty")
	p.check(i.Width > 0, "width", "is not above 0")
	p.check(len(i.Mean) == i.Channels, "mean", "wants one number per channel")
	p.check(len(i.Std) == i.Channels, "std", "wants one number per channel")
	for _, s := range i.Std {
		p.check(s > 0, "std", "is not above 0")
	}
	p.check(slices.Contains([]configs.Regression{"", configs.RegressPerClass, configs.RegressSingle}, i.Boxes), boxesKey, "is not per-class or single")
	p.check((i.Scale.Min == 0) == (i.Scale.Max == 0) && i.Scale.Min <= i.Scale.Max, "scale_max", "does not follow from scale_min")
	if p.err == nil && i.Layers != "" {
		_, p.err = i.Net()
	}
	if p.err != nil {
		return Info{}, p.err
	}
	return i, nil
}

// Info is ParseInfo for a file: it is an error, too, if the file lacks the weights that all nets have.
func (f *File) Info() (Info, error) {
	var missing, names []string
	for _, name := range []string{FirstLayer, "classifier.0.weight", "classifier.3.weight", "classifier.6.weight"} {
		if _, ok := f.Tensor(name); !ok {
			missing = append(missing, name)
		}
	}
	if missing == nil {
		return ParseInfo(f.Metadata)
	}
	for _, t := range f.Tensors {
		names = append(names, t.Name)
	}
	if names == nil {
		return Info{}, errors.Errorf("no %s: the file has no tensors", FirstLayer)
	}
	return Info{}, errors.Errorf("not a net of the paper: it has no %s; its tensors are %s", text.FirstFew(missing, 4), text.FirstFew(names, 30))
}

// Classifies refuses a net that predicts boxes, where one that classifies is wanted.
func (i Info) Classifies() error {
	if i.Boxes == "" {
		return nil
	}
	return errors.Errorf("the net predicts boxes (%s): give the classification net", i.Boxes)
}

// PredictsBoxes refuses a net that classifies, where one that predicts boxes is wanted.
func (i Info) PredictsBoxes() error {
	if i.Boxes != "" {
		return nil
	}
	return errors.New("the net classifies and predicts no boxes: give one trained on boxes (recipe key boxes.regression)")
}

// Classifies is Info.Classifies for a file, whose metadata may lack what Info needs.
func (f *File) Classifies() error {
	return Info{Boxes: configs.Regression(f.Metadata[boxesKey])}.Classifies()
}

// Net is the net that Config and Layers describe.
func (i Info) Net() (configs.Config, error) {
	if i.Layers == "" {
		return configs.ByName(i.Config)
	}
	net, err := configs.Parse(i.Config, i.Layers)
	return net, errors.Wrap(err, "metadata layers")
}

// LayersOf is what Info.Layers is for a net.
func LayersOf(net configs.Config) string {
	if _, err := configs.ByName(net.Name); err == nil {
		return ""
	}
	return net.String()
}

// infoParser collects the missing keys, and the first error in a key that is there.
type infoParser struct {
	metadata map[string]string
	missing  []string
	err      error
}

// need says whether a key may be missing.
type need bool

const (
	required need = true
	optional need = false
)

func (p *infoParser) check(ok bool, key, what string) {
	if !ok && p.err == nil {
		p.err = errors.Errorf("metadata %s %.60q %s", key, p.metadata[key], what)
	}
}

// text looks a key up.
func (p *infoParser) text(key string, n need) (string, bool) {
	s, ok := p.metadata[key]
	if !ok && n == required {
		p.missing = append(p.missing, key)
	}
	return s, ok
}

func (p *infoParser) count(key string, n need, least int) int {
	s, ok := p.text(key, n)
	if !ok {
		return 0
	}
	v, err := strconv.Atoi(s)
	p.check(err == nil && v >= least, key, "is not a whole number from "+strconv.Itoa(least)+" up")
	return v
}

// seed may be missing.
func (p *infoParser) seed(key string) uint64 {
	s, ok := p.text(key, optional)
	if !ok {
		return 0
	}
	v, err := strconv.ParseUint(s, 10, 64)
	p.check(err == nil, key, "is not a whole number from 0 to 2^64 - 1")
	return v
}

func (p *infoParser) number(key string, n need) float64 {
	vs := p.numbers(key, n)
	p.check(len(vs) <= 1, key, "is not one number")
	if len(vs) == 0 {
		return 0
	}
	return vs[0]
}

// numbers reads finite numbers with commas between them.
func (p *infoParser) numbers(key string, n need) []float64 {
	s, ok := p.text(key, n)
	if !ok {
		return nil
	}
	var vs []float64
	for _, part := range strings.Split(s, ",") {
		v, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		p.check(err == nil && finite.Is(v), key, "is not made of finite numbers with commas between")
		vs = append(vs, v)
	}
	return vs
}

// classes reads the number of classes and their names.
func (p *infoParser) classes() []string {
	n := p.count("classes", required, 1)
	if array, ok := p.metadata[ClassNamesKey]; ok {
		names, err := decodeClassNames(array)
		p.check(err == nil, ClassNamesKey, "is not a JSON array of strings")
		p.check(len(names) == n, "classes", "is not the number of class_names")
		return names
	}
	p.check(n <= maxClasses, "classes", "is more than "+strconv.Itoa(maxClasses))
	if p.err != nil {
		return nil
	}
	return NumberedClasses(n)
}
