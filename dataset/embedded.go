package dataset

import (
	"slices"
	"strings"

	"github.com/pkg/errors"

	"vgg/dataset/fashion"
	"vgg/internal/archive"
)

// openEmbedded opens the garments, those of some classes if any are given.
func openEmbedded(spec string, classes []string) (*Set, error) {
	t, err := archive.OpenFolder(fashion.Name, fashion.Files)
	if err != nil {
		return nil, errors.Wrapf(err, "dataset %s", fashion.Name)
	}
	files, err := findIDX(place{tree: t})
	if err != nil {
		return nil, err
	}
	set, err := (&opener{}).openIDX(files, fashion.Classes())
	if err != nil {
		return nil, err
	}
	return set, set.only(spec, classes)
}

// only leaves the pictures of those of its classes whose names list has, if any.
func (s *Set) only(spec string, list []string) error {
	if len(list) == 0 {
		return nil
	}
	label := map[int]byte{} // by that of all classes
	for _, name := range list {
		of := slices.IndexFunc(s.Classes, func(c string) bool { return strings.EqualFold(c, name) })
		if of < 0 {
			return errors.Errorf("dataset %s: no class %q: want some of %s", spec, name, strings.Join(s.Classes, ","))
		}
		if _, twice := label[of]; twice {
			return errors.Errorf("dataset %s: class %s twice: name it once", spec, s.Classes[of])
		}
		label[of] = 0
	}
	var classes []string
	for of, name := range s.Classes {
		if _, wanted := label[of]; wanted {
			label[of] = byte(len(classes))
			classes = append(classes, name)
		}
	}
	s.Name += ", classes " + strings.Join(classes, ", ")
	s.Classes = classes
	s.Train, s.Val = s.Train.(parted).only(label), s.Val.(parted).only(label)
	return nil
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
