package dataset

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/internal/archive"
	"vgg/internal/text"
)

// classSplit reads and decodes a file each time its picture is asked for.
type classSplit struct {
	files   archive.Tree
	folder  string  // in which the pictures are
	entries []int32 // places of the pictures in files
	labels  []int32
}

func (s *classSplit) Len() int          { return len(s.entries) }
func (s *classSplit) Label(i int) int   { return int(s.labels[i]) }
func (s *classSplit) Name(i int) string { return archive.Describe(s.files, int(s.entries[i])) }

func (s *classSplit) Picture(i int) (augment.Picture, error) {
	data, err := archive.ReadFile(s.files, int(s.entries[i]), largestPicture)
	if err != nil {
		return augment.Picture{}, errors.Wrapf(err, "dataset %s: cannot read the picture (restore or remove it)", s.Name(i))
	}
	p, err := decode(data)
	return p, errors.Wrapf(err, "dataset %s: cannot decode the picture (replace or remove it)", s.Name(i))
}

func (s *classSplit) add(entry, label int) {
	s.entries, s.labels = append(s.entries, int32(entry)), append(s.labels, int32(label))
}

// extensions of files that are taken for pictures unread; of others the first bytes are read.
var extensions = []string{".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp"}

func isPicture(t archive.Tree, i int) bool {
	file := t.Path(i)
	if strings.HasSuffix(file, "/") {
		return false
	}
	if slices.Contains(extensions, strings.ToLower(path.Ext(file))) {
		return true
	}
	head, err := t.Read(i, 16)
	return err == nil && slices.ContainsFunc(formats, func(f format) bool { return f.matches(head) })
}

func hasFolder(t archive.Tree, folder string) bool {
	first, end := archive.Below(t, folder)
	return first < end
}

// classFolders are the folders in a folder, by name, with their slash.
func classFolders(t archive.Tree, folder string) (names []string) {
	for i, end := archive.Below(t, folder); i < end; {
		name, _, isFolder := strings.Cut(t.Path(i)[len(folder):], "/")
		if i++; isFolder && name != "" {
			names = append(names, name+"/")
			_, i = archive.Below(t, folder+name+"/")
		}
	}
	return names
}

// hasClasses tells whether at least two folders in a folder hold pictures.
func hasClasses(t archive.Tree, root string) bool {
	classes := 0
	for _, class := range classFolders(t, root) {
		first, end := archive.Below(t, root+class)
		for i := first; i < end; i++ {
			if isPicture(t, i) {
				classes++
				break
			}
		}
	}
	return classes >= 2
}

// openTrainVal opens train/CLASS/* and val/CLASS/*, or val/* with a file of labels, or train/CLASS/* alone.
func openTrainVal(t archive.Tree, root string, o Options) (*Set, error) {
	train, classes, err := listClasses(t, root+"train/")
	if err != nil {
		return nil, err
	}
	set := &Set{Name: t.Name(), Channels: 3, Classes: classes, Train: train}
	if !hasFolder(t, root+"val/") {
		return set, set.keepForValidation(train, o)
	}
	set.chosen = "folder val"
	if len(classFolders(t, root+"val/")) == 0 {
		set.Val, err = listLabelled(t, root+"val/", t, root, classes)
		return set, err
	}
	val, valClasses, err := listClasses(t, root+"val/")
	if err != nil {
		return nil, err
	}
	set.Val = val
	return set, sameClasses(t.Name(), classes, valClasses)
}

// openClasses opens CLASS/* alone.
func openClasses(t archive.Tree, root string, o Options) (*Set, error) {
	all, classes, err := listClasses(t, root)
	if err != nil {
		return nil, err
	}
	set := &Set{Name: t.Name(), Channels: 3, Classes: classes}
	return set, set.keepForValidation(all, o)
}

// listClasses lists the pictures of a folder of class folders, by name, and skips other files.
func listClasses(t archive.Tree, folder string) (*classSplit, []string, error) {
	s := &classSplit{files: t, folder: folder}
	var classes, empty []string
	for _, class := range classFolders(t, folder) {
		before := s.Len()
		first, end := archive.Below(t, folder+class)
		for i := first; i < end; i++ {
			if isPicture(t, i) {
				s.add(i, len(classes))
			}
		}
		if s.Len() == before {
			empty = append(empty, class)
		}
		classes = append(classes, strings.TrimSuffix(class, "/"))
	}
	where := "in " + strings.TrimSuffix(folder, "/")
	if folder == "" {
		where = "at its top"
	}
	switch {
	case len(classes) == 0:
		return nil, nil, errors.Errorf("dataset %s: no class folders %s: want %sCLASS/*", t.Name(), where, folder)
	case len(empty) > 0:
		return nil, nil, errors.Errorf("dataset %s: no picture in %s%s: add some or remove the folder", t.Name(), folder, strings.TrimSuffix(empty[0], "/"))
	}
	return s, classes, nil
}

// keepForValidation divides one split into two: a share of each class, drawn by the seed, is for validation, at least one
// picture and not all.
func (s *Set) keepForValidation(all *classSplit, o Options) error {
	if !(o.ValShare > 0 && o.ValShare < 1) {
		return errors.Errorf("dataset %s: no val/CLASS/* in it: add it, or give the share of the pictures to keep for validation (pictures.val_share, above 0 and below 1)", s.Name)
	}
	train, val := &classSplit{files: all.files, folder: all.folder}, &classSplit{files: all.files, folder: all.folder}
	for first := 0; first < all.Len(); {
		label := all.Label(first)
		end := first
		for end < all.Len() && all.Label(end) == label {
			end++
		}
		pictures := end - first
		if pictures < 2 {
			return errors.Errorf("dataset %s: class %s has one picture, which cannot be both for training and validation: add more", s.Name, s.Classes[label])
		}
		keep := min(max(1, int(math.Round(o.ValShare*float64(pictures)))), pictures-1)
		isVal := make([]bool, pictures)
		for _, i := range rand.New(rand.NewPCG(o.SplitSeed, uint64(label))).Perm(pictures)[:keep] {
			isVal[i] = true
		}
		for i, kept := range isVal {
			split := train
			if kept {
				split = val
			}
			split.add(int(all.entries[first+i]), label)
		}
		first = end
	}
	s.Train, s.Val = train, val
	s.chosen = fmt.Sprintf("share %g by seed %d", o.ValShare, o.SplitSeed)
	return nil
}

// sameClasses refuses splits of different classes and says which classes only one of them has.
func sameClasses(name string, train, val []string) error {
	if slices.Equal(train, val) {
		return nil
	}
	without := func(a, b []string) string {
		return text.FirstFew(slices.DeleteFunc(slices.Clone(a), func(name string) bool { return slices.Contains(b, name) }), fewNames)
	}
	var parts []string
	if only := without(train, val); only != "" {
		parts = append(parts, "only in train: "+only)
	}
	if only := without(val, train); only != "" {
		parts = append(parts, "only in val: "+only)
	}
	return errors.Errorf("dataset %s: train and val must have the same classes: %s", name, strings.Join(parts, "; "))
}
