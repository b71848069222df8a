package dataset

import (
	"fmt"
	"image/color"
	"strings"
	"testing"

	"vgg/internal/archive/archivetest"
)

// TestTrainingSample: a picture for validation that another split trained on is found though the pictures have changed,
// and one of the same name with another content is not.
func TestTrainingSample(t *testing.T) {
	open := func(seed uint64, shade uint8, pictures int) *Set {
		t.Helper()
		files := map[string][]byte{}
		for i := range pictures {
			files[fmt.Sprintf("%c/%d.png", 'a'+i%2, i)] = encoded(t, "png", color.RGBA{uint8(i), shade, uint8(i >> 8), 255})
		}
		s, err := Open(archivetest.Folder(t, files), Options{ValShare: 0.25, SplitSeed: seed})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	for _, pictures := range []int{40, 600} { // all training pictures in the sample, and few of them
		first := open(1, 9, pictures)
		sample := first.TrainingSample()
		if again := open(1, 9, pictures).TrainingSample(); again != sample || len(sample) != 16*min(128, pictures*3/4) {
			t.Errorf("%d characters, then %d", len(sample), len(again))
		}
		for _, c := range []struct {
			set  *Set
			want Seen
		}{
			{open(1, 9, pictures), Unseen}, {open(2, 9, pictures), SeenAll}, {open(1, 9, pictures+6), SeenSome}, {open(1, 9, pictures-6), SeenSome}, {open(1, 8, pictures+6), Unseen},
		} {
			if seen, chosen, err := c.set.TrainedOn(first.SplitID(), sample); err != nil || seen != c.want || chosen != "share 0.25 by seed 1" {
				t.Errorf("%d of %d pictures: %d, %s, %v, want %d", c.set.Val.Len(), pictures, seen, chosen, err, c.want)
			}
		}
		if got, err := first.ValIn(sample); err != nil || got != "" {
			t.Errorf("%s is for training too, %v", got, err)
		}
	}
	first := open(1, 9, 40)
	for _, wrong := range []string{"?", "AAAA"} {
		if _, _, err := first.TrainedOn(first.SplitID(), wrong); err == nil || !strings.Contains(err.Error(), "no sample") {
			t.Errorf("sample %q: %v", wrong, err)
		}
	}
	files := map[string][]byte{}
	for i := range 12 {
		files[fmt.Sprintf("train/%c/%d.png", 'a'+i%2, i)] = encoded(t, "png", color.RGBA{uint8(i), 9, 9, 255})
		files[fmt.Sprintf("val/%c/%d.png", 'a'+i%2, i)] = encoded(t, "png", color.RGBA{uint8(i), uint8(9 + i%6), 9, 255})
	}
	s, err := Open(archivetest.Folder(t, files), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got, err := s.ValIn(s.TrainingSample()); err != nil || !strings.HasSuffix(got, "val/a/0.png") && !strings.HasSuffix(got, "val/a/6.png") {
		t.Errorf("in both splits: %q, %v", got, err)
	}
}

// TestRuns: what trainings left in a folder of pictures is no class, and is said.
func TestRuns(t *testing.T) {
	files := map[string][]byte{}
	for i := range 8 {
		files[fmt.Sprintf("%c/%d.png", 'a'+i%2, i)] = encoded(t, "png", color.RGBA{uint8(i), 9, 9, 255})
	}
	curve := encoded(t, "png", color.White)
	for _, c := range []struct {
		more    map[string][]byte
		classes string
		note    string
	}{
		{map[string][]byte{"runs/quick-A/": nil}, "a b", ""}, // of a training that begins
		{map[string][]byte{"runs/1/recipe.toml": {}, "runs/1/history.csv": {}, "runs/1/curves.png": curve}, "a b", "trainings in it are no pictures: runs/1/"},
		{map[string][]byte{"first/recipe.toml": {}, "first/checkpoint/1-1.safetensors": {}, "first/curves.png": curve, "first/other.png": curve}, "a b", "no pictures: first/"},
		{map[string][]byte{"runs/0.png": curve, "runs/1.png": curve}, "a b runs", ""}, // a class of this name
		{map[string][]byte{"cake/recipe.toml": {}, "cake/0.png": curve, "cake/1.png": curve}, "a b cake", ""},
	} {
		all := map[string][]byte{}
		for _, some := range []map[string][]byte{files, c.more} {
			for name, data := range some {
				all[name] = data
			}
		}
		var notes []string
		s, err := Open(archivetest.Folder(t, all), Options{ValShare: 0.25, Notice: func(note string) { notes = append(notes, note) }})
		if err != nil {
			t.Errorf("%v: %v", c.more, err)
			continue
		}
		if got, said := strings.Join(s.Classes, " "), strings.Join(notes, "; "); got != c.classes || strings.Contains(said, "no pictures: ") != (c.note != "") || !strings.Contains(said, c.note) {
			t.Errorf("classes %s, want %s; said %q, want %q", got, c.classes, said, c.note)
		}
		s.Close()
	}
}

// TestBuiltIn: only the names themselves, with or without parts, are those of sets that come with the program.
func TestBuiltIn(t *testing.T) {
	for spec, want := range map[string]bool{
		"": true, "embedded": true, "embedded:Shirt,Coat": true, "embedded-scenes:pictures=5": true, "fashion-mnist-12k": true, "embedded-photos": false, "photos": false,
	} {
		if got := BuiltIn(spec); got != want {
			t.Errorf("%q: %t", spec, got)
		}
	}
}
