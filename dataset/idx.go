package dataset

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/internal/archive"
)

// idxName is the name of an IDX file as MNIST, EMNIST and others have them: the set, if it is named, the split, what is
// in it, gzipped or not.
var idxName = regexp.MustCompile(`(?i)^(?:(.+)[-_.])?(train|training|t10k|test|testing|val|valid|validation)[-_.]?(images|labels)[-_.]idx[13](?:[-_.]ubyte)?(\.gz)?$`)

// idxFiles are the places of a set's IDX files in a tree; -1 for one that is not there.
type idxFiles struct {
	place
	of   map[role]*[2]int // pictures and labels
	both string           // a file that is there gzipped too
}

// findIDX finds the IDX files of one set in a place; nil if there are none. Of a file that is there gzipped too, the
// plain one is taken.
func findIDX(p place) (*idxFiles, error) {
	f := &idxFiles{place: p, of: map[role]*[2]int{}}
	sets := map[string]bool{}
	for _, i := range p.files() {
		name := path.Base(p.tree.Path(i))
		parts := idxName.FindStringSubmatch(name)
		if parts == nil {
			continue
		}
		sets[strings.ToLower(parts[1])] = true
		if len(sets) > 1 {
			return nil, errors.Errorf("dataset %s: IDX files of several sets in %q: %q: keep one set", p.tree.Name(), p.folder, slices.Sorted(maps.Keys(sets)))
		}
		r := roleOfWord(strings.ToLower(parts[2]))
		if r == noRole {
			r = forTest // t10k
		}
		if f.of[r] == nil {
			f.of[r] = &[2]int{-1, -1}
		}
		kept := &f.of[r][strings.Index("il", strings.ToLower(parts[3][:1]))]
		isGzip := parts[4] != ""
		switch {
		case *kept < 0:
			*kept = i
		case idxIsGzip(p.tree.Path(*kept)) == isGzip:
			return nil, errors.Errorf("dataset %s: both %s and %s: keep one", p.tree.Name(), p.tree.Path(*kept), p.tree.Path(i))
		case isGzip:
			f.both = name
		default:
			f.both, *kept = path.Base(p.tree.Path(*kept)), i
		}
	}
	if len(f.of) == 0 {
		return nil, nil
	}
	return f, nil
}

func idxIsGzip(file string) bool { return strings.EqualFold(path.Ext(file), ".gz") }

// openIDX reads the files of a set. Without class names the classes are numbered as in the labels, from 0, or from 1 if
// there is no 0.
func (o *opener) openIDX(f *idxFiles, classes []string) (*Set, error) {
	val := forValidation
	if f.of[val] == nil {
		val = forTest
	} else if f.of[forTest] != nil {
		o.note("validation pictures are those of the val files, not of the test files")
	}
	set := &Set{Name: f.tree.Name(), Channels: 1, chosen: "test files"}
	held, err := f.read(val)
	if err != nil {
		return nil, err
	}
	splits := []*idxSplit{held}
	set.Train, set.Val = &classSplit{}, held
	if f.of[forTraining] != nil {
		train, err := f.read(forTraining)
		if err != nil {
			return nil, err
		}
		splits = []*idxSplit{train, held}
		set.Train = train
	} else {
		o.note("no training pictures")
	}
	if f.both != "" {
		o.note("files that are there twice, plain and gzipped, are taken plain, not from %s", f.both)
	}
	first := 0
	if set.Classes = classes; classes == nil {
		if set.Classes, first = splits[0].numbers(); first == 1 {
			o.note("the labels are counted from 1: the classes are called 1 to %d", len(set.Classes))
		}
		if set.Classes == nil {
			return nil, errors.Errorf("dataset %s: the first label is %d, and none is 0: want numbers from 0 on, or of two classes or more from 1 on, without gaps", splits[0].labelFile, splits[0].labels[0])
		}
	}
	for _, s := range splits {
		for i, l := range s.labels {
			if int(l) < first || int(l)-first >= len(set.Classes) {
				return nil, errors.Errorf("dataset %s: label %d of picture %d is beyond the %d classes that have training pictures: want %d to %d", s.labelFile, l, i, len(set.Classes), first, first+len(set.Classes)-1)
			}
			s.labels[i] -= byte(first)
		}
	}
	return set, nil
}

// idxSplit holds its pictures in memory, a byte a pixel.
type idxSplit struct {
	imageFile, labelFile string // for messages
	height, width        int
	pixels               []byte
	labels               []byte
	places               []int // of the pictures in the file; nil for all of them
}

// numbers gives the numbers of the classes as names, and the first: from 0, as long as each has a picture, or from 1 if
// no label is 0 and each number up to the largest has one.
func (s *idxSplit) numbers() (classes []string, first int) {
	var has [256]bool
	for _, l := range s.labels {
		has[l] = true
	}
	largest := int(slices.Max(s.labels))
	if !has[0] && largest > 1 && !slices.Contains(has[1:largest+1], false) {
		first = 1
	}
	for class := first; class < len(has) && has[class]; class++ {
		classes = append(classes, strconv.Itoa(class))
	}
	return classes, first
}

func (s *idxSplit) Len() int        { return len(s.labels) }
func (s *idxSplit) Label(i int) int { return int(s.labels[i]) }

func (s *idxSplit) Name(i int) string {
	if s.places != nil {
		i = s.places[i]
	}
	return fmt.Sprintf("%s, picture %d", s.imageFile, i)
}

func (s *idxSplit) Picture(i int) (augment.Picture, error) {
	size := s.height * s.width
	return augment.Picture{Width: s.width, Height: s.height, Channels: 1, Pix: s.pixels[i*size : (i+1)*size : (i+1)*size]}, nil
}

// read reads the two files of a split.
func (f *idxFiles) read(r role) (*idxSplit, error) {
	images, err := f.readFile(r, 0, 3)
	if err != nil {
		return nil, err
	}
	labels, err := f.readFile(r, 1, 1)
	if err != nil {
		return nil, err
	}
	s := &idxSplit{images.file, labels.file, images.dims[1], images.dims[2], images.data, labels.data, nil}
	if images.dims[0] != labels.dims[0] {
		return nil, errors.Errorf("dataset %s holds %d pictures, %s %d labels: they do not belong together", images.file, images.dims[0], labels.file, labels.dims[0])
	}
	if len(s.pixels) == 0 {
		return nil, errors.Errorf("dataset %s holds no pictures", images.file)
	}
	return s, nil
}

// idxFile is an array of bytes with its dimensions.
type idxFile struct {
	file string // for messages
	dims []int
	data []byte
}

func (f *idxFiles) readFile(r role, kind, dims int) (file idxFile, err error) {
	if f.of[r] == nil || f.of[r][kind] < 0 {
		split := map[role]string{forTraining: "train", forValidation: "val", forTest: "t10k"}[r]
		name := split + []string{"-images-idx3-ubyte", "-labels-idx1-ubyte"}[kind]
		return file, errors.Errorf("dataset %s: no %s%s or %[2]s%[3]s.gz", f.tree.Name(), f.folder, name)
	}
	i := f.of[r][kind]
	data, err := f.tree.Read(i, largestIDX)
	if err == nil {
		file, err = decodeIDX(data, dims)
	}
	file.file = archive.Describe(f.tree, i)
	return file, errors.Wrapf(err, "dataset %s", file.file)
}

// largestIDX is the size in bytes above which a file, or what it unpacks to, is refused: it is held in memory.
const largestIDX = 1 << 31

const damagedGzip = "the gzip file is damaged or incomplete: download it again"

// decodeIDX reads an IDX array of bytes, gzipped or not: two zeros, the type 8, the number of dimensions, the
// dimensions in 32 bits, most significant byte first, then the elements. A forged header cannot trigger a large
// allocation.
func decodeIDX(file []byte, dims int) (idxFile, error) {
	var r io.Reader = bytes.NewReader(file)
	if archive.Kind(file) == "gzip" {
		var err error
		if r, err = gzip.NewReader(r); err != nil {
			return idxFile{}, errors.Wrap(err, damagedGzip)
		}
	}
	header := make([]byte, 4+4*dims)
	if _, err := io.ReadFull(r, header); err != nil {
		return idxFile{}, errors.New("too short for an IDX file: it is incomplete")
	}
	if want := []byte{0, 0, 8, byte(dims)}; !bytes.Equal(header[:4], want) {
		return idxFile{}, errors.Errorf("starts with % x, an IDX file of this kind with % x", header[:4], want)
	}
	f := idxFile{}
	size := int64(1)
	for i := range dims {
		d := int64(binary.BigEndian.Uint32(header[4+4*i:]))
		f.dims = append(f.dims, int(d))
		if d > 0 && size > largestIDX/d {
			return idxFile{}, errors.Errorf("claims to have the dimensions %v, which is too large: the header is damaged", f.dims)
		}
		size *= d
	}
	var data bytes.Buffer
	n, err := io.Copy(&data, io.LimitReader(r, size+1))
	if err != nil {
		return idxFile{}, errors.Wrap(err, damagedGzip)
	}
	switch {
	case n < size:
		return idxFile{}, errors.Errorf("the header promises %d bytes %v, the file has %d: it is incomplete", size, f.dims, n)
	case n > size:
		return idxFile{}, errors.Errorf("the header promises %d bytes %v, the file has more: one of them is damaged", size, f.dims)
	}
	f.data = data.Bytes()
	return f, nil
}
