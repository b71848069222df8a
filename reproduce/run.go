package reproduce

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/dataset"
	"vgg/evaluate"
	"vgg/internal/atomicfile"
	"vgg/internal/page"
	"vgg/trainer"
)

// Observer is told how the work proceeds, by several goroutines if several trainings proceed at once.
type Observer interface {
	Training(dir string, r configs.Recipe) trainer.Observer // called when a training begins or continues
	Notice(message string)
}

// isInterruption tells whether an error is only that ctx ended.
func isInterruption(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// silence observes nothing.
type silence struct{}

func (silence) Training(string, configs.Recipe) trainer.Observer { return nil }
func (silence) Notice(string)                                    {}

// FolderError is the cause of Run's error if the plan's folder cannot be used.
type FolderError struct{ Err error }

func (e *FolderError) Error() string { return "reproduce: " + e.Err.Error() }

// Unwrap gives the cause.
func (e *FolderError) Unwrap() error { return e.Err }

// ErrNotDone: the tests are to be opened, and work is left before that.
var ErrNotDone = errors.New("work is left before the tests can be opened")

// Run does what the plan's records do not hold yet, and writes the report. A nil observer is told nothing. After an
// error or when ctx is cancelled, Run with the same plan continues. Of several ranks, rank 0 alone writes and returns
// the report; the others return nil.
func Run(ctx context.Context, p Plan, set *dataset.Set, observer Observer) (*Report, error) {
	if observer == nil {
		observer = silence{}
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if err := trainer.CheckClasses(set); err != nil {
		return nil, err
	}
	p = p.withRecords().forSet(set)
	if err := p.checkHeldOut(set); err != nil {
		return nil, err
	}
	if p.World.Size() > 1 {
		if err := p.runShared(ctx, set, observer); err != nil || p.World.Rank() > 0 {
			return nil, err
		}
		return p.report(set)
	}
	if err := p.finish(ctx, set, observer); err != nil {
		return nil, err
	}
	return p.report(set)
}

// finish does what is left, by one process.
func (p Plan) finish(ctx context.Context, set *dataset.Set, observer Observer) error {
	if err := p.openFolder(); err != nil {
		return err
	}
	jobs, err := p.left(observer)
	if err != nil {
		return err
	}
	return p.together(ctx, jobs, set, observer)
}

// checkHeldOut refuses held-out pictures that nets for a set cannot be tested on.
func (p Plan) checkHeldOut(set *dataset.Set) error {
	switch {
	case p.HeldOut == nil && p.Opening != "":
		return errors.New("reproduce: no held-out pictures whose tests could be opened")
	case p.HeldOut == nil:
	case !slices.Equal(p.HeldOut.Classes, set.Classes) || p.HeldOut.Channels != set.Channels:
		return errors.Errorf("reproduce: held-out pictures of %s: want the classes and channels of %s", p.HeldOut.Name, set.Name)
	case p.HeldOut.Val.Len() == 0:
		return errors.Errorf("reproduce: %s has no validation pictures to test on", p.HeldOut.Name)
	}
	if p.HeldOut != nil {
		if shared := p.HeldOut.SharesVal(set); shared != "" {
			return errors.Errorf("reproduce: held-out pictures of %s: nets are trained on or chosen by some of them, such as %s: want others", p.HeldOut.Name, shared)
		}
	}
	return nil
}

// left lists what is still to do.
func (p Plan) left(observer Observer) ([]job, error) {
	if err := os.MkdirAll(p.Records, 0o755); err != nil {
		return nil, &RecordsError{err}
	}
	kept, err := p.records()
	if err != nil {
		return nil, err
	}
	jobs := p.missing(kept)
	if len(jobs) > 0 { // records will be written
		if err := atomicfile.Check(filepath.Join(p.Records, together+".json")); err != nil {
			return nil, &RecordsError{err}
		}
	}
	if p.Opening != "" && len(jobs) > 0 {
		return nil, errors.Wrapf(ErrNotDone, "reproduce: %d trainings, the first of them %s", len(jobs), p.describe(jobs[0].training))
	}
	for _, j := range jobs {
		if _, err := os.Stat(p.dir(j.training)); kept[p.recordFile(j.training)] != nil && err != nil {
			observer.Notice(fmt.Sprintf("%s: its record is there, but %s is not, from which others start or with which they are tested together: it is trained again",
				p.describe(j.training), p.dir(j.training)))
		}
	}
	return jobs, nil
}

// RecordsError is the cause of Run's error if no records can be kept in the plan's folder of them.
type RecordsError struct{ Err error }

func (e *RecordsError) Error() string { return "reproduce: " + e.Err.Error() }

// Unwrap gives the cause.
func (e *RecordsError) Unwrap() error { return e.Err }

// do trains and tests a net, and keeps the record, and that of the nets of its seed together if it is the last of them.
func (p Plan) do(ctx context.Context, j job, set *dataset.Set, observer Observer) error {
	if err := train(ctx, p.recipe(j.training), p.dir(j.training), set, observer); err != nil {
		return errors.Wrap(err, p.describe(j.training))
	}
	if err := p.test(ctx, j, set, observer); err != nil {
		return errors.Wrapf(err, "tests of %s", p.describe(j.training))
	}
	if err := p.keepNet(j, set.Classes); err != nil {
		return err
	}
	return p.keepTogether(j.seed, set.Classes)
}

func (p Plan) openFolder() error { return openFolder(p.Dir, trainer.RecipeFile, p.Recipe) }

// openFolder writes a recipe into a plan's folder, and refuses a folder in which nets were trained by another one, or
// which cannot hold the report.
func openFolder(dir, file string, recipe configs.Recipe) error {
	trained, err := fs.Glob(os.DirFS(dir), path.Join("seed-*", "*", trainer.CheckpointDir, "*.safetensors"))
	if err != nil {
		return &FolderError{err}
	}
	file = filepath.Join(dir, file)
	text, err := os.ReadFile(file)
	if len(trained) == 0 || errors.Is(err, fs.ErrNotExist) {
		if text, err = recipe.TOML(); err != nil {
			return err
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return &FolderError{err}
		}
		if err := checkReport(dir); err != nil {
			return err
		}
		return errors.Wrap(atomicfile.Write(file, text), "reproduce: recipe")
	}
	if err != nil {
		return &FolderError{err}
	}
	begun, err := configs.ParseRecipe(text, file)
	if err != nil {
		return err
	}
	if changed := begun.Differences(recipe, "seed", "run"); len(changed) > 0 {
		return &FolderError{errors.Errorf("%s was begun otherwise: %s: ask for the same, or use another folder", dir, changed)}
	}
	return checkReport(dir)
}

// checkReport tells whether the report could be written.
func checkReport(dir string) error {
	if err := page.Check(dir); err != nil {
		return &FolderError{err}
	}
	return nil
}

// train trains a net, or continues its training, if there is anything to do.
func train(ctx context.Context, recipe configs.Recipe, dir string, set *dataset.Set, observer Observer) error {
	job := trainer.Job{Recipe: recipe, Set: set, Dir: dir}
	job.Observer = observer.Training(job.Dir, job.Recipe)
	begun, err := trainer.RunFiles(job.Dir)
	if err != nil {
		return err
	}
	if slices.Contains(begun, trainer.CheckpointDir) {
		// If the folder was moved, the weights that the recipe names have other paths.
		job.Resume, job.Force = true, []string{"weights", "init_from"}
	}
	if _, err := trainer.Train(ctx, job); !errors.Is(err, trainer.ErrFinished) {
		return err
	}
	return nil
}

// test makes those tests of a net whose predictions are not there yet.
func (p Plan) test(ctx context.Context, j job, set *dataset.Set, observer Observer) error {
	if p.HeldOut != nil {
		set = p.HeldOut
	}
	var m *evaluate.Model
	for _, one := range j.tests {
		if _, err := os.Stat(p.predictions(one)); err == nil {
			continue
		}
		if m == nil {
			read, err := evaluate.ReadModel(p.weights(j.training))
			if err != nil {
				return err
			}
			m = read
			defer m.Close()
		}
		began := time.Now()
		var predictions []evaluate.Prediction
		o := evaluate.Options{Protocol: one.protocol, Scales: []int{one.q}}
		skips := dataset.NewSkips(set, p.Recipe.Pictures)
		o.Skip = func(picture int, reason error) error { return skips.Skip(set.Val.Name(picture), reason) }
		result, err := evaluate.Run(ctx, []*evaluate.Model{m}, set.Val, o, func(one evaluate.Prediction) error {
			predictions = append(predictions, one)
			return nil
		})
		if err != nil {
			return err
		}
		seconds := time.Since(began).Seconds()
		if err := writePredictions(p.predictions(one), predictions, seconds); err != nil {
			return err
		}
		shown := fmt.Sprintf("top-1 error %.2f %%", result.Top1Error())
		if p.HeldOut != nil {
			shown = "on held-out pictures"
		}
		observer.Notice(fmt.Sprintf("tested: seed %d, %s, %s, Q = %d: %s, %.1f s", one.seed, p.name(one.training), one.protocol, one.q, shown, seconds))
	}
	return nil
}
