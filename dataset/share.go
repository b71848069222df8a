package dataset

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/pkg/errors"
)

// keepForValidation divides one split into two: a share of each class, drawn by the seed, is for validation, at least
// one picture and not all. A share of 1 keeps all pictures, and so does Together.
func (o *opener) keepForValidation(s *Set, all *classSplit) error {
	if o.ValShare == 1 || o.Together {
		s.Train, s.Val, s.chosen = &classSplit{files: all.files, folder: all.folder}, all, "all pictures"
		if !o.Together {
			o.note("all %d pictures are for validation, none for training", all.Len())
		}
		return nil
	}
	if !(o.ValShare > 0 && o.ValShare < 1) {
		return errors.Errorf("dataset %s: no val/CLASS/* in it: add it, or give the share of the pictures to keep for validation (pictures.val_share, above 0 and below 1)", s.Name)
	}
	train, val := &classSplit{files: all.files, folder: all.folder}, &classSplit{files: all.files, folder: all.folder}
	for first := 0; first < all.Len(); {
		label := all.Label(first)
		end := first
		for end < all.Len() && all.Label(end) == label {
			end++
		}
		pictures := end - first
		if pictures < 2 {
			return errors.Errorf("dataset %s: class %s has one picture, which cannot be both for training and validation: add more", s.Name, s.Classes[label])
		}
		keep := min(max(1, int(math.Round(o.ValShare*float64(pictures)))), pictures-1)
		isVal := make([]bool, pictures)
		for _, i := range rand.New(rand.NewPCG(o.SplitSeed, uint64(label))).Perm(pictures)[:keep] {
			isVal[i] = true
		}
		for i, kept := range isVal {
			split := train
			if kept {
				split = val
			}
			split.add(int(all.entries[first+i]), label)
		}
		first = end
	}
	s.Train, s.Val = train, val
	s.chosen = fmt.Sprintf("share %g by seed %d", o.ValShare, o.SplitSeed)
	o.note("no pictures for validation alone: %d of the %d pictures are kept for it (a share of %g, drawn by seed %d)", val.Len(), all.Len(), o.ValShare, o.SplitSeed)
	return nil
}
