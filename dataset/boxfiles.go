package dataset

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pkg/errors"
	"golang.org/x/text/unicode/norm"

	"vgg/dataset/annotations"
	"vgg/internal/archive"
	"vgg/internal/ordered"
	"vgg/internal/text"
	"vgg/internal/threads"
)

// boxWords are words in the names of archives and folders that hold boxes.
var boxWords = []string{"bbox", "boxes", "annotations", "annotation"}

// isBoxes tells archives of boxes. Those of dogs are of ILSVRC's third task, and are among the others.
func (p place) isBoxes() bool {
	named := words(filepath.Base(p.file))
	return p.file != "" && roleIn(p.file) != forTest && !slices.Contains(named, "dogs") && speaksOfBoxes(p.file)
}

// speaksOfBoxes tells the names of archives and folders of boxes.
func speaksOfBoxes(name string) bool {
	return slices.ContainsFunc(words(filepath.Base(name)), func(word string) bool { return slices.Contains(boxWords, word) })
}

// boxFinder finds the boxes of a set's pictures.
type boxFinder struct {
	*opener
	set     *Set
	splits  [2]*classSplit
	roles   [2]role // what the pictures of a split are for, as their files tell
	classes classNames

	// The pictures of both splits, numbered through, by the name of their file without folders and extension: the first of
	// a name, and the next after each, plus 1.
	first map[string]int32
	next  []int32

	tables    map[string]bool // that are read
	sources   map[string]int  // files of boxes that are used, by where they are
	unmatched []string        // files of boxes, or names in tables, of pictures that are not there
	unclear   []string        // that fit several pictures
	twice     []string        // of pictures that have boxes from another file
	odd       annotations.Odd
	unknown   map[string]int // objects of classes that the set has not
}

// addBoxes finds the boxes of a set's pictures: in XML files in its folders and archives and in archives of boxes
// beside them; for a split without any, in tables.
func (o *opener) addBoxes(set *Set) error {
	train, ok := set.Train.(*classSplit)
	val, alsoOK := set.Val.(*classSplit)
	if !ok || !alsoOK {
		o.note("no boxes are read for pictures of this kind")
		return nil
	}
	for _, a := range o.archives {
		if a.isBoxes() {
			if _, err := o.openArchive(a.file); err != nil {
				return err
			}
		}
	}
	f := newBoxFinder(o, set, train, val)
	if err := f.readXML(); err != nil {
		return err
	}
	if err := f.readTables(); err != nil {
		return err
	}
	if len(f.sources) == 0 {
		o.note("no box of any picture, neither in XML files nor in a table (filename, xmin, ymin, xmax, ymax; Kaggle's ImageId, PredictionString)")
		f.noteUnused()
		return nil
	}
	blacklist, err := f.withoutBlacklisted()
	if err != nil {
		return err
	}
	f.noteFound(blacklist)
	return nil
}

func newBoxFinder(o *opener, set *Set, train, val *classSplit) *boxFinder {
	f := &boxFinder{opener: o, set: set, splits: [2]*classSplit{train, val}, classes: newClassNames(set.Classes), first: map[string]int32{},
		next: make([]int32, train.Len()+val.Len()), tables: map[string]bool{}, sources: map[string]int{}, unknown: map[string]int{}}
	together := train.Len() == 0 || val.Len() == 0 || train.files == val.files && train.folder == val.folder
	for k, s := range f.splits {
		s.located = newLocated(s.Len())
		if f.roles[k] = roleAt(s.folder); f.roles[k] == noRole && !together {
			f.roles[k] = []role{forTraining, forValidation}[k]
		}
	}
	for n := range f.next {
		split, i := f.at(n)
		stem := stemOf(split.files.Path(int(split.entries[i])))
		f.next[n] = f.first[stem]
		f.first[stem] = int32(n + 1)
	}
	return f
}

// at is picture n of both splits.
func (f *boxFinder) at(n int) (*classSplit, int) {
	if train := f.splits[0]; n < train.Len() {
		return train, n
	}
	return f.splits[1], n - f.splits[0].Len()
}

// stemOf is the name of a file without folders and extension.
func stemOf(file string) string {
	name := path.Base(file)
	return norm.NFC.String(strings.TrimSuffix(name, path.Ext(name)))
}

// roleAt is the role of the innermost folder of a path that has one.
func roleAt(folder string) role {
	parts := strings.Split(folder, "/")
	for _, part := range slices.Backward(parts) {
		if r := roleOf(part); r != noRole {
			return r
		}
	}
	return noRole
}

// match finds the picture that a file of boxes is about, by the name of the file, of pictures of the same role, if both
// have one; of several, that whose path has the most folders in common with it, from the innermost outwards.
func (f *boxFinder) match(stem, folder string, r role) (picture int, known bool) {
	best, count := -1, 0
	for n := f.first[stem]; n > 0; n = f.next[n-1] {
		split, i := f.at(int(n - 1))
		if own := f.roles[0]; r != noRole {
			if split == f.splits[1] {
				own = f.roles[1]
			}
			if own != noRole && own != r {
				continue
			}
		}
		common := commonFolders(path.Dir(split.files.Path(int(split.entries[i]))), folder)
		switch {
		case common > best:
			best, count, picture = common, 1, int(n-1)
		case common == best:
			count++
		}
	}
	if count > 1 {
		return ambiguous, true
	}
	return picture, count == 1
}

// commonFolders is the number of the last folders of two paths that are the same.
func commonFolders(a, b string) int {
	x, y := strings.Split(a, "/"), strings.Split(b, "/")
	n := 0
	for n < min(len(x), len(y)) && x[len(x)-1-n] == y[len(y)-1-n] {
		n++
	}
	return n
}

// boxFile is an XML file and the picture that it is about.
type boxFile struct {
	tree    archive.Tree
	entry   int
	picture int
}

// readXML reads all XML files that are about pictures of the set.
func (f *boxFinder) readXML() error {
	var files []boxFile
	taken := map[int]bool{}
	for k, t := range f.trees {
		inName := noRole
		if k > 0 {
			inName = roleIn(filepath.Base(t.Name()))
		}
		for i := range t.Len() {
			file := t.Path(i)
			if !strings.EqualFold(path.Ext(file), ".xml") {
				continue
			}
			n, known := f.match(stemOf(file), path.Dir(file), cmp.Or(roleAt(path.Dir(file)), inName))
			switch {
			case !known:
				f.unmatched = append(f.unmatched, file)
			case n == ambiguous:
				f.unclear = append(f.unclear, file)
			case taken[n]:
				f.twice = append(f.twice, file)
			default:
				taken[n] = true
				files = append(files, boxFile{t, i, n})
			}
		}
	}
	if f.Notice != nil && len(files) > manyFiles {
		f.Notice(fmt.Sprintf("%s: reading %d files of boxes", f.trees[0].Name(), len(files)))
	}
	type result struct {
		annotations.Picture
		err error
	}
	parsed := ordered.Map(context.Background(), len(files), 64*threads.Count(), func(i int) (r result) {
		data, err := archive.ReadFile(files[i].tree, files[i].entry, annotations.LargestXML)
		if err == nil {
			r.Picture, err = annotations.ParseXML(data)
		}
		r.err = errors.Wrapf(err, "dataset %s: cannot read the boxes (correct or remove the file)", archive.Describe(files[i].tree, files[i].entry))
		return r
	})
	for i, r := range parsed {
		if r.err != nil {
			return r.err
		}
		f.add(files[i].picture, r.Picture)
		f.sources[f.whereIs(files[i].tree, files[i].entry)]++
	}
	return nil
}

// manyFiles is the number of files from which on reading them is announced.
const manyFiles = 10_000

// whereIs names the archive, or the outermost folder of the set, that a file of boxes is in.
func (f *boxFinder) whereIs(t archive.Tree, i int) string {
	if t != f.trees[0] {
		return filepath.Base(t.Name())
	}
	if folder, _, below := strings.Cut(t.Path(i), "/"); below {
		return "folder " + folder
	}
	return "its top folder"
}

// add takes the objects of a picture.
func (f *boxFinder) add(n int, p annotations.Picture) {
	split, i := f.at(n)
	f.odd.Add(p.Odd)
	split.located.inPixels[i] = p.InPixels
	for _, o := range p.Objects {
		class := split.labels[i]
		if o.Class != "" {
			var known bool
			if class, known = f.classes.find(o.Class); !known {
				f.unknown[o.Class]++
				class = unlabelled
			}
		}
		split.located.of[i] = append(split.located.of[i], Instance{o.Box, int(class)})
	}
}

// readTables reads the tables beside the pictures of a split that has no box yet.
func (f *boxFinder) readTables() error {
	for k, split := range f.splits {
		if slices.ContainsFunc(split.located.of, func(objects []Instance) bool { return len(objects) > 0 }) || split.files == nil {
			continue
		}
		places := place{tree: split.files, folder: split.folder}.parents()
		if split.files != f.trees[0] {
			places = append(places, place{tree: f.trees[0]})
		}
		for _, beside := range places {
			for _, i := range beside.files() {
				if strings.EqualFold(path.Ext(beside.tree.Path(i)), ".csv") {
					if err := f.readTable(beside.tree, i, k); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// readTable reads a table for the pictures of one split. Names of pictures of the other one are passed over.
func (f *boxFinder) readTable(t archive.Tree, entry, of int) error {
	data, err := archive.ReadFile(t, entry, largestFile)
	if err != nil {
		return errors.Wrapf(err, "dataset %s", archive.Describe(t, entry))
	}
	pictures, err := annotations.ParseCSV(data)
	if errors.Is(err, annotations.ErrNoTable) {
		return nil
	}
	if err != nil {
		return errors.Wrapf(err, "dataset %s: cannot read the boxes (correct or remove the file)", archive.Describe(t, entry))
	}
	base := path.Base(t.Path(entry))
	r := roleIn(base)
	if r != noRole && f.roles[of] != noRole && r != f.roles[of] {
		return nil
	}
	read, again := 0, f.tables[archive.Describe(t, entry)]
	f.tables[archive.Describe(t, entry)] = true
	for _, name := range slices.Sorted(maps.Keys(pictures)) {
		file := strings.ReplaceAll(name, `\`, "/")
		stem := norm.NFC.String(path.Base(file))
		if slices.Contains(extensions, strings.ToLower(path.Ext(file))) {
			stem = stemOf(file)
		}
		n, known := f.match(stem, path.Dir(file), cmp.Or(roleAt(path.Dir(file)), r))
		switch split, i := f.at(max(n, 0)); {
		case again && (!known || n == ambiguous): // noted
		case !known:
			f.unmatched = append(f.unmatched, base+": "+name)
		case n == ambiguous:
			f.unclear = append(f.unclear, base+": "+name)
		case split != f.splits[of]:
		case len(split.located.of[i]) > 0:
			f.twice = append(f.twice, base+": "+name)
		default:
			f.add(n, *pictures[name])
			read++
		}
	}
	if read > 0 {
		f.sources[base] += read
	}
	return nil
}

// noteFound notes where the boxes are from, which pictures have none, and what was put right or left out.
func (f *boxFinder) noteFound(blacklist string) {
	var from, parts []string
	for _, source := range slices.Sorted(maps.Keys(f.sources)) {
		from = append(from, fmt.Sprintf("%s (%d)", source, f.sources[source]))
	}
	for k, split := range f.splits {
		with := 0
		for i := range split.Len() {
			if split.HasBox(i) {
				with++
			}
		}
		parts = append(parts, fmt.Sprintf("%d of %d %s pictures", with, split.Len(), []string{"training", "validation"}[k]))
	}
	f.note("boxes of %s, from %s", strings.Join(parts, " and "), text.FirstFew(from, fewNames))
	for _, c := range []struct {
		count int
		what  string
	}{
		{f.odd.Swapped, "boxes with edges in the wrong order, put right"},
		{f.odd.Clipped, "boxes over the edge of their picture, cut there"},
		{f.odd.Outside, "boxes outside their picture, left out"},
	} {
		if c.count > 0 {
			f.note("%s: %d", c.what, c.count)
		}
	}
	if len(f.unknown) > 0 {
		objects := 0
		for _, n := range f.unknown {
			objects += n
		}
		f.note("objects of other classes than those of the set: %d (%s)", objects, text.FirstFew(slices.Sorted(maps.Keys(f.unknown)), fewNames))
	}
	f.noteUnused()
	if blacklist != "" {
		f.note("%s", blacklist)
	}
}

// noteUnused notes the files of boxes that are not used.
func (f *boxFinder) noteUnused() {
	for _, c := range []struct {
		names []string
		what  string
	}{
		{f.unmatched, "for pictures that are not there"},
		{f.unclear, "that fit several pictures, not used"},
		{f.twice, "for pictures that have boxes from another, not used"},
	} {
		if len(c.names) > 0 {
			f.note("files or rows of boxes %s: %d (%s)", c.what, len(c.names), text.FirstFew(c.names, 2))
		}
	}
}
