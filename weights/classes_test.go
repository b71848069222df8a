package weights

import (
	"slices"
	"strings"
	"testing"
)

// TestMatchClasses: by name in any order, by number, in order with a note, or not at all.
func TestMatchClasses(t *testing.T) {
	twelve := NumberedClasses(12)
	byName := slices.Clone(twelve) // 0, 1, 10, 11, 2, …
	slices.Sort(byName)
	reversed := slices.Clone(twelve)
	slices.Reverse(reversed)
	for _, c := range []struct {
		known, classes []string
		want           []int
		note           string // a part of it; "" for none
	}{
		{[]string{"a", "b"}, []string{"a", "b"}, []int{0, 1}, ""},
		{[]string{"b", "a"}, []string{"a", "b"}, []int{1, 0}, "another order"},
		{[]string{"a", "b", "c", "d"}, []string{"d", "b"}, []int{3, 1}, "2 of the 4"},
		{[]string{"a", "a", "c"}, []string{"c"}, []int{2}, "1 of the 3"},
		{[]string{"cafe\u0301", "tea"}, []string{"caf\u00e9", "tea"}, []int{0, 1}, ""},
		{[]string{"n00000002 b, c", "n00000001"}, []string{"n00000002", "n00000001 a"}, []int{0, 1}, ""},
		{[]string{"n00000002 b, c", "n00000001 a"}, []string{"n00000001"}, []int{1}, "1 of the 2"},
		{twelve, twelve, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, "by number: weights of a program that sorts"},
		{twelve[:9], twelve[:9], []int{0, 1, 2, 3, 4, 5, 6, 7, 8}, ""},
		{twelve, byName, []int{0, 1, 10, 11, 2, 3, 4, 5, 6, 7, 8, 9}, "by number"},
		{reversed, byName, []int{11, 10, 1, 0, 9, 8, 7, 6, 5, 4, 3, 2}, "another order"},
		{twelve, []string{"007", "3"}, []int{7, 3}, "by number"},
		{twelve[:3], []string{"1", "2", "3"}, []int{0, 1, 2}, "taken to be 1, 2, 3, in this order"},
		{twelve[:2], []string{"cat", "dog"}, []int{0, 1}, "taken to be cat, dog, in this order"},
		{twelve[:2], []string{"0", "dog"}, []int{0, 1}, "taken to be 0, dog"},
	} {
		outputs, note, err := MatchClasses(c.known, c.classes)
		if err != nil || !slices.Equal(outputs, c.want) || (note == "") != (c.note == "") || !strings.Contains(note, c.note) {
			t.Errorf("%v for %v: %v, %q, %v, want %v", c.known, c.classes, outputs, note, err, c.want)
		}
	}
	for _, c := range []struct {
		known, classes []string
		want           string
	}{
		{[]string{"a", "b"}, []string{"b", "x", "y"}, "but not x, y"},
		{[]string{"a", "a", "c"}, []string{"c", "a"}, "have the same name: a"},
		{[]string{"a", "b"}, []string{"A", "B"}, "but not A, B"},
		{twelve, []string{"cat", "dog"}, "the weights have 12, without names, not the data's 2 (cat, dog)"},
		{twelve[:2], []string{"0", "1", "2"}, "have 2, without names"},
		{twelve, []string{"1", "01"}, "1 and 01 have the same number"},
	} {
		if _, _, err := MatchClasses(c.known, c.classes); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v for %v: %v, want %q in it", c.known, c.classes, err, c.want)
		}
	}
}

// TestImageNet: the names of ILSVRC's classes stand at the outputs that torchvision's nets have for them.
func TestImageNet(t *testing.T) {
	all := ImageNetClasses()
	if len(all) != 1000 || !slices.IsSorted(wnids(all)) || len(slices.Compact(wnids(all))) != 1000 {
		t.Fatalf("%d classes: want 1000 in the order of their WNIDs, all different", len(all))
	}
	names, note := NameImageNet(NumberedClasses(1000))
	if !strings.Contains(note, "ImageNet") {
		t.Errorf("the note is %q", note)
	}
	for i, want := range map[int]string{0: "n01440764 tench", 134: "n02012849 crane bird", 207: "n02099601 golden retriever", 281: "n02123045 tabby", 999: "n15075141 toilet tissue"} {
		if all[i] != want || names[i] != strings.SplitN(want, " ", 2)[1] {
			t.Errorf("class %d is %q, called %q, want %q", i, all[i], names[i], want)
		}
	}
	for _, own := range [][]string{NumberedClasses(10), {"cat", "dog"}, append(NumberedClasses(999), "own")} {
		if names, note := NameImageNet(own); note != "" || !slices.Equal(names, own) {
			t.Errorf("%d classes of one's own are renamed: %s", len(own), note)
		}
	}
}

// TestMatchImageNet: 1,000 outputs without names are ImageNet's where the data's classes are; where they are others,
// they are matched as any.
func TestMatchImageNet(t *testing.T) {
	thousand := NumberedClasses(1000)
	outputs, note, err := MatchClasses(thousand, []string{"n02123045", "n01440764 a fish"})
	if err != nil || !slices.Equal(outputs, []int{281, 0}) || !strings.Contains(note, "ImageNet") {
		t.Errorf("%v, %q, %v", outputs, note, err)
	}
	if _, _, err := MatchClasses(thousand, []string{"n02123045", "n00000001"}); err == nil {
		t.Error("a WNID that is not ILSVRC's is matched")
	}
	if outputs, note, err := MatchClasses(thousand, thousand); err != nil || !strings.Contains(note, "by number") || outputs[999] != 999 {
		t.Errorf("numbers: %q, %v", note, err)
	}
	if _, _, err := MatchClasses(NumberedClasses(10), []string{"n02123045"}); err == nil {
		t.Error("ten outputs are taken for ImageNet's")
	}
}

// TestMeanStd reads both or neither.
func TestMeanStd(t *testing.T) {
	mean, std, err := (&File{Metadata: map[string]string{"mean": "1,2.5,3", "std": "4, 5,6"}}).MeanStd()
	if err != nil || !slices.Equal(mean, []float64{1, 2.5, 3}) || !slices.Equal(std, []float64{4, 5, 6}) {
		t.Errorf("%v, %v, %v", mean, std, err)
	}
	for _, m := range []map[string]string{nil, {"mean": "1"}, {"std": "1"}} {
		if mean, std, err := (&File{Metadata: m}).MeanStd(); mean != nil || std != nil || err != nil {
			t.Errorf("%v: %v, %v, %v", m, mean, std, err)
		}
	}
	for _, m := range []map[string]string{{"mean": "1", "std": "0"}, {"mean": "1", "std": "1,1"}, {"mean": "x", "std": "1"}, {"mean": "1", "std": "NaN"}} {
		if _, _, err := (&File{Metadata: m}).MeanStd(); err == nil {
			t.Errorf("%v is taken", m)
		}
	}
}
