// Package trainer runs the training of section 3.1 of the paper (arXiv 1409.1556): mini-batch gradient descent with
// momentum on a VGG net declared by package graph.
//
// In go a recipe and a data set; out comes a run directory with weights, history and summary, while an Observer is
// told of each step and epoch. The loop is Train; the update rule is SGD, the learning-rate schedule Plateau.
package trainer

import (
	"context"
	"fmt"
	"time"

	"vgg/configs"
	"vgg/dataset"
	"vgg/history"
	"vgg/internal/finite"
)

// Job is one training. The recipe decides everything that the result depends on; the pictures and weights that it names
// are opened by Train.
type Job struct {
	Recipe configs.Recipe
	Dir    string // the run directory, made if missing; "" writes nothing

	// Set, if not nil, is the recipe's data set, already opened by OpenData: for callers that train on it more than once.
	// A set that is made otherwise, such as one of pictures in memory, needs a recipe with Data = "". Train refuses a set
	// that is not the recipe's. It does not close Set.
	Set *dataset.Set

	Resume bool     // go on from the last checkpoint in Dir
	Force  []string // keys of the recipe, or "data", that may differ from those of the run that is resumed

	Observer Observer // nil observes nothing

	create func(path string) (pending, error) // for tests; see files
}

// Observer is told how training goes. An error stops it.
type Observer interface {
	Begin(steps int, notes []string) error // steps of an epoch; what was decided before the first
	Step(epoch, step int, loss float64)
	Epoch(h history.History) error // after each epoch, with its row last
	Notice(message string)         // something that its user should know
}

// silence observes nothing.
type silence struct{}

func (silence) Begin(int, []string) error   { return nil }
func (silence) Step(int, int, float64)      {}
func (silence) Epoch(history.History) error { return nil }
func (silence) Notice(string)               {}

// Train trains until the schedule or the recipe's number of epochs ends it and returns the history. When ctx is
// cancelled it finishes the step, writes a checkpoint and returns the context's error; the history then holds the epochs
// that were completed.
func Train(ctx context.Context, job Job) (history.History, error) {
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
	for !s.finished() {
		if err := s.epoch(ctx); err != nil {
			if err = s.goBack(err); err != nil {
				return s.history, s.interrupted(err)
			}
		}
	}
	return s.history, s.endured(s.checkpoints.wait())
}

// epoch goes on to the end of the epoch under way.
func (s *session) epoch(ctx context.Context) error {
	if err := s.trainEpoch(ctx); err != nil {
		return err
	}
	began := time.Now()
	val, err := s.validate(ctx)
	if err != nil {
		return err
	}
	train := s.at.Pass
	row := history.Epoch{
		Epoch: s.at.Epoch, Iteration: s.at.Iteration, LearningRate: s.at.Schedule.LearningRate,
		TrainLoss: train.meanLoss(), TrainTop1Error: train.Top1Error(), TrainTop5Error: train.top5Error(),
		ValLoss: val.meanLoss(), ValTop1Error: val.Top1Error(), ValTop5Error: val.top5Error(),
		ImagesPerSecond: float64(train.Pictures) / s.at.PassSeconds, Seconds: s.at.PassSeconds + time.Since(began).Seconds(),
		LoaderWaitPercent: 100 * s.at.PassWaited / s.at.PassSeconds,
	}
	s.history = append(s.history, row)
	divided, done := s.at.Schedule.Observe(row.ValTop1Error)
	s.at.Epoch, s.at.Step, s.at.Pass, s.at.PassSeconds, s.at.PassWaited = s.at.Epoch+1, 0, meter{}, 0, 0
	s.at.Done = done
	if err := s.endured(s.save()); err != nil {
		return err
	}
	if err := s.job.Observer.Epoch(s.history); err != nil {
		return err
	}
	if stuck := s.diagnose(row); stuck != "" {
		s.job.Observer.Notice(stuck)
	}
	if schedule := s.at.Schedule; divided {
		s.job.Observer.Notice(fmt.Sprintf("validation error stopped falling: learning rate divided by %v, now %.3g", schedule.Factor, schedule.LearningRate))
	} else if done {
		s.job.Observer.Notice(fmt.Sprintf("validation error stopped falling after %d divisions of the learning rate: training ends", schedule.MaxDivisions))
	}
	return s.endured(s.checkpoint())
}

// trainEpoch makes the rest of a pass over the training pictures, a step of the solver for each mini-batch.
func (s *session) trainEpoch(ctx context.Context) error {
	if s.at.Step == s.steps {
		return nil // resumed before validation
	}
	s.solver.LearningRate = s.at.Schedule.LearningRate
	seconds, waited, began := s.at.PassSeconds, s.at.PassWaited, time.Now()
	pass := s.at.Pass
	pass.classes = s.net.Options.Classes
	micro := 0 // micro-batches since the last step
	for batch, err := range s.train.EpochFrom(ctx, s.at.Epoch, s.at.Step*s.solver.Accumulated) {
		if err != nil {
			return err
		}
		loss, err := s.training.run(batch, s.at.Iteration*s.solver.Accumulated+micro)
		if err != nil {
			return err
		}
		if !finite.Is(loss) {
			return s.diverged(loss, batch, micro)
		}
		pass.add(loss, s.training.logits(), batch.Labels)
		if micro++; micro < s.solver.Accumulated {
			continue
		}
		micro = 0
		if layer := s.infiniteGradient(); layer != "" {
			return s.divergence("a gradient is not finite", layer)
		}
		if s.at.Step+1 == s.steps {
			s.norms = s.gradientNorms()
		}
		if err := s.solver.Step(s.learnables); err != nil {
			return err
		}
		s.training.vm.ClearGradients()
		s.at.Step++
		s.at.Iteration++
		s.at.Pass, s.at.PassSeconds, s.at.PassWaited = pass, seconds+time.Since(began).Seconds(), waited+s.train.Waited().Seconds()
		s.job.Observer.Step(s.at.Epoch, s.at.Step, pass.meanLoss())
		if err := s.endured(s.log(loss)); err != nil {
			return err
		}
		if s.checkpoints.due(s.job.Recipe.Run.CheckpointMinutes) {
			if err := s.endured(s.checkpoint()); err != nil {
				return err
			}
		}
		if s.at.Step == s.steps {
			break // the rest does not fill a mini-batch
		}
	}
	return nil
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
