package trainer

import (
	"encoding/json"
	"strings"

	"github.com/pkg/errors"

	"vgg/dataset"
	"vgg/history"
	"vgg/weights"
)

// progress is where a training stands after a step. With the weights and velocities it is all that the next step
// depends on: every random draw is a function of the seed, the epoch or iteration, and the picture.
type progress struct {
	Format    int            `json:"format"`
	Epoch     int            `json:"epoch"`     // under way, from 1
	Step      int            `json:"step"`      // of it, done
	Iteration int            `json:"iteration"` // of the run, done
	Schedule  Plateau        `json:"schedule"`
	Done      bool           `json:"done"`    // the schedule has ended training
	Pass      meter          `json:"pass"`    // over the epoch's training pictures so far
	History   string         `json:"history"` // of the epochs that are complete, as in history.csv
	Skipped   []dataset.Skip `json:"skipped,omitempty"`

	Seconds     float64 `json:"seconds"`      // of the run
	PassSeconds float64 `json:"pass_seconds"` // of the epoch's training
	PassWaited  float64 `json:"pass_waited"`  // of these, for pictures

	Recipe string `json:"recipe"` // as in recipe.toml
	Data   string `json:"data"`   // the data set's fingerprint
}

// A checkpoint is a weights file that holds the velocities and the progress as well.
const (
	format         = 1 // of progress
	progressKey    = "training"
	velocityPrefix = "velocity."
)

// encode makes a checkpoint.
func (p progress) encode(tensors []weights.Tensor) (weights.File, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return weights.File{}, errors.Wrap(err, "trainer: checkpoint")
	}
	f := weights.File{Metadata: map[string]string{progressKey: string(text)}, Tensors: tensors}
	return f, f.Seal()
}

// decodeProgress reads a checkpoint's progress and history. It is an error if anything in the file is not what was
// written.
func decodeProgress(f *weights.File) (p progress, h history.History, err error) {
	text, ok := f.Metadata[progressKey]
	if !ok {
		return p, nil, errors.New("holds weights, but is no checkpoint")
	}
	if err := f.Verify(); err != nil {
		return p, nil, err
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil || p.Format != format {
		return p, nil, errors.Errorf("format %d of another version of this program: it reads format %d", p.Format, format)
	}
	if p.Epoch < 1 || min(p.Step, p.Iteration, p.Pass.Pictures, p.Schedule.Since, p.Schedule.Divisions) < 0 {
		return p, nil, errors.New("damaged: a count is negative")
	}
	h, err = history.Decode(strings.NewReader(p.History), "its history")
	return p, h, err
}
