// Package dataset is where pictures come from: the set that comes with the project, folders of IDX files, and class
// folders or zip archives of photographs.
//
// In goes a spec as --data takes it; out come two splits of labelled pictures, statistics of the training pictures, and
// a Loader that prepares mini-batches of views (package augment) on background goroutines, as section 3.1 of the paper
// (arXiv 1409.1556) feeds its nets.
package dataset

import (
	"io"
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

// Embedded is the spec of the set that comes with the project.
const Embedded = "embedded"

// Open opens the data set that spec names: "embedded" or "" for the one that comes with the project, a folder of IDX
// files, or a folder or zip archive with train/CLASS/* and val/CLASS/*.
func Open(spec string) (*Set, error) {
	if spec == "" || spec == Embedded {
		return openEmbedded()
	}
	info, err := os.Stat(spec)
	if err != nil {
		return nil, errors.Wrap(err, "dataset: want a folder, a zip archive or \"embedded\"")
	}
	if !info.IsDir() {
		return openZip(spec)
	}
	folder := os.DirFS(spec)
	if isIDX(folder) {
		return openIDX(spec, folder, nil)
	}
	return openClasses(spec, folder, nil)
}

// Subset is a sample of n pictures, evenly spaced.
func Subset(split Split, n int) Split {
	if n >= split.Len() {
		return split
	}
	return subset{split, n}
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
