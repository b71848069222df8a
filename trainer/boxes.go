package trainer

import (
	"context"
	"fmt"
	"slices"

	"github.com/pkg/errors"

	"vgg/boxes"
	"vgg/configs"
	"vgg/dataset"
	"vgg/metrics"
)

// measuredBoxes says what the losses and errors of a net that predicts boxes are.
const measuredBoxes = "errors are those of test 1 of appendix A: the central crop, the box of the true class, right where its intersection over union with one of that class is above 0.5; losses are Euclidean"

// boxOptions are for the loaders of a net that predicts boxes; nil for one that classifies.
func (s *session) boxOptions() *configs.Boxes {
	if b := &s.job.Recipe.Boxes; b.Regression != "" {
		return b
	}
	return nil
}

// withBoxes are the training and validation pictures that have a box of their class.
func (s *session) withBoxes() (train, val dataset.Split, err error) {
	var splits [2]dataset.Split
	var without [2]int
	for i, split := range []dataset.Split{s.set.Train, s.set.Val} {
		if splits[i], without[i], err = dataset.WithBoxes(split); err != nil {
			return nil, nil, errors.Wrapf(err, "trainer: a net that predicts boxes cannot be trained on %s", s.set.Name)
		}
	}
	if without[0]+without[1] > 0 {
		s.notice(fmt.Sprintf("boxes: %d training and %d validation pictures without a box of their class are left out", without[0], without[1]))
	}
	s.notes = append(s.notes, "boxes: "+measuredBoxes)
	return splits[0], splits[1], nil
}

// found tells whether a box, as four outputs of the net in shares of the crop, is right in test 1 by one of the instances.
func found(output []float32, instances []boxes.Box) bool {
	b := boxes.FromCentre(float64(output[0]), float64(output[1]), float64(output[2]), float64(output[3]))
	return slices.ContainsFunc(instances, func(i boxes.Box) bool { return boxes.RightInTest1(boxes.IoU(b, i)) })
}

// measureMeanBox measures what a net that has learnt nothing can answer, the mean of the targets whatever the picture:
// on the training crops of epoch 0, up to the recipe's number of pictures. It keeps its loss on the validation
// pictures, and notes its error.
func (s *session) measureMeanBox(ctx context.Context, train, val dataset.Split, o dataset.LoaderOptions) error {
	mean := make([]float32, configs.BoxNumbers)
	var sum [configs.BoxNumbers]float64
	if most := s.job.Recipe.Pictures.Sample; most > 0 {
		train = dataset.Subset(train, most)
	}
	crops, err := eachTarget(ctx, train, s.set.Channels, o, func(_ *dataset.Batch, _ int, target []float32) {
		for k, v := range target {
			sum[k] += float64(v)
		}
	})
	if err != nil {
		return err
	}
	for k := range mean {
		mean[k] = float32(sum[k] / float64(max(1, crops)))
	}
	wrong, loss := 0, 0.0
	o.Training = false
	pictures, err := eachTarget(ctx, val, s.set.Channels, o, func(batch *dataset.Batch, row int, target []float32) {
		if !found(mean, batch.Instances[row]) {
			wrong++
		}
		for k, v := range target {
			loss += float64(v-mean[k]) * float64(v-mean[k])
		}
	})
	if err != nil {
		return err
	}
	s.meanBoxLoss = float64(s.job.Recipe.Boxes.Loss.Factor()) * loss / float64(max(1, pictures))
	s.notes = append(s.notes, fmt.Sprintf("boxes: always answering the mean box of %d training crops, %.3f (centre x and y, width and height as shares of the crop's side), errs on %.2f %% of %d validation pictures, with a loss of %.4f",
		crops, mean, metrics.Percent(wrong, pictures), pictures, s.meanBoxLoss))
	return nil
}

// eachTarget calls f with each row of a split's batches in epoch 0 that counts, and its target, and returns their
// number.
func eachTarget(ctx context.Context, split dataset.Split, channels int, o dataset.LoaderOptions, f func(batch *dataset.Batch, row int, target []float32)) (rows int, err error) {
	o.Batch = min(o.Batch, split.Len())
	loader, err := dataset.NewLoader(split, channels, o)
	if err != nil {
		return 0, err
	}
	for batch, err := range loader.Epoch(ctx, 0) {
		if err != nil {
			return 0, err
		}
		for row, label := range batch.Labels {
			if label >= 0 {
				f(batch, row, batch.Boxes[configs.BoxNumbers*row:][:configs.BoxNumbers])
				rows++
			}
		}
	}
	return rows, nil
}
