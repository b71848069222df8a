package dataset

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/internal/archive"
)

// CIFAR's binary files: records of one label (CIFAR-10), or of a coarse and a fine one (CIFAR-100), and the planes of
// red, green and blue of a picture of 32×32.
const (
	cifarSide  = 32
	cifarPlane = cifarSide * cifarSide
)

// cifar is the files of CIFAR-10 or CIFAR-100. The label that is used is the last before the pixels.
type cifar struct {
	train, val []string
	classes    string // file of their names
	labels     int    // per record
	count      int    // of classes
}

var cifars = []cifar{
	{
		train: []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
		val:   []string{"test_batch.bin"}, classes: "batches.meta.txt", labels: 1, count: 10,
	},
	{train: []string{"train.bin"}, val: []string{"test.bin"}, classes: "fine_label_names.txt", labels: 2, count: 100},
}

// findCIFAR tells which set's files are in a place; nil if there are none.
func findCIFAR(p place) (*cifar, error) {
	has := func(name string) bool {
		_, ok := archive.Find(p.tree, p.folder+name)
		return ok
	}
	for _, c := range cifars {
		if has(c.classes) || has(c.train[0]) && has(c.val[0]) || len(c.train) > 1 && (has(c.train[0]) || has(c.val[0])) {
			return &c, nil
		}
	}
	for _, name := range []string{"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch", "train", "test"} {
		if i, ok := archive.Find(p.tree, p.folder+name); ok {
			if head, err := p.tree.Read(i, 1); err == nil && string(head) == "\x80" { // a pickle
				return nil, errors.Errorf("dataset %s: CIFAR for Python (%s): give the binary version instead (cifar-10-binary.tar.gz or cifar-100-binary.tar.gz)", p.tree.Name(), p.folder+name)
			}
		}
	}
	return nil, nil
}

func (o *opener) openCIFAR(p place, c cifar) (*Set, error) {
	set := &Set{Name: p.tree.Name(), Channels: 3, chosen: "test files"}
	if i, ok := archive.Find(p.tree, p.folder+c.classes); ok {
		names, err := archive.ReadFile(p.tree, i, largestFile)
		if err != nil {
			return nil, errors.Wrapf(err, "dataset %s", archive.Describe(p.tree, i))
		}
		set.Classes = strings.Fields(strings.TrimPrefix(string(names), "\ufeff"))
		if len(set.Classes) != c.count {
			return nil, errors.Errorf("dataset %s: %d names of classes, want %d", archive.Describe(p.tree, i), len(set.Classes), c.count)
		}
	} else {
		for class := range c.count {
			set.Classes = append(set.Classes, strconv.Itoa(class))
		}
		o.note("no %s: the classes are called 0 to %d", c.classes, c.count-1)
	}
	train, err := readCIFAR(p, c, c.train)
	if err != nil {
		return nil, err
	}
	val, err := readCIFAR(p, c, c.val)
	set.Train, set.Val = train, val
	return set, err
}

// cifarSplit holds its files in memory.
type cifarSplit struct {
	files   []string // for messages
	records [][]byte // of each file
	first   []int    // the number of each file's first picture
	cifar
}

func readCIFAR(p place, c cifar, files []string) (*cifarSplit, error) {
	s := &cifarSplit{cifar: c}
	pictures := 0
	for _, name := range files {
		i, ok := archive.Find(p.tree, p.folder+name)
		if !ok {
			return nil, errors.Errorf("dataset %s: no %s%s", p.tree.Name(), p.folder, name)
		}
		data, err := archive.ReadFile(p.tree, i, largestFile)
		switch {
		case err != nil:
		case len(data) == 0 || len(data)%s.record() != 0:
			err = errors.Errorf("%d bytes, want records of %d: it is incomplete, or no file of CIFAR-%d", len(data), s.record(), c.count)
		default:
			for at := c.labels - 1; at < len(data); at += s.record() {
				if int(data[at]) >= c.count {
					err = errors.Errorf("label %d of picture %d: want 0 to %d", data[at], at/s.record(), c.count-1)
					break
				}
			}
		}
		if err != nil {
			return nil, errors.Wrapf(err, "dataset %s", archive.Describe(p.tree, i))
		}
		s.files, s.records, s.first = append(s.files, archive.Describe(p.tree, i)), append(s.records, data), append(s.first, pictures)
		pictures += len(data) / s.record()
	}
	s.first = append(s.first, pictures)
	return s, nil
}

// record is the length of a record in bytes.
func (s *cifarSplit) record() int { return s.labels + 3*cifarPlane }

// at finds picture i: its file and its number and record in it.
func (s *cifarSplit) at(i int) (file, number int, record []byte) {
	file, found := slices.BinarySearch(s.first, i)
	if !found {
		file--
	}
	number = i - s.first[file]
	return file, number, s.records[file][number*s.record():][:s.record()]
}

func (s *cifarSplit) Len() int { return s.first[len(s.records)] }

func (s *cifarSplit) Label(i int) int {
	_, _, record := s.at(i)
	return int(record[s.labels-1])
}

func (s *cifarSplit) Name(i int) string {
	file, number, _ := s.at(i)
	return fmt.Sprintf("%s, picture %d", s.files[file], number)
}

func (s *cifarSplit) Picture(i int) (augment.Picture, error) {
	_, _, record := s.at(i)
	p := augment.Picture{Width: cifarSide, Height: cifarSide, Channels: 3, Pix: make([]uint8, 3*cifarPlane)}
	for c := range 3 {
		for k, v := range record[s.labels+c*cifarPlane:][:cifarPlane] {
			p.Pix[3*k+c] = v
		}
	}
	return p, nil
}
