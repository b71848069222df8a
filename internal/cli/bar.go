package cli

import (
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Bar shows on the terminal how far a command is. The zero Bar shows nothing.
type Bar struct{ bar *progressbar.ProgressBar }

// NewBar makes a bar for so many pieces of work, where standard error is a terminal.
func NewBar(total int) Bar {
	if !IsTerminal(os.Stderr) {
		return Bar{}
	}
	return Bar{progressbar.NewOptions(total, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionClearOnFinish(),
		progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionSetWidth(24))}
}

// Add moves the bar. One that cannot be drawn is no reason to stop.
func (b Bar) Add(done int) {
	if b.bar != nil {
		_ = b.bar.Add(done)
	}
}

// Clear takes the bar off the terminal.
func (b Bar) Clear() {
	if b.bar != nil {
		_ = b.bar.Clear()
	}
}

// IsTerminal says whether somebody reads along.
func IsTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
