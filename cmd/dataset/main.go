// Command dataset shows what a data set holds and what the net will see of it: classes, sizes and colours of the
// pictures, those that cannot be read, and a sheet of training pictures as they are augmented.
package main

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/dataset"
	"vgg/internal/cli"
)

type flags struct {
	Data         string   `arg:"" optional:"" name:"SPEC" help:"Pictures: a folder or archive (zip, tar, tar.gz) of class folders, ILSVRC-2012, CIFAR or IDX files, or embedded, which is the default, or embedded-scenes, either with :CLASS,… for some classes."`
	Check        bool     `help:"Decode all pictures and list those that cannot be read; exit code 1 if there are any."`
	Boxes        bool     `help:"Read boxes of objects too, count the pictures that have some, and draw them on the contact sheet."`
	Classes      bool     `help:"List all classes, however many there are."`
	JSON         bool     `name:"json" help:"Print one JSON object."`
	Sample       *int     `help:"Training pictures, evenly spaced, to take mean and colours from; 0 takes all. Default: the recipe's, 10000." placeholder:"N"`
	ContactSheet string   `help:"Draw up to ten training pictures of up to ten classes, augmented as the net sees them." placeholder:"FILE.png"`
	Recipe       string   `help:"Recipe to augment by: a name from train --list-recipes or a TOML file. Default: quick for grey pictures, flowers for colour." placeholder:"NAME|FILE"`
	Set          []string `help:"Change any key of the recipe, such as augment.flip=false; repeatable." placeholder:"KEY=VALUE" sep:"none"`
	Seed         *uint64  `help:"Seed of the augmentation's random draws. Default: the recipe's." placeholder:"N"`
	Epoch        int      `help:"Epoch whose random draws to show, from 1." default:"1" placeholder:"N"`
	cli.Threads
}

const description = `Show what a data set holds and what the net will see of it.

Examples:

    go run ./cmd/dataset
    go run ./cmd/dataset PICTURES.zip --check`

func main() {
	var f flags
	cli.Main("dataset", description, &f, func(ctx context.Context) error { return show(ctx, f) })
}

// check refuses flags that are wrong whatever the pictures are.
func (f flags) check() error {
	switch {
	case f.Sample != nil && *f.Sample < 0:
		return errors.Errorf("--sample %d: want 0 for all pictures or a positive number", *f.Sample)
	case f.Epoch < 1:
		return errors.Errorf("--epoch %d: want a number from 1 up", f.Epoch)
	case f.ContactSheet != "" && !strings.EqualFold(filepath.Ext(f.ContactSheet), ".png"):
		return errors.Errorf("--contact-sheet %s: want the name of a .png file", f.ContactSheet)
	case f.ContactSheet == "":
		return cli.Refuse("only --contact-sheet draws at random: give that too", "--epoch", "--seed")
	}
	return nil
}

// recipe is the one asked for, else one for pictures with the given number of channels, with the flags applied to it.
func (f flags) recipe(channels int) (configs.Recipe, error) {
	name := f.Recipe
	switch {
	case name != "":
	case channels == 1:
		name = "quick"
	default:
		name = "flowers"
	}
	r, err := configs.LoadRecipe(name)
	if err != nil {
		return r, errors.Wrap(err, "--recipe")
	}
	if err := r.Apply(f.Set...); err != nil {
		return r, errors.Wrap(err, "--set")
	}
	if f.Data != "" {
		r.Data = f.Data
	}
	if f.Sample != nil {
		r.Pictures.Sample = *f.Sample
	}
	if f.Seed != nil {
		r.Training.Seed = *f.Seed
	}
	return r, nil
}

func show(ctx context.Context, f flags) error {
	if err := f.Threads.Apply(); err != nil {
		return err
	}
	if err := f.check(); err != nil {
		return cli.Usage(err)
	}
	if err := cli.CheckOutput("--contact-sheet", f.ContactSheet, f.Data); err != nil {
		return err
	}
	// The recipe says how to open the set only where that has class folders, whose pictures have 3 channels.
	r, err := f.recipe(3)
	if err != nil {
		return cli.Usage(err)
	}
	var notes cli.Notes
	set, err := dataset.Open(r.Data, dataset.Options{
		ValShare: r.Pictures.ValShare, SplitSeed: r.Pictures.SplitSeed, Boxes: f.Boxes, Notice: func(message string) { notes.Add(message) }})
	if err != nil {
		return errors.Wrap(err, "SPEC")
	}
	defer set.Close()
	if r, err = f.recipe(set.Channels); err == nil {
		err = r.Validate()
	}
	if err != nil {
		return cli.Usage(err)
	}

	s, err := look(ctx, set, r, f.Check)
	if err != nil {
		return err
	}
	if f.Boxes {
		if err := s.countBoxes(); err != nil {
			return err
		}
	}
	drawing := s.draw(f, r, &notes)
	s.report.Notes = notes.List()
	if f.JSON {
		err = json.NewEncoder(cli.Stdout).Encode(s.report)
	} else {
		err = s.report.print(cli.Stdout, f.Classes)
	}
	if err != nil {
		return errors.Wrap(err, "report")
	}
	if drawing != nil {
		return errors.Wrap(drawing, "--contact-sheet")
	}
	if n := len(s.report.Unreadable); n > 0 {
		return errors.Errorf("%d of %d pictures cannot be read: replace or remove them", n, s.report.Train+s.report.Val)
	}
	return nil
}
