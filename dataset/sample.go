package dataset

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"slices"

	"github.com/pkg/errors"
)

// digests describe a sample of pictures, those whose names have the lowest digests: many of the pictures that are in two
// sets are then in the samples of both.
type digests []pictureDigest

type pictureDigest struct {
	Name    uint64 // digests
	Content uint32
}

// sampleSize is the number of pictures in a sample. If half of 1,000 validation pictures are among 10,000 for training, 6
// of them are in the sample of these.
const sampleSize = 128

func sampleOf(all []picture) (s digests) {
	type named struct {
		digest uint64
		at     int
	}
	names := make([]named, len(all))
	for i, p := range all {
		names[i] = named{p.nameDigest(), i}
	}
	slices.SortFunc(names, func(a, b named) int { return cmp.Compare(a.digest, b.digest) })
	for _, one := range names[:min(len(names), sampleSize)] {
		if content := all[one.at].content(); content != nil {
			s = append(s, pictureDigest{one.digest, contentDigest(content)})
		}
	}
	return s
}

func (p picture) nameDigest() uint64 {
	sum := sha256.Sum256([]byte(p.name))
	return binary.BigEndian.Uint64(sum[:])
}

func contentDigest(content []byte) uint32 {
	sum := sha256.Sum256(content)
	return binary.BigEndian.Uint32(sum[:])
}

// among is the first of some pictures that is in the sample; nil if there is none.
func (s digests) among(all []picture) *picture {
	if len(s) == 0 {
		return nil
	}
	known := map[uint64]uint32{}
	for _, one := range s {
		known[one.Name] = one.Content
	}
	for _, p := range all {
		if digest, named := known[p.nameDigest()]; named {
			if content := p.content(); content != nil && contentDigest(content) == digest {
				return &p
			}
		}
	}
	return nil
}

// String is the inverse of parseSample.
func (s digests) String() string {
	var all bytes.Buffer
	_ = binary.Write(&all, binary.BigEndian, []pictureDigest(s)) // to memory, of fixed size
	return base64.RawStdEncoding.EncodeToString(all.Bytes())
}

func parseSample(text string) (digests, error) {
	data, err := base64.RawStdEncoding.DecodeString(text)
	s := make(digests, len(data)/binary.Size(pictureDigest{}))
	if err == nil && len(data)%binary.Size(pictureDigest{}) != 0 {
		err = errors.Errorf("%d bytes", len(data))
	}
	if err == nil {
		err = binary.Read(bytes.NewReader(data), binary.BigEndian, []pictureDigest(s))
	}
	return s, errors.Wrapf(err, "dataset: %.40q is no sample of pictures", text)
}

// TrainingSample describes up to 128 training pictures in 16 characters each.
func (s *Set) TrainingSample() string { return sampleOf(pictures(s.Train)).String() }

// ValIn names a validation picture that is in a TrainingSample, of this set or of another, by its name in the folder of its
// split and by its content; "" if there is none.
func (s *Set) ValIn(sample string) (name string, err error) {
	known, err := parseSample(sample)
	if p := known.among(pictures(s.Val)); err == nil && p != nil {
		name = s.Val.Name(p.i)
	}
	return name, err
}
