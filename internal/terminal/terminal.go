package terminal

import (
	"io"
	"strings"

	"github.com/rivo/uniseg"
	"golang.org/x/term"
)

// File is a file that is open for writing.
type File interface {
	io.Writer
	Fd() uintptr
}

// Width is the number of columns of a terminal, 0 of all else.
func Width(w io.Writer) int {
	f, ok := w.(File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// Wrap breaks the lines of a text between words for the width of a terminal, and indents the parts after the first by
// two. Lines for anything else stay whole, for programs to read.
func Wrap(w io.Writer, text string) string {
	lines, width := strings.Split(text, "\n"), Width(w)
	for i, line := range lines {
		lines[i] = wrap(line, width)
	}
	return strings.Join(lines, "\n")
}

func wrap(line string, width int) string {
	if width == 0 || uniseg.StringWidth(line) <= width {
		return line
	}
	const indent = "  "
	var b strings.Builder
	column := 0
	for i, word := range strings.Split(line, " ") {
		wide := uniseg.StringWidth(word)
		switch {
		case i == 0:
		case column+1+wide > width:
			b.WriteString("\n" + indent)
			column = len(indent)
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += wide
	}
	return b.String()
}
