package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/dataset"
	"vgg/internal/ordered"
	"vgg/internal/threads"
)

// sizeSample is the number of pictures of a split that are decoded for their sizes, unless all are checked.
const sizeSample = 1000

// survey is what was found in a data set.
type survey struct {
	set        *dataset.Set
	train      dataset.Split // as training by the recipe takes it
	statistics configs.Statistics
	unreadable map[string]bool // names of the pictures found to be so
	report     report
}

// look decodes a sample of the pictures, or all of them to check them, and measures their colours. Only a check goes on
// after a picture that cannot be read.
func look(ctx context.Context, set *dataset.Set, r configs.Recipe, check bool) (*survey, error) {
	s := &survey{set: set, train: set.Train, unreadable: map[string]bool{}, report: newReport(set)}
	if r.Training.Limit > 0 {
		s.train = dataset.Subset(s.train, r.Training.Limit)
	}
	if check {
		s.report.Unreadable = []unreadable{}
	}
	training := map[[sha256.Size]byte]string{} // names by pixels
	for k, part := range []struct {
		split dataset.Split
		sizes *sizes
	}{{set.Train, &s.report.Sizes.Train}, {set.Val, &s.report.Sizes.Val}} {
		if !check {
			part.split = dataset.Subset(part.split, sizeSample)
		}
		found, err := decode(ctx, part.split)
		if err != nil {
			return nil, err
		}
		var good []size
		for i, d := range found {
			switch {
			case d.err == nil:
				good = append(good, d.size)
				name := part.split.Name(i)
				switch other, too := training[d.pixels]; {
				case k == 0 && !too:
					training[d.pixels] = name
				case k > 0 && too && check:
					s.report.Repeated = append(s.report.Repeated, repeated{name, other})
				}
			case !check:
				return nil, suggestCheck(d.err)
			default:
				name := part.split.Name(i)
				s.unreadable[name] = true
				s.report.Unreadable = append(s.report.Unreadable, unreadable{name, strings.TrimPrefix(d.err.Error(), "dataset "+name+": ")})
			}
		}
		*part.sizes = summarise(good)
	}
	return s, s.measure(ctx, r.Pictures.Sample)
}

// countBoxes counts the pictures with boxes; there must be some.
func (s *survey) countBoxes() error {
	s.report.Boxes = &counts{}
	for _, part := range []struct {
		split dataset.Split
		count *int
	}{{s.set.Train, &s.report.Boxes.Train}, {s.set.Val, &s.report.Boxes.Val}} {
		if with, _, err := dataset.WithBoxes(part.split); err == nil {
			*part.count = with.Len()
		}
	}
	if s.report.Boxes.Train+s.report.Boxes.Val == 0 {
		return errors.Errorf("--boxes: data set %s has no boxes", s.set.Name)
	}
	return nil
}

func suggestCheck(err error) error {
	return errors.Wrap(err, "not all pictures can be read (--check lists those that cannot)")
}

// measure takes the statistics as training does, but skips pictures that a check has found to be unreadable.
func (s *survey) measure(ctx context.Context, sample int) error {
	split := s.train
	if sample > 0 {
		split = dataset.Subset(split, sample)
	}
	var readable []int
	for i := range split.Len() {
		if !s.unreadable[split.Name(i)] {
			readable = append(readable, i)
		}
	}
	if len(readable) == 0 {
		return nil
	}
	shown := watch(ctx, dataset.Pick(split, readable), "measuring")
	defer shown.bar.Clear()
	measured, err := dataset.Measure(ctx, shown, s.set.Channels, 0, nil)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return suggestCheck(err)
	}
	s.statistics = measured
	s.report.add(measured)
	return nil
}

// decoded is what came of decoding a picture.
type decoded struct {
	size   size
	pixels [sha256.Size]byte // digest
	err    error
}

// decode decodes the pictures of a split on all cores. The only error is an interruption.
func decode(ctx context.Context, split dataset.Split) (all []decoded, err error) {
	shown := watch(ctx, split, "decoding")
	defer shown.bar.Clear()
	decoding := ordered.Map(ctx, split.Len(), 2*threads.Count(), func(i int) decoded {
		p, err := shown.Picture(i)
		digest := sha256.New()
		fmt.Fprintf(digest, "%d×%d×%d", p.Width, p.Height, p.Channels)
		digest.Write(p.Pix)
		return decoded{size{p.Width, p.Height}, [sha256.Size]byte(digest.Sum(nil)), err}
	})
	for _, d := range decoding {
		all = append(all, d)
	}
	return all, ctx.Err()
}

// summarise gives the extremes and the median by area.
func summarise(all []size) sizes {
	if len(all) == 0 {
		return sizes{}
	}
	slices.SortFunc(all, func(a, b size) int {
		return cmp.Or(cmp.Compare(a[0]*a[1], b[0]*b[1]), cmp.Compare(a[0], b[0]))
	})
	return sizes{Pictures: len(all), Smallest: all[0], Median: all[(len(all)-1)/2], Largest: all[len(all)-1]}
}
