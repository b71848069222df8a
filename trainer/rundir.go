package trainer

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
	"github.com/pkg/errors"

	"vgg/history"
	"vgg/weights"

	"vgg/internal/threads"
)

// The files of a run directory, beside history.FileName.
const (
	RecipeFile  = "recipe.toml"      // the complete recipe, with which the run can be repeated
	SummaryFile = "summary.json"     // of the best epoch and the whole run
	LogFile     = "log.jsonl"        // a line every few steps
	SkippedFile = "skipped.csv"      // pictures that could not be read, if any
	BestFile    = "best.safetensors" // the weights of the epoch with the lowest validation top-1 error
	LastFile    = "last.safetensors" // the weights of the last epoch
	CurvesPNG   = "curves.png"       // loss and error curves, which observers draw
	CurvesSVG   = "curves.svg"
)

// runFiles are all files of a run but its checkpoints.
var runFiles = []string{BestFile, LastFile, history.FileName, RecipeFile, SummaryFile, LogFile, SkippedFile, CurvesPNG, CurvesSVG}

// RunFiles lists what a run left in a directory, by name: its files, and CheckpointDir if there are checkpoints in it.
func RunFiles(dir string) (left []string, err error) {
	names, err := (&checkpoints{dir: filepath.Join(dir, CheckpointDir)}).names()
	if err != nil {
		return nil, err
	}
	if len(names) > 0 {
		left = append(left, CheckpointDir)
	}
	for _, name := range runFiles {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			left = append(left, name)
		} else if !os.IsNotExist(err) {
			return nil, errors.Wrap(err, "trainer: cannot look into the run directory")
		}
	}
	return left, nil
}

// RemoveUnused removes a directory in which no run has written anything.
func RemoveUnused(dir string) {
	if left, err := RunFiles(dir); err != nil || len(left) > 0 {
		return
	}
	f := files{dir: dir, lock: flock.New(filepath.Join(dir, lockFile))}
	if locked, err := f.lock.TryLock(); err != nil || !locked {
		return // another training has begun in it
	}
	defer f.close()
	// What else is there stays, and a directory left over only looks untidy.
	_ = os.Remove(filepath.Join(dir, CheckpointDir))
	_ = os.Remove(f.lock.Path())
	_ = os.Remove(dir)
}

// Summary is what summary.json holds. Errors are in percent; the validation figures are those of BestEpoch.
type Summary struct {
	Config          string   `json:"config"`
	Recipe          string   `json:"recipe"`
	Data            string   `json:"data"`
	Classes         int      `json:"classes"`
	Boxes           string   `json:"boxes,omitempty"`    // the regression of a net that predicts boxes; "" for one that classifies
	Measured        string   `json:"measured,omitempty"` // what its losses and errors are
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
	Notes           []string `json:"notes"`            // what was decided for the user, and what the run began and went on with
	Frozen          []string `json:"frozen,omitempty"` // layers that were not trained
	Seconds         float64  `json:"seconds"`
	Seed            uint64   `json:"seed"`
	Threads         int      `json:"threads"`

	// Of each rank, since the run was begun or resumed; none for one rank.
	Ranks        int     `json:"ranks"`
	RankPictures []int   `json:"pictures_by_rank,omitempty"`          // training pictures that it has computed
	RankBytes    []int64 `json:"bytes_sent_a_step_by_rank,omitempty"` // mean
	ExchangeWait float64 `json:"exchange_wait_percent,omitempty"`     // part of the time that rank 0 has waited for others
}

// ReadSummary reads that of a run directory.
func ReadSummary(dir string) (s Summary, err error) {
	path := filepath.Join(dir, SummaryFile)
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	return s, errors.Wrapf(err, "summary %s", path)
}

// summarise makes the summary of the run so far.
func (s *session) summarise() Summary {
	h := s.history
	best, _ := h.Best()
	last := h[len(h)-1]
	sum := Summary{
		Config: s.net.Config.Name, Recipe: s.job.Recipe.Name, Data: s.set.Name, Classes: s.net.Options.Classes,
		Epochs: last.Epoch, Iterations: last.Iteration, BestEpoch: best.Epoch, ValLoss: best.ValLoss, ValTop1Error: best.ValTop1Error,
		Seconds: s.elapsed(), Seed: s.job.Recipe.Training.Seed, Threads: threads.Count(),
		Skipped: len(s.skips.List()), Parameters: s.parameters(), Notes: s.progress.Notes, Frozen: s.frozen(),
	}
	if s.net.Boxes != nil {
		sum.Boxes, sum.Measured = string(s.net.Options.Boxes), measuredBoxes
	}
	if !math.IsNaN(best.ValTop5Error) {
		sum.ValTop5Error = &best.ValTop5Error
	}
	if sum.Ranks = s.job.World.Size(); sum.Ranks > 1 {
		sum.RankPictures = s.pictures
		for _, sent := range s.bytes {
			sum.RankBytes = append(sum.RankBytes, sent/int64(max(1, s.stepped-1))) // of the last step they are not known yet
		}
	}
	for _, row := range h {
		sum.ExchangeWait += row.ExchangeWaitPercent / float64(len(h))
		sum.ImagesPerSecond += row.ImagesPerSecond / float64(len(h))
		sum.LoaderWait += row.LoaderWaitPercent / float64(len(h))
	}
	return sum
}

// parameters is the number of weights and biases.
func (s *session) parameters() (n int) {
	for _, row := range s.net.Summary() {
		n += row.Parameters
	}
	return n
}

// save writes weights, history and summary after an epoch.
func (s *session) save() error {
	if s.files == nil {
		return nil
	}
	last := s.history[len(s.history)-1]
	if best, _ := s.history.Best(); best.Epoch == last.Epoch {
		if err := s.saveWeights(BestFile, best); err != nil {
			return err
		}
	}
	if err := s.saveWeights(LastFile, last); err != nil {
		return err
	}
	if err := s.files.write(history.FileName, s.history.WriteCSV); err != nil {
		return err
	}
	if err := s.saveSkips(); err != nil {
		return err
	}
	summary, err := json.MarshalIndent(s.summarise(), "", "  ")
	if err != nil {
		return errors.Wrap(err, "trainer: summary")
	}
	return s.files.writeBytes(SummaryFile, append(summary, '\n'))
}

// saveSkips writes the list of skipped pictures, if there are any.
func (s *session) saveSkips() error {
	skips := s.skips.List()
	if len(skips) == 0 {
		return nil
	}
	rows := [][]string{{"picture", "reason"}}
	for _, skip := range skips {
		rows = append(rows, []string{skip.Picture, skip.Reason})
	}
	return s.files.write(SkippedFile, func(w io.Writer) error { return csv.NewWriter(w).WriteAll(rows) })
}

// saveWeights writes the weights, with what is needed to use them and the epoch they come from.
func (s *session) saveWeights(name string, row history.Epoch) error {
	r := s.job.Recipe
	info := weights.Info{
		Config: s.net.Config.Name, Layers: weights.LayersOf(s.net.Config), Width: s.net.Options.Width, FC: s.net.Options.FC, Input: r.Net.Input, Channels: s.set.Channels,
		Classes: s.set.Classes, Boxes: r.Boxes.Regression, Mean: s.transform.Mean, Std: s.transform.Std, Scale: s.transform.Scale,
		Recipe: r.Name, Epoch: row.Epoch, ValTop1Error: row.ValTop1Error,
		Split: s.split, Sample: s.sample, ValShare: r.Pictures.ValShare, SplitSeed: r.Pictures.SplitSeed,
	}
	f := weights.File{Metadata: info.Metadata(), Tensors: s.net.Tensors()}
	return s.files.write(name, func(w io.Writer) error { return weights.Encode(w, f) })
}
