package dataset

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/pkg/errors"
	"golang.org/x/text/unicode/norm"

	"vgg/augment"
	"vgg/internal/archive"
	"vgg/internal/text"
)

// classSplit reads and decodes a file each time its picture is asked for.
type classSplit struct {
	files   archive.Tree
	folder  string  // that holds the pictures
	entries []int32 // places of the pictures in files
	labels  []int32
	located *located // nil without Options.Boxes
}

func (s *classSplit) Len() int          { return len(s.entries) }
func (s *classSplit) Label(i int) int   { return int(s.labels[i]) }
func (s *classSplit) Name(i int) string { return archive.Describe(s.files, int(s.entries[i])) }

func (s *classSplit) Picture(i int) (augment.Picture, error) {
	p, _, err := s.read(i)
	return p, err
}

// read gives the upright picture, and EXIF's orientation of the stored one.
func (s *classSplit) read(i int) (p augment.Picture, orientation uint16, err error) {
	data, err := archive.ReadFile(s.files, int(s.entries[i]), largestPicture)
	if err != nil {
		return p, 0, errors.Wrapf(err, "dataset %s: cannot read the picture (restore or remove it)", s.Name(i))
	}
	p, orientation, err = decodeStored(data)
	return p, orientation, errors.Wrapf(err, "dataset %s: cannot decode the picture (replace or remove it)", s.Name(i))
}

// Orientation is part of Boxed.
func (s *classSplit) Orientation(i int) (uint16, error) {
	data, err := archive.ReadFile(s.files, int(s.entries[i]), largestPicture)
	if err != nil {
		return 0, errors.Wrapf(err, "dataset %s: cannot read the picture (restore or remove it)", s.Name(i))
	}
	f, err := formatOf(data)
	return f.orientation(data), errors.Wrapf(err, "dataset %s: cannot decode the picture (replace or remove it)", s.Name(i))
}

func (s *classSplit) add(entry, label int) {
	s.entries, s.labels = append(s.entries, int32(entry)), append(s.labels, int32(label))
}

const (
	pictureFormats = "JPEG, PNG, GIF, WebP or BMP" // those that can be read
	convertThem    = "convert them to JPEG or PNG"
)

// extensions of files that are taken for pictures unread, and of those that are none; of others the first bytes are
// read.
var (
	extensions        = []string{".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp"}
	archiveExtensions = []string{".zip", ".tar", ".tgz", ".gz"}
	otherExtensions   = []string{".txt", ".csv", ".tsv", ".xml", ".json", ".jsonl", ".yaml", ".yml", ".toml", ".md", ".rst", ".html", ".mat", ".py", ".log", ".ini", ".db", ".zip", ".tar", ".tgz", ".gz"}
)

func isPicture(t archive.Tree, i int) bool {
	file := t.Path(i)
	if strings.HasSuffix(file, "/") {
		return false
	}
	switch extension := strings.ToLower(path.Ext(file)); {
	case slices.Contains(extensions, extension):
		return true
	case slices.Contains(otherExtensions, extension):
		return false
	}
	head, err := t.Read(i, 16)
	return err == nil && slices.ContainsFunc(formats, func(f format) bool { return f.matches(head) })
}

// listClasses lists the pictures of a folder of class folders, by class. Without a list of classes, they are the
// folders, in the order of their names. A class that is on the list may have no pictures, a folder that is not may not
// have any.
func (o *opener) listClasses(p place, known []string) (*classSplit, []string, error) {
	s := &classSplit{files: p.tree, folder: p.folder}
	folders, err := classFolders(p.tree, slices.DeleteFunc(p.folders(), p.holdsOnlyBoxes))
	if err != nil {
		return nil, nil, err
	}
	classes := known
	if known == nil {
		classes = slices.Collect(maps.Keys(folders))
		o.sortClasses(classes)
	}
	if len(classes) == 0 {
		where := "in " + strings.TrimSuffix(p.folder, "/")
		if p.folder == "" {
			where = "at its top"
		}
		return nil, nil, errors.Errorf("dataset %s: no class folders %s: want %sCLASS/*, or a text file that gives each picture its class", p.tree.Name(), where, p.folder)
	}
	other := ignoredFiles{}
	var packed []string
	inner := map[string]int{} // in how many classes a folder of this name has pictures
	var without []string
	for label, class := range classes {
		before := s.Len()
		folder := p.folder + cmp.Or(folders[class], class+"/")
		within := map[string]bool{}
		first, end := archive.Below(p.tree, folder)
		for i := first; i < end; i++ {
			if isPicture(p.tree, i) {
				s.add(i, label)
				if name, _, nested := strings.Cut(p.tree.Path(i)[len(folder):], "/"); nested {
					within[name] = true
				}
			} else {
				other.add(p.tree.Path(i))
				if slices.Contains(archiveExtensions, strings.ToLower(path.Ext(p.tree.Path(i)))) {
					packed = append(packed, p.tree.Path(i))
				}
			}
		}
		if s.Len() == before {
			without = append(without, class)
		}
		for name := range within {
			inner[name]++
		}
	}
	maps.DeleteFunc(inner, func(_ string, n int) bool { return n < len(classes) })
	if known == nil && len(classes) > 1 && len(inner) > 1 {
		o.note("each class (%s) has pictures in the folders %s, which are not taken for classes", text.FirstFew(classes, fewNames), text.FirstFew(slices.Sorted(maps.Keys(inner)), fewNames))
	}
	switch {
	case len(without) > 0 && known == nil:
		hint := ""
		if len(other) > 0 {
			hint = ", where there are " + other.String() + ": " + convertThem
		}
		return nil, nil, errors.Errorf("dataset %s: no picture in %s%s: add some or remove the folder%s", p.tree.Name(), p.folder, text.FirstFew(without, fewNames), hint)
	case len(without) > 0:
		o.note("no validation pictures of %d of the %d classes: %s", len(without), len(classes), text.FirstFew(without, fewNames))
	}
	if len(packed) > 0 {
		o.note("archives in the class folders are not used: %s", text.FirstFew(packed, fewNames))
	}
	if len(other) > 0 {
		o.note("ignored in the class folders: %s, which are not %s: %s", other, pictureFormats, convertThem)
	}
	if n := len(p.direct()); n > 0 {
		o.note("%d pictures beside the class folders are of no class and not used, such as %s", n, p.tree.Path(p.direct()[0]))
	}
	return s, classes, nil
}

// listKnown lists the pictures of class folders of known classes.
func (o *opener) listKnown(p place, classes []string) (*classSplit, error) {
	folders, err := classFolders(p.tree, p.foldersWithPictures())
	if err != nil {
		return nil, err
	}
	if err := sameClasses(p.tree.Name(), classes, slices.Sorted(maps.Keys(folders))); err != nil {
		return nil, err
	}
	s, _, err := o.listClasses(p, classes)
	return s, err
}

// className is the class of a folder, "a/" or "a". Systems write accented letters as one character or as two; a class
// has one, as Unicode's form NFC does.
func className(folder string) string { return norm.NFC.String(strings.TrimSuffix(folder, "/")) }

// classFolders are folders by the names of their classes.
func classFolders(t archive.Tree, folders []string) (map[string]string, error) {
	all := map[string]string{}
	for _, folder := range folders {
		class := className(folder)
		if other, twice := all[class]; twice {
			return nil, errors.Errorf("dataset %s: the folders %+q and %+q have the same name in other Unicode characters: merge them", t.Name(), other, folder)
		}
		all[class] = folder
	}
	return all, nil
}

// sameClasses refuses validation pictures of classes that have no training pictures.
func sameClasses(name string, train, val []string) error {
	without := func(a, b []string) []string {
		return slices.DeleteFunc(slices.Clone(a), func(name string) bool { return slices.Contains(b, name) })
	}
	onlyVal := without(val, train)
	if len(onlyVal) == 0 {
		return nil
	}
	var parts []string
	if onlyTrain := without(train, val); len(onlyTrain) > 0 {
		parts = append(parts, "only in train: "+text.FirstFew(onlyTrain, fewNames))
	}
	parts = append(parts, "only in val: "+text.FirstFew(onlyVal, fewNames))
	return errors.Errorf("dataset %s: train and val must have the same classes: %s", name, strings.Join(parts, "; "))
}

// sortClasses puts classes in the order of their names, or of their numbers if all names are numbers.
func (o *opener) sortClasses(classes []string) {
	slices.Sort(classes)
	o.noteAlike(classes)
	if slices.ContainsFunc(classes, func(name string) bool { return !isNumber(name) }) || slices.IsSortedFunc(classes, byNumber) {
		return
	}
	slices.SortFunc(classes, byNumber)
	o.note("the classes are in the order of their numbers: %s", text.FirstFew(classes, fewNames))
}

// noteAlike notes classes that may be meant to be one.
func (o *opener) noteAlike(classes []string) {
	seen := map[string]string{}
	for _, class := range classes {
		plain := strings.ToLower(strings.Join(strings.Fields(class), " "))
		if other, twice := seen[plain]; twice {
			o.note("classes differ in capitals and spaces only: %s and %s", other, class)
			return
		}
		seen[plain] = class
	}
}

// isNumber tells digits from other names.
func isNumber(name string) bool {
	return name != "" && strings.Trim(name, "0123456789") == ""
}

// value is a number of any length without zeros before it.
func value(number string) string {
	return strings.TrimLeft(number[:len(number)-1], "0") + number[len(number)-1:]
}

func byNumber(a, b string) int {
	x, y := value(a), value(b)
	return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y), cmp.Compare(a, b))
}
