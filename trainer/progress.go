package trainer

import (
	"encoding/json"
	"strings"

	"github.com/pkg/errors"

	"vgg/dataset"
	"vgg/history"
	"vgg/weights"
)

// progress is the state of a training after a step. Together with the weights and velocities it is all that the next
// step depends on: every random draw is a function of the seed, the epoch or iteration, and the picture.
type progress struct {
	Format    int             `json:"format"`
	Epoch     int             `json:"epoch"`     // the current one, from 1
	Step      int             `json:"step"`      // steps done in it
	Iteration int             `json:"iteration"` // steps done in the run
	Schedule  ReduceOnPlateau `json:"schedule"`
	Done      bool            `json:"done"`    // the schedule has ended training
	Pass      meter           `json:"pass"`    // over the training pictures of the current epoch so far
	History   string          `json:"history"` // of the completed epochs, as in history.csv
	Skipped   []dataset.Skip  `json:"skipped,omitempty"`
	Notes     []string        `json:"notes,omitempty"` // see Summary

	Seconds     float64 `json:"seconds"`      // spent on the run
	PassSeconds float64 `json:"pass_seconds"` // spent on training in the current epoch
	PassWaited  float64 `json:"pass_waited"`  // of these, spent waiting for pictures

	PassExchanged float64 `json:"pass_exchanged,omitempty"` // and waiting for other ranks

	Recipe string `json:"recipe"` // as in recipe.toml
	Data   string `json:"data"`   // the data set's fingerprint

	Classes []string `json:"classes,omitempty"` // in the order of the outputs
}

// beginPass goes to the start of the current epoch's pass over the training pictures.
func (p *progress) beginPass() {
	p.Step, p.Pass, p.PassSeconds, p.PassWaited, p.PassExchanged = 0, meter{}, 0, 0, 0
}

// A checkpoint is a weights file that also holds the velocities and, as metadata, the progress.
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

// decodeProgress reads the progress and the history of a checkpoint, whose checksums it verifies.
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
