package cli

import (
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/evaluate"
	"vgg/internal/text"
	"vgg/trainer"
	"vgg/weights"
	"vgg/weights/foreign"
)

// Overrides are flags, for commands to embed, that supply what the metadata of a weights file lack or have wrong. Each
// but the first is named after its key of the metadata.
type Overrides struct {
	StateDict     string   `help:"Net to take from a file of several: the key of its dict, or what the names of its tensors begin with." placeholder:"NAME" group:"What the weights' file leaves open:"`
	Config        string   `help:"Net that the weights are of, where the file does not tell: A (vgg11), A-LRN, B (vgg13), C, D (vgg16) or E (vgg19)." placeholder:"NET" group:"What the weights' file leaves open:"`
	Width         *float64 `help:"Factor on the channels of every convolution (1 in the paper)." placeholder:"FACTOR" group:"What the weights' file leaves open:"`
	FC            *int     `name:"fc" help:"Outputs of fc6 and fc7 (4096 in the paper)." placeholder:"N" group:"What the weights' file leaves open:"`
	Input         *int     `help:"Side of the net's input in pixels (224 in the paper)." placeholder:"N" group:"What the weights' file leaves open:"`
	Channels      *int     `help:"Colour channels of the net's input: 1 or 3." placeholder:"N" group:"What the weights' file leaves open:"`
	Classes       string   `help:"Names of the classes, a line each, in the order of the outputs; or how many there are." placeholder:"FILE|N" group:"What the weights' file leaves open:"`
	Normalisation string   `help:"What the net expects of pixels: paper (less ImageNet's mean), torchvision (also divided by the deviation) or caffe (as paper, but for weights whose first layer takes B, G, R)." placeholder:"NAME" group:"What the weights' file leaves open:"`
	Mean          string   `help:"Mean to subtract from pixels of 0 to 255." placeholder:"R,G,B" group:"What the weights' file leaves open:"`
	Std           string   `help:"Standard deviation to divide by afterwards (1: none)." placeholder:"R,G,B" group:"What the weights' file leaves open:"`
}

// ReadWeights is ReadTensors for the weights of a net: it refuses a checkpoint.
func (o Overrides) ReadWeights(path string) (*weights.File, error) {
	f, err := o.ReadTensors(path)
	if err != nil {
		return nil, err
	}
	if err := trainer.CheckWeights(f, path); err != nil {
		return nil, err
	}
	return f, nil
}

// ReadTensors reads a weights file of any format, or the best weights of the run in a directory, and puts what the flags
// say into its metadata. The file's notes tell, too, how pixels are normalised where neither the file nor a flag does.
func (o Overrides) ReadTensors(path string) (*weights.File, error) {
	classes, err := o.classes()
	if err != nil {
		return nil, err
	}
	path, note, err := trainer.BestOf(path)
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
	if f.Metadata == nil {
		f.Metadata = map[string]string{}
	}
	if err := o.checkPixels(f); err != nil {
		return nil, Usage(errors.Wrap(err, path))
	}
	said := maps.Clone(f.Metadata)
	if f.Assumed != "" {
		delete(said, "mean")
		delete(said, "std")
	}
	if o.Normalisation != "" {
		if err := f.Normalise(weights.Normalisation(o.Normalisation)); err != nil {
			return nil, Usage(errors.Wrapf(err, "%s: --normalisation", path))
		}
	}
	if err := o.override(f, path, classes); err != nil {
		return nil, err
	}
	noteChanges(f, said)
	for i, note := range f.Notes {
		f.Notes[i] = path + ": " + note
	}
	if note != "" {
		f.Notes = append(f.Notes, note)
	}
	return f, nil
}

// checkPixels refuses half of what normalises pixels, where a file does not say the rest, and numbers for pixels from 0 to
// 1.
func (o Overrides) checkPixels(f *weights.File) error {
	says := o.Normalisation != "" || f.Assumed == "" && f.Metadata["mean"] != "" && f.Metadata["std"] != ""
	if (o.Mean == "") != (o.Std == "") && !says {
		return errors.New("--mean and --std: give both or neither, as the file does not say the other (a deviation of 1 only subtracts the mean)")
	}
	mean, std, err := (&weights.File{Metadata: map[string]string{"mean": o.Mean, "std": o.Std}}).MeanStd()
	if err == nil && configs.ForUnitPixels(mean, std) {
		return errors.Errorf("--mean %s --std %s are for pixels from 0 to 1, and here they are from 0 to 255: multiply both by 255", o.Mean, o.Std)
	}
	return nil // what else is wrong with the numbers is told with the file's
}

// override puts the values of flags, and the names or the number of classes, into the metadata of a file.
func (o Overrides) override(f *weights.File, path string, classes map[string]string) error {
	put := func(key, value string) {
		if value != "" {
			f.Metadata[key] = value
		}
	}
	if put("config", o.Config); o.Config != "" {
		delete(f.Metadata, "layers")
		if config, err := configs.ByName(o.Config); err == nil {
			put("config", config.Name)
		}
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
	if n := classes["classes"]; n != "" {
		if last, ok := f.Tensor(weights.LastLayer); ok && len(last.Shape) == 2 && n != strconv.Itoa(last.Shape[0]) {
			return errors.Errorf("--classes %s: %s classes, and %s has %d outputs: want one for each", o.Classes, n, path, last.Shape[0])
		}
		if classes[weights.ClassNamesKey] != "" || n != f.Metadata["classes"] {
			delete(f.Metadata, weights.ClassNamesKey)
		}
	}
	maps.Copy(f.Metadata, classes)
	return nil
}

// noteChanges notes what flags have changed in the metadata of a file that said otherwise.
func noteChanges(f *weights.File, said map[string]string) {
	for _, key := range []string{"config", "width", "fc", "input", "channels", "mean", "std", weights.ClassNamesKey} {
		was, is := said[key], f.Metadata[key]
		if was == "" || is == "" || sameNumbers(was, is) {
			continue
		}
		if key == weights.ClassNamesKey {
			names, err := f.ClassNames()
			old, oldErr := (&weights.File{Metadata: said}).ClassNames()
			if err == nil && oldErr == nil && !slices.Equal(names, old) && !weights.Unnamed(old) {
				f.Note("the classes are called %s, as --classes says, and not %s as in the file", text.FirstFew(names, 4), text.FirstFew(old, 4))
			}
			continue
		}
		f.Note("%s is %s, as a flag says, and not %s as in the file", key, is, was)
	}
}

// sameNumbers tells whether two texts are the same, or lists of the same numbers.
func sameNumbers(a, b string) bool {
	x, y := strings.Split(a, ","), strings.Split(b, ",")
	return a == b || slices.EqualFunc(x, y, func(p, q string) bool {
		v, err := strconv.ParseFloat(strings.TrimSpace(p), 64)
		w, other := strconv.ParseFloat(strings.TrimSpace(q), 64)
		return err == nil && other == nil && v == w
	})
}

// sources are the nets whose normalisation is assumed.
var sources = map[weights.Normalisation]string{weights.TorchVision: "torchvision's nets", weights.Caffe: "the authors' Caffe nets"}

// valuesOf gives the form of a flag's value where it is not obvious.
var valuesOf = map[string]string{"mean": " R,G,B", "std": " R,G,B"}

// ReadModel reads the net of --weights from a weights file.
func (o Overrides) ReadModel(file string, notes *Notes) (*evaluate.Model, error) {
	w, err := o.ReadWeights(file)
	if err != nil {
		return nil, errors.Wrap(err, "--weights")
	}
	m, err := evaluate.NewModel(file, w)
	if err != nil {
		return nil, errors.Wrap(o.Explain(err), "--weights")
	}
	notes.Add(w.Notes...)
	return m, nil
}

// Explain adds to an error about weights that ReadWeights has read the flags that help: those that supply missing keys
// of the metadata, else those that were given and may be wrong. It returns other errors unchanged.
func (o Overrides) Explain(err error) error {
	var missing *weights.MissingKeysError
	var flags []string
	switch given := o.given(); {
	case errors.As(err, &missing):
		for _, key := range missing.Keys {
			flags = append(flags, "--"+key+valuesOf[key])
		}
		return errors.Errorf("%v: give %s", err, strings.Join(flags, " "))
	case err != nil && given != nil:
		return errors.Errorf("%v (with %s)", err, strings.Join(given, " "))
	}
	return err
}

// given are the flags that change the metadata, as on the command line.
func (o Overrides) given() (flags []string) {
	all := map[string]string{"config": o.Config, "normalisation": o.Normalisation, "mean": o.Mean, "std": o.Std, "classes": o.Classes}
	putNumber(all, "width", o.Width)
	putNumber(all, "fc", o.FC)
	putNumber(all, "input", o.Input)
	putNumber(all, "channels", o.Channels)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if all[key] != "" {
			flags = append(flags, "--"+key+" "+all[key])
		}
	}
	return flags
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
	content, err := os.ReadFile(o.Classes)
	if err != nil {
		return nil, errors.Wrap(err, "--classes: neither a number nor a file of names")
	}
	lines := strings.TrimRight(strings.ReplaceAll(strings.TrimPrefix(string(content), "\ufeff"), "\r\n", "\n"), "\n")
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
	return map[string]string{"classes": strconv.Itoa(len(names)), weights.ClassNamesKey: weights.EncodeClassNames(names)}, nil
}
