package dataset

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/pkg/errors"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"vgg/dataset/imagenet"
	"vgg/internal/text"
)

// labels are the classes of a split's pictures, as a text file gives them.
type labels struct {
	of    []int32
	named bool   // the file names the pictures
	note  string // how its labels were read, where that is not plain
}

// pictureNames finds pictures by path, or by base name, each with or without its extension.
type pictureNames struct {
	paths []string
	whole map[string]int // by path or base name; ambiguous for a name of several
	stems map[string]int
}

const (
	ambiguous  = -2
	unlabelled = -1
)

func newPictureNames(paths []string) pictureNames {
	n := pictureNames{paths, map[string]int{}, map[string]int{}}
	add := func(to map[string]int, name string, i int) {
		if other, twice := to[name]; twice && other != i {
			i = ambiguous
		}
		to[name] = i
	}
	for i, file := range paths {
		file = norm.NFC.String(file)
		for _, name := range []string{file, path.Base(file)} {
			add(n.whole, name, i)
			add(n.stems, strings.TrimSuffix(name, path.Ext(name)), i)
		}
	}
	return n
}

// find takes a name as a label file has it: folders that are not in the path of the picture are left out.
func (n pictureNames) find(name string) (i int, known bool) {
	name = norm.NFC.String(strings.Trim(strings.ReplaceAll(name, `\`, "/"), " "))
	for _, names := range []map[string]int{n.whole, n.stems} {
		for rest, more := name, true; more; _, rest, more = strings.Cut(rest, "/") {
			if i, known = names[rest]; known {
				return i, true
			}
		}
	}
	return 0, false
}

// classNames finds classes by name. If all names are numbers, zeros before them do not matter.
type classNames struct {
	list    []string
	count   int
	numbers bool
	of      map[string]int32
}

func newClassNames(classes []string) classNames {
	n := classNames{classes, len(classes), !slices.ContainsFunc(classes, func(name string) bool { return !isNumber(name) }), map[string]int32{}}
	if n.numbers {
		for i, class := range classes {
			if _, twice := n.of[value(class)]; twice {
				n.numbers = false
				clear(n.of)
				break
			}
			n.of[value(class)] = int32(i)
		}
	}
	for i, class := range classes {
		n.of[norm.NFC.String(class)] = int32(i)
	}
	return n
}

func (n classNames) find(name string) (class int32, known bool) {
	if class, known = n.of[norm.NFC.String(name)]; !known && n.numbers && isNumber(name) {
		class, known = n.of[value(name)]
	}
	return class, known
}

// isLabel tells what may be a label: a class, or any number.
func (n classNames) isLabel(name string) bool {
	_, known := n.find(name)
	return known || isNumber(name)
}

func (n classNames) unknown(label string) error {
	return errors.Errorf("no class %.40q among the %d of train%s", label, n.count, hint(label, n.count))
}

// parseLabels reads the labels of pictures. A line of the text is a class, in the order of the pictures, or a picture's
// name and its class, separated by a tab, a semicolon, a comma or spaces; anything after that is ignored, and so is a
// heading. Names may be quoted as in CSV. Classes are names, if all of them are names, else numbers from 0.
func parseLabels(content []byte, pictures pictureNames, classes []string) (l labels, err error) {
	if content, _, err = transform.Bytes(unicode.BOMOverride(transform.Nop), content); err != nil {
		return l, err
	}
	if !bytes.Contains(content, []byte("\n")) {
		content = bytes.ReplaceAll(content, []byte("\r"), []byte("\n"))
	}
	names := newClassNames(classes)
	words := make([]string, len(pictures.paths)) // the label of each picture
	lines := make([]int, len(pictures.paths))    // where it is, from 1; 0: nowhere
	line, next := 0, 0
	var heading error // why the first line is none of labels
	for raw := range bytes.Lines(content) {
		line++
		labelled := strings.TrimSpace(string(raw))
		if labelled == "" {
			continue
		}
		word, picture, err := splitLine(labelled, pictures, names)
		switch {
		case err != nil && next == 0 && heading == nil:
			heading = errors.Wrapf(err, "line %d", line)
			continue
		case err != nil:
			return l, errors.Wrapf(err, "line %d", line)
		}
		named := picture != unlabelled
		switch {
		case next > 0 && named != l.named:
			return l, errors.Errorf("line %d: some lines begin with the name of a picture, and some do not", line)
		case !named && next == 0 && !slices.IsSortedFunc(pictures.paths, byNumbers):
			return l, errors.Errorf("line %d: a class without the name of its picture, and the order of the pictures is not sure, as %s: write the name of the picture and its class in each line",
				line, unsure(pictures.paths))
		case !named:
			picture = next
		}
		l.named = named
		next++
		switch {
		case picture >= len(pictures.paths):
			return l, errors.Errorf("line %d: only %d pictures", line, len(pictures.paths))
		case lines[picture] > 0:
			return l, errors.Errorf("line %d: a second class for picture %s", line, pictures.paths[picture])
		}
		words[picture], lines[picture] = word, line
	}
	if i := slices.Index(lines, 0); i >= 0 {
		if heading != nil {
			return l, heading
		}
		return l, errors.Errorf("no class for picture %s", pictures.paths[i])
	}
	l.of, l.note, err = resolve(words, lines, names)
	return l, err
}

// byNumbers compares names as people may order them: by the numbers in them.
func byNumbers(a, b string) int {
	for a != "" && b != "" {
		x, y := leadingPart(a), leadingPart(b)
		order := cmp.Compare(x, y)
		if isNumber(x) && isNumber(y) {
			order = byNumber(x, y)
		}
		if order != 0 {
			return order
		}
		a, b = a[len(x):], b[len(y):]
	}
	return cmp.Compare(a, b)
}

// leadingPart is the digits that a name begins with, or else its first byte.
func leadingPart(name string) string {
	if digits := name[:len(name)-len(strings.TrimLeft(name, "0123456789"))]; digits != "" {
		return digits
	}
	return name[:1]
}

// unsure gives two names that byNumbers would exchange.
func unsure(names []string) string {
	for i := range names[1:] {
		if byNumbers(names[i], names[i+1]) > 0 {
			return fmt.Sprintf("%s comes before %s by characters, and after it by numbers", names[i], names[i+1])
		}
	}
	return ""
}

// mostCuts is the number of separators in a line that are looked at: names of pictures and classes may have some in
// them.
const mostCuts = 32

// splitLine gives the label in a line and the picture that it names, or unlabelled if it names none.
func splitLine(line string, pictures pictureNames, classes classNames) (label string, picture int, err error) {
	if strings.Contains(line, `"`) {
		return splitQuoted(line, pictures, classes)
	}
	if classes.isLabel(line) {
		return line, unlabelled, nil
	}
	var noPicture, noClass error
	for _, separator := range "\t;, " {
		at := -1
		for range mostCuts {
			step := strings.IndexRune(line[at+1:], separator)
			if step < 0 {
				break
			}
			at += 1 + step
			i, known := pictures.find(line[:at])
			rest := strings.TrimSpace(line[at+1:])
			word, isLabel := classes.first(rest)
			switch {
			case known && isLabel && i == ambiguous:
				return "", 0, errors.Errorf("several pictures are called %.40q", line[:at])
			case known && isLabel:
				return word, i, nil
			case known:
				noClass = classes.unknown(rest)
			case noPicture == nil:
				noPicture = errors.Errorf("no picture %.40q", line[:at])
			}
		}
	}
	return "", 0, cmp.Or(noClass, noPicture, classes.unknown(line))
}

// splitQuoted is splitLine for a line with quotes.
func splitQuoted(line string, pictures pictureNames, classes classNames) (label string, picture int, err error) {
	for _, separator := range "\t;, " {
		r := csv.NewReader(strings.NewReader(line))
		r.Comma, r.TrimLeadingSpace = separator, separator != ' '
		fields, readErr := r.Read()
		if readErr != nil {
			continue
		}
		if len(fields) == 1 && classes.isLabel(strings.TrimSpace(fields[0])) {
			return strings.TrimSpace(fields[0]), unlabelled, nil
		}
		if len(fields) < 2 {
			continue
		}
		i, known := pictures.find(fields[0])
		word, isLabel := classes.first(strings.TrimSpace(fields[1]))
		switch {
		case known && i == ambiguous:
			return "", 0, errors.Errorf("several pictures are called %.40q", fields[0])
		case known && isLabel:
			return word, i, nil
		case known:
			return "", 0, classes.unknown(fields[1])
		}
	}
	return "", 0, errors.Errorf("no picture or class in %.40q", line)
}

// separators are between the words of a line of labels.
const separators = " \t,;"

// first gives the label that a text begins with, the longest. A number before the name of a class is none.
func (n classNames) first(text string) (label string, found bool) {
	if n.isLabel(text) {
		return text, true
	}
	isClass := false
	for i, cuts := 0, 0; i < len(text) && cuts < mostCuts; i++ {
		if strings.IndexByte(separators, text[i]) >= 0 {
			cuts++
			if n.isLabel(text[:i]) {
				label, found = text[:i], true
				_, isClass = n.find(label)
			}
		}
	}
	if !found || isClass {
		return label, found
	}
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(separators, r) }) {
		if _, another := n.find(word); another {
			return "", false // a number and a class: which of them is the label is not known
		}
	}
	return label, found
}

// resolve gives the class of each label: all are names of classes, or none is and all are numbers from 0. Lines are for
// messages.
func resolve(words []string, lines []int, classes classNames) (of []int32, note string, err error) {
	other := -1 // the first that is no name
	names := 0
	for i, word := range words {
		class, known := classes.find(word)
		if known {
			names++
		} else if other < 0 || lines[i] < lines[other] {
			other = i
		}
		of = append(of, class)
	}
	switch {
	case other < 0:
		return of, "", nil
	case names > 0:
		return nil, "", errors.Errorf("line %d: no class %.40q among the %d of train, although other labels are names of classes: give the class's name in each line%s",
			lines[other], words[other], classes.count, hint(words[other], classes.count))
	}
	for i, word := range words {
		number, err := strconv.Atoi(word)
		if err != nil || number >= classes.count {
			return nil, "", errors.Wrapf(classes.unknown(word), "line %d", lines[i])
		}
		of[i] = int32(number)
	}
	var counted []string
	for class, name := range classes.list {
		counted = append(counted, fmt.Sprintf("%d is %s", class, name))
	}
	return of, ", which has numbers of classes from 0 on: " + text.FirstFew(counted, fewNames), nil
}

// hint explains the numbers of ILSVRC-2012's development kit, which begin with 1 and have an order of their own.
func hint(class string, classes int) string {
	if class == strconv.Itoa(classes) {
		return " (numbers begin with 0 here, in the order of the classes; the development kit's ground truth has numbers of its own: put the kit, " + imagenet.Devkit + ", there instead)"
	}
	return ""
}
