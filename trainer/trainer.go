// Package trainer runs the training of section 3.1 of the paper (arXiv 1409.1556): mini-batch gradient descent with
// momentum on a VGG net declared by package graph.
//
// In go a recipe and a data set; out comes a run directory with weights, history and summary, while an Observer is
// told of each step and epoch. The loop is Train; the update rule is SGD, the learning-rate schedule Plateau.
package trainer

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/dataset"
	"vgg/weights"
)

// Job is one training.
type Job struct {
	Recipe configs.Recipe
	Set    *dataset.Set
	Dir    string // the run directory, made if missing; "" writes nothing

	Weights  *weights.File // start from all of these layers; nil = from random
	InitFrom *weights.File // or from the layers that section 3.1 takes from net A; nil = none

	Observer Observer // nil tells nobody
}

// Observer is told how training goes. An error stops it.
type Observer interface {
	Begin(steps int, notes []string) error // steps of an epoch; what was decided before the first
	Step(epoch, step int, loss float64)
	Epoch(h History) error // after each epoch, with its row last
	Notice(message string) // something that its user should know
}

// silence observes nothing.
type silence struct{}

func (silence) Begin(int, []string) error { return nil }
func (silence) Step(int, int, float64)    {}
func (silence) Epoch(History) error       { return nil }
func (silence) Notice(string)             {}

// Train trains until the schedule or the recipe's number of epochs ends it and returns the history. When ctx is
// cancelled it finishes the step, saves the weights as they are and returns the context's error; the history then
// holds the epochs that were completed.
func Train(ctx context.Context, job Job) (History, error) {
	start := time.Now()
	if job.Observer == nil {
		job.Observer = silence{}
	}
	s, err := newSession(job)
	if err != nil {
		return nil, err
	}
	defer s.close()
	if err := job.Observer.Begin(s.steps, s.notes); err != nil {
		return nil, err
	}
	var history History
	schedule := Plateau{Schedule: job.Recipe.Schedule, LearningRate: job.Recipe.Training.LearningRate}
	for epoch := 1; epoch <= job.Recipe.Training.Epochs; epoch++ {
		began := time.Now()
		train, err := s.trainEpoch(ctx, epoch, schedule.LearningRate)
		if err != nil {
			return history, s.interrupted(err, history)
		}
		trained := time.Since(began)
		val, err := s.validate(ctx)
		if err != nil {
			return history, s.interrupted(err, history)
		}
		row := Epoch{
			Epoch: epoch, Iteration: s.iteration, LearningRate: schedule.LearningRate,
			TrainLoss: train.meanLoss(), TrainTop1Error: train.top1Error(), TrainTop5Error: train.top5Error(),
			ValLoss: val.meanLoss(), ValTop1Error: val.top1Error(), ValTop5Error: val.top5Error(),
			ImagesPerSecond: float64(train.pictures) / trained.Seconds(), Seconds: time.Since(began).Seconds(),
			LoaderWaitPercent: 100 * s.train.Waited().Seconds() / trained.Seconds(),
		}
		history = append(history, row)
		if err := s.save(history, time.Since(start)); err != nil {
			return history, err
		}
		if err := job.Observer.Epoch(history); err != nil {
			return history, err
		}
		if stuck := s.diagnose(row); stuck != "" {
			job.Observer.Notice(stuck)
		}
		divided, done := schedule.Observe(row.ValTop1Error)
		if divided {
			job.Observer.Notice(fmt.Sprintf("validation error stopped falling: learning rate divided by %v, now %.3g", schedule.Factor, schedule.LearningRate))
		}
		if done {
			job.Observer.Notice(fmt.Sprintf("validation error stopped falling after %d divisions of the learning rate: training ends", schedule.MaxDivisions))
			break
		}
	}
	return history, nil
}

// trainEpoch makes one pass over the training pictures, a step of the solver for each mini-batch.
func (s *session) trainEpoch(ctx context.Context, epoch int, learningRate float64) (*meter, error) {
	m := &meter{classes: s.net.Options.Classes}
	s.solver.LearningRate = learningRate
	steps, micro := 0, 0 // done, and micro-batches since the last
	for batch, err := range s.train.Epoch(ctx, epoch) {
		if err != nil {
			return nil, err
		}
		loss, err := s.training.run(batch, s.iteration*s.solver.Accumulated+micro)
		if err != nil {
			return nil, err
		}
		if math.IsNaN(loss) || math.IsInf(loss, 0) {
			return nil, errors.Errorf("trainer: the loss is %v in epoch %d, iteration %d, at learning rate %g: the weights of the last completed epoch are kept; try a lower learning rate (--lr), another initialiser (--init he) or normalised pictures (--set augment.normalisation=mean-std)", loss, epoch, s.iteration+1, learningRate)
		}
		m.add(loss, s.training.logits(), batch.Labels)
		if micro++; micro < s.solver.Accumulated {
			continue
		}
		micro = 0
		if steps++; steps == s.steps {
			s.norms = s.gradientNorms()
		}
		if err := s.solver.Step(s.learnables); err != nil {
			return nil, err
		}
		s.iteration++
		s.job.Observer.Step(epoch, steps, m.meanLoss())
		if steps == s.steps {
			break // the rest does not fill a mini-batch
		}
	}
	return m, nil
}

// validate makes one pass over the validation pictures, without augmentation and dropout.
func (s *session) validate(ctx context.Context) (*meter, error) {
	m := &meter{classes: s.net.Options.Classes}
	s.alive = nil
	for batch, err := range s.val.Epoch(ctx, 0) {
		if err != nil {
			return nil, err
		}
		loss, err := s.validation.run(batch, 0)
		if err != nil {
			return nil, err
		}
		m.add(loss, s.validation.logits(), batch.Labels)
		s.observeDeepest()
	}
	return m, nil
}
