package fonts

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/sfnt"
)

// TestFor finds the font of testdata beside a file that is none, and says what it lacks; without a font every letter is
// missing.
func TestFor(t *testing.T) {
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "DejaVuSans.ttf"), []byte("no font"), 0o666); err != nil {
		t.Fatal(err)
	}
	for text, missing := range map[string]string{
		"고양이 사진": "", "ねこ": "", "熊猫 A": "", "кошка": "", "고\n \t양": "", "A γάτα γάτα": "γάτα"[:6] + "α", "A\U00013000": "\U00013000",
	} {
		font, got := In(broken, "testdata", "missing").For(text)
		if string(got) != missing {
			t.Errorf("%q: %q is missing, want %q", text, string(got), missing)
		}
		if font == nil {
			t.Errorf("%q: no font", text)
		} else if name, err := font.Name(nil, sfnt.NameIDFamily); err != nil || name != "Noto Sans CJK JP" {
			t.Errorf("%q: font %q, error %v", text, name, err)
		}
	}
	if font, missing := In(broken).For("고양이 고"); font != nil || string(missing) != "고양이" {
		t.Errorf("no font: %v, missing %q", font, string(missing))
	}
}

// TestRank: of the fonts for running text, upright ones of normal weight come first.
func TestRank(t *testing.T) {
	order := []string{"DejaVuSans.ttf", "NotoSans-Regular.ttf", "NotoSansCJK-Regular.ttc", "FreeSans.ttf", "unifont.otf", "FreeSansBold.ttf", "NotoSerifCJK-Bold.ttc"}
	for i := range order[1:] {
		if rank(order[i]) >= rank(order[i+1]) {
			t.Errorf("%s (%d) is not before %s (%d)", order[i], rank(order[i]), order[i+1], rank(order[i+1]))
		}
	}
}

// TestChoose: a text is written in the caller's font if that has its letters, or if no other lacks fewer.
func TestChoose(t *testing.T) {
	own, err := sfnt.Parse(gomedium.TTF)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]struct {
		own     bool
		missing string
	}{"Sneaker": {true, ""}, "γάτα": {true, ""}, "true: 고양이": {false, ""}, "\U00013000": {true, "\U00013000"}} {
		font, missing := In("testdata").Choose(own, text)
		if (font == own) != want.own || string(missing) != want.missing {
			t.Errorf("%q: the caller's font: %t, missing %q", text, font == own, string(missing))
		}
	}
}

// TestLacking: each letter is named once, in one line.
func TestLacking(t *testing.T) {
	var l Lacking
	if l.Add(); l.Notes() != nil {
		t.Errorf("nothing is lacking: %q", l.Notes())
	}
	l.Add([]rune("고양이")...)
	l.Add([]rune("고래")...)
	notes := l.Notes()
	if len(notes) != 1 || !strings.Contains(notes[0], "the letters 고, 양, 이, 래, which") {
		t.Errorf("notes %q", notes)
	}
}
