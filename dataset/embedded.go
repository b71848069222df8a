package dataset

import (
	"fmt"
	"slices"
	"strings"

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

// openPart is a set that open gives, of those of its classes whose names list has.
func openPart(open func() (*Set, error), spec, list string) (*Set, error) {
	set, err := open()
	if err != nil {
		return nil, err
	}
	label := map[int]byte{} // by that of all classes
	for name := range strings.SplitSeq(list, ",") {
		of := slices.IndexFunc(set.Classes, func(c string) bool { return strings.EqualFold(c, strings.TrimSpace(name)) })
		if of < 0 {
			return nil, errors.Errorf("dataset %s: no class %q: want some of %s", spec, name, strings.Join(set.Classes, ","))
		}
		if _, twice := label[of]; twice {
			return nil, errors.Errorf("dataset %s: class %s twice: name it once", spec, set.Classes[of])
		}
		label[of] = 0
	}
	var classes []string
	for of, name := range set.Classes {
		if _, wanted := label[of]; wanted {
			label[of] = byte(len(classes))
			classes = append(classes, name)
		}
	}
	set.Name += ", classes " + strings.Join(classes, ", ")
	set.Classes = classes
	set.Train, set.Val = set.Train.(parted).only(label), set.Val.(parted).only(label)
	return set, nil
}

// parted is a split that can leave out classes.
type parted interface {
	// only is the pictures of some classes, with new labels.
	only(label map[int]byte) Split
}

func (s *idxSplit) only(label map[int]byte) Split {
	part := *s
	part.pixels, part.labels = nil, nil
	size := s.height * s.width
	for i, of := range s.labels {
		if l, wanted := label[int(of)]; wanted {
			part.places = append(part.places, i)
			part.labels = append(part.labels, l)
			part.pixels = append(part.pixels, s.pixels[i*size:(i+1)*size]...)
		}
	}
	return &part
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
		s := &sceneSplit{Scenes: scenes.New(g.pixels, g.labels, seed), role: role}
		for i, label := range g.labels {
			s.places, s.labels = append(s.places, i), append(s.labels, label)
		}
		return s
	}
	return &Set{Name: "scenes of " + garments.Name, Channels: 3, Classes: garments.Classes, chosen: garments.chosen,
		Train: of(garments.Train, "training", trainingScenes), Val: of(garments.Val, "validation", validationScenes)}, nil
}

// sceneSplit draws a scene each time it is asked for.
type sceneSplit struct {
	*scenes.Scenes
	role   string
	places []int // of the split's pictures among all scenes
	labels []byte
}

func (s *sceneSplit) only(label map[int]byte) Split {
	part := *s
	part.places, part.labels = nil, nil
	for i, of := range s.labels {
		if l, wanted := label[int(of)]; wanted {
			part.places, part.labels = append(part.places, s.places[i]), append(part.labels, l)
		}
	}
	return &part
}

func (s *sceneSplit) Len() int        { return len(s.places) }
func (s *sceneSplit) Label(i int) int { return int(s.labels[i]) }

func (s *sceneSplit) Name(i int) string {
	return fmt.Sprintf("%s, %s scene %d", EmbeddedScenes, s.role, s.places[i])
}
func (s *sceneSplit) HasBox(i int) bool { return true }

// Orientation is part of Boxed: scenes are upright.
func (s *sceneSplit) Orientation(i int) (uint16, error) { return 1, nil }

func (s *sceneSplit) Picture(i int) (augment.Picture, error) {
	p, _ := s.Draw(s.places[i])
	return p, nil
}

func (s *sceneSplit) Located(i int) (augment.Picture, []Instance, error) {
	p, found := s.Draw(s.places[i])
	return p, instancesOf(found, s.Label(i), 1.0/scenes.Side, 1.0/scenes.Side), nil
}

// instancesOf are instances of one class, with boxes in shares of a picture for one pixel across and down.
func instancesOf(all []boxes.Box, class int, across, down float64) (objects []Instance) {
	for _, b := range all {
		objects = append(objects, Instance{b.Scale(across, down), class})
	}
	return objects
}
