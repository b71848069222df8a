package trainer

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/dataset"
	"vgg/internal/text"
	"vgg/weights"
	"vgg/weights/foreign"
)

// start is the weights file that training starts from.
type start struct {
	*weights.File
	key, path string // of the recipe that names it, and its value
}

// wrap says in an error which file it is about.
func (f *start) wrap(err error) error { return errors.Wrapf(err, "trainer: %s = %q", f.key, f.path) }

// BestOf is the file with the best weights of a run, if path is the directory of one, and a note that says so; it is
// path otherwise. A directory without that file is an error.
func BestOf(path string) (file, note string, err error) {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return path, "", nil // what reads it says what is wrong
	}
	if _, err := os.Stat(filepath.Join(path, BestFile)); err != nil {
		last := filepath.Join(path, LastFile)
		if _, missing := os.Stat(last); missing == nil {
			return "", "", errors.Wrapf(err, "the best weights of the run %s are gone: %s has its last", path, last)
		}
		if !os.IsNotExist(err) {
			return "", "", errors.Wrapf(err, "cannot look for weights in %s", path)
		}
		return "", "", errors.Errorf("%s is a folder without %s: give a file of weights, or the folder of a run that has finished an epoch", path, BestFile)
	}
	return filepath.Join(path, BestFile), fmt.Sprintf("%s: its best weights, %s, are taken", path, BestFile), nil
}

// CheckWeights refuses a checkpoint where the weights of a net are wanted.
func CheckWeights(f *weights.File, path string) error {
	if _, found := f.Metadata[progressKey]; found {
		return errors.Errorf("%s is a checkpoint, from which a training goes on: give the weights of its run, %s", path, BestFile)
	}
	return nil
}

// readWeights reads the weights file that the recipe starts from; nil for random weights, and for a run that is
// resumed.
func (s *session) readWeights() (f *start, err error) {
	r := s.job.Recipe
	switch {
	case s.job.Resume:
		return nil, nil
	case r.Weights != "":
		f = &start{key: "weights", path: r.Weights}
	case r.InitFrom != "":
		f = &start{key: "init_from", path: r.InitFrom}
	default:
		return nil, nil
	}
	file, note, err := BestOf(f.path)
	if err != nil {
		return nil, f.wrap(err)
	}
	if f.File, err = foreign.Read(file); err != nil {
		return nil, f.wrap(err)
	}
	if note != "" {
		s.notice(note)
	}
	if err := CheckWeights(f.File, file); err != nil {
		return nil, f.wrap(err)
	}
	if err := f.Classifies(); err != nil {
		return nil, f.wrap(err)
	}
	for _, note := range f.Notes {
		s.notice(f.path + ": " + note)
	}
	mean, _, err := f.MeanStd()
	if err == nil && mean == nil && len(r.Augment.PixelMean) == 0 {
		err = errors.New("the file does not say which mean and deviation of pixels it expects: give augment.pixel_mean and augment.pixel_std")
	}
	if err != nil {
		return nil, f.wrap(err)
	}
	return f, nil
}

// normalise lets the recipe normalise pixels as the weights that training starts from expect, unless it says otherwise.
func (s *session) normalise(f *start) error {
	a, channels := &s.job.Recipe.Augment, s.set.Channels
	if n := len(a.PixelMean); n > 0 && n != channels {
		return errors.Errorf("trainer: augment.pixel_mean has %d numbers, and the pictures of %s have %d channels", n, s.set.Name, channels)
	}
	if f == nil {
		if len(a.PixelMean) > 0 && !s.job.Resume {
			s.notice(fmt.Sprintf("pixels: normalised by %s, as augment.pixel_mean and augment.pixel_std say", normalisation(a.PixelMean, a.PixelStd)))
		}
		return nil
	}
	mean, std, err := f.MeanStd()
	if err != nil {
		return f.wrap(err)
	}
	own := Transform(s.job.Recipe, channels)
	expects := f.path + " expects"
	if f.Assumed != "" {
		expects = fmt.Sprintf("weights of the kind of %s expect (%s; the file does not say)", f.path, f.Assumed)
	}
	switch {
	case mean == nil, slices.Equal(mean, own.Mean) && slices.Equal(std, own.Std):
	case len(a.PixelMean) > 0:
		s.notice(fmt.Sprintf("pixels: normalised by %s, as augment.pixel_mean and augment.pixel_std say, although %s %s",
			normalisation(own.Mean, own.Std), expects, normalisation(mean, std)))
	case len(mean) != channels:
		return f.wrap(errors.Errorf("the weights are for pictures of %d channels, and those of %s have %d", len(mean), s.set.Name, channels))
	default:
		a.PixelMean, a.PixelStd = mean, std
		s.notice(fmt.Sprintf("pixels: normalised by %s, as %s, not by %s of the training pictures",
			normalisation(mean, std), expects, normalisation(own.Mean, own.Std)))
	}
	return nil
}

func normalisation(mean, std []float64) string {
	return fmt.Sprintf("mean %.6g and deviation %.6g", mean, std)
}

// startFrom copies the weights that training starts from, all layers or those that section 3.1 takes from net A, and
// closes their file. nil leaves the random weights.
func (s *session) startFrom(f *start) error {
	if f == nil {
		if s.net.Boxes != nil {
			s.notice(fmt.Sprintf("weights: all layers from random (%s), while appendix A starts from the classification net of the same S (weights = its file)", s.net.Options.Init))
		}
		return nil
	}
	defer f.Close()
	if err := s.noteSeen(f); err != nil {
		return f.wrap(err)
	}
	if f.key == "weights" {
		return f.wrap(s.load(f))
	}
	source, err := configs.ByName(f.Metadata["config"])
	if err != nil {
		return f.wrap(err)
	}
	copied, err := s.net.Transfer(source, f.Tensors)
	if err != nil {
		return f.wrap(err)
	}
	for _, c := range copied {
		s.notes = append(s.notes, fmt.Sprintf("%s: from net %s (%s → %s, %v); keeps the full learning rate", c.Layer, source.Name, c.From, c.To, c.Shape))
	}
	s.notes = append(s.notes, fmt.Sprintf("all other layers: from random (%s)", s.net.Options.Init))
	return nil
}

// noteSeen says if weights were trained on pictures that are for validation now.
func (s *session) noteSeen(f *start) error {
	split := f.Metadata["split"]
	if split == "" {
		return nil
	}
	seen, kept, err := s.set.TrainedOn(split, f.Metadata["training_sample"])
	if seen != dataset.Unseen {
		s.notice(fmt.Sprintf("%s was trained on pictures that are for validation here, so that the validation error is too low; its training kept for validation: %s", f.path, kept))
	}
	return errors.Wrap(err, "metadata split")
}

// load copies all layers into the net. The rows of the last one are put into the order of the data's classes. If these
// are other classes, or if the net predicts boxes, the last layer stays as it was initialised. Other classes are an
// error then.
func (s *session) load(f *start) error {
	layers := s.net.Config.FullyConnected()
	last := layers[len(layers)-1]
	outputs, note, err := s.matchClasses(f, last)
	if err != nil {
		return err
	}
	if s.net.Boxes != nil {
		if outputs == nil {
			return errors.Errorf("the classes are not those of %s: %s; train a classification net on these pictures, and start from it", s.set.Name, note)
		}
		outputs, note = nil, "it predicts boxes"
	}
	tensors := slices.Clone(f.Tensors)
	for _, own := range s.net.Tensors() {
		if own.Name != last.WeightName() && own.Name != last.BiasName() {
			continue
		}
		i := slices.IndexFunc(tensors, func(t weights.Tensor) bool { return t.Name == own.Name })
		switch {
		case outputs == nil && i < 0:
			tensors = append(tensors, own)
		case outputs == nil:
			tensors[i] = own
		case i >= 0 && len(tensors[i].Shape) > 0 && tensors[i].Shape[0] == len(outputs): // else Load refuses it
			tensors[i].Data = rowsOf(tensors[i], outputs)
		}
	}
	if err := s.net.Load(tensors); err != nil {
		if other := s.otherNet(f); other != "" {
			return errors.Errorf("%v; %s", err, other)
		}
		return err
	}
	if outputs != nil {
		s.notice("weights: all layers from " + f.path + note)
		return nil
	}
	if slices.Contains(s.frozen(), last.Name) {
		return errors.Errorf("training.freeze freezes %s, which is new: %s", last.Name, note)
	}
	s.notice(fmt.Sprintf("weights: %s to %s from %s; %s is new (%s): %s",
		s.net.Config.Layers()[0].Name, layers[len(layers)-2].Name, f.path, last.Name, s.net.Options.Init, note))
	return nil
}

// matchClasses finds the row of the weights' last layer for each class of the data, and what there is to say about it.
// It gives no rows, but the reason, if the classes are others.
func (s *session) matchClasses(f *start, last configs.Layer) (rows []int, note string, err error) {
	weight, ok := f.Tensor(last.WeightName())
	if !ok || len(weight.Shape) != 2 {
		return nil, "the file has no " + last.Name, nil
	}
	known, err := f.ClassNames()
	if err != nil {
		return nil, "", err
	}
	if known == nil {
		known = weights.NumberedClasses(weight.Shape[0])
	}
	if len(known) != weight.Shape[0] {
		return nil, "", errors.Errorf("the metadata name %d classes, and %s has %d outputs", len(known), last.Name, weight.Shape[0])
	}
	rows, note, other := weights.MatchClasses(known, s.set.Classes)
	switch {
	case other != nil:
		return nil, other.Error(), nil
	case len(rows) < len(known):
		return nil, fmt.Sprintf("the file knows %d classes, and the data have %d of them", len(known), len(rows)), nil
	case note != "":
		note = "; " + note
	}
	return rows, note, nil
}

// rowsOf puts the rows of a tensor into another order.
func rowsOf(t weights.Tensor, rows []int) []float32 {
	size := len(t.Data) / max(1, t.Shape[0])
	data := make([]float32, 0, len(t.Data))
	for _, row := range rows {
		data = append(data, t.Data[row*size:][:size]...)
	}
	return data
}

// otherNet says which keys of the recipe differ from what the metadata of weights say.
func (s *session) otherNet(f *start) string {
	r := s.job.Recipe
	var keys []string
	for _, k := range [][3]string{
		{"config", "config", r.Config}, {"width", "net.width", fmt.Sprint(r.Net.Width)}, {"fc", "net.fc", fmt.Sprint(r.Net.FC)}, {"input", "net.input", fmt.Sprint(r.Net.Input)},
	} {
		if theirs := f.Metadata[k[0]]; theirs != "" && !strings.EqualFold(theirs, k[2]) {
			keys = append(keys, fmt.Sprintf("%s = %q, not %s", k[1], theirs, k[2]))
		}
	}
	if len(keys) == 0 {
		return ""
	}
	return "the weights are of a net with " + strings.Join(keys, ", ")
}

// noteFrozen says which layers are not trained.
func (s *session) noteFrozen() {
	frozen, r := s.frozen(), s.job.Recipe
	if len(frozen) == 0 {
		return
	}
	s.notes = append(s.notes, "frozen: "+text.FirstFew(frozen, 20)+" (training.freeze)")
	if r.Weights == "" && r.InitFrom == "" {
		s.notice("the frozen layers keep their random weights: weights = FILE starts from trained ones")
	}
}

// frozen are the layers that are not trained.
func (s *session) frozen() (layers []string) {
	for _, p := range s.net.Parameters() {
		if p.Frozen && !slices.Contains(layers, p.Layer) {
			layers = append(layers, p.Layer)
		}
	}
	return layers
}
