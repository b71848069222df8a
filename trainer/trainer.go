package trainer

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/pkg/errors"

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

	Resume bool // continue from the newest checkpoint in Dir

	// Force names keys of the recipe that may differ from those of the run that is resumed; data also allows other pictures.
	// The run keeps the new values. Other keys must be the same, but for those of the table run, and for the data set's place
	// if it holds the same pictures.
	Force []string

	Observer Observer // may be nil

	create func(path string) (pending, error) // for tests; see files
}

// Observer follows a training. If one of its methods returns an error, training stops.
type Observer interface {
	// Begin is called before the first step, with the number of steps per epoch, and notes on data and weights.
	Begin(steps int, notes []string) error
	// Step is called after each step, with the mean loss of the epoch so far; both numbers are from 1.
	Step(epoch, step int, loss float64)
	// Epoch is called after each epoch, whose row is the last of h.
	Epoch(h history.History) error
	// Notice is called when something happens or is decided that the user should know, and before slow operations.
	Notice(message string)
}

// noObserver ignores everything.
type noObserver struct{}

func (noObserver) Begin(int, []string) error   { return nil }
func (noObserver) Step(int, int, float64)      {}
func (noObserver) Epoch(history.History) error { return nil }
func (noObserver) Notice(string)               {}

// Train trains until the schedule ends training or the recipe's number of epochs is reached, and returns the history. When
// ctx is cancelled it finishes the step, writes a checkpoint and returns the error of the context with the history of the
// completed epochs. The other errors that a caller may want to tell apart are ErrRunExists and the variables beside it.
func Train(ctx context.Context, job Job) (history.History, error) {
	if job.Observer == nil {
		job.Observer = noObserver{}
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
			if err = s.rollBack(err); err != nil {
				return s.history, s.interrupted(err)
			}
		}
	}
	return s.history, s.tolerate(s.checkpoints.wait())
}

// epoch completes the current epoch: the rest of its training pass, validation, schedule, files.
func (s *session) epoch(ctx context.Context) error {
	if err := s.trainEpoch(ctx); err != nil {
		return err
	}
	began := time.Now()
	val, err := s.validate(ctx)
	if err != nil {
		return err
	}
	train := s.progress.Pass
	if min(train.Pictures, val.Pictures) == 0 {
		return errors.Errorf("trainer: %d training and %d validation pictures of epoch %d could be read: replace or remove the others, or give more", train.Pictures, val.Pictures, s.progress.Epoch)
	}
	row := history.Epoch{
		Epoch: s.progress.Epoch, Iteration: s.progress.Iteration, LearningRate: s.progress.Schedule.LearningRate,
		TrainLoss: train.meanLoss(), TrainTop1Error: train.Top1Error(), TrainTop5Error: train.top5Error(),
		ValLoss: val.meanLoss(), ValTop1Error: val.Top1Error(), ValTop5Error: val.top5Error(),
		ImagesPerSecond: float64(train.Pictures) / s.progress.PassSeconds, Seconds: s.progress.PassSeconds + time.Since(began).Seconds(),
		LoaderWaitPercent: 100 * s.progress.PassWaited / s.progress.PassSeconds,
	}
	if s.net.Boxes != nil { // test 1 is of one guess
		row.TrainTop5Error, row.ValTop5Error = math.NaN(), math.NaN()
	}
	s.history = append(s.history, row)
	divided, done := s.progress.Schedule.Observe(row.ValTop1Error)
	s.progress.Epoch++
	s.progress.Done = done
	s.progress.beginPass()
	if err := s.tolerate(s.save()); err != nil {
		return err
	}
	if err := s.job.Observer.Epoch(s.history); err != nil {
		return err
	}
	if skipped := len(s.skips.List()); skipped > s.skipped {
		s.skipped = skipped
		s.job.Observer.Notice(fmt.Sprintf("pictures skipped because they cannot be read: %d (%s lists them)", skipped, SkippedFile))
	}
	if stuck := s.diagnose(row); stuck != "" {
		s.job.Observer.Notice(stuck)
	}
	if schedule := s.progress.Schedule; divided {
		s.job.Observer.Notice(fmt.Sprintf("validation error stopped falling: learning rate divided by %v, now %.3g", schedule.Factor, schedule.LearningRate))
	} else if done {
		s.job.Observer.Notice(fmt.Sprintf("validation error stopped falling after %d divisions of the learning rate: training ends", schedule.MaxDivisions))
	}
	return s.tolerate(s.checkpoint())
}

// trainEpoch completes the pass over the training pictures, with a step of the solver for each mini-batch.
func (s *session) trainEpoch(ctx context.Context) error {
	if s.progress.Step == s.steps {
		return nil // a checkpoint before validation was resumed
	}
	s.solver.LearningRate = s.progress.Schedule.LearningRate
	seconds, waited, began := s.progress.PassSeconds, s.progress.PassWaited, time.Now()
	pass := s.progress.Pass
	pass.classes = s.net.Options.Classes
	micro, accumulated := 0, 0.0 // micro-batches since the last step, and their weights
	for batch, err := range s.train.EpochFrom(ctx, s.progress.Epoch, s.progress.Step*s.micro) {
		if err != nil {
			return err
		}
		loss, err := s.training.run(batch, s.progress.Iteration*s.micro+micro)
		if err != nil {
			return err
		}
		if !finite.Is(loss) {
			return s.lossDiverged(loss, batch, micro)
		}
		pass.add(loss, s.training.output(), batch)
		accumulated += share(batch.Labels)
		if micro++; micro < s.micro {
			continue
		}
		s.solver.Accumulated = accumulated
		micro, accumulated = 0, 0
		if layer := s.gradientNotFinite(); layer != "" {
			return s.divergence("a gradient is not finite", layer)
		}
		if s.progress.Step+1 == s.steps {
			s.norms = s.gradientNorms()
		}
		if err := s.solver.Step(s.learnables); err != nil {
			return err
		}
		s.training.vm.ClearGradients()
		loss = pass.meanLossSince(s.progress.Pass)
		s.progress.Step++
		s.progress.Iteration++
		s.progress.Pass, s.progress.PassSeconds, s.progress.PassWaited = pass, seconds+time.Since(began).Seconds(), waited+s.train.Waited().Seconds()
		s.job.Observer.Step(s.progress.Epoch, s.progress.Step, pass.meanLoss())
		if err := s.tolerate(s.log(loss)); err != nil {
			return err
		}
		if s.checkpoints.due(s.job.Recipe.Run.CheckpointMinutes) {
			if err := s.tolerate(s.checkpoint()); err != nil {
				return err
			}
		}
		if s.progress.Step == s.steps {
			break // the remaining pictures do not fill a mini-batch
		}
	}
	return nil
}

// validate makes a pass over the validation pictures, without augmentation and dropout.
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
		m.add(loss, s.validation.output(), batch)
		s.observeDeepest()
	}
	return m, nil
}
