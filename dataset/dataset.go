// Package dataset is where pictures come from: the set that comes with the project, folders of IDX files, and class
// folders or zip archives of photographs.
//
// In goes a spec as --data takes it; out come two splits of labelled pictures, statistics of the training pictures, and
// a Loader that prepares mini-batches of views (package augment) on background goroutines, as section 3.1 of the paper
// (arXiv 1409.1556) feeds its nets.
package dataset

import (
	"archive/zip"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/pkg/errors"

	"vgg/augment"
)

// Split is a list of labelled pictures, safe for concurrent use.
type Split interface {
	Len() int
	Label(i int) int
	Name(i int) string // for messages: file, or archive and entry
	Picture(i int) (augment.Picture, error)
}

// Set is a data set of two splits over the same classes.
type Set struct {
	Name       string
	Channels   int // of its pictures: 1 or 3
	Classes    []string
	Train, Val Split

	closer io.Closer
}

// Close lets go of the files that the set reads from.
func (s *Set) Close() error {
	if s.closer == nil {
		return nil
	}
	return errors.Wrapf(s.closer.Close(), "dataset %s", s.Name)
}

// Embedded is the spec of the set that comes with the project; embeddedAlias says what is in it.
const (
	Embedded      = "embedded"
	embeddedAlias = "fashion-mnist-12k"
)

// Open opens the data set that spec names: "embedded" (or "", or "fashion-mnist-12k") for the one that comes with the
// project, a folder or zip archive with train/CLASS/* and val/CLASS/*, or one of IDX files. In either, they may lie in
// one folder. Errors name the file, or the archive and its entry.
func Open(spec string) (*Set, error) {
	if spec == "" || spec == Embedded || spec == embeddedAlias {
		return openEmbedded()
	}
	info, err := os.Stat(spec)
	if err != nil {
		return nil, errors.Wrapf(err, "dataset: want a folder, a zip archive or %q", Embedded)
	}
	if info.IsDir() {
		return openFiles(spec, os.DirFS(spec))
	}
	archive, err := zip.OpenReader(spec)
	if err != nil {
		return nil, errors.Wrapf(err, "dataset %s: want a folder or a zip archive of pictures", spec)
	}
	set, err := openFiles(spec, archive)
	if err != nil {
		archive.Close()
		return nil, err
	}
	set.closer = archive
	return set, nil
}

// source is where the files of a set are.
type source struct {
	name  string // of the folder or archive, for messages
	files fs.FS
	root  string // the folder in it that holds the set
}

// message is how errors call a file of the source.
func (s source) message(file string) string { return s.name + ": " + file }

// openFiles finds the set in a folder or archive, or in one folder inside.
func openFiles(name string, files fs.FS) (*Set, error) {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, errors.Wrapf(err, "dataset %s", name)
	}
	roots := []string{"."}
	for _, e := range entries {
		if isDir(files, e.Name(), e) {
			roots = append(roots, e.Name())
		}
	}
	for _, root := range roots {
		s := source{name, files, root}
		switch {
		case s.hasIDX():
			return openIDX(s, nil)
		case s.hasClasses():
			return openClasses(s)
		}
	}
	return nil, errors.Errorf("dataset %s: no folder train in it: want train/CLASS/* and val/CLASS/*, or IDX files (train-images-idx3-ubyte …)", name)
}

// isDir tells folders, and links to them, from files.
func isDir(files fs.FS, file string, e fs.DirEntry) bool {
	if e.Type()&fs.ModeSymlink == 0 {
		return e.IsDir()
	}
	info, err := fs.Stat(files, file)
	return err == nil && info.IsDir()
}

// Subset is a sample of n pictures, evenly spaced; the whole split where it has no more.
func Subset(split Split, n int) Split {
	if n >= split.Len() {
		return split
	}
	return subset{split, max(0, n)}
}

type subset struct {
	Split
	n int
}

func (s subset) at(i int) int                           { return i * s.Split.Len() / s.n }
func (s subset) Len() int                               { return s.n }
func (s subset) Label(i int) int                        { return s.Split.Label(s.at(i)) }
func (s subset) Name(i int) string                      { return s.Split.Name(s.at(i)) }
func (s subset) Picture(i int) (augment.Picture, error) { return s.Split.Picture(s.at(i)) }

// list writes names for a message, the first few of them.
func list(names []string) string {
	const most = 6
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}
