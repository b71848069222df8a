package dataset

import (
	"path/filepath"
	"slices"
	"strings"

	"vgg/internal/archive"
)

// place is a folder of a tree, or an archive that is not open yet, that holds pictures.
type place struct {
	tree   archive.Tree
	folder string // its path, "" or with a slash at its end
	file   string // the path of an archive that is not open yet, else ""
	role   role
}

// String is "folder val" or "archive val.zip".
func (p place) String() string {
	if p.file != "" {
		return "archive " + filepath.Base(p.file)
	}
	return "folder " + strings.TrimSuffix(p.folder, "/")
}

func namesOf(places []place) (names []string) {
	for _, p := range places {
		names = append(names, p.String())
	}
	return names
}

func withRole(places []place, r role) []place {
	return slices.DeleteFunc(slices.Clone(places), func(p place) bool { return p.role != r })
}

// parents are a folder and those that it is in, the innermost first.
func (p place) parents() (all []place) {
	folder := p.folder
	for {
		all = append(all, place{tree: p.tree, folder: folder})
		if folder == "" {
			return all
		}
		folder = folder[:strings.LastIndex(folder[:len(folder)-1], "/")+1]
	}
}

// unwrapped is the folder that holds the class folders of a place: the only one with pictures in it, if no pictures are
// beside that one and class folders are in it, as in training_set/training_set/CLASS.
func (p place) unwrapped() place {
	for {
		folders := p.foldersWithPictures()
		if len(folders) != 1 || len(p.direct()) > 0 {
			return p
		}
		inner := place{tree: p.tree, folder: p.folder + folders[0], role: p.role}
		if n := len(inner.foldersWithPictures()); n == 0 || n == 1 && roleIn(folders[0]) == noRole {
			return p
		}
		p = inner
	}
}

// folders are the folders in a place, by path, with their slash.
func (p place) folders() (names []string) {
	for i, end := archive.Below(p.tree, p.folder); i < end; {
		name, _, isFolder := strings.Cut(p.tree.Path(i)[len(p.folder):], "/")
		if i++; isFolder && name != "" {
			names = append(names, name+"/")
			_, i = archive.Below(p.tree, p.folder+name+"/")
		}
	}
	return names
}

// direct are the pictures in a place that are in no folder in it.
func (p place) direct() (entries []int) {
	for _, i := range p.files() {
		if isPicture(p.tree, i) {
			entries = append(entries, i)
		}
	}
	return entries
}

// files are the files in a place that are in no folder in it.
func (p place) files() (entries []int) {
	for i, end := archive.Below(p.tree, p.folder); i < end; {
		name, _, isFolder := strings.Cut(p.tree.Path(i)[len(p.folder):], "/")
		switch {
		case isFolder && name != "":
			_, i = archive.Below(p.tree, p.folder+name+"/")
		case name == "":
			i++
		default:
			entries = append(entries, i)
			i++
		}
	}
	return entries
}

// hasPictures tells whether there are any in a place or below it.
func (p place) hasPictures() bool {
	first, end := archive.Below(p.tree, p.folder)
	for i := first; i < end; i++ {
		if isPicture(p.tree, i) {
			return true
		}
	}
	return false
}

// holdsOnlyBoxes tells a folder in a place that is there for boxes and is no class.
func (p place) holdsOnlyBoxes(name string) bool {
	return speaksOfBoxes(name) && !place{tree: p.tree, folder: p.folder + name}.hasPictures()
}

func (p place) foldersWithPictures() []string {
	return slices.DeleteFunc(p.folders(), func(name string) bool {
		return !place{tree: p.tree, folder: p.folder + name}.hasPictures()
	})
}
