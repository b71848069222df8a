package terminal

import (
	"os"
	"strings"
	"testing"
)

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		line  string
		width int
		want  string
	}{
		{"a line for a file stays whole", 0, "a line for a file stays whole"},
		{"fits", 4, "fits"},
		{"note: one two three", 10, "note: one\n  two\n  three"},
		{"note: one two three", 11, "note: one\n  two three"},
		{"a-word-that-is-too-long and more", 10, "a-word-that-is-too-long\n  and more"},
		{"고양이 고양이", 8, "고양이\n  고양이"}, // two columns a letter
		{"two  spaces", 12, "two  spaces"},
		{"", 10, ""},
	} {
		if got := wrap(c.line, c.width); got != c.want {
			t.Errorf("%q in %d columns: %q, want %q", c.line, c.width, got, c.want)
		}
	}
}

// TestFile: a file that is no terminal gets whole lines.
func TestFile(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if line := strings.Repeat("word ", 100); Wrap(f, line) != line || Width(f) != 0 {
		t.Errorf("%d columns", Width(f))
	}
}
