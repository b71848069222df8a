package transfer

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/pkg/errors"
)

// key is a sample of VOC: a picture, or, with a number from 1, an object in it.
type key struct {
	id     string
	object int
}

func (k key) String() string {
	if k.object == 0 {
		return k.id
	}
	return "object " + strconv.Itoa(k.object) + " of " + k.id
}

// line is one of a list of VOC's.
type line struct {
	key
	label int8
}

// form is what a line of a list has beside the id.
type form struct{ object, label bool }

func (f form) String() string {
	words := "ID"
	if f.object {
		words += " OBJECT"
	}
	if f.label {
		words += " LABEL"
	}
	return words
}

// parseList reads a list: a line a sample. Errors give the line.
func parseList(data []byte, f form) (lines []line, err error) {
	err = eachLine(data, func(words []string) error {
		l, err := f.parse(words)
		lines = append(lines, l)
		return err
	})
	if err != nil {
		return nil, err
	}
	return lines, nil
}

// eachLine reads the words of each line that has some. Errors give the line.
func eachLine(data []byte, read func(words []string) error) error {
	number := 0
	for raw := range bytes.Lines(data) {
		number++
		if words := strings.Fields(string(raw)); len(words) > 0 {
			if err := read(words); err != nil {
				return errors.Wrapf(err, "line %d", number)
			}
		}
	}
	return nil
}

func (f form) parse(words []string) (l line, err error) {
	want := 1
	if f.object {
		want++
	}
	if f.label {
		want++
	}
	if len(words) != want {
		return l, errors.Errorf("%d words: want %s", len(words), f)
	}
	if l.id = words[0]; strings.ContainsAny(l.id, `/\`) {
		return l, errors.Errorf("%.40q is no id of a picture", l.id)
	}
	if f.object {
		if l.object, err = strconv.Atoi(words[1]); err != nil || l.object < 1 {
			return l, errors.Errorf("%.40q is no number of an object, from 1", words[1])
		}
	}
	if !f.label {
		return l, nil
	}
	label, err := strconv.Atoi(words[want-1])
	if err != nil || label < -1 || label > 1 {
		return l, errors.Errorf("unknown label %.40q: want 1 (present), -1 (absent) or 0 (does not count)", words[want-1])
	}
	l.label = int8(label)
	return l, nil
}
