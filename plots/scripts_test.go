package plots

import (
	"bytes"
	"image"
	"image/color"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"vgg/internal/fonts"
)

// Names of classes in Korean, Japanese, Chinese, Russian and Greek.
var scripts = []string{"고양이", "ねこ", "熊猫", "кошка", "γάτα"}

// useFonts lets a test look for fonts in a folder only.
func useFonts(t *testing.T, folder string) {
	before := systemFonts
	t.Cleanup(func() { systemFonts = before })
	systemFonts = fonts.In(folder)
}

const fontFolder = "../internal/fonts/testdata"

// scriptFigures have names and titles in several scripts.
func scriptFigures() map[string]func() (*Figure, error) {
	var rows []SheetRow
	var runs []Run
	counts := make([][]int, len(scripts))
	for i, name := range scripts {
		rows = append(rows, SheetRow{name, []image.Image{plain(8, 8, palette[i]), plain(8, 8, color.Black)}})
		runs = append(runs, Run{name, run(20+i, 80, 20+float64(i), 12)})
		counts[i] = make([]int, len(scripts))
		counts[i][i], counts[i][(i+1)%len(scripts)] = 7, i
	}
	return map[string]func() (*Figure, error){
		"scripts_sheet": func() (*Figure, error) {
			return Sheet(rows, "한국어 · 日本語 · 中文 · Русский", "写真 · 照片 · 사진")
		},
		"scripts_confusion": func() (*Figure, error) { return Confusion(scripts, counts, "분류 · кошка") },
		"scripts_curves": func() (*Figure, error) {
			return Curves(run(20, 80, 20, 12), "훈련 곡선 · 学習曲線 · 训练曲线")
		},
		"scripts_compare": func() (*Figure, error) { return Compare(runs, "Ελληνικά: γάτα") },
	}
}

func TestScripts(t *testing.T) {
	useFonts(t, fontFolder)
	golden(t, scriptFigures())
}

// TestScriptsInFiles: SVG has all texts as text, and PDF draws those that it cannot encode. Letters taken apart, as
// some file systems have them, are the same letters.
func TestScriptsInFiles(t *testing.T) {
	useFonts(t, fontFolder)
	for name, draw := range scriptFigures() {
		figure, err := draw()
		if err != nil {
			t.Fatal(err)
		}
		text, picture := svg(t, figure)
		if name == "scripts_confusion" {
			for _, want := range scripts {
				if !strings.Contains(text, want) {
					t.Errorf("%s: %q is not in the SVG", name, want)
				}
			}
			if !bytes.Contains(picture, []byte("font-family:'Noto Sans CJK JP',sans-serif;")) {
				t.Errorf("%s: the SVG does not name the font", name)
			}
		}
		if notes := figure.Notes(); notes != nil {
			t.Errorf("%s: notes %q", name, notes)
		}
		if pdf := encode(t, figure, "pdf"); !bytes.HasPrefix(pdf, []byte("%PDF")) {
			t.Errorf("%s: the PDF starts with %.8q", name, pdf)
		}
	}
	composed, err := Curves(stuck(3), "고양이")
	if err != nil {
		t.Fatal(err)
	}
	apart, err := Curves(stuck(3), norm.NFD.String("고양이"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(encode(t, composed, "png"), encode(t, apart, "png")) {
		t.Error("letters taken apart are drawn differently")
	}
}

// TestNotes: letters that no font has are named, once.
func TestNotes(t *testing.T) {
	useFonts(t, t.TempDir())
	for title, want := range map[string]string{
		"кошка, γάτα ÷ …": "",
		"한국, 한국어":         "no font of this system has the letters 한, 국, 어, which are missing in what is drawn: install one",
	} {
		figure, err := Curves(run(4, 80, 20), title)
		if err != nil {
			t.Fatal(err)
		}
		notes := strings.Join(figure.Notes(), "\n")
		if (notes == "") != (want == "") || !strings.HasPrefix(notes, want) {
			t.Errorf("%s: notes %q, want %q", title, notes, want)
		}
		encode(t, figure, "png")
	}
}
