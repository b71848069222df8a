package main

import (
	"context"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"vgg/augment"
	"vgg/dataset"
)

// watched is a split that moves a bar, if it has one, with each picture read, and has no more pictures once ctx is done:
// so whoever reads them all shows progress and can be interrupted.
type watched struct {
	dataset.Split
	ctx context.Context
	bar *progressbar.ProgressBar
}

// watch shows its bar where stderr is a terminal: stdout belongs to the report.
func watch(ctx context.Context, split dataset.Split, what string) watched {
	w := watched{Split: split, ctx: ctx}
	if term.IsTerminal(int(os.Stderr.Fd())) {
		w.bar = progressbar.NewOptions(split.Len(), progressbar.OptionSetWriter(os.Stderr),
			progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionSetWidth(24),
			progressbar.OptionSetDescription(what), progressbar.OptionThrottle(100*time.Millisecond))
	}
	return w
}

// Picture is part of dataset.Split.
func (w watched) Picture(i int) (augment.Picture, error) {
	if err := w.ctx.Err(); err != nil {
		return augment.Picture{}, err
	}
	if w.bar != nil {
		_ = w.bar.Add(1) // a bar that cannot be drawn is no reason to stop
	}
	return w.Split.Picture(i)
}

// clear takes the bar away again.
func (w watched) clear() {
	if w.bar != nil {
		_ = w.bar.Clear() // see Picture
	}
}
