package trainer

import (
	"context"
	"fmt"
	"iter"
	"math"
	"time"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/dataset"
	"vgg/history"
	"vgg/internal/finite"
	"vgg/internal/mpi"
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

	// Force names keys of the recipe that may differ from those of the run that is resumed; data also allows other
	// pictures. The run keeps the new values. Other keys must be the same, but for those of the table run, and for the
	// data set's place if it holds the same pictures.
	Force []string

	Observer Observer // may be nil

	// World is the ranks that train together, nil for one. Rank 0 alone needs the other fields and has the files of the
	// run; a rank whose pictures lie elsewhere than those of rank 0 says where in Recipe.Data.
	World *mpi.World

	// Stalled, if not nil, is called on another goroutine when this rank has waited for too long
	// (Recipe.Run.StallSeconds). Train cannot go on then: Stalled ends all ranks.
	Stalled func(err error)

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

// Train trains until the schedule ends training or the recipe's number of epochs is reached, and returns the history, of
// several ranks on the first alone.
// When ctx is cancelled it writes a checkpoint after the last whole step and returns the error of the context, or that of
// the checkpoint, with the history of the completed epochs. The other errors that a caller may want to tell apart are
// ErrRunExists and the variables beside it.
func Train(ctx context.Context, job Job) (history.History, error) {
	if job.Observer == nil {
		job.Observer = noObserver{}
	}
	s, err := newSession(ctx, job)
	if err != nil {
		return nil, err
	}
	defer s.close()
	job = s.job
	s.stepping.Store(true)
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
	if err := s.compareWeights(); err != nil {
		return err
	}
	val, err := s.validate(ctx)
	if err != nil {
		return err
	}
	train := s.progress.Pass
	if min(train.Pictures, val.Pictures) == 0 {
		return errors.Errorf("trainer: %d training and %d validation pictures of epoch %d could be read: replace or remove the others, or give more", train.Pictures, val.Pictures, s.progress.Epoch)
	}
	classes := s.net.Options.Classes
	row := history.Epoch{
		Epoch: s.progress.Epoch, Iteration: s.progress.Iteration, LearningRate: s.progress.Schedule.LearningRate,
		TrainLoss: train.meanLoss(), TrainTop1Error: train.Top1Error(), TrainTop5Error: train.Top5Error(classes),
		ValLoss: val.meanLoss(), ValTop1Error: val.Top1Error(), ValTop5Error: val.Top5Error(classes),
		ImagesPerSecond: float64(train.Pictures) / s.progress.PassSeconds, Seconds: s.progress.PassSeconds + time.Since(began).Seconds(),
		LoaderWaitPercent: 100 * s.progress.PassWaited / s.progress.PassSeconds, ExchangeWaitPercent: 100 * s.progress.PassExchanged / s.progress.PassSeconds,
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
	switch schedule := s.progress.Schedule; {
	case divided && schedule.Every > 0:
		s.job.Observer.Notice(fmt.Sprintf("learning rate divided by %v after %d epochs, now %.3g", schedule.Factor, schedule.Every, schedule.LearningRate))
	case divided:
		s.job.Observer.Notice(fmt.Sprintf("validation error stopped falling: learning rate divided by %v, now %.3g", schedule.Factor, schedule.LearningRate))
	case done:
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
	before, began := s.progress, time.Now()
	waited := s.job.World.Waited()
	next, stop := iter.Pull2(s.train.EpochFrom(s.loading(ctx), s.progress.Epoch, s.progress.Step*s.micro))
	defer stop()
	for s.progress.Step < s.steps { // the pictures after the last step do not fill a mini-batch
		s.iteration.Store(int64(s.progress.Iteration))
		start := time.Now()
		leaves, stopped, err := s.step(ctx, next)
		if err != nil {
			return err
		}
		s.took(time.Since(start))
		pass := s.progress.Pass
		for _, l := range leaves {
			pass.merge(l.Meter)
		}
		loss := pass.meanLossSince(s.progress.Pass)
		s.progress.Step++
		s.progress.Iteration++
		s.progress.Pass, s.progress.PassSeconds, s.progress.PassWaited = pass, before.PassSeconds+time.Since(began).Seconds(), before.PassWaited+s.train.Waited().Seconds()
		s.progress.PassExchanged = before.PassExchanged + (s.job.World.Waited() - waited).Seconds()
		s.job.Observer.Step(s.progress.Epoch, s.progress.Step, pass.meanLoss())
		if err := s.tolerate(s.log(loss)); err != nil {
			return err
		}
		if s.checkpoints.due(s.job.Recipe.Run.CheckpointMinutes) {
			if err := s.tolerate(s.checkpoint()); err != nil {
				return err
			}
		}
		if stopped != nil {
			return stopped
		}
	}
	return nil
}

// step computes this rank's micro-batches of a mini-batch, and updates the weights by the gradients of all. It returns
// what all micro-batches add to the sums, and whether the ranks were asked to end.
func (s *session) step(ctx context.Context, next func() (*dataset.Batch, error, bool)) (leaves []leaf, stopped, err error) {
	w, sent := s.job.World, s.job.World.Sent()
	s.gradients.Begin()
	own := report{Interrupted: w.Size() > 1 && ctx.Err() != nil}
	for micro := s.gradients.first; micro < s.gradients.end && err == nil; micro++ {
		var l leaf
		if l, err = s.microBatch(next, micro); err == nil {
			own.Leaves = append(own.Leaves, l)
		}
	}
	if err != nil && w.Size() == 1 {
		return nil, nil, err
	}
	if failed := s.gradients.Finish(); failed != nil {
		return nil, nil, failed
	}
	reports, err := s.agree("the others' step", own, err)
	if err != nil {
		return nil, nil, err
	}
	s.sent += w.Sent() - sent
	s.solver.Accumulated = 0
	for rank, r := range reports {
		for _, l := range r.Leaves {
			s.solver.Accumulated += l.Share
			s.count(rank, l.Meter.Pictures, r.Sent)
		}
		leaves = append(leaves, r.Leaves...)
	}
	s.stepped++
	if layer := s.gradientNotFinite(); layer != "" {
		return nil, nil, mpi.Share(s.divergence("a gradient is not finite", layer))
	}
	if s.progress.Step+1 == s.steps && s.progress.Epoch <= diagnosedEpochs {
		s.norms = s.gradientNorms()
	}
	return leaves, interruption(reports), s.solver.Step(s.learnables)
}

// microBatch computes the loss and the gradients of a micro-batch.
func (s *session) microBatch(next func() (*dataset.Batch, error, bool), micro int) (leaf, error) {
	batch, err := s.pull(next)
	if err != nil {
		return leaf{}, err
	}
	s.gradients.Next()
	loss, err := s.training.run(batch, s.progress.Iteration*s.micro+micro)
	if err != nil {
		return leaf{}, err
	}
	if !finite.Is(loss) {
		return leaf{}, s.lossDiverged(loss, s.training.net, batch, micro)
	}
	l := leaf{Meter: meter{}, Share: share(batch.Labels)}
	l.Meter.add(loss, s.training.output(), batch)
	return l, nil
}

// validate makes a pass over the validation pictures, without augmentation and dropout. In each round every rank takes
// a batch.
func (s *session) validate(ctx context.Context) (*meter, error) {
	m := &meter{}
	s.alive = nil
	w := s.job.World
	next, stop := iter.Pull2(s.val.Epoch(s.loading(ctx), 0))
	defer stop()
	for first := 0; first < s.val.Len(); first += w.Size() {
		began := time.Now()
		own := report{Interrupted: w.Size() > 1 && ctx.Err() != nil}
		var err error
		if first+w.Rank() < s.val.Len() {
			var l leaf
			if l, err = s.validateBatch(next); err == nil {
				own.Leaves = append(own.Leaves, l)
			}
		}
		reports, err := s.agree("the others' validation", own, err)
		if err == nil {
			err = interruption(reports)
		}
		if err != nil {
			return nil, err
		}
		for _, r := range reports {
			for _, l := range r.Leaves {
				m.merge(l.Meter)
			}
		}
		s.took(time.Since(began))
	}
	return m, s.combineAlive()
}

func (s *session) validateBatch(next func() (*dataset.Batch, error, bool)) (leaf, error) {
	batch, err := s.pull(next)
	if err != nil {
		return leaf{}, err
	}
	loss, err := s.validation.run(batch, 0)
	if err != nil {
		return leaf{}, err
	}
	if !finite.Is(loss) { // the last step, which no other followed, was too large
		return leaf{}, s.lossDiverged(loss, s.validation.net, batch, 0)
	}
	l := leaf{Meter: meter{}}
	l.Meter.add(loss, s.validation.output(), batch)
	s.observeDeepest()
	return l, nil
}
