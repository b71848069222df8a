package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/pkg/errors"

	"vgg/dataset"
	"vgg/internal/cli"
	"vgg/reproduce"
)

// The recipe and the classes by which a net is trained, and the classes that are told apart by its features: three that
// are hard to tell apart by their pixels. In scenes a garment has any place, size, colour and background, as in
// photographs: of the garments alone, all in one pose, pixels tell as much as features.
const (
	featureRecipe = "scenes"
	seenClasses   = dataset.EmbeddedScenes + ":T-shirt/top,Trouser,Dress,Sandal,Sneaker,Bag,Ankle boot"
	otherClasses  = dataset.EmbeddedScenes + ":Pullover,Coat,Shirt"
)

// generalise prepares to reproduce appendix B, in a folder within the other's.
func (f flags) generalise() (run func(context.Context) error, close func() error, err error) {
	why := ""
	switch {
	case cli.World.Size() > 1:
		why = "one process does this part: start it by itself, with --only features"
	case f.Data != "":
		why = "it is done with classes of the embedded pictures: leave out --data"
	}
	if why != "" {
		return nil, nil, cli.Usage(errors.New("features: " + why))
	}
	f.Data = seenClasses
	plan := reproduce.FeaturePlan{Other: otherClasses, Seeds: f.Seeds, Dir: filepath.Join(f.Out, generalisation)}
	if plan.Recipe, err = f.recipe(featureRecipe, featureRecipe); err != nil {
		return nil, nil, err
	}
	if err := plan.Validate(); err != nil {
		return nil, nil, cli.Usage(err)
	}
	pictures, err := open(plan.Recipe, printNotice)
	if err != nil {
		return nil, nil, err
	}
	return func(ctx context.Context) error {
		report, err := reproduce.RunFeatures(ctx, plan, pictures, console{})
		if err != nil {
			return explain(err)
		}
		fmt.Fprintf(cli.Stdout, "\n%s", report.Values)
		printFindings(report.Findings, plan.Dir)
		return nil
	}, pictures.Close, nil
}
