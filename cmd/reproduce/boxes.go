package main

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/pkg/errors"

	"vgg/dataset"
	"vgg/internal/cli"
	"vgg/reproduce"
)

// localise prepares to reproduce appendix A, in a folder within the other's.
func (f flags) localise() (run func(context.Context) error, close func() error, err error) {
	if cli.World.Size() > 1 {
		return nil, nil, cli.Usage(errors.New("boxes: one process does this part: start it by itself, with --only boxes"))
	}
	if len(f.Boxes) != 2 {
		return nil, nil, cli.Usage(errors.Errorf("--box-recipes %s: want two, such as scenes,localise-scenes", strings.Join(f.Boxes, ",")))
	}
	plan := reproduce.BoxPlan{Seeds: f.Seeds, Dir: filepath.Join(f.Out, localisation)}
	if plan.Classifier, err = f.recipe("--box-recipes", f.Boxes[0]); err != nil {
		return nil, nil, err
	}
	if plan.Boxes, err = f.recipe("--box-recipes", f.Boxes[1]); err != nil {
		return nil, nil, err
	}
	var notices []string // printed once the part begins
	pictures, err := open(plan.Boxes, func(message string) { notices = append(notices, message) })
	if err != nil {
		return nil, nil, err
	}
	if _, _, err := dataset.WithBoxes(pictures.Train); err != nil {
		pictures.Close()
		return nil, nil, errors.Wrap(err, "--data")
	}
	if err := plan.Validate(); err != nil {
		pictures.Close()
		return nil, nil, cli.Usage(err)
	}
	return func(ctx context.Context) error {
		for _, n := range notices {
			printNotice(n)
		}
		report, err := reproduce.RunBoxes(ctx, plan, pictures, console{})
		if err != nil {
			return explain(err)
		}
		new(cli.Notes).Add(report.Notes...)
		printFindings(report.Findings, plan.Dir)
		return nil
	}, pictures.Close, nil
}
