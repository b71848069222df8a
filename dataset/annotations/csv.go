package annotations

import (
	"bytes"
	"encoding/csv"
	"io"
	"slices"
	"strings"

	"github.com/pkg/errors"
)

// ErrNoTable is, for errors.Is, the error of ParseCSV for a file that is no table of boxes.
var ErrNoTable = errors.New("no table of boxes")

// The names of columns, in small letters.
var (
	pictureColumns = []string{"filename", "file", "image", "picture", "name"}
	classColumns   = []string{"class", "label"}
	cornerColumns  = []string{"xmin", "ymin", "xmax", "ymax"}
)

// ParseCSV reads a table of boxes and gives the pictures by the name that it has for them. With the heading
// ImageId,PredictionString it is Kaggle's: five words an object, its class and the corners. Otherwise a row is an
// object, with the columns filename (or file, image, picture, name), xmin, ymin, xmax, ymax, and maybe class (or
// label), width and height, in any order. Errors give the line.
func ParseCSV(data []byte) (map[string]*Picture, error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	r.ReuseRecord = true
	r.TrimLeadingSpace = true
	heading, err := r.Read()
	if err != nil {
		return nil, ErrNoTable
	}
	t := table{pictures: map[string]*Picture{}}
	if !t.readHeading(heading) {
		return nil, ErrNoTable
	}
	for {
		row, err := r.Read()
		if err == io.EOF {
			return t.pictures, nil
		}
		if err == nil {
			err = t.add(row)
			line, _ := r.FieldPos(0)
			err = errors.Wrapf(err, "line %d", line)
		}
		if err != nil {
			return nil, err
		}
	}
}

// table is a table that is being read.
type table struct {
	pictures                      map[string]*Picture
	kaggle                        bool
	picture, class, width, height int // columns; -1: none
	corners                       [4]int
}

// readHeading is false if the heading is not that of a table of boxes.
func (t *table) readHeading(heading []string) bool {
	names := make([]string, len(heading))
	for i, name := range heading {
		names[i] = strings.ToLower(strings.TrimSpace(name))
	}
	if slices.Equal(names, []string{"imageid", "predictionstring"}) {
		t.kaggle = true
		return true
	}
	column := func(wanted ...string) int {
		return slices.IndexFunc(names, func(name string) bool { return slices.Contains(wanted, name) })
	}
	t.picture, t.class, t.width, t.height = column(pictureColumns...), column(classColumns...), column("width"), column("height")
	for k, name := range cornerColumns {
		t.corners[k] = column(name)
	}
	return t.picture >= 0 && !slices.Contains(t.corners[:], -1) && (t.width < 0) == (t.height < 0)
}

func (t *table) add(row []string) error {
	if t.kaggle {
		return t.addKaggle(row[0], strings.Fields(row[1]))
	}
	at := func(column int) string {
		if column < 0 {
			return ""
		}
		return row[column]
	}
	corners, err := numbers(row[t.corners[0]], row[t.corners[1]], row[t.corners[2]], row[t.corners[3]])
	if err != nil {
		return err
	}
	width, height, err := size(at(t.width), at(t.height))
	if err != nil {
		return err
	}
	p := t.of(row[t.picture])
	if len(p.Objects) > 0 && p.InPixels != (width == 0) {
		return errors.Errorf("a size of picture %.40q here and not in all of its rows", row[t.picture])
	}
	return p.add(strings.TrimSpace(at(t.class)), corners, width, height)
}

func (t *table) addKaggle(name string, words []string) error {
	p := t.of(name)
	if len(words)%5 != 0 {
		return errors.Errorf("%d words for picture %.40q: want five an object, its class and xmin, ymin, xmax, ymax", len(words), name)
	}
	for five := range slices.Chunk(words, 5) {
		corners, err := numbers(five[1:]...)
		if err == nil {
			err = p.add(strings.Clone(five[0]), corners, 0, 0)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *table) of(name string) *Picture {
	name = strings.TrimSpace(name)
	p := t.pictures[name]
	if p == nil {
		p = &Picture{}
		t.pictures[strings.Clone(name)] = p
	}
	return p
}
