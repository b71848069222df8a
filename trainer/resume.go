package trainer

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/weights"
)

// openDir takes the run directory and, if the run is resumed, finds its checkpoint.
func (s *session) openDir() (*checkpoint, error) {
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
	var err error
	if s.files, err = openFiles(job.Dir, job.create); err != nil {
		return nil, err
	}
	s.checkpoints = checkpoints{dir: filepath.Join(job.Dir, CheckpointDir), write: func(name string, f weights.File) error {
		return s.files.write(name, func(w io.Writer) error { return weights.Encode(w, f) })
	}}
	if !job.Resume {
		names, err := s.checkpoints.names()
		if err == nil && len(names) > 0 {
			err = marked{errors.Errorf("trainer: %s holds a training already: resume it or choose another folder", job.Dir), ErrRunExists}
		}
		return nil, err
	}
	c, err := s.checkpoints.newest(job.Observer.Notice)
	if err != nil {
		return nil, err
	}
	run, err := configs.ParseRecipe([]byte(c.Recipe), "the run's recipe")
	if err != nil {
		return nil, err
	}
	changed := run.Differences(job.Recipe, append(job.Force, "checkpoint_minutes", "on_disk_full", "on_divergence", "log_every")...)
	if data := s.set.Fingerprint(); data != c.Data && !slices.Contains(job.Force, "data") {
		changed = append(changed, fmt.Sprintf("the data set %s holds other pictures", s.set.Name))
	}
	if len(changed) > 0 {
		return nil, marked{errors.Errorf("trainer: the run in %s differs: %s", job.Dir, strings.Join(changed, "; ")), ErrChanged}
	}
	if c.Done || c.Epoch > job.Recipe.Training.Epochs {
		return nil, marked{errors.Errorf("trainer: the run in %s is finished after %d epochs", job.Dir, c.Epoch-1), ErrFinished}
	}
	if run.SameMeasured(job.Recipe) {
		job.Recipe.Statistics = run.Statistics
	}
	s.at.Skipped = c.Skipped
	return c, nil
}

// restore goes on from a checkpoint, and closes its file.
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
	for _, t := range net {
		v := velocities[t.Name]
		if len(v) != len(t.Data) {
			return errors.Errorf("trainer: the checkpoint has %d velocities of %s, want %d", len(v), t.Name, len(t.Data))
		}
		s.solver.velocities = append(s.solver.velocities, slices.Clone(v))
	}
	if err := c.file.Close(); err != nil {
		return err
	}
	s.at, s.history = c.progress, c.history
	s.at.Schedule.Schedule = s.job.Recipe.Schedule
	s.before, s.began = c.Seconds, time.Now()
	s.checkpoints.began = s.began
	s.notes = append(s.notes, fmt.Sprintf("resumed in epoch %d after step %d of %d, iteration %d, at learning rate %.3g", s.at.Epoch, s.at.Step, s.steps, s.at.Iteration, s.at.Schedule.LearningRate))
	return s.trimLog()
}

// beginFiles writes the recipe and a first checkpoint, so that what cannot be written is known before the first step.
func (s *session) beginFiles() error {
	if s.files == nil {
		return nil
	}
	if s.job.Recipe.Run.OnDiskFull == configs.OnDiskFullStop {
		if err := s.checkpoints.checkSpace(4 * s.parameters()); err != nil {
			return err
		}
	}
	for _, name := range []string{SkippedFile, LogFile} {
		if err := os.Remove(filepath.Join(s.job.Dir, name)); err != nil && !os.IsNotExist(err) {
			return marked{errors.Wrap(err, "trainer: cannot remove an earlier run's file"), ErrWrite}
		}
	}
	recipe, err := s.job.Recipe.TOML()
	if err != nil {
		return err
	}
	s.at.Recipe, s.at.Data = string(recipe), s.set.Fingerprint()
	if err := s.files.writeBytes(RecipeFile, recipe); err != nil {
		return err
	}
	if err := s.checkpoint(); err != nil {
		return err
	}
	return s.endured(s.checkpoints.wait())
}

// checkpoint begins to write one, and returns what became of the one before.
func (s *session) checkpoint() error {
	if s.files == nil {
		return nil
	}
	var rows strings.Builder
	if err := s.history.WriteCSV(&rows); err != nil {
		return err
	}
	s.at.History, s.at.Skipped, s.at.Seconds = rows.String(), s.skips.List(), s.elapsed()
	tensors := s.net.Tensors()
	for i, t := range tensors {
		if s.solver.velocities == nil || s.solver.velocities[i] == nil {
			t.Data = make([]float32, len(t.Data)) // before the first step
		} else {
			t.Data = s.solver.velocities[i]
		}
		t.Name = velocityPrefix + t.Name
		tensors = append(tensors, t)
	}
	return s.checkpoints.start(s.at, tensors)
}

// elapsed is the time that the run has taken, in seconds.
func (s *session) elapsed() float64 { return s.before + time.Since(s.began).Seconds() }

// finished tells whether there is no epoch to come.
func (s *session) finished() bool { return s.at.Done || s.at.Epoch > s.job.Recipe.Training.Epochs }

// endured is an error of writing a file, or nil where the recipe says to go on without that.
func (s *session) endured(err error) error {
	if err != nil && s.job.Recipe.Run.OnDiskFull == configs.OnDiskFullContinue {
		s.job.Observer.Notice(fmt.Sprintf("going on without a file: %v", err))
		return nil
	}
	return err
}

// interrupted keeps what there is when training ends early: a checkpoint after the last step, and the list of pictures
// that were passed over. A file that could not be written, and weights that have diverged, are left as they were.
func (s *session) interrupted(err error) error {
	if s.files == nil {
		return err
	}
	failed := s.checkpoints.wait()
	if !errors.Is(err, ErrDiverged) && failed == nil && !errors.Is(err, ErrWrite) {
		if failed = s.checkpoint(); failed == nil {
			failed = s.checkpoints.wait()
		}
	}
	if skips := s.saveSkips(); failed == nil {
		failed = skips
	}
	if failed != nil && failed != err {
		err = errors.Wrapf(err, "%v; and before that", failed)
	}
	return marked{errors.Wrapf(err, "trainer: stopped after iteration %d (the run can be resumed)", s.at.Iteration), ErrInterrupted}
}
