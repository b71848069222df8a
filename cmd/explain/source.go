package main

import (
	"fmt"
	"io"

	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/boxes"
	"vgg/configs"
	"vgg/dataset"
	"vgg/evaluate"
	"vgg/internal/cli"
)

// open finds the pictures: files, or those of --data.
func (r *runner) open(stdin io.Reader) (err error) {
	if r.Data == "" {
		list, err := cli.FindPictures(r.Pictures)
		if err != nil {
			return err
		}
		r.files = cli.NewPictureFiles(list, stdin, r.model.Info.Channels)
		r.split = r.files
		return nil
	}
	p := configs.Default().Pictures
	o := dataset.Options{ValShare: p.ValShare, SplitSeed: p.SplitSeed, Boxes: true, Notice: func(m string) { r.notes.Add(m) }}
	if info := r.model.Info; info.Split != "" && info.ValShare > 0 {
		o.ValShare, o.SplitSeed = info.ValShare, info.SplitSeed // those that the net was not trained on
	}
	if r.set, err = dataset.Open(r.Data, o); err != nil {
		return errors.Wrap(err, "--data")
	}
	if err := r.choose(); err != nil {
		r.close()
		return err
	}
	return nil
}

// choose takes the pictures of the data that are wanted, with the labels of the net's classes.
func (r *runner) choose() error {
	if info := r.model.Info; info.Split != "" {
		seen, kept, err := r.set.TrainedOn(info.Split, info.Sample)
		if err != nil {
			return errors.Wrapf(err, "--weights %s: metadata split", r.Weights)
		}
		if seen != dataset.Unseen {
			r.notes.Add(r.Weights + " was trained on pictures among these; its training kept for validation: " + kept)
		}
	}
	outputs, notes, err := evaluate.MatchClasses([]*evaluate.Model{r.model}, r.set.Classes)
	if err != nil {
		return cli.OtherClasses(r.Data, err)
	}
	r.notes.Add(notes...)
	r.split = evaluate.Relabel(r.set.Val, outputs)
	if r.PointingGame {
		boxed, without, err := dataset.WithBoxes(r.split)
		if err != nil {
			return errors.Wrap(err, "--pointing-game")
		}
		if without > 0 {
			r.notes.Add(fmt.Sprintf("%d pictures have no box of their class, and are left out", without))
		}
		r.split = boxed
	}
	if r.Limit > 0 {
		r.split = dataset.Subset(r.split, r.Limit)
	}
	if r.split.Len() == 0 {
		return errors.Errorf("--data %s: it has no validation pictures", r.Data)
	}
	return nil
}

func (r *runner) close() {
	if r.set != nil {
		r.set.Close()
	}
}

// read reads a picture, with the boxes of its class if they are known.
func (r *runner) read(i int) (p augment.Picture, all []boxes.Box, err error) {
	boxed, ok := r.split.(dataset.Boxed)
	if !ok || !boxed.HasBox(i) {
		p, err = r.split.Picture(i)
		return p, nil, err
	}
	p, objects, err := boxed.Located(i)
	for _, o := range objects {
		if o.Class == r.split.Label(i) {
			all = append(all, o.Box)
		}
	}
	return p, all, err
}

// skip reports a picture that cannot be read and goes on, or returns the error to stop with.
func (r *runner) skip(i int, reason error) error {
	r.bar.Clear()
	if r.files != nil {
		skipped, err := r.files.Skip(i, reason, r.BadPictures)
		if err == nil {
			r.skipped = append(r.skipped, skipped)
		}
		return err
	}
	if r.BadPictures == "stop" {
		return errors.Wrap(reason, "--bad-pictures skip goes on without")
	}
	cli.Say(fmt.Sprintf("skipped: %s: %v", r.split.Name(i), reason))
	r.skipped = append(r.skipped, dataset.Skip{Picture: r.split.Name(i), Reason: reason.Error()})
	return nil
}
