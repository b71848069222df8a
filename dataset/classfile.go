package dataset

import (
	"encoding/csv"
	"io"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pkg/errors"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"vgg/internal/archive"
	"vgg/internal/text"
)

// flat is the innermost folder of a place whose pictures are in no folders, if all pictures of the place are there.
func (p place) flat() (inner place, ok bool) {
	for {
		folders := p.foldersWithPictures()
		switch {
		case len(p.direct()) > 0:
			return p, len(folders) == 0
		case len(folders) != 1:
			return p, false
		}
		p = place{tree: p.tree, folder: p.folder + folders[0], role: p.role}
	}
}

// texts calls a function with each file in a place, in the folders that it is in, and beside the archive that it is,
// which may be a text: with its path, the path below its folder, and what is in it.
func (o *opener) texts(p place, visit func(file, name string, data []byte)) {
	places := p.parents()
	if p.tree != o.trees[0] {
		places = append(places, place{tree: o.trees[0]})
	}
	for _, beside := range places {
		for _, i := range beside.files() {
			if isPicture(beside.tree, i) || slices.Contains(words(path.Base(beside.tree.Path(i))), "submission") {
				continue // the classes in Kaggle's sample_submission.csv are not true
			}
			if data, err := beside.tree.Read(i, largestLabels); err == nil && len(data) < largestLabels && archive.Kind(data) == "" {
				file := beside.tree.Path(i)
				visit(file, file[len(beside.folder):], data)
			}
		}
	}
}

// listByFile lists the pictures of a place without class folders, by class, as the text file says that has their names
// and classes; nil if there is no such place or file.
func (o *opener) listByFile(p place) (*classSplit, []string, error) {
	p, ok := p.flat()
	if !ok {
		return nil, nil, nil
	}
	entries := p.direct()
	var names []string
	for _, i := range entries {
		names = append(names, p.tree.Path(i)[len(p.folder):])
	}
	pictures := newPictureNames(names)
	var words []string // the class of each picture, "" for none
	var files []string
	column := ""
	var failed error
	o.texts(p, func(file, _ string, data []byte) {
		found, begun, err := parseClasses(data, pictures)
		switch {
		case !begun:
		case err != nil && failed == nil:
			failed = errors.Wrapf(err, "dataset %s: %s gives pictures their classes: correct or remove it", o.trees[0].Name(), file)
		case err == nil:
			if words == nil {
				words, column = found, splitColumn(data)
			}
			files = append(files, file)
		}
	})
	switch {
	case failed != nil:
		return nil, nil, failed
	case len(files) == 0:
		return nil, nil, nil
	case len(files) > 1:
		return nil, nil, errors.Errorf("dataset %s: several files give pictures their classes: %s: keep one", o.trees[0].Name(), text.FirstFew(files, fewNames))
	}
	s, classes := &classSplit{files: p.tree, folder: p.folder}, []string{}
	var without []string
	for i, word := range words {
		if word == "" {
			without = append(without, names[i])
		} else {
			classes = append(classes, word)
		}
	}
	slices.Sort(classes)
	classes = slices.Compact(classes)
	o.note("the classes of the pictures are those of %s", files[0])
	if column != "" {
		o.note("its column %s is not used: pictures for validation are those in a folder val, or a share of all", column)
	}
	if len(without) > 0 {
		o.note("%d of the %d pictures have no class there and are not used: %s", len(without), len(names), text.FirstFew(without, fewNames))
	}
	o.sortClasses(classes)
	for label, class := range classes {
		for i, word := range words {
			if word == class {
				s.add(entries[i], label)
			}
		}
	}
	return s, classes, nil
}

// parseClasses reads a table of pictures and their classes: the names of pictures are in the first column that has
// some, and the classes are in the other column of two, or in the one that a heading calls class or label. Columns are
// separated by tabs, semicolons, commas or spaces. begun tells whether a line has a picture and its class: other texts
// are no such tables. Pictures that the table does not name have the class "".
func parseClasses(content []byte, pictures pictureNames) (classes []string, begun bool, err error) {
	if content, _, err = transform.Bytes(unicode.BOMOverride(transform.Nop), content); err != nil {
		return nil, false, nil
	}
	defer func() {
		if begun && !utf8.Valid(content) {
			classes, err = nil, errors.New("not in UTF-8: save it so")
		}
	}()
	whole := string(content)
	if !strings.Contains(whole, "\n") {
		whole = strings.ReplaceAll(whole, "\r", "\n")
	}
	for _, separator := range "\t;," {
		r := csv.NewReader(strings.NewReader(whole))
		r.Comma, r.LazyQuotes, r.FieldsPerRecord, r.ReuseRecord = separator, true, -1, true
		read := func() (row []string, line int, err error) {
			if row, err = r.Read(); err == nil {
				line, _ = r.FieldPos(0)
			}
			return row, line, err
		}
		if classes, begun, err = readTable(read, pictures); begun {
			return classes, true, err
		}
	}
	line := 0
	return readTable(func() ([]string, int, error) {
		for whole != "" {
			var content string
			content, whole, _ = strings.Cut(whole, "\n")
			line++
			if content = strings.TrimSpace(content); content != "" {
				return atSpace(content, pictures), line, nil
			}
		}
		return nil, line, io.EOF
	}, pictures)
}

// atSpace splits a line at the space behind the name of a picture, else at the first one.
func atSpace(line string, pictures pictureNames) []string {
	at := -1
	for range mostCuts {
		step := strings.IndexByte(line[at+1:], ' ')
		if step < 0 {
			break
		}
		at += 1 + step
		if _, known := pictures.find(line[:at]); known {
			return []string{line[:at], line[at+1:]}
		}
	}
	return strings.SplitN(line, " ", 2)
}

// readTable is parseClasses for rows; read gives them with their lines, and io.EOF behind the last.
func readTable(read func() ([]string, int, error), pictures pictureNames) (classes []string, begun bool, err error) {
	classes = make([]string, len(pictures.paths))
	var heading []string
	name, class := -1, -1
	for number := 0; ; number++ {
		row, line, err := read()
		switch {
		case err == io.EOF:
			return classes, begun, nil
		case err != nil:
			return nil, begun, err
		}
		if name < 0 {
			if name = pictures.column(row); name < 0 && number == 0 {
				heading = slices.Clone(row)
				continue
			}
			if name < 0 || len(row) < 2 {
				return nil, false, nil
			}
			begun = true
			if class, err = classColumn(heading, len(row), name); err != nil {
				return nil, true, err
			}
		}
		if len(row) <= max(name, class) {
			return nil, true, errors.Errorf("line %d: %d columns, want a picture's name and its class", line, len(row))
		}
		i, known := pictures.find(row[name])
		word := norm.NFC.String(strings.TrimSpace(row[class]))
		switch {
		case !known:
			return nil, true, errors.Errorf("line %d: no picture %.40q", line, row[name])
		case i == ambiguous:
			return nil, true, errors.Errorf("line %d: several pictures are called %.40q", line, row[name])
		case word == "":
			return nil, true, errors.Errorf("line %d: no class for picture %.40q", line, row[name])
		case classes[i] != "" && classes[i] != word:
			return nil, true, errors.Errorf("line %d: a second class for picture %.40q", line, row[name])
		}
		classes[i] = word
	}
}

// column is the first column of a row that has the whole name of a picture, else the name without its extension; -1 if
// there is none.
func (n pictureNames) column(row []string) int {
	for _, names := range []pictureNames{{whole: n.whole}, {stems: n.stems}} {
		if i := slices.IndexFunc(row, func(field string) bool { _, known := names.find(field); return known }); i >= 0 {
			return i
		}
	}
	return -1
}

// classHeadings are what the column of the classes may be called.
var classHeadings = []string{"class", "label", "category", "classname", "labelname", "target"}

// splitHeadings are what a column may be called that says which pictures are for validation.
var splitHeadings = []string{"split", "set", "subset", "partition", "fold", "usage"}

// splitColumn is such a heading in the first line of a table; "" if there is none.
func splitColumn(table []byte) string {
	heading, _, _ := strings.Cut(string(table), "\n")
	for _, field := range strings.FieldsFunc(heading, func(r rune) bool { return strings.ContainsRune("\t;,", r) }) {
		if slices.Contains(splitHeadings, strings.Join(words(field), "")) {
			return strings.TrimSpace(field)
		}
	}
	return ""
}

// classColumn finds the column of the classes among some, where the names of the pictures are in another one.
func classColumn(heading []string, columns, name int) (int, error) {
	if columns == 2 {
		return 1 - name, nil
	}
	var found []int
	for i, field := range heading {
		if slices.Contains(classHeadings, strings.Join(words(field), "")) {
			found = append(found, i)
		}
	}
	if len(found) != 1 || found[0] == name {
		return 0, errors.Errorf("%d columns: want two, a picture's name and its class, or one with the heading class or label", columns)
	}
	return found[0], nil
}
