package trainer

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/internal/text"
	"vgg/weights"
)

// openDir locks the run directory and, to resume, reads its newest checkpoint.
func (s *session) openDir() (_ *checkpoint, err error) {
	job := &s.job
	if job.Dir == "" {
		if job.Resume {
			return nil, errors.New("trainer: no run directory to resume")
		}
		return nil, nil
	}
	if job.Resume {
		if info, err := os.Stat(job.Dir); err != nil || !info.IsDir() {
			return nil, marked{errors.Errorf("trainer: %s is not a run directory: give that of a run that has begun", job.Dir), ErrNoCheckpoint}
		}
	}
	if s.files, err = openFiles(job.Dir, job.create); err != nil {
		return nil, err
	}
	s.checkpoints = checkpoints{dir: filepath.Join(job.Dir, CheckpointDir), write: func(name string, f weights.File) error {
		return s.files.write(name, func(w io.Writer) error { return weights.Encode(w, f) })
	}}
	if !job.Resume {
		return nil, s.files.begin(job.Recipe)
	}
	c, err := s.checkpoints.newest(job.Observer.Notice)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = c.file.Close() // err matters more
		}
	}()
	if err := s.sameRun(c); err != nil {
		return nil, err
	}
	c.Schedule.Schedule = job.Recipe.Schedule
	c.Done = c.Done && c.Schedule.exhausted()
	finished := fmt.Sprintf("trainer: the run in %s is finished after %d epochs", job.Dir, c.Epoch-1)
	switch {
	case c.Done:
		return nil, marked{marked{errors.Errorf("%s: its schedule has ended training", finished), ErrFinished}, ErrScheduleEnded}
	case c.Epoch > job.Recipe.Training.Epochs:
		return nil, marked{errors.New(finished), ErrFinished}
	}
	return c, nil
}

// sameRun refuses to resume a run with another recipe or other pictures, but for what Job.Force allows. The same
// pictures in another place are the same.
func (s *session) sameRun(c *checkpoint) error {
	job := &s.job
	run, err := configs.ParseRecipe([]byte(c.Recipe), "the run's recipe")
	if err != nil {
		return err
	}
	if len(c.Classes) > 0 && !slices.Equal(c.Classes, s.set.Classes) {
		return errors.Errorf("trainer: the run in %s is of the classes %s, in this order, and the data set %s has %s: begin a new run that starts from %s",
			job.Dir, text.FirstFew(c.Classes, 5), s.set.Name, text.FirstFew(s.set.Classes, 5), filepath.Join(job.Dir, BestFile))
	}
	samePictures := s.set.Fingerprint() == c.Data
	allowed := append(slices.Clone(job.Force), "run") // the table, which decides nothing that the weights depend on
	if samePictures {
		allowed = append(allowed, "data")
	}
	job.Recipe = takePixels(job.Recipe, run)
	changed := run.Differences(job.Recipe, allowed...)
	other := configs.Difference{Key: "data", Text: fmt.Sprintf("the data set %s holds other pictures", s.set.Name)}
	if !samePictures && !slices.ContainsFunc(job.Force, func(key string) bool { return strings.EqualFold(key, "data") }) {
		changed = append(changed, other)
	}
	if len(changed) > 0 {
		return &ChangedError{job.Dir, changed}
	}
	if !samePictures {
		s.notice(other.Text + ": the run goes on with them")
	}
	if all := run.Differences(job.Recipe); len(all) > 0 {
		s.notes = append(s.notes, fmt.Sprintf("the run goes on with %v", all))
	}
	measured := run
	measured.Data = job.Recipe.Data
	if measured.SameMeasured(job.Recipe) {
		job.Recipe.Statistics = run.Statistics // pixels go on being normalised as before
	}
	if run.Data == job.Recipe.Data {
		s.progress.Skipped = c.Skipped // else they have other names, and are found again
	}
	c.Schedule.LearningRate *= job.Recipe.Training.LearningRate / run.Training.LearningRate
	old, now := run.Training, job.Recipe.Training
	if c.Step > 0 && (!samePictures || old.Batch != now.Batch || old.Limit != now.Limit || old.Seed != now.Seed) {
		s.notes = append(s.notes, fmt.Sprintf("epoch %d begins anew, with other mini-batches", c.Epoch))
		c.beginPass()
	}
	return nil
}

// takePixels is a recipe with the mean and the deviation of pixels that a run of it took from its weights.
func takePixels(r, run configs.Recipe) configs.Recipe {
	if a := &r.Augment; len(a.PixelMean) == 0 && r.Weights+r.InitFrom != "" {
		a.PixelMean, a.PixelStd = run.Augment.PixelMean, run.Augment.PixelStd
	}
	return r
}

// restore continues from a checkpoint, and closes its file.
func (s *session) restore(c *checkpoint) error {
	var net []weights.Tensor
	velocities := map[string][]float32{}
	for _, t := range c.file.Tensors {
		if name, ok := strings.CutPrefix(t.Name, velocityPrefix); ok {
			velocities[name] = t.Data
		} else {
			net = append(net, t)
		}
	}
	if err := s.net.Load(net); err != nil {
		return errors.Wrap(err, "trainer: the checkpoint is of another net")
	}
	s.solver.velocities = nil
	for _, p := range s.net.Parameters() {
		if p.Frozen {
			continue
		}
		v, ok := velocities[p.Name]
		size := p.Node.Shape().TotalSize()
		if !ok {
			v = make([]float32, size) // the layer was frozen before
		}
		if len(v) != size {
			return errors.Errorf("trainer: the checkpoint has %d velocities of %s, want %d", len(v), p.Name, size)
		}
		s.solver.velocities = append(s.solver.velocities, slices.Clone(v))
	}
	if err := c.file.Close(); err != nil {
		return err
	}
	if s.progress.Recipe != "" { // training goes back, with what it was begun with
		c.Recipe, c.Data, c.Notes = s.progress.Recipe, s.progress.Data, s.progress.Notes
	}
	s.progress, s.history = c.progress, c.history
	s.progress.Schedule.Schedule = s.job.Recipe.Schedule
	s.secondsBefore, s.started = c.Seconds, time.Now()
	s.checkpoints.started, s.checkpoints.restored, s.checkpoints.restoredAt = s.started, c.name, s.progress.Iteration
	return s.trimLog()
}

// beginFiles writes the recipe and a first checkpoint, so that an error of writing shows before the first step.
func (s *session) beginFiles() error {
	if s.files == nil {
		return nil
	}
	if s.job.Recipe.Run.OnDiskFull == configs.OnDiskFullStop {
		if err := s.checkpoints.checkSpace(4 * s.parameters()); err != nil {
			return err
		}
	}
	return s.identify()
}

// identify writes the recipe and a checkpoint, unless the run was resumed as it was. The recipe comes first, so that
// whatever happens in between, the same command goes on.
func (s *session) identify() error {
	data, err := s.job.Recipe.TOML()
	if err != nil {
		return err
	}
	recipe, fingerprint := string(data), s.set.Fingerprint()
	if s.files == nil || s.progress.Recipe == recipe && s.progress.Data == fingerprint {
		return nil
	}
	s.progress.Recipe, s.progress.Data, s.progress.Classes = recipe, fingerprint, s.set.Classes
	if err := s.files.writeBytes(RecipeFile, data); err != nil {
		return err
	}
	if err := s.checkpoint(); err != nil {
		return err
	}
	return s.tolerate(s.checkpoints.wait())
}

// checkpoint begins to write one, and returns the error of the one before.
func (s *session) checkpoint() error {
	if s.files == nil {
		return nil
	}
	var rows strings.Builder
	if err := s.history.WriteCSV(&rows); err != nil {
		return err
	}
	s.progress.History, s.progress.Skipped, s.progress.Seconds = rows.String(), s.skips.List(), s.elapsed()
	tensors := s.net.Tensors()
	learnable := 0
	for i, p := range s.net.Parameters() {
		if p.Frozen {
			continue
		}
		v := tensors[i]
		v.Name = velocityPrefix + p.Name
		if s.solver.velocities == nil || s.solver.velocities[learnable] == nil {
			v.Data = make([]float32, len(v.Data)) // 0 before the first step
		} else {
			v.Data = s.solver.velocities[learnable]
		}
		tensors = append(tensors, v)
		learnable++
	}
	return s.checkpoints.start(s.progress, tensors)
}

// elapsed is the time that the run has taken so far, in seconds.
func (s *session) elapsed() float64 { return s.secondsBefore + time.Since(s.started).Seconds() }

// finished tells whether no epoch is left.
func (s *session) finished() bool {
	return s.progress.Done || s.progress.Epoch > s.job.Recipe.Training.Epochs
}

// tolerate takes an error of writing a file and returns it, or nil if the recipe says to go on without the file.
func (s *session) tolerate(err error) error {
	if err != nil && s.job.Recipe.Run.OnDiskFull == configs.OnDiskFullContinue {
		s.job.Observer.Notice(fmt.Sprintf("going on without a file: %v", err))
		return nil
	}
	return err
}

// interrupted saves what there is when training ends early with err: a checkpoint after the last step, and the list of
// skipped pictures. It writes no checkpoint if training has diverged or a file could not be written.
func (s *session) interrupted(err error) error {
	if s.files == nil {
		return err
	}
	failed := s.checkpoints.wait()
	if !errors.Is(err, ErrDiverged) && !errors.Is(err, ErrWrite) { // there may be room again
		failed = cmp.Or(s.checkpoint(), s.checkpoints.wait())
	}
	if skips := s.saveSkips(); failed == nil {
		failed = skips
	}
	switch {
	case failed == nil || failed == err:
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		err = errors.Wrapf(failed, "%v, and then", err) // not just an interruption
	default:
		err = errors.Wrapf(err, "%v; and before that", failed)
	}
	return marked{errors.Wrapf(err, "trainer: stopped after iteration %d (the run can be resumed)", s.progress.Iteration), ErrInterrupted}
}
