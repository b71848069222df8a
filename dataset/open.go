package dataset

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/pkg/errors"

	"vgg/internal/archive"
	"vgg/internal/text"
)

// Options say how a set is opened.
type Options struct {
	// ValShare is the share of each class that is kept for validation if a set of class folders has no val; 0 refuses
	// such a set. SplitSeed draws it.
	ValShare  float64
	SplitSeed uint64
	// Notice, if not nil, is called before slow operations such as listing a large archive.
	Notice func(message string)
}

// Embedded is the name of the set that comes with the project; embeddedAlias is another one.
const (
	Embedded      = "embedded"
	embeddedAlias = "fashion-mnist-12k"
)

// Open opens the data set that spec names: "embedded" (or "", or "fashion-mnist-12k") for the one that comes with the
// project; else the path of a folder or of a zip, tar or tar.gz archive, told apart by content. In it, or in one folder
// in it, are
//
//   - train/CLASS/* and val/CLASS/*; or train/CLASS/* or CLASS/* alone, a share of which is then kept for validation;
//     or pictures directly in val, with a text file of labels beside train and val;
//   - the IDX files of MNIST and sets like it, or CIFAR-10's or CIFAR-100's binary files;
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
	t, err := archive.OpenFolder(spec, os.DirFS(spec))
	if err != nil {
		return nil, errors.Wrapf(err, "dataset %s", spec)
	}
	if train, val := findArchives(t, "train"), findArchives(t, "val"); train != nil {
		return openArchives(t, train, val, o)
	}
	return opened(t, o, openTree)
}

func openArchive(file string, o Options) (archive.Tree, error) {
	t, err := archive.Open(file, o.Notice)
	return t, errors.Wrapf(err, "dataset %s", file)
}

// opened opens a set in a tree, which is closed with the set, or at once if there is an error.
func opened(t archive.Tree, o Options, open func(archive.Tree, Options) (*Set, error)) (*Set, error) {
	set, err := open(t, o)
	if err != nil {
		t.Close()
		return nil, err
	}
	set.trees = append(set.trees, t)
	return set, nil
}

// openTree finds the set at the root of a tree, or in one folder in it.
func openTree(t archive.Tree, o Options) (*Set, error) {
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

// roots are the folders in which a set may be: the tree's own, "", and those at its top.
func roots(t archive.Tree) []string {
	roots := []string{""}
	for i := 0; i < t.Len(); {
		name, _, isFolder := strings.Cut(t.Path(i), "/")
		if !isFolder {
			i++
			continue
		}
		roots = append(roots, name+"/")
		_, i = archive.Below(t, name+"/")
	}
	return roots
}

// findArchives are the archives at the top of a folder whose names say what they are for.
func findArchives(t archive.Tree, role string) (files []string) {
	for i := range t.Len() {
		file := t.Path(i)
		if strings.Contains(file, "/") || !strings.Contains(strings.ToLower(file), role) {
			continue
		}
		if head, err := t.Read(i, archive.HeadSize); err == nil && archive.Kind(head) != "" {
			files = append(files, filepath.Join(t.Name(), file))
		}
	}
	return files
}

// openArchives opens a set whose splits are archives in a folder, such as those of ILSVRC-2012: one of class folders or
// class archives, and one of class folders or of pictures that a text file or the development kit in the folder labels.
func openArchives(t archive.Tree, train, val []string, o Options) (set *Set, err error) {
	if len(train) > 1 {
		return nil, several(t, "train", train)
	}
	if len(val) > 1 {
		return nil, several(t, "val", val)
	}
	set = &Set{Name: t.Name(), Channels: 3}
	defer func() {
		if err != nil {
			set.Close()
			set = nil
		}
	}()
	openFile := func(file string) (archive.Tree, error) {
		t, err := openArchive(file, o)
		if err == nil {
			set.trees = append(set.trees, t)
		}
		return t, err
	}
	trainFiles, err := openFile(train[0])
	if err != nil {
		return set, err
	}
	all, classes, err := listClasses(trainFiles, classRoot(trainFiles))
	if err != nil {
		return set, err
	}
	set.Train, set.Classes = all, classes
	if val == nil {
		return set, set.keepForValidation(all, o)
	}
	valFiles, err := openFile(val[0])
	if err != nil {
		return set, err
	}
	set.chosen = "archive " + filepath.Base(val[0])
	root := classRoot(valFiles)
	if len(classFolders(valFiles, root)) == 0 {
		if set.Val, err = listLabelled(valFiles, root, t, "", classes); err == nil {
			return set, nil
		}
		kits := findArchives(t, "devkit")
		if len(kits) != 1 {
			return set, err
		}
		kit, err := openFile(kits[0])
		if err != nil {
			return set, err
		}
		set.Val, err = listByDevkit(valFiles, root, kit, classes)
		return set, err
	}
	valSplit, valClasses, err := listClasses(valFiles, root)
	if err != nil {
		return set, err
	}
	set.Val = valSplit
	return set, sameClasses(t.Name(), classes, valClasses)
}

func several(t archive.Tree, role string, files []string) error {
	return errors.Errorf("dataset %s: several archives with %s in their names: %s: keep one", t.Name(), role, text.FirstFew(files, fewNames))
}

// fewNames is the number of names that messages give.
const fewNames = 6

// classRoot is the folder of an archive that holds its class folders or pictures: its only folder, if there is nothing
// else at its top and folders or nothing but pictures are in that, or "".
func classRoot(t archive.Tree) string {
	tops := roots(t)
	if len(tops) == 2 {
		if first, end := archive.Below(t, tops[1]); first == 0 && end == t.Len() {
			return tops[1]
		}
	}
	return ""
}
