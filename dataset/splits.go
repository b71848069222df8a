package dataset

import (
	"slices"
	"strings"

	"github.com/pkg/errors"

	"vgg/internal/archive"
	"vgg/internal/text"
)

// splits are the places of a set's pictures by what they are for.
type splits struct{ train, val, test, other []place }

func splitsOf(places []place) splits {
	return splits{withRole(places, forTraining), withRole(places, forValidation), withRole(places, forTest), nil}
}

func (s splits) empty() bool { return len(s.train)+len(s.val)+len(s.test) == 0 }

// findSplits finds the folders of a set in a place; nil if there are none. Where that is the folder that Open was
// given, archives in it take the part of folders that are missing.
func (o *opener) findSplits(p place) (*splits, error) {
	var folders, empty, other []place
	for _, name := range p.folders() {
		inner := place{tree: p.tree, folder: p.folder + name, role: roleOf(name)}
		switch {
		case inner.role == noRole && inner.hasPictures():
			other = append(other, inner)
		case inner.role == noRole:
		case !inner.hasPictures():
			empty = append(empty, inner)
		default:
			folders = append(folders, inner)
		}
	}
	s := splitsOf(folders)
	if s.empty() {
		return nil, nil
	}
	ofClasses := func(q place) bool { return len(q.foldersWithPictures()) > 0 }
	missing := splitsOf(empty)
	switch {
	case len(s.train) == 0 && !slices.ContainsFunc(folders, ofClasses):
		return nil, nil // class folders called val or test, or unlabelled pictures
	case len(s.train) == 0 && len(missing.train) > 0:
		return nil, errors.Errorf("dataset %s: no picture in %s: add some or remove it", p.tree.Name(), missing.train[0])
	case len(s.train) > 0 && len(missing.val) > 0 && len(s.val) == 0:
		return nil, errors.Errorf("dataset %s: no pictures for validation in %s: add some or remove it", p.tree.Name(), missing.val[0])
	case len(s.train) == 1 && !ofClasses(s.train[0]) && len(other) > 0 && len(folders) == 1:
		return nil, nil // a class called train
	}
	s.other = other
	if p.folder == "" {
		s.add(splitsOf(o.archives))
	}
	return &s, nil
}

// add takes archives for what has no folder.
func (s *splits) add(archives splits) {
	if len(s.train) == 0 {
		s.train = archives.train
	}
	if len(s.val) == 0 && len(s.test) == 0 {
		s.val, s.test = archives.val, archives.test
	}
}

// openSplits opens class folders for training, and class folders or labelled pictures for validation, or a share of the
// training pictures.
func (o *opener) openSplits(t archive.Tree, s splits) (*Set, error) {
	switch {
	case len(s.train) > 1:
		return nil, several(t, "several folders or archives of training pictures", s.train)
	case len(s.val) > 1:
		return nil, several(t, "several folders or archives of validation pictures", s.val)
	case len(s.val) == 0 && len(s.test) > 1:
		return nil, several(t, "several folders or archives of test pictures", s.test)
	}
	set := &Set{Name: t.Name(), Channels: 3}
	var all *classSplit
	if len(s.train) == 1 {
		p, err := o.opened(s.train[0])
		if err != nil {
			return nil, err
		}
		if all, set.Classes, err = o.listByFile(p); err == nil && all == nil {
			all, set.Classes, err = o.listClasses(p, nil)
		}
		if err != nil {
			return nil, err
		}
		set.Train = all
	}
	val := slices.Concat(s.val, s.test)
	if len(val) > 0 {
		if err := o.addValidation(set, val[0]); err != nil {
			return nil, err
		}
	}
	o.noteChoice(s, set)
	switch {
	case set.Val == nil:
		return set, o.keepForValidation(set, all)
	case set.Train == nil:
		set.Train = &classSplit{}
		o.note("no training pictures")
	}
	if o.ValShare == 1 && len(s.train) > 0 {
		o.note("the share of 1 for validation is for sets without validation pictures, and is not used")
	}
	return set, nil
}

// noteChoice notes where pictures are from, unless that is train and val, and what is not used.
func (o *opener) noteChoice(s splits, set *Set) {
	plain := func(p place) bool {
		return p.file != "" || strings.HasSuffix("/"+p.folder, "/train/") || strings.HasSuffix("/"+p.folder, "/val/")
	}
	val := slices.Concat(s.val, s.test)
	var parts []string
	for _, p := range s.train {
		if !plain(p) {
			parts = append(parts, "training pictures are those of "+p.String())
		}
	}
	used := slices.Clone(s.train)
	if set.Val != nil {
		used = append(used, val[0])
		if !plain(val[0]) || val[0].role == forTest {
			parts = append(parts, "validation pictures are those of "+val[0].String())
		}
	}
	for _, p := range slices.Concat(val, s.other, o.archives) {
		if !slices.Contains(used, p) && !(o.Boxes && p.isBoxes()) && (p.file == "" || roleIn(p.file) != noRole) {
			used = append(used, p)
			parts = append(parts, "not used: "+p.String())
		}
	}
	if len(parts) > 0 {
		o.note("%s", text.FirstFew(parts, fewNames))
	}
}

// opened opens a place if it is an archive, and finds the folder of its class folders or pictures.
func (o *opener) opened(p place) (place, error) {
	if p.file == "" {
		return p.unwrapped(), nil
	}
	t, err := o.openArchive(p.file)
	if err != nil {
		return place{}, err
	}
	return place{tree: t, role: p.role}.unwrapped(), nil
}

// addValidation adds validation pictures to a set. Unlabelled test pictures are left out.
func (o *opener) addValidation(set *Set, from place) error {
	p, err := o.opened(from)
	if err != nil {
		return err
	}
	var split *classSplit
	folders := p.foldersWithPictures()
	known := func(name string) bool { return slices.Contains(set.Classes, className(name)) }
	switch {
	case set.Train == nil:
		split, set.Classes, err = o.listClasses(p, nil)
	case slices.ContainsFunc(folders, known):
		split, err = o.listKnown(p, set.Classes)
	default:
		split, err = o.listLabelled(p, set.Classes)
		if err != nil && len(folders) > 0 && !strings.EqualFold(folders[0], "images/") {
			_, err = o.listKnown(p, set.Classes)
		}
		if err != nil && from.role == forTest {
			return nil
		}
	}
	if err == nil {
		set.Val, set.chosen = split, from.String()
	}
	return err
}
