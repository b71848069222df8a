package dataset

import (
	"slices"
	"strings"

	"github.com/pkg/errors"

	"vgg/dataset/imagenet"
	"vgg/internal/archive"
	"vgg/internal/text"
)

// largestLabels is the size in bytes from which a file is not taken for labels.
const largestLabels = 1 << 26

// listLabelled lists the pictures in a folder, labelled by a text file in it, in a folder that it is in, or beside the
// archive that it is; else by ILSVRC-2012's development kit.
func (o *opener) listLabelled(p place, classes []string) (*classSplit, error) {
	s := &classSplit{files: p.tree, folder: p.folder}
	var names []string
	first, end := archive.Below(p.tree, p.folder)
	for i := first; i < end; i++ {
		if isPicture(p.tree, i) {
			s.entries = append(s.entries, int32(i))
			names = append(names, p.tree.Path(i)[len(p.folder):])
		}
	}
	if len(names) == 0 {
		return nil, errors.Errorf("dataset %s: no pictures for validation in %s", p.tree.Name(), p.folder)
	}
	labels, err := o.findLabels(p, names, classes)
	if err != nil {
		labels, err = o.labelsOfKit(names, classes, err)
	}
	s.labels = labels
	return s, err
}

// findLabels takes the labels from the text file that fits. A file of names and classes is preferred to one of classes.
func (o *opener) findLabels(p place, names, classes []string) ([]int32, error) {
	pictures := newPictureNames(names)
	var found []labels
	var files, tried []string
	o.texts(p, func(file, name string, data []byte) {
		l, err := parseLabels(data, pictures, classes)
		switch {
		case err != nil:
			tried = append(tried, name+" is not: "+err.Error())
		case len(found) > 0 && found[0].named && !l.named:
		case len(found) > 0 && !found[0].named && l.named:
			found, files = []labels{l}, []string{file}
		default:
			found, files = append(found, l), append(files, file)
		}
	})
	if len(found) == 0 {
		if tried == nil {
			tried = []string{"there is none"}
		}
		return nil, errors.Errorf("dataset %s: %d pictures for validation and no text file that labels them in their folder or beside it (a line each: a class, or a picture's name and its class): %s",
			o.trees[0].Name(), len(names), text.FirstFew(tried, fewNames))
	}
	for i, l := range found {
		if !slices.Equal(l.of, found[0].of) {
			return nil, errors.Errorf("dataset %s: %s and %s label the validation pictures differently: keep one", o.trees[0].Name(), files[0], files[i])
		}
	}
	o.note("the labels for validation are those of %s%s", files[0], found[0].note)
	return found[0].of, nil
}

// kit is ILSVRC-2012's development kit, unpacked or not; nil if there is none, or several. Kits of other years have no
// data/meta.mat.
func (o *opener) kit() (archive.Tree, error) {
	if holdsSynsets(o.trees[0]) {
		return o.trees[0], nil
	}
	var kits []archive.Tree
	for _, a := range o.archives {
		if slices.Contains(words(a.file), "devkit") {
			kit, err := o.openArchive(a.file)
			if err != nil {
				return nil, err
			}
			kits = append(kits, kit)
		}
	}
	if len(kits) > 1 {
		kits = slices.DeleteFunc(kits, func(t archive.Tree) bool { return !holdsSynsets(t) })
	}
	if len(kits) != 1 {
		return nil, nil
	}
	return kits[0], nil
}

func holdsSynsets(t archive.Tree) bool {
	for i := range t.Len() {
		if strings.HasSuffix("/"+t.Path(i), "/data/meta.mat") {
			return true
		}
	}
	return false
}

// labelsOfKit takes the labels from ILSVRC-2012's development kit. Without one the error is the given one.
func (o *opener) labelsOfKit(names, classes []string, missing error) ([]int32, error) {
	kit, err := o.kit()
	switch {
	case err != nil:
		return nil, err
	case kit == nil:
		return nil, missing
	}
	wnids, err := imagenet.ValidationLabels(kit)
	if err != nil {
		return nil, errors.Wrapf(err, "dataset %s", kit.Name())
	}
	l, err := parseLabels([]byte(strings.Join(wnids, "\n")), newPictureNames(names), classes)
	return l.of, errors.Wrapf(err, "dataset %s: its labels", kit.Name())
}
