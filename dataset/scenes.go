package dataset

import (
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/boxes"
	"vgg/dataset/scenes"
)

// The seeds of the scenes: others would make another data set.
const (
	trainingScenes   = 1
	validationScenes = 2
	heldOutScenes    = 3
)

// sceneSpec is which scenes to make of the embedded garments, and how: "embedded-scenes:side=64,pictures=20000,Dress".
type sceneSpec struct {
	scenes.Options
	pictures    int    // for training; 0: as many as garments
	valPictures int    // for validation; 0: as many as garments
	val         string // the garments for validation
	classes     []string
}

// The garments that validation scenes show, besides those of the embedded validation pictures, which no training scene
// shows: a tenth of the training garments, then left out of training, to choose by; or those of the embedded validation
// pictures with the same training scenes, to test what was chosen.
const (
	development = "development"
	heldOut     = "test"
)

// mostScenes is the largest number of scenes of a split.
const mostScenes = 100_000_000

// parseScenes reads settings and classes, separated by commas.
func parseScenes(spec string, list []string) (s sceneSpec, err error) {
	s.Difficulty = 1
	for _, one := range list {
		key, value, set := strings.Cut(one, "=")
		if !set {
			s.classes = append(s.classes, one)
			continue
		}
		var wanted string
		ok := false
		switch key {
		case "side":
			s.Side, ok = whole(value, scenes.MinSide, scenes.MaxSide)
			wanted = fmt.Sprintf("a whole number of pixels from %d to %d", scenes.MinSide, scenes.MaxSide)
		case "difficulty":
			s.Difficulty, err = strconv.ParseFloat(value, 64)
			ok = err == nil && s.Difficulty >= 0 && s.Difficulty <= scenes.MaxDifficulty
			wanted = fmt.Sprintf("a number from 0 to %g", scenes.MaxDifficulty)
		case "pictures":
			s.pictures, ok = whole(value, 1, mostScenes)
			wanted = fmt.Sprintf("a whole number from 1 to %d", mostScenes)
		case "val_pictures":
			s.valPictures, ok = whole(value, 1, mostScenes)
			wanted = fmt.Sprintf("a whole number from 1 to %d", mostScenes)
		case "val":
			s.val, ok = value, value == development || value == heldOut
			wanted = development + " or " + heldOut
		default:
			return s, errors.Errorf("dataset %s: no setting %q: there are side, difficulty, pictures, val_pictures and val", spec, key)
		}
		if !ok {
			return s, errors.Errorf("dataset %s: %s must be %s", spec, one, wanted)
		}
	}
	return s, nil
}

func whole(text string, low, high int) (n int, ok bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= low && n <= high
}

// openScenes makes scenes of the embedded garments, those for training of training garments alone.
func openScenes(spec string, list []string) (*Set, error) {
	s, err := parseScenes(spec, list)
	if err != nil {
		return nil, err
	}
	garments, err := openEmbedded(spec, nil)
	if err != nil {
		return nil, err
	}
	train, val, seed := garments.Train.(*idxSplit), garments.Val.(*idxSplit), uint64(validationScenes)
	if s.val != "" {
		var kept *idxSplit
		train, kept = train.keepTenth()
		if s.val == development {
			val, seed = kept, heldOutScenes
		}
	}
	set := &Set{Name: "scenes of " + garments.Name, Channels: 3, Classes: garments.Classes, chosen: garments.chosen,
		Train: s.split(train, "training", trainingScenes, s.pictures), Val: s.split(val, "validation", seed, s.valPictures)}
	if settings := len(list) - len(s.classes); settings > 0 {
		set.Name += fmt.Sprintf(" on %d×%d, difficulty %g", set.Val.(*sceneSplit).Side(), set.Val.(*sceneSplit).Side(), s.Difficulty)
	}
	if s.val != "" {
		set.chosen = s.val + " garments"
	}
	return set, set.only(spec, s.classes)
}

// keepTenth divides a split: the last tenth of each class is kept.
func (s *idxSplit) keepTenth() (rest, kept *idxSplit) {
	var count, seen [256]int
	for _, label := range s.labels {
		count[label]++
	}
	parts := [2]idxSplit{*s, *s}
	for k := range parts {
		parts[k].pixels, parts[k].labels, parts[k].places = nil, nil, nil
	}
	size := s.height * s.width
	for i, label := range s.labels {
		part := &parts[0]
		if seen[label]++; 10*seen[label] > 9*count[label] {
			part = &parts[1]
		}
		part.places, part.labels = append(part.places, i), append(part.labels, label)
		part.pixels = append(part.pixels, s.pixels[i*size:(i+1)*size]...)
	}
	return &parts[0], &parts[1]
}

// split makes scenes of garments, as many as these if count is 0.
func (s sceneSpec) split(garments *idxSplit, role string, seed uint64, count int) *sceneSplit {
	o := s.Options
	o.Seed = seed
	made := &sceneSplit{Scenes: scenes.New(garments.pixels, garments.labels, o), role: role}
	if count == 0 {
		count = made.Garments()
	}
	if side := made.Side(); count <= mostKept/(3*side*side) {
		made.kept = make([]atomic.Pointer[scene], count)
	}
	for i := range count {
		made.places, made.labels = append(made.places, i), append(made.labels, byte(made.Scenes.Label(i)))
	}
	return made
}

// mostKept is how many bytes of scenes are kept once they are drawn: drawing one takes a fifth of a step of net A at an
// eighth of the width. Of a split with more, each is drawn again whenever it is asked for.
const mostKept = 1 << 30

// sceneSplit draws scenes when they are asked for.
type sceneSplit struct {
	*scenes.Scenes
	role   string
	places []int // of the split's pictures among all scenes
	labels []byte
	kept   []atomic.Pointer[scene] // all scenes that were drawn; nil: none is kept
}

type scene struct {
	picture augment.Picture
	found   []boxes.Box
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

// Subject is part of Repeated: a scene's garment.
func (s *sceneSplit) Subject(i int) int { return s.places[i] % s.Garments() }

// Orientation is part of Boxed: scenes are upright.
func (s *sceneSplit) Orientation(i int) (uint16, error) { return 1, nil }

func (s *sceneSplit) Picture(i int) (augment.Picture, error) {
	return s.scene(s.places[i]).picture, nil
}

func (s *sceneSplit) Located(i int) (augment.Picture, []Instance, error) {
	drawn, pixel := s.scene(s.places[i]), 1/float64(s.Side())
	return drawn.picture, instancesOf(drawn.found, s.Label(i), pixel, pixel), nil
}

// scene draws a scene that is not kept. Where two ask for it at once, both draw the same.
func (s *sceneSplit) scene(place int) *scene {
	if s.kept != nil {
		if drawn := s.kept[place].Load(); drawn != nil {
			return drawn
		}
	}
	drawn := new(scene)
	drawn.picture, drawn.found = s.Draw(place)
	if s.kept != nil {
		s.kept[place].Store(drawn)
	}
	return drawn
}

// instancesOf are instances of one class, with boxes in shares of a picture for one pixel across and down.
func instancesOf(all []boxes.Box, class int, across, down float64) (objects []Instance) {
	for _, b := range all {
		objects = append(objects, Instance{b.Scale(across, down), class})
	}
	return objects
}
