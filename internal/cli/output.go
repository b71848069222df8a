package cli

import (
	"os"
	"sync"

	"github.com/pkg/errors"

	"vgg/internal/atomicfile"
)

// CheckOutput tells whether the file of a flag could be written, before the work for it begins. "" is no file.
func CheckOutput(flag, path string) error {
	if path == "" {
		return nil
	}
	return errors.Wrap(atomicfile.Check(path), flag)
}

// Stdout is standard output, to which commands write their answers. Main ends with exit code 1 if some of it could not be
// written: on a full disk, or to a program that reads no more.
var Stdout = &Output{file: os.Stdout}

// Output is a file that remembers the first error of its writes. It is safe for concurrent use.
type Output struct {
	file  *os.File
	mutex sync.Mutex
	err   error
}

// Write is part of io.Writer.
func (o *Output) Write(p []byte) (int, error) {
	n, err := o.file.Write(p)
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if o.err == nil {
		o.err = err
	}
	return n, err
}

// Fd is the file's descriptor.
func (o *Output) Fd() uintptr { return o.file.Fd() }

// finish closes the file, and gives the first error of all writes and of that.
func (o *Output) finish() error {
	closing := o.file.Close()
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if o.err == nil {
		o.err = closing
	}
	return errors.Wrap(o.err, "the answer cannot be written")
}
