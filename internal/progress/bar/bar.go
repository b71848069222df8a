package bar

import (
	"time"

	"github.com/schollz/progressbar/v3"

	"vgg/internal/terminal"
)

// Bar shows on a terminal how much of a task is done. The zero Bar shows nothing. A bar that cannot be drawn is no
// reason to stop, so no method returns an error.
type Bar struct{ bar *progressbar.ProgressBar }

// New makes a bar for a task of total steps, if out is a terminal. what, which may be "", stands before it.
func New(out terminal.File, total int, what string) Bar {
	if terminal.Width(out) == 0 {
		return Bar{}
	}
	const most, others = 24, 56 // columns, of what fills and of what stands around it
	width := max(4, min(most, terminal.Width(out)-others))
	return Bar{progressbar.NewOptions(total, progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(what),
		progressbar.OptionClearOnFinish(), progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true),
		progressbar.OptionSetWidth(width), progressbar.OptionThrottle(100*time.Millisecond))}
}

// Add moves the bar by a number of steps.
func (b Bar) Add(steps int) {
	if b.bar != nil {
		_ = b.bar.Add(steps)
	}
}

// Set moves the bar to a step, and changes what stands before it.
func (b Bar) Set(step int, what string) {
	if b.bar != nil {
		b.bar.Describe(what)
		_ = b.bar.Set(step)
	}
}

// Restart begins another task of total steps.
func (b Bar) Restart(total int) {
	if b.bar != nil {
		b.bar.Reset()
		b.bar.ChangeMax(total)
	}
}

// Clear removes the bar from the terminal, until it moves again.
func (b Bar) Clear() {
	if b.bar != nil {
		_ = b.bar.Clear()
	}
}
