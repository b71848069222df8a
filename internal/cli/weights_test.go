package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pkg/errors"

	"vgg/trainer"
	"vgg/weights"
)

func TestExplain(t *testing.T) {
	_, err := weights.ParseInfo(nil)
	want := "f: the metadata lacks config, width, fc, input, channels, mean, std, classes: " +
		"give --config --width --fc --input --channels --mean R,G,B --std R,G,B --classes"
	if got := (Overrides{}).Explain(errors.Wrap(err, "f")); got.Error() != want {
		t.Errorf("%v\nwant %s", got, want)
	}
	if other := errors.New("other"); (Overrides{}).Explain(other) != other || (Overrides{Mean: "1"}).Explain(nil) != nil {
		t.Error("another error was changed")
	}
}

// TestClasses reads names of classes as editors and systems write them, and refuses what would be read wrong.
func TestClasses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "names")
	for text, want := range map[string]string{
		"a\nb\n":                    `["a","b"]`,
		"a\nb":                      `["a","b"]`,
		"\ufeffsea lion\r\n b \r\n": `["sea lion","b"]`,
		"0\n1\n\n\n":                `["0","1"]`,
		"a\n\nb\n":                  "!line 2 is empty",
		"":                          "!line 1 is empty",
		"caf\xe9\nb":                "!not in UTF-8",
		"\xff\xfea\x00":             "!not in UTF-8",
		`{"0": ["n01440764"]}`:      "!JSON",
	} {
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		got, err := Overrides{Classes: file}.classes()
		if message, bad := strings.CutPrefix(want, "!"); bad {
			if err == nil || !strings.Contains(err.Error(), message) || !strings.Contains(err.Error(), file) {
				t.Errorf("%q: %v, %v, want %q", text, got, err, message)
			}
		} else if err != nil || got["class_names"] != want {
			t.Errorf("%q: %v, %v, want %s", text, got, err, want)
		}
	}
}

// TestNoteChanges: a flag that contradicts a file is noted; one that says the same, or what the file does not say, is
// not.
func TestNoteChanges(t *testing.T) {
	named, numbered := `["a","b"]`, `["0","1"]`
	for _, c := range []struct{ key, was, is, note string }{
		{"mean", "1,2,3", "1, 2.0,3", ""},
		{"mean", "", "1,2,3", ""},
		{"mean", "1,2,3", "1,2,4", "mean is 1,2,4, as a flag says, and not 1,2,3 as in the file"},
		{"width", "0.5", "1", "width is 1, as a flag says, and not 0.5 as in the file"},
		{"config", "A", "A", ""},
		{"class_names", named, named, ""},
		{"class_names", numbered, named, ""},
		{"class_names", named, `["b","a"]`, "the classes are called b, a, as --classes says, and not a, b as in the file"},
	} {
		f := weights.File{Metadata: map[string]string{c.key: c.is}}
		noteChanges(&f, map[string]string{c.key: c.was})
		if got := strings.Join(f.Notes, "; "); got != c.note {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// TestRunDirectory reads the best weights of a run, and refuses a directory without any.
func TestRunDirectory(t *testing.T) {
	dir := t.TempDir()
	gone := t.TempDir()
	if err := os.WriteFile(filepath.Join(gone, trainer.LastFile), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := (Overrides{}).ReadWeights(gone); err == nil || !strings.Contains(err.Error(), filepath.Join(gone, trainer.LastFile)+" has its last") {
		t.Errorf("a run without its best weights: %v", err)
	}
	if _, err := (Overrides{}).ReadWeights(dir); err == nil || !strings.Contains(err.Error(), dir+" is a folder without best.safetensors") {
		t.Errorf("error %v", err)
	}
	file := filepath.Join(dir, trainer.BestFile)
	if err := weights.Write(file, weights.File{Tensors: []weights.Tensor{{Name: "w", Shape: []int{1}, Data: []float32{2}}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := (Overrides{}).ReadWeights(dir); err == nil || !strings.Contains(err.Error(), file+": not a net") {
		t.Errorf("error %v, want one about %s", err, file)
	}
}
