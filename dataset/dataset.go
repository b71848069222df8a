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

// Repeated is a split of which several pictures may show the same subject, such as scenes of one garment: no independent
// samples, on which a net errs alike.
type Repeated interface {
	Split
	Subject(i int) int // the number of picture i's
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
	at := make([]int, max(0, n))
	for i := range at {
		at[i] = i * split.Len() / n
	}
	return Pick(split, at)
}

// Pick gives the pictures of a split at those places, in that order. They are Boxed if the split is.
func Pick(split Split, at []int) Split {
	p := part{split, at}
	if b, ok := split.(Boxed); ok {
		return boxedPart{p, b}
	}
	return p
}

// part is some pictures of a split.
type part struct {
	Split
	at []int
}

func (p part) Len() int                               { return len(p.at) }
func (p part) Label(i int) int                        { return p.Split.Label(p.at[i]) }
func (p part) Name(i int) string                      { return p.Split.Name(p.at[i]) }
func (p part) Picture(i int) (augment.Picture, error) { return p.Split.Picture(p.at[i]) }

type boxedPart struct {
	part
	boxed Boxed
}

func (p boxedPart) HasBox(i int) bool                 { return p.boxed.HasBox(p.at[i]) }
func (p boxedPart) Orientation(i int) (uint16, error) { return p.boxed.Orientation(p.at[i]) }

func (p boxedPart) Located(i int) (augment.Picture, []Instance, error) {
	return p.boxed.Located(p.at[i])
}
