package dataset

import (
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"vgg/augment"
)

// extensions of the files in class folders that are taken for pictures; others are passed over.
var extensions = []string{".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp"}

func isPicture(name string) bool {
	return !strings.HasPrefix(name, ".") && slices.Contains(extensions, strings.ToLower(path.Ext(name)))
}

func (s source) hasClasses() bool {
	info, err := fs.Stat(s.files, path.Join(s.root, "train"))
	return err == nil && info.IsDir()
}

// openClasses lists train/CLASS/* and val/CLASS/*.
func openClasses(from source) (*Set, error) {
	train, classes, err := listClasses(from, path.Join(from.root, "train"))
	if err != nil {
		return nil, err
	}
	val, valClasses, err := listClasses(from, path.Join(from.root, "val"))
	if err != nil {
		return nil, err
	}
	if !slices.Equal(classes, valClasses) {
		return nil, errors.Errorf("dataset %s: train and val must have the same classes: %s", from.name, difference(classes, valClasses))
	}
	return &Set{Name: from.name, Channels: 3, Classes: classes, Train: train, Val: val}, nil
}

// listClasses lists the pictures of a folder of class folders, by name; files that are no pictures are passed over.
func listClasses(from source, folder string) (*classSplit, []string, error) {
	entries, err := fs.ReadDir(from.files, folder)
	if err != nil {
		return nil, nil, errors.Wrapf(err, "dataset %s: want class folders in %s", from.name, folder)
	}
	s := &classSplit{from: from}
	var classes []string
	for _, e := range entries {
		class := path.Join(folder, e.Name())
		if !isDir(from.files, class, e) || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		inside, err := fs.ReadDir(from.files, class)
		if err != nil {
			return nil, nil, errors.Wrapf(err, "dataset %s", from.message(class))
		}
		before := len(s.paths)
		for _, f := range inside {
			if !f.IsDir() && isPicture(f.Name()) {
				s.paths = append(s.paths, path.Join(class, f.Name()))
				s.labels = append(s.labels, int32(len(classes)))
			}
		}
		if len(s.paths) == before {
			return nil, nil, errors.Errorf("dataset %s: class %s has no picture (%s): add some or remove the folder", from.message(class), e.Name(), list(extensions))
		}
		classes = append(classes, e.Name())
	}
	if len(classes) == 0 {
		return nil, nil, errors.Errorf("dataset %s: no class folders in %s: want %[2]s/CLASS/*", from.name, folder)
	}
	return s, classes, nil
}

// difference says which classes only one of the splits has.
func difference(train, val []string) string {
	without := func(a, b []string) string {
		return list(slices.DeleteFunc(slices.Clone(a), func(name string) bool { return slices.Contains(b, name) }))
	}
	var parts []string
	if only := without(train, val); only != "" {
		parts = append(parts, "only in train: "+only)
	}
	if only := without(val, train); only != "" {
		parts = append(parts, "only in val: "+only)
	}
	return strings.Join(parts, "; ")
}

// classSplit reads and decodes a file whenever its picture is asked for.
type classSplit struct {
	from   source
	paths  []string
	labels []int32
}

func (s *classSplit) Len() int          { return len(s.paths) }
func (s *classSplit) Label(i int) int   { return int(s.labels[i]) }
func (s *classSplit) Name(i int) string { return s.from.message(s.paths[i]) }

func (s *classSplit) Picture(i int) (augment.Picture, error) {
	data, err := s.read(s.paths[i])
	if err != nil {
		return augment.Picture{}, errors.Wrapf(err, "dataset %s: cannot read the picture (restore or remove it)", s.Name(i))
	}
	p, err := decode(data)
	return p, errors.Wrapf(err, "dataset %s: cannot decode the picture (replace or remove it)", s.Name(i))
}

// largestFile is the size in bytes above which a file is not read: an archive may unfold to any length.
const largestFile = 1 << 29

func (s *classSplit) read(file string) ([]byte, error) {
	opened, err := s.from.files.Open(file)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	data, err := io.ReadAll(io.LimitReader(opened, largestFile+1))
	if len(data) > largestFile {
		return nil, errors.Errorf("longer than %d bytes", largestFile)
	}
	return data, err
}
