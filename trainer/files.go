package trainer

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gofrs/flock"
	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/internal/atomicfile"
	"vgg/internal/text"
)

// files is a run directory, locked. A file appears in it complete or not at all: it is written under another name,
// synced, and renamed.
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
	if err := makeFolder(dir); err != nil {
		return nil, err
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

func makeFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return marked{errors.Wrap(err, "trainer: cannot make the run directory"), ErrWrite}
	}
	return nil
}

// begin prepares the directory for a new run, and refuses one that holds files of a run: nothing is ever written over.
// The recipe that a run left which was killed before its first checkpoint is no obstacle to the same run.
func (f *files) begin(r configs.Recipe) error {
	left, err := RunFiles(f.dir)
	if err != nil {
		return err
	}
	if len(left) == 1 && left[0] == RecipeFile && f.wroteRecipe(r) {
		left = nil
	}
	found := text.FirstFew(left, 3)
	switch {
	case slices.Contains(left, CheckpointDir):
		return marked{errors.Errorf("trainer: %s holds a training already (%s): resume it or choose another folder", f.dir, found), ErrRunExists}
	case len(left) > 0:
		err := errors.Errorf("trainer: %s holds files of a training already (%s), without a checkpoint to go on from: choose another folder", f.dir, found)
		return marked{marked{err, ErrNoCheckpoint}, ErrRunExists}
	}
	return makeFolder(filepath.Join(f.dir, CheckpointDir))
}

// wroteRecipe tells whether the recipe in the directory was written by this program for the same run, so that nothing
// is lost if it is written again.
func (f *files) wroteRecipe(r configs.Recipe) bool {
	path := filepath.Join(f.dir, RecipeFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	found, err := configs.ParseRecipe(data, path)
	if err != nil {
		return false
	}
	written, err := found.TOML()
	return err == nil && bytes.Equal(written, data) && len(found.Differences(takePixels(r, found))) == 0
}

// close unlocks the directory.
func (f *files) close() {
	if f != nil {
		_ = f.lock.Unlock() // the end of the process also unlocks
	}
}

// removePending removes files of a run that a killed process did not finish writing: .NAME and a number.
func (f *files) removePending() {
	for _, dir := range []string{f.dir, filepath.Join(f.dir, CheckpointDir)} {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			name := strings.TrimRight(e.Name(), "0123456789")
			final, hidden := strings.CutPrefix(name, ".")
			if hidden && name != e.Name() && (slices.Contains(runFiles, final) || checkpointName.MatchString(final)) {
				_ = os.Remove(filepath.Join(dir, e.Name())) // it only takes space
			}
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
