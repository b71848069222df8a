package cli

import (
	"os"
	"path/filepath"
	"sync"

	"github.com/pkg/errors"

	"vgg/internal/atomicfile"
)

// CheckOutput tells whether the file of a flag could be written, before the work for it begins. "" is no file. It
// refuses a file that is there and is one of the inputs, or in a folder among them: the answer would take its place.
// Rank 0 alone writes files.
func CheckOutput(flag, path string, inputs ...string) error {
	if path == "" || World.Rank() > 0 {
		return nil
	}
	if err := atomicfile.Check(path); err != nil {
		return errors.Wrap(err, flag)
	}
	file, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil // there is no such file yet
	}
	if file, err = filepath.Abs(file); err != nil {
		return errors.Wrap(err, flag)
	}
	for _, input := range inputs {
		read, err := os.Stat(input)
		if err != nil {
			continue // what reads it says so
		}
		for at, below := file, ""; at != below; at, below = filepath.Dir(at), at {
			if info, err := os.Stat(at); err == nil && os.SameFile(info, read) {
				return errors.Errorf("%s: %s would be lost, and %s is read: give the name of another file", flag, path, input)
			}
		}
	}
	return nil
}

// Stdout is standard output, to which commands write their answers. Main ends with exit code 1 if some of it could not
// be written: on a full disk, or to a program that reads no more.
var Stdout = &Output{file: os.Stdout}

// Output is a file that remembers the first error of its writes. It is safe for concurrent use.
type Output struct {
	file  *os.File
	plain bool // whatever the file is, no terminal shows it
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

// Fd is the file's descriptor; that of no file if no terminal shows it.
func (o *Output) Fd() uintptr {
	if o.plain {
		return ^uintptr(0)
	}
	return o.file.Fd()
}

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
