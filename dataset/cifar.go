package dataset

import (
	"fmt"
	"slices"
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

// findCIFAR is the set whose file of class names is in a folder.
func findCIFAR(t archive.Tree, root string) (cifar, bool) {
	for _, c := range cifars {
		if _, ok := archive.Find(t, root+c.classes); ok {
			return c, true
		}
	}
	return cifar{}, false
}

func hasCIFAR(t archive.Tree, root string) bool {
	_, ok := findCIFAR(t, root)
	return ok
}

func openCIFAR(t archive.Tree, root string) (*Set, error) {
	c, _ := findCIFAR(t, root)
	i, _ := archive.Find(t, root+c.classes)
	names, err := archive.ReadFile(t, i, largestFile)
	if err != nil {
		return nil, errors.Wrapf(err, "dataset %s", archive.Describe(t, i))
	}
	set := &Set{Name: t.Name(), Channels: 3, Classes: strings.Fields(string(names)), chosen: "test files"}
	if len(set.Classes) != c.count {
		return nil, errors.Errorf("dataset %s: %d names of classes, want %d", archive.Describe(t, i), len(set.Classes), c.count)
	}
	if set.Train, err = readCIFAR(t, root, c, c.train); err != nil {
		return nil, err
	}
	set.Val, err = readCIFAR(t, root, c, c.val)
	return set, err
}

// cifarSplit holds its files in memory.
type cifarSplit struct {
	files   []string // for messages
	records [][]byte // of each file
	first   []int    // the number of each file's first picture
	cifar
}

func readCIFAR(t archive.Tree, root string, c cifar, files []string) (*cifarSplit, error) {
	s := &cifarSplit{cifar: c}
	pictures := 0
	for _, name := range files {
		i, ok := archive.Find(t, root+name)
		if !ok {
			return nil, errors.Errorf("dataset %s: no %s%s beside %s", t.Name(), root, name, c.classes)
		}
		data, err := archive.ReadFile(t, i, largestFile)
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
			return nil, errors.Wrapf(err, "dataset %s", archive.Describe(t, i))
		}
		s.files, s.records, s.first = append(s.files, archive.Describe(t, i)), append(s.records, data), append(s.first, pictures)
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
