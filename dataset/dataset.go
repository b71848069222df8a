// Package dataset is where pictures come from: the set that comes with the project, class folders of photographs,
// ILSVRC-2012 as it is distributed, CIFAR and IDX files, each in a folder or in an archive.
//
// In goes a spec as --data takes it; out come two splits of labelled pictures, statistics of the training pictures, and
// a Loader that prepares mini-batches of transformed pictures (package augment) on background goroutines, as section 3.1 of the paper
// (arXiv 1409.1556) feeds its nets.
package dataset

import (
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

	Source Source // where Open found it; zero for a set that is made otherwise

	trees []tree
}

// Source is what Open was given: the same source gives the same set.
type Source struct {
	Spec      string
	ValShare  float64
	SplitSeed uint64
}

// Close lets go of the files that the set reads from.
func (s *Set) Close() error {
	var first error
	for _, t := range s.trees {
		if err := t.Close(); err != nil && first == nil {
			first = errors.Wrapf(err, "dataset %s", s.Name)
		}
	}
	return first
}

// Options say how a set is opened.
type Options struct {
	// ValShare is the share of each class that is kept for validation where a set of class folders has no val; 0
	// refuses such a set. SplitSeed draws it.
	ValShare  float64
	SplitSeed uint64
	// Notice is told what takes its time, such as listing a large archive; nil tells nobody.
	Notice func(message string)
}

func (o Options) notice(message string) {
	if o.Notice != nil {
		o.Notice(message)
	}
}

// Embedded is the spec of the set that comes with the project; embeddedAlias says what is in it.
const (
	Embedded      = "embedded"
	embeddedAlias = "fashion-mnist-12k"
)

// Open opens the data set that spec names: "embedded" (or "", or "fashion-mnist-12k") for the one that comes with the
// project; else a folder or a zip, tar or tar.gz archive, told apart by content. In either, or in one folder inside, are
//
//   - train/CLASS/* and val/CLASS/*; or train/CLASS/* or CLASS/* alone, a share of which is then kept for validation;
//     or pictures straight in val, with a text file of labels beside train and val;
//   - the IDX files of MNIST and its kin, or CIFAR-10's or CIFAR-100's binary files;
//   - in a folder: two archives with train and val in their names, such as those of ILSVRC-2012, and its
//     development kit or a text file of the validation pictures' labels.
//
// A text file of labels has a line for each validation picture: its class, in the order of the pictures' names, or its
// name and its class; a class is a name, or a number from 0 in the order of the names. Errors name the file, or the
// archive and its entry.
func Open(spec string, o Options) (*Set, error) {
	set, err := open(spec, o)
	if err == nil {
		set.Source = Source{Spec: spec, ValShare: o.ValShare, SplitSeed: o.SplitSeed}
	}
	return set, err
}

func open(spec string, o Options) (*Set, error) {
	if spec == "" || spec == Embedded || spec == embeddedAlias {
		return openEmbedded()
	}
	info, err := os.Stat(spec)
	if err != nil {
		return nil, errors.Wrapf(err, "dataset: want a folder, an archive or %q", Embedded)
	}
	if !info.IsDir() {
		t, err := openArchive(spec, o)
		if err != nil {
			return nil, err
		}
		return opened(t, o, openTree)
	}
	t, err := openFolder(spec, os.DirFS(spec))
	if err != nil {
		return nil, err
	}
	if train, val := findArchives(t, "train"), findArchives(t, "val"); train != nil {
		return openArchives(t, train, val, o)
	}
	return opened(t, o, openTree)
}

// opened makes a set of trees that are closed with it, or at once if there is none.
func opened(t tree, o Options, open func(tree, Options) (*Set, error)) (*Set, error) {
	set, err := open(t, o)
	if err != nil {
		t.Close()
		return nil, err
	}
	set.trees = append(set.trees, t)
	return set, nil
}

// openTree finds the set at the root of a tree, or in one folder in it.
func openTree(t tree, o Options) (*Set, error) {
	for _, root := range roots(t) {
		switch {
		case hasIDX(t, root):
			return openIDX(t, root, nil)
		case hasCIFAR(t, root):
			return openCIFAR(t, root)
		case hasFolder(t, root+"train/"):
			return openTrainVal(t, root, o)
		}
	}
	for _, root := range roots(t) {
		if hasClasses(t, root) {
			return openClasses(t, root, o)
		}
	}
	return nil, errors.Errorf("dataset %s: no folder train in it: want train/CLASS/* and val/CLASS/*, IDX files (train-images-idx3-ubyte …) or CIFAR's (data_batch_1.bin …)", t.Name())
}

// roots are the folders in which a set may lie: the tree's own, "", and those in it.
func roots(t tree) []string {
	roots := []string{""}
	for i := 0; i < t.Len(); {
		name, _, isFolder := strings.Cut(t.Path(i), "/")
		if !isFolder {
			i++
			continue
		}
		roots = append(roots, name+"/")
		_, i = below(t, name+"/")
	}
	return roots
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
