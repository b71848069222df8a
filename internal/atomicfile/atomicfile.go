package atomicfile

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
	"github.com/pkg/errors"
)

// Check tells whether a file could be written now, for work whose result is to be written at its end. It leaves no file
// behind, and does not change one that is there.
func Check(path string) error {
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir(), os.IsPathSeparator(path[len(path)-1]):
		return errors.Errorf("%s: a folder, not a file: give the name of a file", path)
	case err == nil && !info.Mode().IsRegular():
		return errors.Errorf("%s: a device or pipe, not a file: give the name of a file", path)
	case err == nil:
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return errors.Wrap(err, "cannot be written")
		}
		file.Close()
	}
	dir := filepath.Dir(path)
	switch info, err := os.Stat(dir); {
	case errors.Is(err, fs.ErrNotExist):
		return errors.Errorf("%s: there is no folder %s: make it, or give another", path, dir)
	case err == nil && !info.IsDir():
		return errors.Errorf("%s: %s is no folder: give another", path, dir)
	}
	file, err := Create(path)
	if err != nil {
		return errors.Wrapf(err, "%s: no file can be made in %s", path, dir)
	}
	return file.Cleanup()
}

// Create begins a file of mode 0644, or of the mode of the file that it will replace. It gets its name by
// CloseAtomicallyReplace; a deferred Cleanup removes it if that was not reached.
func Create(path string) (*renameio.PendingFile, error) {
	return renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)),
		renameio.WithPermissions(0o644), renameio.WithExistingPermissions())
}

// Encode writes what encode writes.
func Encode(path string, encode func(io.Writer) error) error {
	out, err := Create(path)
	if err != nil {
		return err
	}
	defer out.Cleanup()
	if err := encode(out); err != nil {
		return err
	}
	return out.CloseAtomicallyReplace()
}

// Write writes data.
func Write(path string, data []byte) error {
	return Encode(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}
