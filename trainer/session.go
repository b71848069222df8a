package trainer

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"vgg/augment"
	"vgg/configs"
	"vgg/dataset"
	"vgg/graph"
	"vgg/history"
	"vgg/internal/kernel"
	"vgg/internal/mpi"
	"vgg/internal/text"
	"vgg/internal/threads"
)

// session is one call of Train: a graph for training and one for validation that share their weights, and their data.
type session struct {
	job        Job
	set        *dataset.Set
	net        *graph.Net // of the training graph
	learnables []gorgonia.ValueGrad
	training   *runner
	validation *runner
	solver     *SGD
	train, val *dataset.Loader
	transform  augment.Transform
	split      string         // description of it, for the metadata of weights
	sample     string         // of the training pictures, for the metadata of weights
	skips      *dataset.Skips // nil if the first picture that cannot be read ends the run
	steps      int            // mini-batches per epoch
	micro      int            // micro-batches per mini-batch
	said       []string       // notices before the first step
	notes      []string       // for Observer.Begin
	skipped    int            // pictures that the observer knows of

	progress      progress
	history       history.History
	files         *files // nil if nothing is written
	checkpoints   checkpoints
	started       time.Time
	secondsBefore float64 // that the run took before it was resumed

	gradients *Gradients
	reported  map[string]bool // skipped pictures that all ranks know of
	pictures  []int           // training pictures that each rank has computed since the start
	bytes     []int64         // that each rank has sent in steps since the start
	sent      int64           // that by this rank
	stepped   int             // steps since the start
	longest   atomic.Int64    // nanoseconds of a step or a round of validation
	iteration atomic.Int64    // of progress, for the watch
	stepping  atomic.Bool     // the first step has begun
	ended     chan struct{}   // closed at the end

	norms *gradientNorms // in the last step of the epoch; nil if it was before the run was resumed
	alive []bool         // channels of the deepest convolution that were active for any validation picture

	meanBoxLoss float64 // on the validation pictures; of a net that predicts boxes
}

// newSession opens the data, builds the graphs, and sets the weights or restores a checkpoint.
func newSession(ctx context.Context, job Job) (_ *session, err error) {
	if err := configs.CheckKeys(job.Force...); err != nil {
		return nil, errors.Wrap(err, "trainer: allowed to differ")
	}
	s := &session{job: job, notes: []string{kernels()}, started: time.Now(), ended: make(chan struct{})}
	if err := s.takeRecipe(); err != nil {
		return nil, err
	}
	r := s.job.Recipe
	if err := r.Validate(); err != nil {
		return nil, mpi.Share(err)
	}
	config, err := r.NetConfig()
	if err != nil {
		return nil, err
	}
	micro := r.MicroBatch()
	s.micro = r.Training.Batch / micro
	if s.gradients, err = NewGradients(job.World, s.micro, micro); err != nil {
		return nil, mpi.Share(err)
	}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	go s.watch(r.Run.StallSeconds)
	if err := s.meet(); err != nil {
		return nil, err
	}
	if err := checkMemory(r, config, s.set.Channels, len(s.set.Classes)); err != nil {
		return nil, err
	}
	start, resumed, err := s.prepare(ctx)
	if err != nil {
		return nil, err
	}
	if s.job.World.Rank() == 0 {
		s.sample = s.set.TrainingSample()
	}
	if s.files != nil {
		s.split = s.set.SplitID()
	}
	if err := s.build(config); err != nil {
		return nil, err
	}
	if err := s.begin(start, resumed); err != nil {
		return nil, err
	}
	s.keepNotes()
	if err := s.shareState(); err != nil {
		return nil, err
	}
	if resumed != nil {
		return s, s.identify()
	}
	return s, s.beginFiles()
}

// build declares the graphs.
func (s *session) build(config configs.Config) (err error) {
	r := s.job.Recipe
	o := graph.Options{
		Classes: len(s.set.Classes), Width: r.Net.Width, FC: r.Net.FC,
		Boxes: r.Boxes.Regression, BoxLoss: r.Boxes.Loss, Dropout: r.Net.Dropout, Init: r.Net.Init, Seed: r.Training.Seed, Freeze: r.Training.Freeze,
	}
	if s.training, err = newRunner(config, o, r.MicroBatch(), s.set.Channels, r.Net.Input, s.gradients); err != nil {
		return err
	}
	s.net = s.training.net
	o.Dropout, o.Weights = 0, s.net
	if s.validation, err = newRunner(config, o, r.MicroBatch(), s.set.Channels, r.Net.Input, nil); err != nil {
		return err
	}
	s.noteFrozen()
	s.noteExchange()
	s.learnables = gorgonia.NodesToValueGrads(s.net.Learnables())
	s.solver = &SGD{Momentum: r.Training.Momentum, WeightDecay: r.Training.WeightDecay, KeepGradients: true}
	return nil
}

// begin sets the weights and the progress, those of a checkpoint or of a new run.
func (s *session) begin(f *start, resumed *checkpoint) error {
	if resumed != nil {
		if err := s.restore(resumed); err != nil {
			return err
		}
		p := s.progress
		s.notes = append(s.notes, fmt.Sprintf("resumed in epoch %d after step %d of %d, iteration %d, at learning rate %.3g", p.Epoch, p.Step, s.steps, p.Iteration, p.Schedule.LearningRate))
		return nil
	}
	r := s.job.Recipe
	s.progress = progress{Format: format, Epoch: 1, Schedule: ReduceOnPlateau{Schedule: r.Schedule, LearningRate: r.Training.LearningRate}}
	s.noteNarrowView()
	repeated, err := s.set.ValIn(s.sample)
	if err != nil {
		return err
	}
	if repeated != "" {
		s.notice(fmt.Sprintf("%s is a training picture too, perhaps as others are: the validation error is too low (go on with other pictures in val, or with none there, so that a share is kept)", repeated))
	}
	return s.startFrom(f)
}

// noteNarrowView notices a net that sees less than half of the first picture, which is not resized.
func (s *session) noteNarrowView() {
	r := s.job.Recipe
	if r.Augment.Scale() != (configs.Scale{}) {
		return
	}
	first, err := s.set.Train.Picture(0)
	if err != nil {
		return // whoever reads all pictures says so
	}
	if view := first.NarrowView(r.Net.Input); view != "" {
		s.notice(view + ": augment.scale_min and augment.scale_max resize them, as the recipe flowers does")
	}
}

// notice tells the user at once what was decided before the first step.
func (s *session) notice(message string) {
	s.said = append(s.said, message)
	s.job.Observer.Notice(message)
}

// keepNotes adds the notices and notes of this training to those of the run.
func (s *session) keepNotes() {
	for _, note := range append(s.said, s.notes...) {
		if !slices.Contains(s.progress.Notes, note) {
			s.progress.Notes = append(s.progress.Notes, note)
		}
	}
}

// kernels names the instructions and the threads that compute the net.
func kernels() string {
	note := fmt.Sprintf("kernels: %s, %s", kernel.ISA(), text.Count(threads.Count(), "thread"))
	if kernel.ISA() == "go" {
		note += " (the processor has neither AVX-512 nor AVX2, or VGG_CPU forbids them: pure Go, many times slower)"
	}
	return note
}

// close frees what newSession opened.
func (s *session) close() {
	close(s.ended)
	for _, r := range []*runner{s.training, s.validation} {
		if r != nil {
			r.vm.Close()
		}
	}
	_ = s.checkpoints.wait() // Train has returned its error
	s.files.close()
	if s.set != nil && s.job.Set == nil {
		_ = s.set.Close() // it was only read
	}
}
