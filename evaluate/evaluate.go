package evaluate

import (
	"context"
	"fmt"

	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/dataset"
)

// Run tests models together on the labelled pictures of a split. It calls each, if not nil, with every prediction, in
// the order of the pictures. It is an error if all pictures are skipped.
func Run(ctx context.Context, models []*Model, split dataset.Split, o Options, each func(Prediction) error) (*Result, error) {
	if split.Len() == 0 {
		return nil, errors.New("evaluate: no pictures to test on")
	}
	for i := range split.Len() {
		if split.Label(i) < 0 {
			return nil, errors.Errorf("evaluate: the class of %s is not known: want labelled pictures", split.Name(i))
		}
	}
	e, err := newEngine(models, split, o)
	if err != nil {
		return nil, err
	}
	result := newResult(models[0].Info.Classes)
	err = run(ctx, e, predicted, func(p Prediction) error {
		result.add(p)
		if each == nil {
			return nil
		}
		return each(p)
	})
	if err != nil {
		return nil, err
	}
	if result.Pictures() == 0 {
		return nil, errors.Errorf("evaluate: none of the %d pictures could be read: nothing was tested", split.Len())
	}
	result.LoaderWait = e.waited
	return result, nil
}

// Predict calls each with what models together predict of every picture of a split, in the order of the pictures. A
// label of -1 stands for a class that is not known.
func Predict(ctx context.Context, models []*Model, split dataset.Split, o Options, each func(Prediction) error) error {
	e, err := newEngine(models, split, o)
	if err != nil {
		return err
	}
	return run(ctx, e, predicted, each)
}

func predicted(p *picture) (Prediction, error) { return p.Prediction, nil }

// Predict predicts pictures, which are converted to grey or RGB as the net needs. Features are means over each crop
// and its mirrored one in every protocol; the other predictions of the center protocol are of the crop alone.
func (m *Model) Predict(o Options, pictures ...augment.Picture) ([]Prediction, error) {
	var all []Prediction
	err := Predict(context.Background(), []*Model{m}, unlabelled{pictures, m.Info.Channels}, o, func(p Prediction) error {
		all = append(all, p)
		return nil
	})
	return all, err
}

// unlabelled is a split of pictures in memory whose class is not known.
type unlabelled struct {
	pictures []augment.Picture
	channels int
}

func (u unlabelled) Len() int      { return len(u.pictures) }
func (u unlabelled) Label(int) int { return -1 }

func (u unlabelled) Name(i int) string { return fmt.Sprintf("picture %d", i) }

func (u unlabelled) Picture(i int) (augment.Picture, error) {
	if err := u.pictures[i].Check(); err != nil {
		return augment.Picture{}, errors.Wrap(err, u.Name(i))
	}
	return u.pictures[i].WithChannels(u.channels), nil
}
