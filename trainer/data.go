package trainer

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/configs"
	"vgg/dataset"
)

// OpenData opens the data set that a recipe names. Notice, if not nil, is called before slow operations.
func OpenData(r configs.Recipe, notice func(message string)) (*dataset.Set, error) {
	set, err := dataset.Open(r.Data, dataset.Options{
		ValShare: r.Pictures.ValShare, SplitSeed: r.Pictures.SplitSeed, Boxes: r.Boxes.Regression != "", Notice: notice})
	return set, errors.Wrapf(err, "trainer: data = %q", r.Data)
}

// openSet opens the data set of the recipe, or takes that of the job after checking that it is the same.
func (s *session) openSet() (err error) {
	r := s.job.Recipe
	if s.job.Set == nil {
		if r.Data == "" {
			return errors.New("trainer: the recipe names no pictures: set its key data")
		}
		s.set, err = OpenData(r, s.notice)
		return err
	}
	s.set = s.job.Set
	want := dataset.Source{Spec: r.Data, ValShare: r.Pictures.ValShare, SplitSeed: r.Pictures.SplitSeed}
	if r.Data == "" {
		want = dataset.Source{}
	}
	if s.set.Source != want {
		return errors.Errorf("trainer: the set %s is not that of the recipe: data, pictures.val_share and pictures.split_seed are %q, %g and %d, not %q, %g and %d",
			s.set.Name, s.set.Source.Spec, s.set.Source.ValShare, s.set.Source.SplitSeed, want.Spec, want.ValShare, want.SplitSeed)
	}
	return nil
}

// CheckClasses refuses a set with too few classes to train on.
func CheckClasses(set *dataset.Set) error {
	if len(set.Classes) < 2 {
		return errors.Errorf("trainer: data set %s has one class (%s), and training needs two or more", set.Name, strings.Join(set.Classes, ", "))
	}
	return nil
}

// openData measures the training pictures, unless the recipe has their statistics, and makes the two loaders. Pictures
// are normalised as the weights f expect, if training starts from some.
func (s *session) openData(ctx context.Context, f *start) error {
	r, set := s.job.Recipe, s.set
	train, val := set.Train, set.Val
	if err := CheckClasses(set); err != nil {
		return err
	}
	switch {
	case train.Len() == 0:
		return errors.Errorf("trainer: data set %s has no training pictures: want train/CLASS/*", set.Name)
	case val.Len() == 0:
		return errors.Errorf("trainer: data set %s has no validation pictures", set.Name)
	}
	if r.Boxes.Regression != "" {
		var err error
		if train, val, err = s.withBoxes(); err != nil {
			return err
		}
	}
	if r.Training.Limit > 0 && r.Training.Limit < train.Len() {
		train = dataset.Subset(train, r.Training.Limit)
	}
	if s.steps = train.Len() / r.Training.Batch; s.steps == 0 {
		return errors.Errorf("trainer: %d training pictures do not fill one mini-batch of %d: lower training.batch or give more pictures", train.Len(), r.Training.Batch)
	}
	s.skips = dataset.NewSkips(set, r.Pictures, s.progress.Skipped...)
	var err error
	statistics := &s.job.Recipe.Statistics
	if statistics.Pictures == 0 {
		if *statistics, err = dataset.Measure(ctx, train, set.Channels, r.Pictures.Sample, s.skips); err != nil {
			return err
		}
	}
	if err := s.normalise(f); err != nil {
		return err
	}
	s.transform = Transform(s.job.Recipe, set.Channels)
	if set.Channels == 1 && r.Augment.ColourShift > 0 {
		s.notice(fmt.Sprintf("the pictures are grey: their colour is not shifted (augment.colour_shift = %g)", r.Augment.ColourShift))
	}
	s.notes = append(s.notes, fmt.Sprintf("data: %s, %d training and %d validation pictures, %d classes, mean %.1f from %d of them",
		set.Name, train.Len(), val.Len(), len(set.Classes), statistics.Mean[:set.Channels], statistics.Pictures))
	o := dataset.LoaderOptions{Batch: r.MicroBatch(), Transform: s.transform, Seed: r.Training.Seed, Training: true, Skips: s.skips, Boxes: s.boxOptions()}
	w := s.job.World
	if o.Boxes != nil && w.Rank() == 0 { // which alone prints
		if err := s.measureMeanBox(ctx, train, val, o); err != nil {
			return err
		}
	}
	o.Take = func(batch int) bool { return s.gradients.takes(batch) }
	if s.train, err = dataset.NewLoader(train, set.Channels, o); err != nil {
		return err
	}
	o.Training = false
	o.Take = func(batch int) bool { return batch%w.Size() == w.Rank() }
	s.val, err = dataset.NewLoader(val, set.Channels, o)
	return err
}

// Transform is how training by a recipe turns pictures of 1 or 3 channels into inputs of the net. The recipe must have
// the statistics of the pictures.
func Transform(r configs.Recipe, channels int) augment.Transform {
	a, s := r.Augment, r.Statistics
	t := augment.Transform{
		Size: r.Net.Input, Scale: a.Scale(), RandomCrop: a.Crop, Pad: a.Pad, Flip: a.Flip,
		Mean: s.Mean[:channels], Std: make([]float64, channels),
	}
	for c := range t.Std {
		t.Std[c] = 1
		if a.Normalisation == configs.NormaliseMeanStd {
			t.Std[c] = math.Max(s.Std[c], 1)
		}
	}
	if len(a.PixelMean) > 0 {
		t.Mean, t.Std = a.PixelMean, a.PixelStd
	}
	if channels == 3 {
		t.ColourShift, t.Eigenvalues, t.Eigenvectors = a.ColourShift, s.Eigenvalues, s.Eigenvectors
	}
	return t
}
