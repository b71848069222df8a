package atomicfile

import (
	"io"
	"path/filepath"

	"github.com/google/renameio/v2"
)

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
