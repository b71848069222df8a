package fonts

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// Fonts are the TrueType and OpenType fonts in some folders and below them. It is safe for concurrent use.
type Fonts struct {
	folders []string

	mutex sync.Mutex
	found bool         // whether the folders were searched
	fonts []*sfnt.Font // those for running text first
	known map[string]choice
}

// choice is the font for a text, and what it lacks.
type choice struct {
	font    *sfnt.Font
	missing []rune
}

// In are the fonts in folders, which are searched when the first text needs one. Folders need not exist.
func In(folders ...string) *Fonts {
	return &Fonts{folders: folders, known: map[string]choice{}}
}

// System are the fonts of this system, in the folders where fontconfig, macOS and Windows have them.
var System = sync.OnceValue(func() *Fonts {
	home, _ := os.UserHomeDir() // without one there are no fonts in it
	switch runtime.GOOS {
	case "darwin":
		return In(filepath.Join(home, "Library/Fonts"), "/Library/Fonts", "/System/Library/Fonts")
	case "windows":
		return In(filepath.Join(os.Getenv("WINDIR"), "Fonts"), filepath.Join(os.Getenv("LOCALAPPDATA"), `Microsoft\Windows\Fonts`))
	}
	data := cmp.Or(os.Getenv("XDG_DATA_HOME"), filepath.Join(home, ".local/share"))
	return In(filepath.Join(data, "fonts"), filepath.Join(home, ".fonts"), "/usr/local/share/fonts", "/usr/share/fonts")
})

// For gives the first font that has all glyphs of a text. If none has, it gives the first of those that lack the
// fewest, and the letters that it lacks. Without any font it gives nil and all letters.
func (f *Fonts) For(text string) (font *sfnt.Font, missing []rune) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if !f.found {
		f.fonts, f.found = load(f.folders), true
	}
	best, ok := f.known[text]
	if !ok {
		best.missing = Missing(nil, text)
		for _, font := range f.fonts {
			if lacks := Missing(font, text); len(lacks) < len(best.missing) {
				best = choice{font, lacks}
			}
			if len(best.missing) == 0 {
				break
			}
		}
		f.known[text] = best
	}
	return best.font, slices.Clone(best.missing)
}

// Choose gives the font to write a text in: one of the caller's own if it has all letters, otherwise the system's of For,
// if that lacks fewer; and the letters that it lacks.
func (f *Fonts) Choose(own *sfnt.Font, text string) (font *sfnt.Font, missing []rune) {
	missing = Missing(own, text)
	if len(missing) > 0 {
		if found, lacks := f.For(text); len(lacks) < len(missing) {
			return found, lacks
		}
	}
	return own, missing
}

// Missing lists the letters of a text that a font has no outline for, each once; nil has none. White space needs none.
func Missing(font *sfnt.Font, text string) (missing []rune) {
	var buffer sfnt.Buffer
	const size = fixed.Int26_6(64)
	for _, letter := range text {
		if unicode.IsSpace(letter) || slices.Contains(missing, letter) {
			continue
		}
		if font != nil {
			// A font of coloured bitmaps has glyphs, and no outlines.
			if glyph, err := font.GlyphIndex(&buffer, letter); err == nil && glyph != 0 {
				if outline, err := font.LoadGlyph(&buffer, glyph, size, nil); err == nil && len(outline) > 0 {
					continue
				}
			}
		}
		missing = append(missing, letter)
	}
	return missing
}

// load reads the fonts in folders. Files that are no fonts, or cannot be read, are as good as absent.
func load(folders []string) (fonts []*sfnt.Font) {
	var paths []string
	for _, folder := range folders {
		_ = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && slices.Contains([]string{".ttf", ".otf", ".ttc", ".otc"}, strings.ToLower(filepath.Ext(path))) {
				paths = append(paths, path)
			}
			return nil
		})
	}
	slices.SortStableFunc(paths, func(a, b string) int { return cmp.Or(rank(a)-rank(b), strings.Compare(a, b)) })
	for _, path := range paths {
		collection, err := sfnt.ParseCollectionReaderAt(file(path))
		if err != nil {
			continue
		}
		for i := range collection.NumFonts() {
			if font, err := collection.Font(i); err == nil {
				fonts = append(fonts, font)
			}
		}
	}
	return fonts
}

// rank is lower for fonts that suit a figure: upright sans-serif ones of normal weight.
func rank(path string) int {
	name := strings.ToLower(filepath.Base(path))
	for i, known := range []string{"dejavusans.ttf", "notosans-regular", "notosanscjk-regular"} {
		if strings.HasPrefix(name, known) {
			return i
		}
	}
	rank := 3
	for _, style := range []string{"bold", "italic", "oblique", "light", "thin", "black", "mono", "serif", "condensed"} {
		if strings.Contains(name, style) {
			rank += 2
		}
	}
	if !strings.Contains(name, "sans") && !strings.Contains(name, "gothic") {
		rank++
	}
	return rank
}

// file is a font's file, of which a few bytes are read now and then: system fonts are large and many.
type file string

// ReadAt is part of io.ReaderAt.
func (f file) ReadAt(p []byte, offset int64) (int, error) {
	opened, err := os.Open(string(f))
	if err != nil {
		return 0, err
	}
	defer opened.Close()
	return opened.ReadAt(p, offset)
}
