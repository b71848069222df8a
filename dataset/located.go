package dataset

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/boxes"
	"vgg/dataset/annotations"
	"vgg/dataset/imagenet"
	"vgg/internal/archive"
)

// located are the objects in the pictures of a split, with boxes in shares of the stored picture's sides, or in pixels.
type located struct {
	of       [][]Instance
	inPixels []bool
}

func newLocated(pictures int) *located {
	return &located{make([][]Instance, pictures), make([]bool, pictures)}
}

// HasBox is part of Boxed.
func (s *classSplit) HasBox(i int) bool {
	return s.located != nil && slices.ContainsFunc(s.located.of[i], func(o Instance) bool { return o.Class == s.Label(i) })
}

// Located is part of Boxed.
func (s *classSplit) Located(i int) (augment.Picture, []Instance, error) {
	p, orientation, err := s.read(i)
	if err != nil || s.located == nil {
		return p, nil, err
	}
	width, height := float64(p.Width), float64(p.Height)
	if orientation >= 5 && orientation <= 8 {
		width, height = height, width // as it is stored
	}
	objects := slices.Clone(s.located.of[i])
	for k := range objects {
		b := &objects[k].Box
		if s.located.inPixels[i] {
			inside, _ := annotations.Inside(*b, width, height)
			if inside.Empty() {
				xmin, ymin, xmax, ymax := b.Pixels()
				return p, nil, errors.Errorf("dataset %s: box %d, from %g, %g to %g, %g, is outside the picture of %g×%g (correct or remove it)",
					s.Name(i), k+1, xmin, ymin, xmax, ymax, width, height)
			}
			*b = inside.Scale(1/width, 1/height)
		}
		*b = b.Turn(orientation).Clip(boxes.Unit)
	}
	return p, objects, nil
}

// validationName is that of ILSVRC-2012's validation pictures, with their number.
var validationName = regexp.MustCompile(`^ILSVRC2012_val_(\d{8})$`)

const blacklistName = "clsloc_validation_blacklist.txt"

// withoutBlacklisted takes the boxes from ILSVRC's validation pictures that do not count, by the list of the
// development kit. It says what was done; nothing for other sets.
func (f *boxFinder) withoutBlacklisted() (note string, err error) {
	val := f.splits[1]
	byNumber, most := map[int]int{}, 0
	for i, entry := range val.entries {
		if parts := validationName.FindStringSubmatch(stemOf(val.files.Path(int(entry)))); parts != nil {
			n, _ := strconv.Atoi(parts[1]) // of eight digits
			byNumber[n] = i
			most = max(most, n)
		}
	}
	if len(byNumber) == 0 {
		return "", nil
	}
	if err := f.readNumbers(); err != nil {
		return "", err
	}
	for _, a := range f.archives {
		if slices.Contains(words(a.file), "devkit") {
			if _, err := f.openArchive(a.file); err != nil {
				return "", err
			}
		}
	}
	for _, t := range f.trees {
		for i := range t.Len() {
			if !strings.HasSuffix(t.Path(i), blacklistName) {
				continue
			}
			data, err := archive.ReadFile(t, i, largestFile)
			if err != nil {
				return "", errors.Wrapf(err, "dataset %s", archive.Describe(t, i))
			}
			numbers, err := annotations.ParseBlacklist(data, validationPictures)
			if err != nil {
				return "", errors.Wrapf(err, "dataset %s", archive.Describe(t, i))
			}
			blacklisted := 0
			for _, n := range numbers {
				if at, known := byNumber[n]; known && len(val.located.of[at]) > 0 {
					val.located.of[at] = nil
					blacklisted++
				}
			}
			return fmt.Sprintf("validation pictures on the blacklist %s, whose boxes do not count: %d", path.Base(t.Path(i)), blacklisted), nil
		}
	}
	return "no blacklist of the development kit (*" + blacklistName + ") is there: all validation pictures count", nil
}

// readNumbers takes the classes' numbers from the development kit, if it knows all of them.
func (f *boxFinder) readNumbers() error {
	kit, err := f.kit()
	if err != nil || kit == nil || !holdsSynsets(kit) {
		return err
	}
	synsets, err := imagenet.Synsets(kit)
	if err != nil {
		return errors.Wrapf(err, "dataset %s", kit.Name())
	}
	byName := map[string]int{}
	for id, wnid := range synsets {
		if n, err := strconv.Atoi(id); err == nil && n >= 1 && n <= ilsvrcClasses {
			byName[wnid] = n
		}
	}
	numbers := make([]int, len(f.set.Classes))
	for i, class := range f.set.Classes {
		if numbers[i] = byName[class]; numbers[i] == 0 {
			return nil
		}
	}
	f.set.Numbers = numbers
	return nil
}

// ilsvrcClasses is the number of classes; the kit numbers what they are kinds of from the next on.
const ilsvrcClasses = 1000

// validationPictures is their number in ILSVRC-2012.
const validationPictures = 50_000
