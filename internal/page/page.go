package page

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"vgg/internal/atomicfile"
	"vgg/internal/fonts"
	"vgg/plots"
)

// The files of a report, in its folder.
const (
	MarkdownFile = "report.md"   // with its figures in FiguresDir
	HTMLFile     = "report.html" // the same in one file that needs no other
	FiguresDir   = "figures"
)

// Figure is a picture of a report.
type Figure struct {
	File    string // relative to the report, with forward slashes
	Caption string
	PNG     []byte
	Missing []rune // letters that no font of the system has
}

// Draw writes a figure to its file in the folder of a report, and appends it to a part of the report. err, if not nil,
// is why there is no figure.
func Draw(dir string, to *[]Figure, figure *plots.Figure, err error, name, caption string) error {
	if err != nil {
		return err
	}
	var png bytes.Buffer
	if err := figure.Encode(&png, "png"); err != nil {
		return err
	}
	figures := filepath.Join(dir, FiguresDir)
	if err := os.MkdirAll(figures, 0o755); err != nil {
		return errors.Wrap(err, "report: folder of the figures")
	}
	*to = append(*to, Figure{File: FiguresDir + "/" + name, Caption: caption, PNG: png.Bytes(), Missing: figure.Missing()})
	return errors.Wrap(atomicfile.Write(filepath.Join(figures, name), png.Bytes()), "report: figure")
}

// Notes say which letters no font of the system has, in figures and in the pictures that they show.
func Notes(figures []Figure, inPictures fonts.Lacking) []string {
	all := slices.Clone(inPictures)
	for _, f := range figures {
		all.Add(f.Missing...)
	}
	return all.Notes()
}

// Figures shows figures in Markdown, each with its caption below.
func Figures(all []Figure) string {
	var out strings.Builder
	for _, f := range all {
		caption := Escape(f.Caption)
		fmt.Fprintf(&out, "\n![%s](%s)\\\n%[1]s\n", caption, f.File)
	}
	return out.String()
}

// Escape takes their meaning from the characters that Markdown uses within a line.
func Escape(s string) string { return escape.Replace(s) }

var escape = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", `\<`, "&", `\&`, "|", `\|`)

// Table is a table in Markdown, whose cells are Markdown.
func Table(titles []string, rows [][]string) string {
	var out strings.Builder
	line := func(cells []string) { fmt.Fprintf(&out, "| %s |\n", strings.Join(cells, " | ")) }
	line(titles)
	out.WriteString("|" + strings.Repeat("---|", len(titles)) + "\n")
	for _, row := range rows {
		line(row)
	}
	return out.String()
}

// Check tells whether a report could be written into a folder.
func Check(dir string) error {
	for _, file := range []string{MarkdownFile, HTMLFile} {
		if err := atomicfile.Check(filepath.Join(dir, file)); err != nil {
			return err
		}
	}
	return nil
}

// Write writes a report in both forms. Cells of tables whose text is a key of classes get that class of the style sheet:
// claim, shown, open, uncertain, against. Columns whose title begins with "paper" are told apart too.
func Write(dir, title string, markdown []byte, figures []Figure, classes map[string]string) error {
	html, err := render(title, markdown, figures, classes)
	if err != nil {
		return err
	}
	err = atomicfile.Write(filepath.Join(dir, HTMLFile), html)
	if err == nil {
		err = atomicfile.Write(filepath.Join(dir, MarkdownFile), markdown)
	}
	return errors.Wrap(err, "report")
}
