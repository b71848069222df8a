package trainer

import (
	"fmt"

	"github.com/pkg/errors"

	"vgg/configs"
)

// What Train's errors are, for errors.Is.
var (
	// ErrRunExists: the directory of a new run holds a run already.
	ErrRunExists = errors.New("the directory holds a run")
	// ErrInUse: another process trains in the directory.
	ErrInUse = errors.New("the directory is in use")
	// ErrNoCheckpoint: the run to be resumed has no checkpoint that can be read.
	ErrNoCheckpoint = errors.New("there is no checkpoint")
	// ErrChanged: the run to be resumed has another recipe or other pictures, and Job.Force does not allow it. The error
	// is a *ChangedError.
	ErrChanged = errors.New("the run has another recipe or other pictures")
	// ErrFinished: the run to be resumed is the one asked for, and complete.
	ErrFinished = errors.New("the run is complete")
	// ErrScheduleEnded: it is also complete with more epochs, because its schedule has ended training.
	ErrScheduleEnded = errors.New("the schedule has ended training")
	// ErrDiverged: the loss or a gradient is not finite.
	ErrDiverged = errors.New("training has diverged")
	// ErrWrite: a file of the run cannot be written.
	ErrWrite = errors.New("a file cannot be written")
	// ErrInterrupted: training ended early, and the run can be resumed.
	ErrInterrupted = errors.New("training was interrupted")
)

// ChangedError is an ErrChanged, with what has changed.
type ChangedError struct {
	Dir     string
	Changes configs.Differences // the key data also stands for the pictures themselves
}

func (e *ChangedError) Error() string {
	return fmt.Sprintf("trainer: the run in %s has another recipe or other pictures: %v", e.Dir, e.Changes)
}

// Is tells whether target is ErrChanged.
func (*ChangedError) Is(target error) bool { return target == ErrChanged }

// marked is an error that is one of those above, in its own words.
type marked struct {
	error
	is error
}

func (m marked) Is(target error) bool { return target == m.is }
func (m marked) Unwrap() error        { return m.error }
