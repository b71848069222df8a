package transfer

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/dataset"
	"vgg/internal/archive"
	"vgg/internal/text"
)

// voc is VOC's folder of a year. Where it lies in parts, such as a folder and an archive, they are taken as one.
type voc struct {
	year  int
	parts []part
}

type part struct {
	tree   archive.Tree
	folder string // VOCdevkit/VOC2007/, or ""
}

func (p part) String() string {
	name := filepath.Base(p.tree.Name())
	if p.folder != "" {
		name += ": " + p.folder
	}
	return name
}

// openVOC is nil, nil if there is no set of VOC.
func openVOC(spec string, o Options) (s *Set, err error) {
	info, err := os.Stat(spec)
	if err != nil {
		return nil, nil // a name that dataset.Open knows, or refuses
	}
	trees, err := openTrees(spec, info.IsDir(), o.Notice)
	if err != nil {
		return nil, err
	}
	v, err := findVOC(trees, o.Year)
	if err == nil && v != nil {
		var said notes
		if s, err = v.read(o.Task, &said); err == nil {
			s.Name, s.trees = spec, trees
			said.say(spec, o.Notice)
			return s, nil
		}
	}
	closeAll(trees)
	return nil, errors.Wrapf(err, "dataset %s", spec)
}

// openTrees opens a folder with VOC's archives in it, or an archive.
func openTrees(spec string, isFolder bool, notice func(string)) (trees []archive.Tree, err error) {
	if !isFolder {
		t, err := archive.Open(spec, notice)
		return []archive.Tree{t}, errors.Wrapf(err, "dataset %s", spec)
	}
	folder, err := archive.OpenFolder(spec, os.DirFS(spec))
	if err != nil {
		return nil, errors.Wrapf(err, "dataset %s", spec)
	}
	trees = append(trees, folder)
	for i := range folder.Len() {
		name := folder.Path(i)
		if strings.Contains(name, "/") || !strings.Contains(strings.ToLower(name), "voc") {
			continue
		}
		if head, err := folder.Read(i, archive.HeadSize); err != nil || archive.Kind(head) == "" {
			continue
		}
		t, err := archive.Open(filepath.Join(spec, name), notice)
		if err != nil {
			closeAll(trees)
			return nil, errors.Wrapf(err, "dataset %s", filepath.Join(spec, name))
		}
		trees = append(trees, t)
	}
	return trees, nil
}

var (
	listFolder = regexp.MustCompile(`^(|.*/)ImageSets/(Main|Action)/`)
	yearName   = regexp.MustCompile(`(?i)VOC_?(20\d\d)`)
)

// findVOC finds the folders of a year: the only one, if year is 0. It is nil if there are none.
func findVOC(trees []archive.Tree, year int) (*voc, error) {
	years := map[int][]part{}
	for _, t := range trees {
		seen := map[string]bool{}
		for i := range t.Len() {
			if !strings.Contains(t.Path(i), "ImageSets/") {
				continue
			}
			found := listFolder.FindStringSubmatch(t.Path(i))
			if found == nil || seen[found[1]] {
				continue
			}
			seen[found[1]] = true
			p := part{t, found[1]}
			of, err := p.year()
			if err != nil {
				return nil, err
			}
			years[of] = append(years[of], p)
		}
	}
	all := slices.Sorted(maps.Keys(years))
	names := text.List(all, " ")
	switch {
	case len(all) == 0:
		return nil, nil
	case year == 0 && len(all) > 1:
		return nil, errors.Errorf("VOC of several years (%s): give the year, or the folder of one", names)
	case year == 0:
		year = all[0]
	case years[year] == nil:
		return nil, errors.Errorf("no VOC%d in it, but %s: give that year, or another folder", year, names)
	}
	return &voc{year: year, parts: years[year]}, nil
}

// year is in the folder's name, or in that of one that it is in.
func (p part) year() (int, error) {
	name, err := filepath.Abs(p.tree.Name())
	if err != nil {
		return 0, err
	}
	found := yearName.FindAllStringSubmatch(name+"/"+p.folder, -1)
	if found == nil {
		return 0, errors.Errorf("nothing tells of which year VOC's folder %sImageSets is: call its folder VOC2007 or VOC2012", p.folder)
	}
	return strconv.Atoi(found[len(found)-1][1])
}

// names are the files in a folder, such as ImageSets/Main/, of all parts.
func (v *voc) names(folder string) (names []string) {
	for _, p := range v.parts {
		for i, end := archive.Below(p.tree, p.folder+folder); i < end; i++ {
			if name := p.tree.Path(i)[len(p.folder+folder):]; name != "" && !strings.Contains(name, "/") {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// text is a small file of the first part that has it; nil if none has. It is an error if two differ.
func (v *voc) text(name string) (data []byte, err error) {
	var from part
	for _, p := range v.parts {
		i, ok := archive.Find(p.tree, p.folder+name)
		if !ok {
			continue
		}
		found, err := archive.ReadFile(p.tree, i, largestList)
		switch {
		case err != nil:
			return nil, errors.Wrap(err, p.folder+name)
		case data != nil && !bytes.Equal(data, found):
			return nil, errors.Errorf("%s differs in %s and %s: keep one", name, from, p)
		case data == nil:
			data, from = found, p
			if data == nil {
				data = []byte{}
			}
		}
	}
	return data, nil
}

// largestList and largestPicture are the most bytes of files of lists and of pictures.
const (
	largestList    = 1 << 24
	largestPicture = 3 << 29
)

// vocPictures are the pictures that lists name.
type vocPictures struct {
	trees   []archive.Tree
	entries []int
}

func (p *vocPictures) Len() int          { return len(p.entries) }
func (p *vocPictures) Label(int) int     { return -1 }
func (p *vocPictures) Name(i int) string { return archive.Describe(p.trees[i], p.entries[i]) }

func (p *vocPictures) Picture(i int) (augment.Picture, error) {
	picture, _, err := p.stored(i)
	return picture, err
}

// stored also gives EXIF's orientation of the stored picture.
func (p *vocPictures) stored(i int) (picture augment.Picture, orientation uint16, err error) {
	data, err := archive.ReadFile(p.trees[i], p.entries[i], largestPicture)
	if err != nil {
		return picture, 0, errors.Wrapf(err, "dataset %s: cannot read the picture (restore or remove it)", p.Name(i))
	}
	picture, orientation, err = dataset.DecodeStored(bytes.NewReader(data))
	return picture, orientation, errors.Wrapf(err, "dataset %s: cannot decode the picture (replace it)", p.Name(i))
}
