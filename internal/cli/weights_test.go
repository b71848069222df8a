package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pkg/errors"

	"vgg/weights"
)

func TestNameOverrides(t *testing.T) {
	_, err := weights.ParseInfo(nil)
	want := "f: the metadata lacks config, width, fc, input, channels, mean, std, classes: " +
		"give --config --width --fc --input --channels --mean R,G,B --std R,G,B --classes"
	if got := NameOverrides(errors.Wrap(err, "f")); got.Error() != want {
		t.Errorf("%v\nwant %s", got, want)
	}
	if other := errors.New("other"); NameOverrides(other) != other || NameOverrides(nil) != nil {
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
