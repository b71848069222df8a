package trainer

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/google/renameio/v2"
	"github.com/pkg/errors"

	"vgg/weights"
)

// The files of a run directory.
const (
	RecipeFile  = "recipe.toml"      // the recipe as resolved: enough to run again
	HistoryFile = "history.csv"      // a row an epoch
	SummaryFile = "summary.json"     // of the best epoch and the whole run
	SkippedFile = "skipped.csv"      // pictures that could not be read, if any
	BestFile    = "best.safetensors" // the weights of the epoch with the lowest validation top-1 error
	LastFile    = "last.safetensors" // the weights of the last epoch
)

// Summary is what summary.json holds. Errors are in percent; the validation figures are those of BestEpoch.
type Summary struct {
	Config          string   `json:"config"`
	Recipe          string   `json:"recipe"`
	Data            string   `json:"data"`
	Classes         int      `json:"classes"`
	Parameters      int      `json:"parameters"`
	Epochs          int      `json:"epochs"`
	Iterations      int      `json:"iterations"`
	BestEpoch       int      `json:"best_epoch"`
	ValLoss         float64  `json:"val_loss"`
	ValTop1Error    float64  `json:"val_top1_error"`
	ValTop5Error    *float64 `json:"val_top5_error"` // null for fewer than six classes
	ImagesPerSecond float64  `json:"images_per_second"`
	LoaderWait      float64  `json:"loader_wait_percent"`
	Skipped         int      `json:"skipped_pictures"`
	Seconds         float64  `json:"seconds"`
	Seed            uint64   `json:"seed"`
	Threads         int      `json:"threads"`
}

// Summarise sums up a history of the job's training.
func (s *session) summarise(h History, elapsed time.Duration) Summary {
	best, _ := h.Best()
	last := h[len(h)-1]
	sum := Summary{
		Config: s.net.Config.Name, Recipe: s.job.Recipe.Name, Data: s.job.Set.Name, Classes: s.net.Options.Classes,
		Epochs: last.Epoch, Iterations: last.Iteration, BestEpoch: best.Epoch, ValLoss: best.ValLoss, ValTop1Error: best.ValTop1Error,
		Seconds: elapsed.Seconds(), Seed: s.job.Recipe.Training.Seed, Threads: runtime.GOMAXPROCS(0),
		Skipped: len(s.skips.List()),
	}
	if !math.IsNaN(best.ValTop5Error) {
		sum.ValTop5Error = &best.ValTop5Error
	}
	for _, row := range s.net.Summary() {
		sum.Parameters += row.Parameters
	}
	for _, row := range h {
		sum.ImagesPerSecond += row.ImagesPerSecond / float64(len(h))
		sum.LoaderWait += row.LoaderWaitPercent / float64(len(h))
	}
	return sum
}

// prepareDir makes the run directory and writes the recipe, so that a folder that cannot be written to is known
// before the first step.
func (s *session) prepareDir() error {
	if s.job.Dir == "" {
		return nil
	}
	if err := os.MkdirAll(s.job.Dir, 0o777); err != nil {
		return errors.Wrap(err, "trainer: cannot make the run directory (choose another with --out)")
	}
	if err := os.Remove(filepath.Join(s.job.Dir, SkippedFile)); err != nil && !os.IsNotExist(err) {
		return errors.Wrap(err, "trainer: cannot remove an earlier run's list (choose another folder with --out)")
	}
	recipe, err := s.job.Recipe.TOML()
	if err != nil {
		return err
	}
	return s.write(RecipeFile, recipe)
}

func (s *session) write(name string, data []byte) error {
	path := filepath.Join(s.job.Dir, name)
	return errors.Wrapf(renameio.WriteFile(path, data, 0o666), "trainer: cannot write %s (choose another folder with --out)", path)
}

// save writes what is known after an epoch.
func (s *session) save(h History, elapsed time.Duration) error {
	if s.job.Dir == "" {
		return nil
	}
	last := h[len(h)-1]
	if best, _ := h.Best(); best.Epoch == last.Epoch {
		if err := s.saveWeights(BestFile, best); err != nil {
			return err
		}
	}
	if err := s.saveWeights(LastFile, last); err != nil {
		return err
	}
	if err := h.Save(filepath.Join(s.job.Dir, HistoryFile)); err != nil {
		return err
	}
	if err := s.saveSkips(); err != nil {
		return err
	}
	summary, err := json.MarshalIndent(s.summarise(h, elapsed), "", "  ")
	if err != nil {
		return errors.Wrap(err, "trainer: summary")
	}
	return s.write(SummaryFile, append(summary, '\n'))
}

// saveSkips lists the pictures that were passed over.
func (s *session) saveSkips() error {
	skips := s.skips.List()
	if len(skips) == 0 {
		return nil
	}
	rows := [][]string{{"picture", "reason"}}
	for _, skip := range skips {
		rows = append(rows, []string{skip.Picture, skip.Reason})
	}
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
		return errors.Wrap(err, "trainer: list of skipped pictures")
	}
	return s.write(SkippedFile, b.Bytes())
}

// saveWeights writes the weights with what makes them usable, and where they come from: the last row of the history.
func (s *session) saveWeights(name string, row Epoch) error {
	r := s.job.Recipe
	info := weights.Info{
		Config: s.net.Config.Name, Width: s.net.Options.Width, FC: s.net.Options.FC, Input: r.Net.Input, Channels: s.job.Set.Channels,
		Classes: s.job.Set.Classes, Mean: s.view.Mean, Std: s.view.Std, ScaleMin: s.view.Scale.Min, ScaleMax: s.view.Scale.Max,
		Recipe: r.Name, Epoch: row.Epoch, ValTop1Error: row.ValTop1Error,
	}
	return weights.Write(filepath.Join(s.job.Dir, name), weights.File{Metadata: info.Metadata(), Tensors: s.net.Tensors()})
}

// interrupted saves what there is when a pass ends early: the list of pictures that were passed over and, because its
// context was cancelled, the weights as they are. h holds the epochs that were completed.
func (s *session) interrupted(err error, h History) error {
	if s.job.Dir == "" {
		return err
	}
	if failed := s.saveSkips(); failed != nil {
		return errors.Wrapf(err, "%v, and before that", failed)
	}
	if !errors.Is(err, context.Canceled) {
		return err
	}
	row := Epoch{ValTop1Error: math.NaN()} // nobody validated these weights
	if len(h) > 0 {
		row.Epoch = h[len(h)-1].Epoch
	}
	if failed := s.saveWeights(LastFile, row); failed != nil {
		return errors.Wrapf(failed, "trainer: stopped at iteration %d, and the weights could not be saved", s.iteration)
	}
	return errors.Wrapf(err, "trainer: stopped at iteration %d, the weights are in %s", s.iteration, filepath.Join(s.job.Dir, LastFile))
}
