package dataset

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/dataset/fashion"
	"vgg/internal/archive"
)

func openEmbedded() (*Set, error) {
	t, err := archive.OpenFolder(fashion.Name, fashion.Files)
	if err != nil {
		return nil, errors.Wrapf(err, "dataset %s", fashion.Name)
	}
	return openIDX(t, "", fashion.Classes())
}

// The names of the splits' IDX files; the second split has several.
var (
	idxTrain = []string{"train"}
	idxVal   = []string{"t10k", "val", "test"}
)

const (
	idxImages = "-images-idx3-ubyte"
	idxLabels = "-labels-idx1-ubyte"
)

func hasIDX(t archive.Tree, root string) bool {
	_, err := findIDX(t, root, idxTrain, idxImages)
	return err == nil
}

// findIDX gives the place of an IDX file, gzipped or not.
func findIDX(t archive.Tree, root string, splits []string, kind string) (int, error) {
	for _, split := range splits {
		for _, suffix := range []string{"", ".gz"} {
			if i, ok := archive.Find(t, root+split+kind+suffix); ok {
				return i, nil
			}
		}
	}
	return 0, errors.Errorf("dataset %s: no %s%s%s or %[3]s%[4]s.gz", t.Name(), root, splits[0], kind)
}

// openIDX reads the four files of a set. Without class names the classes are numbered as in the training labels.
func openIDX(t archive.Tree, root string, classes []string) (*Set, error) {
	train, err := readIDXSplit(t, root, idxTrain)
	if err != nil {
		return nil, err
	}
	val, err := readIDXSplit(t, root, idxVal)
	if err != nil {
		return nil, err
	}
	if classes == nil {
		classes = train.numbers()
	}
	for _, s := range []*idxSplit{train, val} {
		for i, l := range s.labels {
			if int(l) >= len(classes) {
				return nil, errors.Errorf("dataset %s: label %d of picture %d is beyond the %d classes that have training pictures: want 0 to %d", s.labelFile, l, i, len(classes), len(classes)-1)
			}
		}
	}
	return &Set{Name: t.Name(), Channels: 1, Classes: classes, Train: train, Val: val, chosen: "test files"}, nil
}

// idxSplit holds its pictures in memory, a byte a pixel.
type idxSplit struct {
	imageFile, labelFile string // for messages
	height, width        int
	pixels               []byte
	labels               []byte
}

// numbers gives the numbers of the classes as names: from 0, as long as each has a picture.
func (s *idxSplit) numbers() (classes []string) {
	for class := range 256 {
		if !slices.Contains(s.labels, byte(class)) {
			break
		}
		classes = append(classes, strconv.Itoa(class))
	}
	return classes
}

func (s *idxSplit) Len() int          { return len(s.labels) }
func (s *idxSplit) Label(i int) int   { return int(s.labels[i]) }
func (s *idxSplit) Name(i int) string { return fmt.Sprintf("%s, picture %d", s.imageFile, i) }

func (s *idxSplit) Picture(i int) (augment.Picture, error) {
	size := s.height * s.width
	return augment.Picture{Width: s.width, Height: s.height, Channels: 1, Pix: s.pixels[i*size : (i+1)*size : (i+1)*size]}, nil
}

func readIDXSplit(t archive.Tree, root string, names []string) (*idxSplit, error) {
	images, err := readIDX(t, root, names, idxImages, 3)
	if err != nil {
		return nil, err
	}
	labels, err := readIDX(t, root, names, idxLabels, 1)
	if err != nil {
		return nil, err
	}
	s := &idxSplit{images.file, labels.file, images.dims[1], images.dims[2], images.data, labels.data}
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

func readIDX(t archive.Tree, root string, splits []string, kind string, dims int) (f idxFile, err error) {
	i, err := findIDX(t, root, splits, kind)
	if err != nil {
		return f, err
	}
	data, err := t.Read(i, largestIDX)
	if err == nil {
		f, err = decodeIDX(data, dims)
	}
	f.file = archive.Describe(t, i)
	return f, errors.Wrapf(err, "dataset %s", f.file)
}

// largestIDX is the size in bytes above which a file, or what it unpacks to, is refused: it is held in memory.
const largestIDX = 1 << 31

// decodeIDX reads an IDX array of bytes, gzipped or not: two zeros, the type 8, the number of dimensions, the dimensions
// in 32 bits, most significant byte first, then the elements. A forged header cannot trigger a large allocation.
func decodeIDX(file []byte, dims int) (idxFile, error) {
	var r io.Reader = bytes.NewReader(file)
	if archive.Kind(file) == "gzip" {
		var err error
		if r, err = gzip.NewReader(r); err != nil {
			return idxFile{}, errors.Wrap(err, "a damaged gzip file")
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
		return idxFile{}, err
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
