package drawing

import (
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"vgg/boxes"
	"vgg/internal/fonts"
)

var update = flag.Bool("update", false, "write the golden pictures in testdata instead of comparing with them")

// Names of classes in Korean, Japanese, Chinese, Russian and Greek.
var scripts = []string{"고양이", "ねこ", "熊猫", "кошка", "γάτα"}

// useFonts lets a test look for fonts in a folder only.
func useFonts(t *testing.T, folder string) {
	before := systemFonts
	t.Cleanup(func() { systemFonts = before })
	systemFonts = fonts.In(folder)
}

const fontFolder = "../fonts/testdata"

// scriptDrawings have names in several scripts.
func scriptDrawings(p *Pen) map[string]func() (*image.RGBA, error) {
	var marks []Mark
	var rows []BoardRow
	for i, name := range scripts {
		at := 0.15 * float64(i)
		marks = append(marks, Mark{boxes.Box{XMin: at, YMin: 0.08 + at, XMax: at + 0.35, YMax: at + 0.3}, name + " 0.97", Palette[i], i == 0})
		if i < 3 {
			rows = append(rows, BoardRow{name + " 12.3 %", []image.Image{plain(32, 16, Palette[i]), plain(32, 16, Blue)}})
		}
	}
	return map[string]func() (*image.RGBA, error){
		"boxes": func() (*image.RGBA, error) { return p.Boxes(plain(64, 48, color.RGBA{90, 120, 60, 255}), marks) },
		"board": func() (*image.RGBA, error) {
			return p.Board("кошка, γάτα", []string{"사진", "照片"}, rows)
		},
		"tile": func() (*image.RGBA, error) {
			return p.Tile(plain(8, 8, White), 225, strings.Join(scripts, "\n"), Vermilion)
		},
	}
}

// TestScripts compares drawings with the pictures of their names in testdata.
func TestScripts(t *testing.T) {
	useFonts(t, fontFolder)
	var pen Pen
	for name, draw := range scriptDrawings(&pen) {
		drawn, err := draw()
		if err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", name+".png")
		if *update {
			if err := save(golden, drawn); err != nil {
				t.Fatal(err)
			}
		}
		if err := same(drawn, golden); err != nil {
			t.Errorf("%s: %v (go test -update writes the new picture)", golden, err)
		}
	}
	if notes := pen.Notes(); notes != nil {
		t.Errorf("notes %q", notes)
	}
}

// TestMissing: letters that no font has are named, those of all drawings together; letters taken apart, as some file
// systems have them, are the same letters.
func TestMissing(t *testing.T) {
	useFonts(t, t.TempDir())
	var pen Pen
	for _, text := range []string{"고양이 93 %", norm.NFD.String("고양이"), "кошка γάτα…", "Café", "ねこ"} {
		if _, err := pen.Tile(plain(8, 8, White), 225, text, Blue); err != nil {
			t.Fatal(err)
		}
	}
	if got := string(pen.Lacking); got != "고양이ねこ" {
		t.Errorf("missing %q", got)
	}
}

func save(file string, drawn image.Image) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	return png.Encode(f, drawn)
}

// same compares a drawing with a PNG file. It allows small differences at smoothed edges, whose last bits depend on
// whether the processor has fused multiply-add.
func same(drawn *image.RGBA, file string) error {
	const tolerance = 16
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	want, err := png.Decode(f)
	if err != nil {
		return err
	}
	if want.Bounds() != drawn.Rect {
		return fmt.Errorf("size %v, want %v", drawn.Rect, want.Bounds())
	}
	for y := range drawn.Rect.Dy() {
		for x := range drawn.Rect.Dx() {
			a, b := drawn.RGBAAt(x, y), color.RGBAModel.Convert(want.At(x, y)).(color.RGBA)
			for _, d := range []int{int(a.R) - int(b.R), int(a.G) - int(b.G), int(a.B) - int(b.B)} {
				if max(d, -d) > tolerance {
					return fmt.Errorf("the pixel at (%d, %d) is %v, want %v", x, y, a, b)
				}
			}
		}
	}
	return nil
}
