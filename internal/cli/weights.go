package cli

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pkg/errors"

	"vgg/weights"
	"vgg/weights/foreign"
)

// Overrides are flags, for commands to embed, that supply what the metadata of a weights file lack or have wrong. Each but
// the first is named after its key of the metadata.
type Overrides struct {
	StateDict     string   `help:"Net to take from a file of several: the key of its dict, or what the names of its tensors begin with." placeholder:"NAME" group:"What the weights' file leaves open:"`
	Config        string   `help:"Net that the weights are of, where the file does not tell: A, A-LRN, B, C, D or E." placeholder:"NET" group:"What the weights' file leaves open:"`
	Width         *float64 `help:"Their multiplier of the channels." placeholder:"FACTOR" group:"What the weights' file leaves open:"`
	FC            *int     `name:"fc" help:"Width of their hidden fully connected layers." placeholder:"N" group:"What the weights' file leaves open:"`
	Input         *int     `help:"Side of the pictures that they are for, in pixels." placeholder:"N" group:"What the weights' file leaves open:"`
	Channels      *int     `help:"Channels of the pictures: 1 or 3." placeholder:"N" group:"What the weights' file leaves open:"`
	Classes       string   `help:"Names of the classes, a line each, in the order of the outputs; or how many there are." placeholder:"FILE|N" group:"What the weights' file leaves open:"`
	Normalisation string   `help:"What the net expects of pixels: paper (less ImageNet's mean), torchvision (also divided by the deviation) or caffe (as paper, but for weights whose first layer takes B, G, R)." placeholder:"NAME" group:"What the weights' file leaves open:"`
	Mean          string   `help:"What is subtracted from pixels of 0 to 255." placeholder:"R,G,B" group:"What the weights' file leaves open:"`
	Std           string   `help:"What they are then divided by." placeholder:"R,G,B" group:"What the weights' file leaves open:"`
}

// ReadWeights reads a weights file of any format and puts what the flags say into its metadata. The file's notes tell, too,
// how pixels are normalised where neither the file nor a flag does.
func (o Overrides) ReadWeights(path string) (*weights.File, error) {
	classes, err := o.classes()
	if err != nil {
		return nil, err
	}
	f, err := foreign.ReadNet(path, o.StateDict)
	if errors.Is(err, foreign.ErrSeveral) {
		return nil, errors.Errorf("%v with --state-dict NAME", err)
	}
	if err != nil {
		return nil, err
	}
	if f.Assumed != "" && o.Normalisation == "" && o.Mean == "" && o.Std == "" {
		f.Note("the file does not say how pixels are normalised: taken to be as for %s (--normalisation, --mean and --std change that)", sources[f.Assumed])
	}
	for i, note := range f.Notes {
		f.Notes[i] = path + ": " + note
	}
	if f.Metadata == nil {
		f.Metadata = map[string]string{}
	}
	if o.Normalisation != "" {
		if err := f.Normalise(weights.Normalisation(o.Normalisation)); err != nil {
			return nil, Usage(errors.Wrapf(err, "%s: --normalisation", path))
		}
	}
	put := func(key, value string) {
		if value != "" {
			f.Metadata[key] = value
		}
	}
	if put("config", o.Config); o.Config != "" {
		delete(f.Metadata, "layers")
	}
	putNumber(f.Metadata, "width", o.Width)
	putNumber(f.Metadata, "fc", o.FC)
	putNumber(f.Metadata, "input", o.Input)
	putNumber(f.Metadata, "channels", o.Channels)
	put("mean", o.Mean)
	put("std", o.Std)
	if o.Mean != "" || o.Std != "" {
		put(weights.NormalisationKey, "custom")
	}
	if classes != nil {
		delete(f.Metadata, "class_names")
		for key, value := range classes {
			f.Metadata[key] = value
		}
	}
	return f, nil
}

// sources are the nets whose normalisation is assumed.
var sources = map[weights.Normalisation]string{weights.TorchVision: "torchvision's nets", weights.Caffe: "the authors' Caffe nets"}

// valuesOf gives the form of a flag's value where it is not obvious.
var valuesOf = map[string]string{"mean": " R,G,B", "std": " R,G,B"}

// NameOverrides adds to an error about missing keys of metadata the flags of Overrides that supply them. It returns other
// errors unchanged.
func NameOverrides(err error) error {
	var missing *weights.MissingKeysError
	if !errors.As(err, &missing) {
		return err
	}
	var flags []string
	for _, key := range missing.Keys {
		flags = append(flags, "--"+key+valuesOf[key])
	}
	return errors.Errorf("%v: give %s", err, strings.Join(flags, " "))
}

func putNumber[T int | float64](metadata map[string]string, key string, value *T) {
	if value != nil {
		metadata[key] = strconv.FormatFloat(float64(*value), 'g', -1, 64)
	}
}

// classes reads --classes into metadata.
func (o Overrides) classes() (map[string]string, error) {
	if o.Classes == "" {
		return nil, nil
	}
	if _, err := strconv.Atoi(o.Classes); err == nil {
		return map[string]string{"classes": o.Classes}, nil
	}
	text, err := os.ReadFile(o.Classes)
	if err != nil {
		return nil, errors.Wrap(err, "--classes: neither a number nor a file of names")
	}
	lines := strings.TrimRight(strings.ReplaceAll(strings.TrimPrefix(string(text), "\ufeff"), "\r\n", "\n"), "\n")
	switch {
	case !utf8.ValidString(lines):
		return nil, errors.Errorf("--classes %s: not in UTF-8: save it so", o.Classes)
	case strings.HasPrefix(lines, "{") || strings.HasPrefix(lines, "["):
		return nil, errors.Errorf("--classes %s: JSON: want a class's name on each line", o.Classes)
	}
	names := strings.Split(lines, "\n")
	for i, name := range names {
		if names[i] = strings.TrimSpace(name); names[i] == "" {
			return nil, errors.Errorf("--classes %s: line %d is empty: want a class's name on each", o.Classes, i+1)
		}
	}
	// Marshalling strings cannot fail.
	array, _ := json.Marshal(names)
	return map[string]string{"classes": strconv.Itoa(len(names)), "class_names": string(array)}, nil
}
