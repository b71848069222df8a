package trainer

import "github.com/pkg/errors"

// What Train's errors are, for errors.Is.
var (
	// ErrRunExists: the directory of a new run holds a run already.
	ErrRunExists = errors.New("the directory holds a run")
	// ErrInUse: another process trains in the directory.
	ErrInUse = errors.New("the directory is in use")
	// ErrNoCheckpoint: the run to be resumed has no checkpoint that can be read.
	ErrNoCheckpoint = errors.New("there is no checkpoint")
	// ErrChanged: the run to be resumed has another recipe or other pictures, and Job.Force does not allow it.
	ErrChanged = errors.New("the run has another recipe or other pictures")
	// ErrFinished: the run to be resumed is the one asked for, and complete.
	ErrFinished = errors.New("the run is complete")
	// ErrDiverged: the loss or a gradient is not finite.
	ErrDiverged = errors.New("training has diverged")
	// ErrWrite: a file of the run cannot be written.
	ErrWrite = errors.New("a file cannot be written")
	// ErrInterrupted: training ended early, and the run can be resumed.
	ErrInterrupted = errors.New("training was interrupted")
)

// marked is an error that is one of those above, in its own words.
type marked struct {
	error
	is error
}

func (m marked) Is(target error) bool { return target == m.is }
func (m marked) Unwrap() error        { return m.error }
