package main

import (
	"strings"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/dataset"
	"vgg/evaluate"
	"vgg/internal/cli"
)

// openSet opens the data. Where a share of them is to be drawn for validation, it is that of the nets' training, unless
// flags say otherwise, so that nets are tested on pictures that they were not trained on.
func (f flags) openSet(models []*evaluate.Model, notes *cli.Notes) (*dataset.Set, error) {
	p := configs.Default().Pictures
	o := dataset.Options{ValShare: p.ValShare, SplitSeed: p.SplitSeed, Boxes: len(f.Boxes.Boxes) > 0 || f.Score != "", Notice: func(m string) { notes.Add(m) }}
	for _, m := range models {
		if m.Info.Split != "" && m.Info.ValShare > 0 {
			o.ValShare, o.SplitSeed = m.Info.ValShare, m.Info.SplitSeed
			break
		}
	}
	if f.ValShare != nil {
		o.ValShare = *f.ValShare
		if !(o.ValShare >= 0 && o.ValShare <= 1) {
			return nil, cli.Usage(errors.Errorf("--val-share %g: want a share from 0 to 1", o.ValShare))
		}
	}
	if f.SplitSeed != nil {
		o.SplitSeed = *f.SplitSeed
	}
	set, err := dataset.Open(f.Data, o)
	if err != nil {
		return nil, errors.Wrap(err, "--data")
	}
	if err := f.checkTraining(set, models, notes); err != nil {
		set.Close()
		return nil, err
	}
	return set, nil
}

// checkTraining refuses to test nets on pictures that they were trained on if flags have drawn these, and notes it if
// the data have no others.
func (f flags) checkTraining(set *dataset.Set, models []*evaluate.Model, notes *cli.Notes) error {
	for _, m := range models {
		if m.Info.Split == "" {
			continue
		}
		seen, kept, err := set.TrainedOn(m.Info.Split, m.Info.Sample)
		switch {
		case err != nil:
			return errors.Wrapf(err, "--weights %s: metadata split", m.Name)
		case seen == dataset.Unseen:
		case seen == dataset.SeenSome:
			notes.Add(m.Name + " was trained on pictures among those tested, so that its error on other pictures is higher: the data have changed since, and other pictures are drawn for validation than " + kept + " gave")
		case strings.HasPrefix(kept, "share ") && (f.ValShare != nil || f.SplitSeed != nil):
			return errors.Errorf("--data %s: %s was trained on pictures among those to be tested: --val-share %g --split-seed %d gives those that its training kept for validation",
				f.Data, m.Name, m.Info.ValShare, m.Info.SplitSeed)
		default:
			notes.Add(m.Name + " was trained on pictures among those tested, so that its error on other pictures is higher; its training kept for validation: " + kept)
		}
	}
	return nil
}
