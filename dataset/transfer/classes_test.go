package transfer

import (
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"vgg/internal/archive/archivetest"
)

func nan() float64 { return math.NaN() }

// counts are the pictures of a class in each part of a split.
func counts(s *Set, split Split, class string) (n [3]int) {
	label := slices.Index(s.Classes, class)
	for part, samples := range [][]int{split.Train, split.Val, split.Test} {
		for _, i := range samples {
			if s.Pictures.Label(i) == label {
				n[part]++
			}
		}
	}
	return n
}

// Caltech-101 as people have it: a zip that holds a tar.gz, beside an archive of outlines.
func TestCaltech101(t *testing.T) {
	archivetest.OwnCache(t)
	files := caltech(t, map[string]int{"BACKGROUND_Google": 90, "Faces": 81, "inline_skate": 31})
	files["BACKGROUND_Google/tmp"] = []byte("#!/bin/sh\n")
	packed := archivetest.Gzip(archivetest.Tar(t, joined("101_ObjectCategories/", files)))
	outlines := archivetest.Tar(t, map[string][]byte{"Annotations/Faces/annotation_0001.mat": []byte("MATLAB 5.0")})
	inZip := map[string][]byte{"101_ObjectCategories.tar.gz": packed, "Annotations.tar": outlines, "show_annotation.m": []byte("%")}
	for name, spec := range map[string]string{
		"a zip":          archivetest.File(t, "caltech-101.zip", archivetest.Zip(t, "caltech-101/", inZip)),
		"its folder":     archivetest.Folder(t, joined("caltech-101/", inZip)),
		"the tar.gz":     archivetest.File(t, "101_ObjectCategories.tar.gz", packed),
		"class folders":  archivetest.Folder(t, joined("101_ObjectCategories/", files)),
		"folders itself": archivetest.Folder(t, files),
	} {
		for range 2 { // the second time from the cache
			s, said := open(t, spec, Options{})
			if !slices.Equal(s.Classes, []string{"BACKGROUND_Google", "Faces", "inline_skate"}) || s.Pictures.Len() != 202 || len(s.Splits) != 3 || s.Metric != MeanClassRecall || s.Unlabelled {
				t.Fatalf("%s: %v, %d pictures, %d splits", name, s.Classes, s.Pictures.Len(), len(s.Splits))
			}
			for _, split := range s.Splits {
				for class, want := range map[string][3]int{"BACKGROUND_Google": {24, 6, 50}, "Faces": {24, 6, 50}, "inline_skate": {24, 6, 1}} {
					if got := counts(s, split, class); got != want {
						t.Errorf("%s: %s has %v, want %v", name, class, got, want)
					}
				}
			}
			for _, want := range []string{"fewer to test in 1 classes: inline_skate 1", "of each class 30 pictures to train on (6 of them for validation) and up to 50 to test", "no extension"} {
				if !strings.Contains(said, want) {
					t.Errorf("%s: said %q, want %q in it", name, said, want)
				}
			}
			if zipped := name == "a zip" || name == "its folder"; zipped != strings.Contains(said, "the set is in the archive ") {
				t.Errorf("%s: said %q", name, said)
			}
			if p, _, err := s.Located(0); err != nil || p.Channels != 3 { // a grey JPEG
				t.Errorf("%s: %d channels, error %v", name, p.Channels, err)
			}
		}
	}
}

// Caltech-256 has strays among its classes.
func TestCaltech256(t *testing.T) {
	files := caltech(t, map[string]int{"001.ak47": 70, "056.dog": 62, "198.spider": 61, "257.clutter": 80})
	files["056.dog/greg/vision309/056_0001.jpg"] = photo(t, 1, false)
	files["056.dog/greg/056_0002.jpg"] = photo(t, 2, false)
	files["198.spider/RENAME2"] = []byte("mv")
	s, said := open(t, archivetest.Folder(t, joined("256_ObjectCategories/", files)), Options{})
	if s.Pictures.Len() != 70+62+61+80 || len(s.Splits) != 3 {
		t.Errorf("%d pictures, %d splits", s.Pictures.Len(), len(s.Splits))
	}
	for _, split := range s.Splits {
		for class, want := range map[string][3]int{"001.ak47": {48, 12, 10}, "056.dog": {48, 12, 2}, "198.spider": {48, 12, 1}, "257.clutter": {48, 12, 20}} {
			if got := counts(s, split, class); got != want {
				t.Errorf("%s has %v, want %v", class, got, want)
			}
		}
	}
	for _, want := range []string{"2 pictures in folders in class folders are not used: 056.dog/greg", "no extension", "the rest to test"} {
		if !strings.Contains(said, want) {
			t.Errorf("said %q, want %q in it", said, want)
		}
	}
}

// Splits are drawn by the seed, each its own, and their parts have no picture in common.
func TestSplits(t *testing.T) {
	dir := archivetest.Folder(t, caltech(t, map[string]int{"a": 12, "b": 9}))
	o := Options{Train: 5, Test: Rest, Splits: 4, Seed: 7}
	s, _ := open(t, dir, o)
	again, _ := open(t, dir, o)
	if !reflect.DeepEqual(s.Splits, again.Splits) {
		t.Errorf("%v and %v of one seed", s.Splits, again.Splits)
	}
	o.Seed = 8
	if other, _ := open(t, dir, o); reflect.DeepEqual(s.Splits, other.Splits) {
		t.Errorf("%v of two seeds", s.Splits)
	}
	for i, split := range s.Splits {
		all := slices.Sorted(slices.Values(slices.Concat(split.Train, split.Val, split.Test)))
		if len(slices.Compact(all)) != 21 || !slices.IsSorted(split.Train) || !slices.IsSorted(split.Test) {
			t.Errorf("split %d: %v", i, split)
		}
		for _, other := range s.Splits[:i] {
			if reflect.DeepEqual(split, other) {
				t.Errorf("two splits are %v", split)
			}
		}
	}
	for i := range s.Samples {
		want := []int8{-1, -1}
		want[s.Pictures.Label(i)] = 1
		if got := s.Targets[2*i : 2*i+2]; !slices.Equal(got, want) {
			t.Errorf("%s: targets %v, want %v", s.Samples[i].ID, got, want)
		}
	}
	scores := []float32{1, 0, 0, 1, 0, 2, 2, 0} // of two of each class: half of them right in the first, one in the second
	mean, each, err := s.Measure(scores, []int{0, 1, 12, 13})
	if want := []float64{50, 50}; err != nil || mean != 50 || !slices.Equal(each, want) {
		t.Errorf("mean %g of %v, error %v", mean, each, err)
	}
}

// Pictures for training and for validation are put together.
func TestTogether(t *testing.T) {
	for name, files := range map[string]map[string][]byte{
		"train and val":  joined("", joined("train/", caltech(t, map[string]int{"a": 3, "b": 4})), joined("val/", caltech(t, map[string]int{"a": 2, "b": 1}))),
		"folders in all": {"a/x/1.jpg": photo(t, 1, false), "a/x/2.jpg": photo(t, 2, false), "a/x/3.jpg": photo(t, 3, false), "a/x/4.jpg": photo(t, 4, false), "a/y/5.jpg": photo(t, 5, false), "b/x/1.jpg": photo(t, 1, true), "b/x/2.jpg": photo(t, 2, true), "b/x/3.jpg": photo(t, 3, true), "b/x/4.jpg": photo(t, 4, true), "b/x/5.jpg": photo(t, 5, true)},
	} {
		s, said := open(t, archivetest.Folder(t, files), Options{Train: 3})
		if s.Pictures.Len() != 10 || counts(s, s.Splits[0], "a") != [3]int{2, 1, 2} || counts(s, s.Splits[2], "b") != [3]int{2, 1, 2} || strings.Contains(said, "for validation, none") {
			t.Errorf("%s: %d pictures, %v, %v, said %q", name, s.Pictures.Len(), counts(s, s.Splits[0], "a"), counts(s, s.Splits[2], "b"), said)
		}
	}
	s, _ := open(t, "embedded", Options{})
	if s.Pictures.Len() != 12_000 || len(s.Classes) != 10 || len(s.Splits[0].Test) != 500 {
		t.Errorf("%d pictures of %d classes, %d to test", s.Pictures.Len(), len(s.Classes), len(s.Splits[0].Test))
	}
}

func TestClassErrors(t *testing.T) {
	dir := archivetest.Folder(t, caltech(t, map[string]int{"a": 6, "b": 4, "c": 5}))
	for want, o := range map[string]Options{
		"30 pictures of each class to train on leave none to test in 3 of the 3 classes (a has 6, b has 4, c has 5): ask for 3 or fewer": {},
		"5 pictures of each class to train on leave none to test in 2 of the 3 classes (b has 4, c has 5)":                               {Train: 5},
		"1 training pictures of each class: want at least 2":                                                                             {Train: 1},
		"-2 test pictures of each class: want at least 1":                                                                                {Train: 2, Test: -2},
		"-1 splits: want 1 to 1000":                            {Train: 2, Splits: -1},
		"a share of 1 of the training pictures for validation": {Train: 2, ValShare: 1},
	} {
		refused(t, dir, o, want)
	}
	refused(t, archivetest.Folder(t, caltech(t, map[string]int{"a": 2, "b": 4})), Options{Train: 2}, "add pictures or remove the classes")
	refused(t, archivetest.Folder(t, caltech(t, map[string]int{"a": 4})), Options{Train: 2}, "one class, a: want at least two")
	refused(t, filepath.Join(dir, "none"), Options{}, "want a folder, an archive")
	// Two archives, neither of which is Caltech's: one has to be chosen.
	packed := archivetest.Tar(t, caltech(t, map[string]int{"a": 3, "b": 3}))
	refused(t, archivetest.Folder(t, map[string][]byte{"one.tar": packed, "two.tar": packed}), Options{Train: 2}, "give one of them")
}
