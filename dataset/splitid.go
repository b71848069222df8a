package dataset

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"vgg/internal/archive"
)

// SplitID describes which pictures are for training and which for validation, so that a trained net can tell later what
// it was trained on (see TrainedOn):
//
//	share 0.1 by seed 7; training 54 9f86d081884c7d65, validation 6 2c26b46b68ffc68f, all 60 fcde2b2edba56bf4
//
// that is, how the validation pictures were chosen, then number and digest of the pictures of each kind. It is the same
// for the same pictures in another place, folder or archive, whatever their classes.
func (s *Set) SplitID() string {
	train, val := pictures(s.Train), pictures(s.Val)
	all := slices.Concat(train, val)
	return fmt.Sprintf("%s; training %d %s, validation %d %s, all %d %s", s.Chosen(),
		len(train), digest(train), len(val), digest(val), len(all), digest(all))
}

// Chosen says how the validation pictures were chosen, such as "share 0.1 by seed 7" or "folder val".
func (s *Set) Chosen() string { return cmp.Or(s.chosen, "given") }

// Seen says how validation pictures are, as far as can be seen, training pictures of another split.
type Seen int

const (
	Unseen   Seen = iota // they are not known to be
	SeenAll              // the same pictures were divided in another way, or they are the training pictures
	SeenSome             // some are training pictures
)

// TrainedOn tells whether the validation pictures of a set are training pictures of the split that a SplitID and a
// TrainingSample describe, which may be "", and how the validation pictures of that split were chosen.
func (s *Set) TrainedOn(split, sample string) (seen Seen, chosen string, err error) {
	own, err := parseSplitID(s.SplitID())
	if err != nil {
		return Unseen, "", err
	}
	trained, err := parseSplitID(split)
	if err != nil {
		return Unseen, "", errors.Wrapf(err, "dataset: %.200q", split)
	}
	shared, err := s.ValIn(sample)
	if err != nil {
		return Unseen, "", err
	}
	switch {
	case own.val == trained.val:
	case own.all == trained.all, own.all == trained.train, own.val == trained.train:
		seen = SeenAll
	case shared != "":
		seen = SeenSome
	}
	return seen, trained.chosen, nil
}

// SharesVal names a validation picture of a set that another has too, for validation or training; "" if there is none, as
// far as can be seen: pictures of the same name in their folders, or at the same place of sets without files, are
// compared, up to sharedSample of them.
func (s *Set) SharesVal(other *Set) string {
	val := pictures(s.Val)
	for _, split := range []Split{other.Val, other.Train} {
		named := map[string]picture{}
		for _, p := range pictures(split) {
			named[p.name] = p
		}
		both := slices.DeleteFunc(slices.Clone(val), func(p picture) bool { return named[p.name].split == nil })
		n := min(len(both), sharedSample)
		for k := range n {
			p := both[k*len(both)/n]
			if content := p.content(); content != nil && bytes.Equal(content, named[p.name].content()) {
				return s.Val.Name(p.i)
			}
		}
	}
	return ""
}

// sharedSample is the number of pictures whose contents SharesVal compares.
const sharedSample = 64

// splitID is a SplitID in parts: "24 9f86d081884c7d65" for each kind of pictures.
type splitID struct{ chosen, train, val, all string }

func parseSplitID(text string) (id splitID, err error) {
	var ok [3]bool
	at := strings.LastIndex(text, "; training ")
	if at >= 0 {
		id.chosen = text[:at]
		id.train, id.val, ok[0] = strings.Cut(text[at+len("; training "):], ", validation ")
		id.val, id.all, ok[1] = strings.Cut(id.val, ", all ")
		ok[2] = id.chosen != "" && id.train != "" && id.val != "" && id.all != ""
	}
	if ok != [3]bool{true, true, true} {
		return id, errors.New("no description of a split (CHOICE; training N DIGEST, validation N DIGEST, all N DIGEST)")
	}
	return id, nil
}

// picture is one of a split, with its name in the folder of that split.
type picture struct {
	name  string
	split Split
	i     int
}

func pictures(split Split) (all []picture) {
	for i := range split.Len() {
		all = append(all, picture{cmp.Or(PathOf(split, i), fmt.Sprint(i)), split, i})
	}
	return all
}

// PathOf is the path of a picture in the folder of its split, such as "cat/1.jpg", or "" if it is in no file of its
// own.
func PathOf(split Split, i int) string {
	if own, ok := split.(*classSplit); ok {
		return own.files.Path(int(own.entries[i]))[len(own.folder):]
	}
	return ""
}

// contentSample is the number of pictures whose contents count for a digest, besides the names of all.
const contentSample = 16

// digest is that of the names, in their order, and of the contents of a sample: sets of other pictures may have the
// same names.
func digest(all []picture) string {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b picture) int { return cmp.Compare(a.name, b.name) })
	sum := sha256.New()
	for _, p := range all {
		fmt.Fprintf(sum, "%q\n", p.name)
	}
	for k := range min(len(all), contentSample) {
		p := all[k*len(all)/min(len(all), contentSample)]
		writeAll(sum, p.content())
	}
	return fmt.Sprintf("%x", sum.Sum(nil)[:8])
}

// content is a picture's file, or its pixels where pictures have no files; nil if it cannot be read.
func (p picture) content() []byte {
	if own, ok := p.split.(*classSplit); ok {
		data, err := archive.ReadFile(own.files, int(own.entries[p.i]), largestPicture)
		if err != nil {
			return nil
		}
		return data
	}
	decoded, err := p.split.Picture(p.i)
	if err != nil {
		return nil
	}
	return decoded.Pix
}
