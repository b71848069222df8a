package dataset

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"vgg/internal/archive"
	"vgg/internal/text"
)

// Options say how a set is opened.
type Options struct {
	// ValShare is the share of each class that is kept for validation if a set of class folders has no pictures for it:
	// 0 refuses such a set, 1 keeps all of them, which leaves none for training. SplitSeed draws it.
	ValShare  float64
	SplitSeed uint64
	// Together is for callers that put training and validation pictures together and divide them themselves: a set of
	// class folders alone has all its pictures for validation, whatever ValShare is, without a notice.
	Together bool
	// Boxes reads the boxes of the objects in the pictures too (see Boxed), where there are some beside them.
	Boxes bool
	// Notice, if not nil, is called before slow operations such as listing a large archive, and with what was decided
	// where the files leave a choice, such as which folder the validation pictures are from.
	Notice func(message string)
}

// Embedded is the name of the set that comes with the project; embeddedAlias is another one. EmbeddedScenes is the name
// of the set of scenes with boxes that is made from it.
const (
	Embedded       = "embedded"
	embeddedAlias  = "fashion-mnist-12k"
	EmbeddedScenes = "embedded-scenes"
)

// Open opens the data set that spec names: "embedded" (or "", or "fashion-mnist-12k") for the one that comes with the
// project, "embedded-scenes" for scenes with boxes made from it, either with ":CLASS,CLASS,…" for those of its pictures
// that are of some classes; else the path of a folder or of a zip, tar or tar.gz
// archive, told apart by content. In it, or in one folder in it, are
//
//   - train/CLASS/* and val/CLASS/*; or train/CLASS/* or CLASS/* alone, a share of which is then kept for validation; or
//     val/CLASS/* alone, without training pictures; or pictures in val without class folders, and a text file of labels
//     in val or beside it;
//   - pictures without class folders, and a text file of their names and classes;
//   - the IDX files of MNIST and sets like it, or CIFAR-10's or CIFAR-100's binary files;
//   - in a folder: two archives with train and val in their names, such as those of ILSVRC-2012, and its
//     development kit or a text file of the validation pictures' labels.
//
// Folders may be called training, valid, validation, test or testing too, in any capitals; a set's test pictures are
// taken for validation if there are no others for it. Classes are in the order of their names, or of their numbers if
// all names are numbers.
//
// A text file of labels has a line for each validation picture: its class, in the order of the pictures' names, or its
// name and its class; a class is a name, or, if no label is a name, a number from 0 in the order of the classes. Errors
// name the file, or the archive and its entry.
func Open(spec string, o Options) (*Set, error) {
	set, err := open(spec, o)
	if err == nil {
		set.Source = Source{Spec: spec, ValShare: o.ValShare, SplitSeed: o.SplitSeed}
	}
	return set, err
}

func open(spec string, options Options) (set *Set, err error) {
	switch name, list := parts(spec); {
	case spec == "" || name == embeddedAlias || name == Embedded:
		return openEmbedded(spec, list)
	case name == EmbeddedScenes:
		return openScenes(spec, list)
	}
	info, err := os.Stat(spec)
	if err != nil {
		return nil, errors.Wrapf(err, "dataset: want a folder, an archive, %q or %q", Embedded, EmbeddedScenes)
	}
	o := &opener{Options: options}
	defer func() {
		if err != nil {
			o.close()
		}
	}()
	var t archive.Tree
	if info.IsDir() {
		t, err = archive.OpenFolder(spec, os.DirFS(spec))
		if err != nil {
			return nil, errors.Wrapf(err, "dataset %s", spec)
		}
		t = o.withoutRuns(t)
		o.trees = append(o.trees, t)
		o.archives = findArchives(t)
	} else if t, err = o.openArchive(spec); err != nil {
		return nil, err
	}
	if set, err = o.openTree(t); err != nil {
		return nil, err
	}
	if o.Boxes {
		if err = o.addBoxes(set); err != nil { // whose classes are the folders'
			return nil, err
		}
	}
	set.Classes = o.nameSynsets(t, set.Classes)
	set.trees = o.trees
	if len(o.notes) > 0 && o.Notice != nil {
		o.Notice(fmt.Sprintf("%s: %s", t.Name(), strings.Join(o.notes, "; ")))
	}
	return set, nil
}

// BuiltIn tells whether a spec names a set that comes with the program.
func BuiltIn(spec string) bool {
	name, _ := parts(spec)
	return slices.Contains([]string{"", Embedded, embeddedAlias, EmbeddedScenes}, name)
}

// parts divides NAME:PART,PART,….
func parts(spec string) (name string, list []string) {
	name, rest, more := strings.Cut(spec, ":")
	if more {
		for part := range strings.SplitSeq(rest, ",") {
			list = append(list, strings.TrimSpace(part))
		}
	}
	return name, list
}

// opener opens one set.
type opener struct {
	Options
	trees    []archive.Tree // opened so far; the first is what Open was given
	archives []place        // beside each other in the folder that Open was given
	notes    []string       // what was decided
}

func (o *opener) note(format string, args ...any) {
	o.notes = append(o.notes, fmt.Sprintf(format, args...))
}

func (o *opener) close() {
	for _, t := range o.trees {
		t.Close()
	}
}

func (o *opener) openArchive(file string) (archive.Tree, error) {
	for _, t := range o.trees {
		if t.Name() == file {
			return t, nil
		}
	}
	t, err := archive.Open(file, o.Notice)
	if err != nil {
		return nil, errors.Wrapf(err, "dataset %s", file)
	}
	o.trees = append(o.trees, t)
	return t, nil
}

// fewNames is the number of names that messages give.
const fewNames = 6

// several refuses places where one is wanted.
func several(t archive.Tree, what string, found []place) error {
	return errors.Errorf("dataset %s: %s: %s: keep one, or give one", t.Name(), what, text.FirstFew(namesOf(found), fewNames))
}
