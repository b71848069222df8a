package cli

import (
	"fmt"
	"os"

	"vgg/internal/terminal"
)

// Notes are what a command decided for its user, a line each: printed at once on stderr, with "note: " in front, and
// kept for the field notes of its JSON. The zero value has none.
type Notes struct{ lines []string }

// Add prints lines and keeps them.
func (n *Notes) Add(lines ...string) {
	for _, line := range lines {
		Say("note: " + line)
	}
	n.lines = append(n.lines, lines...)
}

// List is never nil.
func (n *Notes) List() []string { return append([]string{}, n.lines...) }

// Say prints a line on stderr, broken between words for a terminal.
func Say(line string) { fmt.Fprintln(os.Stderr, terminal.Wrap(os.Stderr, line)) }
