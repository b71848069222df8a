package main

import (
	"context"
	"os"

	"vgg/augment"
	"vgg/dataset"
	"vgg/internal/progress/bar"
)

// watched is a split that moves a bar with each picture read, and whose pictures cannot be read once ctx is done: so
// code that reads them all shows its progress and can be interrupted.
type watched struct {
	dataset.Split
	ctx context.Context
	bar bar.Bar
}

// watch shows the bar on standard error, since standard output belongs to the report.
func watch(ctx context.Context, split dataset.Split, what string) watched {
	return watched{split, ctx, bar.New(os.Stderr, split.Len(), what)}
}

// Picture is part of dataset.Split.
func (w watched) Picture(i int) (augment.Picture, error) {
	if err := w.ctx.Err(); err != nil {
		return augment.Picture{}, err
	}
	w.bar.Add(1)
	return w.Split.Picture(i)
}
