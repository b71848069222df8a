package main

import (
	"context"
	"path/filepath"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/dataset"
	"vgg/internal/cli"
	"vgg/reproduce"
)

// sizes prepares to compare nets trained on different numbers of pictures, in a folder within the other's.
func (f flags) sizes() (run func(context.Context) error, close func() error, err error) {
	if cli.World.Size() > 1 {
		return nil, nil, cli.Usage(errors.New("--sizes: one process does this: start it by itself"))
	}
	if f.Records != "" {
		f.Records = filepath.Join(f.Records, sizes)
	}
	f.Out = filepath.Join(f.Out, sizes)
	f.Nets = nil
	of := reproduce.SizePlan{Sizes: f.Sizes}
	if of.Plan, err = f.plan(); err != nil {
		return nil, nil, err
	}
	if err := of.Validate(); err != nil {
		closing(of.HeldOut)()
		return nil, nil, cli.Usage(errors.Wrap(err, "--sizes"))
	}
	return func(ctx context.Context) error {
		report, err := reproduce.RunSizes(ctx, of, func(r configs.Recipe) (*dataset.Set, error) { return open(r, printNotice) }, console{of.Plan.AtOnce > 1})
		if err != nil {
			return explain(err)
		}
		printReport(report.Sealed, report.Tested, report.Findings(), f.Out)
		return nil
	}, closing(of.HeldOut), nil
}
