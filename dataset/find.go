package dataset

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"vgg/internal/archive"
	"vgg/internal/text"
)

// deepest is the number of folders within each other in which a set is looked for.
const deepest = 4

// openTree finds the set in a tree: the outermost folder that holds one of a known kind, else the archives beside each
// other in the tree's own folder, else the outermost folder of class folders.
func (o *opener) openTree(t archive.Tree) (*Set, error) {
	levels := [][]place{{{tree: t}}}
	for depth := range deepest {
		var found []place
		var open func() (*Set, error)
		for _, p := range levels[depth] {
			opens, err := o.recognise(p)
			if err != nil {
				return nil, err
			}
			if opens != nil {
				found, open = append(found, p), opens
			}
		}
		switch {
		case len(found) > 1:
			return nil, several(t, "several data sets", found)
		case len(found) == 1 && depth > 0 && len(withRole(o.archives, forTraining)) > 0:
			return nil, several(t, "several data sets", append(found, withRole(o.archives, forTraining)...))
		case len(found) == 1:
			o.notePlace(t, found[0])
			return open()
		}
		levels = append(levels, nil)
		for _, p := range levels[depth] {
			for _, name := range p.folders() {
				levels[depth+1] = append(levels[depth+1], place{tree: t, folder: p.folder + name})
			}
		}
	}
	return o.openRest(t, slices.Concat(levels...))
}

// openRest opens class folders in the first of some folders that holds several, or the only class folder, or archives.
func (o *opener) openRest(t archive.Tree, folders []place) (*Set, error) {
	for _, p := range folders {
		if classes := p.foldersWithPictures(); len(classes) >= 2 {
			o.notePlace(t, p)
			return o.openClasses(p, classes)
		}
	}
	if s := splitsOf(o.archives); !s.empty() {
		return o.openSplits(t, s)
	}
	for _, p := range folders {
		all, classes, err := o.listByFile(p)
		if err != nil {
			return nil, err
		}
		if all == nil {
			continue
		}
		set := &Set{Name: t.Name(), Channels: 3, Classes: classes}
		if r := roleOf(path.Base(all.folder)); r == forValidation || r == forTest {
			set.Train, set.Val, set.chosen = &classSplit{}, all, place{folder: all.folder}.String()
			o.note("no training pictures")
			return set, nil
		}
		return set, o.keepForValidation(set, all)
	}
	for p := folders[0]; len(p.direct()) == 0; {
		classes := p.foldersWithPictures()
		if len(classes) == 0 {
			break
		}
		inner := place{tree: t, folder: p.folder + classes[0]}
		if len(inner.direct()) > 0 {
			o.notePlace(t, p)
			return o.openClasses(p, classes)
		}
		p = inner
	}
	for _, p := range folders {
		if roleOf(path.Base(p.folder)) == forTraining && len(p.folders()) > 0 {
			_, _, err := o.listClasses(p, nil) // that none has pictures
			return nil, err
		}
	}
	return nil, errors.Errorf("dataset %s: no folder train in it: want train/CLASS/* and val/CLASS/*, class folders alone, IDX files (train-images-idx3-ubyte …) or CIFAR's (data_batch_1.bin …)%s", t.Name(), o.hint(t))
}

// hint says what is in a tree without a set.
func (o *opener) hint(t archive.Tree) string {
	other, pictures := ignoredFiles{}, 0
	var packed, empty []string
	for i := range t.Len() {
		switch {
		case strings.HasSuffix(t.Path(i), "/"):
			empty = append(empty, t.Path(i))
		case isPicture(t, i):
			pictures++
		default:
			other.add(t.Path(i))
			if head, err := t.Read(i, archive.HeadSize); err == nil && archive.Kind(head) != "" {
				packed = append(packed, t.Path(i))
			}
		}
	}
	switch {
	case len(packed) > 0 && pictures == 0:
		return "; there are archives in it (" + text.FirstFew(packed, fewNames) + "): give one of them, or unpack them"
	case pictures > 0:
		return fmt.Sprintf("; there are %d pictures in it, but not in class folders, and no text file that gives each its class (a line each: its name and its class)", pictures)
	case len(other) > 0:
		return fmt.Sprintf("; there are %s in it, which are not %s: %s", other, pictureFormats, convertThem)
	case len(empty) > 0:
		return "; there are folders in it without pictures: " + text.FirstFew(empty, fewNames)
	}
	return ""
}

// openClasses opens CLASS/* alone.
func (o *opener) openClasses(p place, folders []string) (*Set, error) {
	for _, a := range o.archives {
		if a.role == forTraining {
			return nil, several(p.tree, "an archive of training pictures beside class folders", []place{a, p})
		}
	}
	var roles []string
	for _, name := range folders {
		if roleIn(name) != noRole {
			roles = append(roles, strings.TrimSuffix(name, "/"))
		}
	}
	switch {
	case len(roles) > 1:
		return nil, errors.Errorf("dataset %s: the folders %s hold no class folders, or have names that may be those of splits or of classes: want train/CLASS/* and val/CLASS/*",
			p.tree.Name(), text.FirstFew(roles, fewNames))
	case len(roles) == 1:
		o.note("the folder %s is taken for a class", roles[0])
	default:
		o.notePlain(folders)
	}
	all, classes, err := o.listClasses(p, nil)
	if err != nil {
		return nil, err
	}
	set := &Set{Name: p.tree.Name(), Channels: 3, Classes: classes}
	return set, o.keepForValidation(set, all)
}

// notePlain notes class folders whose names do not sound like those of classes, if all are such.
func (o *opener) notePlain(folders []string) {
	plain := func(word string) bool {
		return slices.Contains(plainWords, word) || word == "masks" || word == "annotations"
	}
	for _, name := range folders {
		if all := words(name); len(all) == 0 || slices.ContainsFunc(all, func(word string) bool { return !plain(word) }) {
			return
		}
	}
	what := "folder %s is taken for a class"
	if len(folders) > 1 {
		what = "folders %s are taken for classes"
	}
	o.note("the "+what, strings.ReplaceAll(text.FirstFew(folders, fewNames), "/", ""))
}

// recognise gives what opens the set of a known kind in a place; nil if there is none.
func (o *opener) recognise(p place) (open func() (*Set, error), err error) {
	switch idx, err := findIDX(p); {
	case err != nil:
		return nil, err
	case idx != nil:
		return func() (*Set, error) { return o.openIDX(idx, nil) }, nil
	}
	switch c, err := findCIFAR(p); {
	case err != nil:
		return nil, err
	case c != nil:
		return func() (*Set, error) { return o.openCIFAR(p, *c) }, nil
	}
	s, err := o.findSplits(p)
	if err != nil || s == nil {
		return nil, err
	}
	return func() (*Set, error) { return o.openSplits(p.tree, *s) }, nil
}

// notePlace notes the folder that a set was found in, and other folders with pictures.
func (o *opener) notePlace(t archive.Tree, set place) {
	var unused []string
	if top, _, ok := strings.Cut(set.folder, "/"); ok {
		for _, name := range (place{tree: t}).foldersWithPictures() {
			if name != top+"/" {
				unused = append(unused, "folder "+strings.TrimSuffix(name, "/"))
			}
		}
	}
	switch {
	case unused != nil:
		o.note("the set is in folder %s; not used: %s", strings.TrimSuffix(set.folder, "/"), text.FirstFew(unused, fewNames))
	case set.folder != "":
		o.note("the set is in folder %s", strings.TrimSuffix(set.folder, "/"))
	}
}

// besidePictures are words in the names of archives that come with pictures and hold none that are trained on: boxes of
// objects, ILSVRC's third task, and so on.
var besidePictures = []string{"bbox", "boxes", "annotations", "annotation", "labels", "devkit", "t"}

// findArchives are the archives at the top of a folder whose names say what they are for.
func findArchives(t archive.Tree) (found []place) {
	for _, i := range (place{tree: t}).files() {
		file := t.Path(i)
		p := place{tree: t, file: filepath.Join(t.Name(), file), role: roleIn(file)}
		beside := slices.ContainsFunc(words(file), func(word string) bool { return slices.Contains(besidePictures, word) })
		if !beside && p.role == noRole || isPicture(t, i) || idxName.MatchString(file) {
			continue
		}
		if beside {
			p.role = noRole
		}
		if head, err := t.Read(i, archive.HeadSize); err == nil && archive.Kind(head) != "" {
			found = append(found, p)
		}
	}
	return found
}
