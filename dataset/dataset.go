package dataset

import (
	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/internal/archive"
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

	// Numbers of the classes in ILSVRC-2012's development kit, from 1; nil if it is not there, or boxes are not wanted.
	// Result files of the challenge have these.
	Numbers []int

	Source Source // where Open found it; zero for a set that is made otherwise

	chosen string // how the validation pictures were chosen; see SplitID
	trees  []archive.Tree
}

// Source is what Open was given: the same source gives the same set.
type Source struct {
	Spec      string
	ValShare  float64
	SplitSeed uint64
}

// Close closes the files that the set reads from.
func (s *Set) Close() error {
	var first error
	for _, t := range s.trees {
		if err := t.Close(); err != nil && first == nil {
			first = errors.Wrapf(err, "dataset %s", s.Name)
		}
	}
	return first
}

// Subset is a sample of n pictures, evenly spaced; the whole split if it has no more.
func Subset(split Split, n int) Split {
	if n >= split.Len() {
		return split
	}
	part := subset{split, max(0, n)}
	if b, ok := split.(Boxed); ok {
		return boxedSubset{part, b}
	}
	return part
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

type boxedSubset struct {
	subset
	boxed Boxed
}

func (s boxedSubset) HasBox(i int) bool                 { return s.boxed.HasBox(s.at(i)) }
func (s boxedSubset) Orientation(i int) (uint16, error) { return s.boxed.Orientation(s.at(i)) }

func (s boxedSubset) Located(i int) (augment.Picture, []Instance, error) {
	return s.boxed.Located(s.at(i))
}
