package transfer

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/dataset"
	"vgg/internal/archive"
	"vgg/internal/splitmix"
	"vgg/internal/text"
)

// pool is the pictures of several splits, by class.
type pool struct{ pictures []pooled }

type pooled struct {
	split dataset.Split
	i     int
}

func (p *pool) Len() int          { return len(p.pictures) }
func (p *pool) Label(i int) int   { return p.pictures[i].split.Label(p.pictures[i].i) }
func (p *pool) Name(i int) string { return p.pictures[i].split.Name(p.pictures[i].i) }
func (p *pool) Picture(i int) (augment.Picture, error) {
	return p.pictures[i].split.Picture(p.pictures[i].i)
}

// openClasses opens a set of one label a picture and draws its splits.
func openClasses(spec string, o Options) (*Set, error) {
	set, err := openInner(spec, dataset.Options{Together: true, Notice: o.Notice})
	if err != nil {
		return nil, err
	}
	s := &Set{Name: spec, Task: Classification, Classes: set.Classes, Metric: MeanClassRecall, set: set}
	var said notes
	of := s.pool(&said)
	if err := s.draw(of, o, &said); err != nil {
		s.Close()
		return nil, errors.Wrapf(err, "dataset %s", spec)
	}
	said.say(spec, o.Notice)
	return s, nil
}

// openInner opens a set, or the one archive in its folder or archive that may be one, such as
// 101_ObjectCategories.tar.gz in caltech-101.zip.
func openInner(spec string, o dataset.Options) (*dataset.Set, error) {
	set, failed := dataset.Open(spec, o)
	info, err := os.Stat(spec)
	if failed == nil || err != nil {
		return set, failed
	}
	var t archive.Tree
	if info.IsDir() {
		t, err = archive.OpenFolder(spec, os.DirFS(spec))
	} else {
		t, err = archive.Open(spec, nil)
	}
	if err != nil {
		return nil, failed
	}
	defer t.Close()
	i := innerArchive(t)
	if i < 0 {
		return nil, failed
	}
	inner := filepath.Join(spec, filepath.FromSlash(t.Path(i)))
	if !info.IsDir() {
		if inner, err = archive.Unpack(t, i, o.Notice); err != nil {
			return nil, errors.Wrapf(err, "dataset %s", archive.Describe(t, i))
		}
	}
	if o.Notice != nil {
		o.Notice(fmt.Sprintf("%s: the set is in the archive %s", spec, t.Path(i)))
	}
	return dataset.Open(inner, o)
}

// innerArchive is the only archive in a tree without pictures, or the only one with Caltech's ObjectCategories in its
// name; -1 if none is.
func innerArchive(t archive.Tree) int {
	var all, ofCaltech []int
	for i := range t.Len() {
		file := strings.ToLower(t.Path(i))
		switch filepath.Ext(file) {
		case ".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp":
			return -1
		case ".gz", ".tgz", ".tar", ".zip":
		default:
			continue
		}
		if head, err := t.Read(i, archive.HeadSize); err != nil || archive.Kind(head) == "" {
			continue
		}
		all = append(all, i)
		if strings.Contains(filepath.Base(file), "objectcategories") {
			ofCaltech = append(ofCaltech, i)
		}
	}
	for _, found := range [][]int{ofCaltech, all} {
		if len(found) == 1 {
			return found[0]
		}
	}
	return -1
}

// pool puts the pictures of a set together, and gives those of each class. In a class that has pictures itself, those
// in folders in it are strays, such as 056.dog/greg/.
func (s *Set) pool(said *notes) (of [][]int) {
	byClass := make([][]pooled, len(s.Classes))
	var strays []pooled
	for _, split := range []dataset.Split{s.set.Train, s.set.Val} {
		direct := make([]bool, len(s.Classes))
		nested := func(i int) bool { return strings.Count(dataset.PathOf(split, i), "/") > 1 }
		for i := range split.Len() {
			if !nested(i) {
				direct[split.Label(i)] = true
			}
		}
		for i := range split.Len() {
			at := pooled{split, i}
			if label := split.Label(i); direct[label] && nested(i) {
				strays = append(strays, at)
			} else {
				byClass[label] = append(byClass[label], at)
			}
		}
	}
	if len(strays) > 0 {
		var folders []string
		for _, at := range strays {
			folders = append(folders, filepath.ToSlash(filepath.Dir(dataset.PathOf(at.split, at.i))))
		}
		said.add("%d pictures in folders in class folders are not used: %s", len(strays), text.FirstFew(slices.Compact(folders), fewNames))
	}
	all := &pool{}
	of = make([][]int, len(s.Classes))
	for label, pictures := range byClass {
		for _, at := range pictures {
			i := len(all.pictures)
			of[label] = append(of[label], i)
			all.pictures = append(all.pictures, at)
			id := dataset.PathOf(at.split, at.i)
			if id == "" {
				id = at.split.Name(at.i)
			}
			s.Samples = append(s.Samples, Sample{Picture: i, ID: id})
			targets := slices.Repeat([]int8{-1}, len(s.Classes))
			targets[label] = 1
			s.Targets = append(s.Targets, targets...)
		}
	}
	s.Pictures = all
	return of
}

var clutter = regexp.MustCompile(`^257\.`)

// withDefaults fills in the protocol of appendix B.
func (o Options) withDefaults(classes []string) Options {
	is256 := slices.ContainsFunc(classes, clutter.MatchString)
	if o.Train == 0 {
		o.Train = 30
		if is256 {
			o.Train = 60
		}
	}
	if o.Test == 0 {
		o.Test = 50
		if is256 {
			o.Test = Rest
		}
	}
	if o.Splits == 0 {
		o.Splits = 3
	}
	if o.ValShare == 0 {
		o.ValShare = 0.2
	}
	return o
}

func (o Options) check() error {
	switch {
	case o.Train < 2:
		return errors.Errorf("%d training pictures of each class: want at least 2, one of which is for validation", o.Train)
	case o.Test < 1 && o.Test != Rest:
		return errors.Errorf("%d test pictures of each class: want at least 1, or all that remain", o.Test)
	case o.Splits < 1 || o.Splits > mostSplits:
		return errors.Errorf("%d splits: want 1 to %d", o.Splits, mostSplits)
	case !(o.ValShare > 0 && o.ValShare < 1):
		return errors.Errorf("a share of %g of the training pictures for validation: want above 0 and below 1", o.ValShare)
	}
	return nil
}

const mostSplits = 1000

// draw draws the splits: of each class, so many pictures to train on, a share of these for validation, and up to so
// many others to test on.
func (s *Set) draw(of [][]int, o Options, said *notes) error {
	o = o.withDefaults(s.Classes)
	if err := o.check(); err != nil {
		return err
	}
	if len(s.Classes) < 2 {
		return errors.Errorf("one class, %s: want at least two", s.Classes[0])
	}
	var short, fewer []string
	smallest := math.MaxInt
	for label, pictures := range of {
		smallest = min(smallest, len(pictures))
		switch {
		case len(pictures) <= o.Train:
			short = append(short, fmt.Sprintf("%s has %d", s.Classes[label], len(pictures)))
		case o.Test != Rest && len(pictures) < o.Train+o.Test:
			fewer = append(fewer, fmt.Sprintf("%s %d", s.Classes[label], len(pictures)-o.Train))
		}
	}
	if len(short) > 0 {
		remedy := fmt.Sprintf("ask for %d or fewer, or add pictures", smallest-1)
		if smallest < 3 {
			remedy = "add pictures or remove the classes"
		}
		return errors.Errorf("%d pictures of each class to train on leave none to test in %d of the %d classes (%s): %s",
			o.Train, len(short), len(of), text.FirstFew(short, fewNames), remedy)
	}
	toTest := "the rest"
	if o.Test != Rest {
		toTest = fmt.Sprintf("up to %d", o.Test)
	}
	said.add("%d random splits by seed %d: of each class %d pictures to train on (%d of them for validation) and %s to test",
		o.Splits, o.Seed, o.Train, o.validation(), toTest)
	if len(fewer) > 0 {
		said.add("fewer to test in %d classes: %s", len(fewer), text.FirstFew(fewer, fewNames))
	}
	for number := range o.Splits {
		var split Split
		for label, pictures := range of {
			random := rand.New(rand.NewPCG(splitmix.Mix(o.Seed+splitmix.Gamma*uint64(number+1)), uint64(label)))
			order := slices.Clone(pictures)
			random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
			split.Val = append(split.Val, order[:o.validation()]...)
			split.Train = append(split.Train, order[o.validation():o.Train]...)
			order = order[o.Train:]
			if o.Test != Rest {
				order = order[:min(o.Test, len(order))]
			}
			split.Test = append(split.Test, order...)
		}
		slices.Sort(split.Train)
		slices.Sort(split.Val)
		slices.Sort(split.Test)
		s.Splits = append(s.Splits, split)
	}
	return nil
}

// validation is how many of the training pictures of a class choose the hyper-parameters.
func (o Options) validation() int {
	return min(max(int(math.Round(o.ValShare*float64(o.Train))), 1), o.Train-1)
}
