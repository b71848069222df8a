package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vgg/dataset"
	"vgg/weights"
)

// tested is what a test says: its JSON, and the rows of its predictions by the picture's name.
type tested struct {
	Images   int      `json:"images"`
	OfData   int      `json:"images_of_data"`
	Split    string   `json:"split"`
	Top1     float64  `json:"top1_error"`
	Classes  []string `json:"classes"`
	Notes    []string `json:"notes"`
	pictures map[string][]string
	stderr   string
}

// testIn tests in a folder with --json.
func testIn(t *testing.T, dir string, args ...string) (r tested) {
	t.Helper()
	stdout, stderr, code := evaluateIn(t, dir, append(args, "--json", "--predictions", "p.csv")...)
	if code != 0 {
		t.Fatalf("%v: exit code %d: %s", args, code, stderr)
	}
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatalf("%v: %v in %s", args, err, stdout)
	}
	file, err := os.Open(filepath.Join(dir, "p.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	r.stderr, r.pictures = stderr, map[string][]string{}
	for _, row := range rows[1:] {
		r.pictures[row[0]] = row[1:]
	}
	return r
}

// renameClasses changes the names of the pictures' class folders.
func renameClasses(t *testing.T, dir string, names map[string]string) {
	t.Helper()
	for _, split := range []string{"train", "val"} {
		for from, to := range names {
			if err := os.Rename(filepath.Join(dir, "pictures", split, from), filepath.Join(dir, "pictures", split, to)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestClasses: outputs keep their meaning, whatever the order in which --classes and the data have the classes.
func TestClasses(t *testing.T) {
	dir := folder(t)
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "names"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	own := testIn(t, dir, "--weights", "one.safetensors", "--data", "pictures")
	if len(own.Notes) != 0 || own.Images != 6 || own.OfData != 12 {
		t.Errorf("%+v", own)
	}
	best := map[string]string{} // class by picture
	for name, row := range own.pictures {
		best[name] = row[1]
	}
	same := func(what string, r tested, names map[string]string, note string) {
		t.Helper()
		if all := strings.Join(r.Notes, "\nnote: "); !strings.Contains(all, note) || r.stderr != "note: "+all+"\n" {
			t.Errorf("%s: notes %q, stderr %q, want %q", what, r.Notes, r.stderr, note)
		}
		for name, row := range r.pictures {
			for old, now := range names {
				name = strings.Replace(name, "/"+now+"/", "/"+old+"/", 1)
			}
			if want := names[best[name]]; row[1] != want {
				t.Errorf("%s: %s is %q, want %q", what, name, row[1], want)
			}
		}
	}
	write("c\nb\na\n") // output 0, which was a, is c
	same("reversed names", testIn(t, dir, "--weights", "one.safetensors", "--data", "pictures", "--classes", "names"), map[string]string{"a": "c", "b": "b", "c": "a"}, "in another order")

	renameClasses(t, dir, map[string]string{"a": "2", "b": "10", "c": "0"})
	write("2\n10\n0\n")
	same("numbers by name", testIn(t, dir, "--weights", "one.safetensors", "--data", "pictures", "--classes", "names"), map[string]string{"a": "2", "b": "10", "c": "0"}, "in another order")
	renameClasses(t, dir, map[string]string{"2": "01", "10": "02", "0": "00"})
	same("bare weights", testIn(t, dir, "--weights", "bare.safetensors", "--mean", "127,127,127", "--std", "50,50,50", "--scales", "40", "--data", "pictures"),
		map[string]string{"a": "00", "b": "01", "c": "02"}, "by number")
	renameClasses(t, dir, map[string]string{"01": "a", "02": "b", "00": "c"})

	for _, split := range []string{"train", "val"} {
		if err := os.RemoveAll(filepath.Join(dir, "pictures", split, "b")); err != nil {
			t.Fatal(err)
		}
	}
	some := testIn(t, dir, "--weights", "one.safetensors", "--data", "pictures")
	same("two of three", some, map[string]string{"a": "a", "b": "b", "c": "c"}, "2 of the 3")
	if some.Images != 4 || !slices.Equal(some.Classes, []string{"a", "b", "c"}) {
		t.Errorf("two of three classes: %+v", some)
	}
	if stdout, _, code := evaluateIn(t, dir, "--weights", "one.safetensors", "--data", "pictures"); code != 0 || strings.Contains(stdout, "NaN") || !strings.Contains(stdout, "tested on 4 of the 8 pictures of pictures: folder val") {
		t.Errorf("exit code %d: %s", code, stdout)
	}
	_, stderr, code := evaluateIn(t, dir, "--weights", "bare.safetensors", "--mean", "127,127,127", "--std", "50,50,50", "--data", "pictures")
	if code != 1 || !strings.Contains(stderr, "--classes FILE") || !strings.Contains(stderr, "the weights have 3, without names, not the data's 2") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// TestSplit: a net is tested on the pictures that its training kept for validation, or the test is refused, or says
// that the net was trained on them.
func TestSplit(t *testing.T) {
	dir := folder(t)
	if err := os.Rename(filepath.Join(dir, "pictures", "train"), filepath.Join(dir, "flat")); err != nil {
		t.Fatal(err)
	}
	for _, class := range []string{"a", "b", "c"} {
		picture, err := os.ReadFile(filepath.Join(dir, "flat", class, "0.png"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range strings.Fields("2 3 4 5 6 7 8 9") {
			if err := os.WriteFile(filepath.Join(dir, "flat", class, name+".png"), picture, 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	trained := func(name, spec string, share float64, seed uint64) (val []string) {
		set, err := dataset.Open(filepath.Join(dir, spec), dataset.Options{ValShare: share, SplitSeed: seed})
		if err != nil {
			t.Fatal(err)
		}
		defer set.Close()
		f, err := weights.Read(filepath.Join(dir, "one.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		info, err := weights.ParseInfo(f.Metadata)
		if err != nil {
			t.Fatal(err)
		}
		info.Split, info.ValShare, info.SplitSeed = set.SplitID(), share, seed
		f.Metadata = info.Metadata()
		if err := weights.Write(filepath.Join(dir, name), *f); err != nil {
			t.Fatal(err)
		}
		for i := range set.Val.Len() {
			val = append(val, strings.TrimPrefix(set.Val.Name(i), dir+"/"))
		}
		return val
	}
	kept := trained("seven.safetensors", "flat", 0.3, 7)
	for _, args := range [][]string{nil, {"--val-share", "0.3"}, {"--split-seed", "7"}, {"--val-share", "0.3", "--split-seed", "7"}} {
		r := testIn(t, dir, append([]string{"--weights", "seven.safetensors", "--data", "flat"}, args...)...)
		if r.Images != len(kept) || r.OfData != 30 || r.Split != "share 0.3 by seed 7" || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "seed 7") {
			t.Errorf("%v: %+v", args, r)
		}
		for _, name := range kept {
			if r.pictures[name] == nil {
				t.Errorf("%v: %s is not tested, but %v", args, name, r.pictures)
			}
		}
	}
	for _, args := range [][]string{{"--split-seed", "1"}, {"--val-share", "0.2"}, {"--val-share", "1"}} {
		_, stderr, code := evaluateIn(t, dir, append([]string{"--weights", "seven.safetensors", "--data", "flat"}, args...)...)
		if code != 1 || !strings.Contains(stderr, "was trained on pictures among those to be tested: --val-share 0.3 --split-seed 7") {
			t.Errorf("%v: exit code %d: %s", args, code, stderr)
		}
	}
	if r := testIn(t, dir, "--weights", "one.safetensors", "--data", "flat", "--val-share", "1"); r.Images != 30 || r.OfData != 30 || r.Split != "all pictures" {
		t.Errorf("a whole folder: %+v", r)
	}
	if _, stderr, code := evaluateIn(t, dir, "--weights", "one.safetensors", "--data", "flat", "--val-share", "2"); code != 2 || !strings.Contains(stderr, "--val-share 2") {
		t.Errorf("a share of 2: exit code %d: %s", code, stderr)
	}
	if err := os.Rename(filepath.Join(dir, "flat"), filepath.Join(dir, "pictures", "train")); err != nil {
		t.Fatal(err)
	}
	trained("folders.safetensors", "pictures", 0.1, 1)
	if r := testIn(t, dir, "--weights", "folders.safetensors", "--data", "pictures/train"); !slices.ContainsFunc(r.Notes, func(n string) bool {
		return strings.Contains(n, "folders.safetensors was trained on pictures among those tested")
	}) {
		t.Errorf("training pictures: notes %q", r.Notes)
	}
	if r := testIn(t, dir, "--weights", "folders.safetensors", "--data", "pictures"); len(r.Notes) != 0 {
		t.Errorf("validation pictures: notes %q", r.Notes)
	}
}
