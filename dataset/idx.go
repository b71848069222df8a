package dataset

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strconv"

	"github.com/pkg/errors"

	"vgg/augment"
)

//go:generate sh -c "cd fashion && go run gen.go /usr/share/datasets/fashion-mnist"

//go:embed fashion/*.gz
var fashion embed.FS

func openEmbedded() (*Set, error) {
	folder, err := fs.Sub(fashion, "fashion")
	if err != nil {
		return nil, errors.Wrap(err, "dataset: embedded pictures")
	}
	return openIDX("Fashion-MNIST (10,000 + 2,000)", folder, []string{"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"})
}

// The names under which IDX files are found, the second split's in several dialects.
var (
	idxTrain = []string{"train"}
	idxVal   = []string{"t10k", "val", "test"}
)

const (
	idxImages = "-images-idx3-ubyte"
	idxLabels = "-labels-idx1-ubyte"
)

func isIDX(folder fs.FS) bool {
	_, err := find(folder, idxTrain, idxImages)
	return err == nil
}

// find gives the path of an IDX file, gzipped or not.
func find(folder fs.FS, splits []string, kind string) (string, error) {
	for _, split := range splits {
		for _, suffix := range []string{"", ".gz"} {
			if _, err := fs.Stat(folder, split+kind+suffix); err == nil {
				return split + kind + suffix, nil
			}
		}
	}
	return "", errors.Errorf("no %s%s or %[1]s%[2]s.gz", splits[0], kind)
}

// openIDX reads the four files of a folder. Without class names the classes are numbered.
func openIDX(name string, folder fs.FS, classes []string) (*Set, error) {
	train, err := readSplit(name, folder, idxTrain)
	if err != nil {
		return nil, err
	}
	val, err := readSplit(name, folder, idxVal)
	if err != nil {
		return nil, err
	}
	if classes == nil {
		for i := range 1 + int(max(maximum(train.labels), maximum(val.labels))) {
			classes = append(classes, strconv.Itoa(i))
		}
	}
	for _, s := range []*idxSplit{train, val} {
		for i, l := range s.labels {
			if int(l) >= len(classes) {
				return nil, errors.Errorf("%s: label %d of picture %d is not among the %d classes", s.name, l, i, len(classes))
			}
		}
	}
	return &Set{Name: name, Channels: 1, Classes: classes, Train: train, Val: val}, nil
}

func maximum(labels []byte) (top byte) {
	for _, l := range labels {
		top = max(top, l)
	}
	return top
}

// idxSplit holds its pictures in memory, a byte a pixel.
type idxSplit struct {
	name          string
	height, width int
	pixels        []byte
	labels        []byte
}

func (s *idxSplit) Len() int          { return len(s.labels) }
func (s *idxSplit) Label(i int) int   { return int(s.labels[i]) }
func (s *idxSplit) Name(i int) string { return fmt.Sprintf("%s, picture %d", s.name, i) }

func (s *idxSplit) Picture(i int) (augment.Picture, error) {
	size := s.height * s.width
	return augment.Picture{Width: s.width, Height: s.height, Channels: 1, Pix: s.pixels[i*size : (i+1)*size : (i+1)*size]}, nil
}

func readSplit(name string, folder fs.FS, names []string) (*idxSplit, error) {
	images, err := readIDX(name, folder, names, idxImages, 3)
	if err != nil {
		return nil, err
	}
	labels, err := readIDX(name, folder, names, idxLabels, 1)
	if err != nil {
		return nil, err
	}
	s := &idxSplit{name: images.file, height: images.dims[1], width: images.dims[2], pixels: images.data, labels: labels.data}
	if images.dims[0] != labels.dims[0] {
		return nil, errors.Errorf("%s holds %d pictures, %s %d labels: they do not belong together", images.file, images.dims[0], labels.file, labels.dims[0])
	}
	if len(s.labels) == 0 || s.height == 0 || s.width == 0 {
		return nil, errors.Errorf("%s holds no pictures", images.file)
	}
	return s, nil
}

// idxFile is an array of bytes with its dimensions.
type idxFile struct {
	file string
	dims []int
	data []byte
}

func readIDX(name string, folder fs.FS, splits []string, kind string, dims int) (f idxFile, err error) {
	file, err := find(folder, splits, kind)
	if err != nil {
		return f, errors.Wrapf(err, "dataset %s", name)
	}
	f, err = decodeFile(folder, file, dims)
	f.file = path.Join(name, file)
	return f, errors.Wrap(err, f.file)
}

func decodeFile(folder fs.FS, file string, dims int) (idxFile, error) {
	opened, err := folder.Open(file)
	if err != nil {
		return idxFile{}, err
	}
	defer opened.Close()
	var r io.Reader = bufio.NewReader(opened)
	if path.Ext(file) == ".gz" {
		if r, err = gzip.NewReader(r); err != nil {
			return idxFile{}, errors.Wrap(err, "not a gzip file")
		}
	}
	return decodeIDX(r, dims)
}

// decodeIDX reads an IDX array of bytes: two zeros, the type 8, the number of dimensions, the dimensions in 32 bits,
// most significant byte first, then the elements. It allocates no more than the reader has to give.
func decodeIDX(r io.Reader, dims int) (idxFile, error) {
	header := make([]byte, 4+4*dims)
	if _, err := io.ReadFull(r, header); err != nil {
		return idxFile{}, errors.New("too short for an IDX file")
	}
	if want := []byte{0, 0, 8, byte(dims)}; !bytes.Equal(header[:4], want) {
		return idxFile{}, errors.Errorf("starts with % x, an IDX file of this kind with % x", header[:4], want)
	}
	f := idxFile{}
	size := int64(1)
	for i := range dims {
		d := int64(binary.BigEndian.Uint32(header[4+4*i:]))
		f.dims = append(f.dims, int(d))
		if size *= d; size > 1<<40 {
			return idxFile{}, errors.Errorf("claims to be %v large", f.dims)
		}
	}
	var data bytes.Buffer
	n, err := io.Copy(&data, io.LimitReader(r, size+1))
	if err != nil {
		return idxFile{}, err
	}
	if n != size {
		return idxFile{}, errors.Errorf("the header promises %d bytes (%v), the file has %s", size, f.dims, map[bool]string{true: "more", false: strconv.FormatInt(n, 10)}[n > size])
	}
	f.data = data.Bytes()
	return f, nil
}
