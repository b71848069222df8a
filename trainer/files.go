package trainer

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
	"github.com/pkg/errors"

	"vgg/internal/atomicfile"
)

// files is a run directory, locked. A file appears in it complete or not at all: it is written under another name, synced,
// and renamed.
type files struct {
	dir    string
	lock   *flock.Flock
	create func(path string) (pending, error) // tests make it fail
}

// pending is a file that does not have its name yet.
type pending interface {
	io.Writer
	CloseAtomicallyReplace() error
	Cleanup() error
}

func createPending(path string) (pending, error) { return atomicfile.Create(path) }

const lockFile = ".lock"

// openFiles locks a run directory for this process, and makes it if it is missing.
func openFiles(dir string, create func(string) (pending, error)) (*files, error) {
	f := &files{dir: dir, create: create, lock: flock.New(filepath.Join(dir, lockFile))}
	if create == nil {
		f.create = createPending
	}
	if err := os.MkdirAll(filepath.Join(dir, CheckpointDir), 0o777); err != nil {
		return nil, marked{errors.Wrap(err, "trainer: cannot make the run directory"), ErrWrite}
	}
	locked, err := f.lock.TryLock()
	if err != nil {
		return nil, marked{errors.Wrapf(err, "trainer: cannot lock %s", dir), ErrWrite}
	}
	if !locked {
		holder, _ := os.ReadFile(f.lock.Path())
		return nil, marked{errors.Errorf("trainer: %s is in use by another training (%s): wait for it, stop it, or choose another folder", dir, strings.TrimSpace(string(holder))), ErrInUse}
	}
	host, _ := os.Hostname()
	if err := os.WriteFile(f.lock.Path(), fmt.Appendf(nil, "PID %d on %s\n", os.Getpid(), host), 0o644); err != nil {
		f.close()
		return nil, marked{errors.Wrapf(err, "trainer: cannot write to %s", dir), ErrWrite}
	}
	f.removePending()
	return f, nil
}

// close unlocks the directory.
func (f *files) close() {
	if f != nil {
		_ = f.lock.Unlock() // the end of the process also unlocks
	}
}

// removePending removes files that a killed process did not finish writing.
func (f *files) removePending() {
	for _, dir := range []string{f.dir, filepath.Join(f.dir, CheckpointDir)} {
		left, _ := filepath.Glob(filepath.Join(dir, ".*.*[0-9]"))
		for _, file := range left {
			_ = os.Remove(file) // it only takes space
		}
	}
}

// write writes a file of the run directory.
func (f *files) write(name string, encode func(io.Writer) error) error {
	path := filepath.Join(f.dir, name)
	err := func() error {
		out, err := f.create(path)
		if err != nil {
			return err
		}
		defer out.Cleanup()
		if err := encode(out); err != nil {
			return err
		}
		return out.CloseAtomicallyReplace()
	}()
	if err != nil {
		return marked{errors.Wrapf(err, "trainer: cannot write %s (make room or choose another folder; what was there is unchanged)", path), ErrWrite}
	}
	return nil
}

// writeBytes is write for data in memory.
func (f *files) writeBytes(name string, data []byte) error {
	return f.write(name, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}
