package dataset

import (
	"fmt"

	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/boxes"
	"vgg/dataset/fashion"
	"vgg/dataset/scenes"
	"vgg/internal/archive"
)

func openEmbedded() (*Set, error) {
	t, err := archive.OpenFolder(fashion.Name, fashion.Files)
	if err != nil {
		return nil, errors.Wrapf(err, "dataset %s", fashion.Name)
	}
	files, err := findIDX(place{tree: t})
	if err != nil {
		return nil, err
	}
	return (&opener{}).openIDX(files, fashion.Classes())
}

// The seeds of the scenes: others would make another data set.
const (
	trainingScenes   = 1
	validationScenes = 2
)

// openScenes makes scenes of the embedded garments: as many, of the same classes, those for training of the training
// garments alone.
func openScenes() (*Set, error) {
	garments, err := openEmbedded()
	if err != nil {
		return nil, err
	}
	of := func(split Split, role string, seed uint64) *sceneSplit {
		g := split.(*idxSplit)
		return &sceneSplit{scenes.New(g.pixels, g.labels, seed), role}
	}
	return &Set{Name: "scenes of " + garments.Name, Channels: 3, Classes: garments.Classes, chosen: garments.chosen,
		Train: of(garments.Train, "training", trainingScenes), Val: of(garments.Val, "validation", validationScenes)}, nil
}

// sceneSplit draws a scene each time it is asked for.
type sceneSplit struct {
	*scenes.Scenes
	role string
}

func (s *sceneSplit) Name(i int) string {
	return fmt.Sprintf("%s, %s scene %d", EmbeddedScenes, s.role, i)
}
func (s *sceneSplit) HasBox(i int) bool { return true }

func (s *sceneSplit) Picture(i int) (augment.Picture, error) {
	p, _ := s.Draw(i)
	return p, nil
}

func (s *sceneSplit) Located(i int) (augment.Picture, []Instance, error) {
	p, found := s.Draw(i)
	return p, instancesOf(found, s.Label(i), 1.0/scenes.Side, 1.0/scenes.Side), nil
}

// instancesOf are instances of one class, with boxes in shares of a picture for one pixel across and down.
func instancesOf(all []boxes.Box, class int, across, down float64) (objects []Instance) {
	for _, b := range all {
		objects = append(objects, Instance{b.Scale(across, down), class})
	}
	return objects
}
