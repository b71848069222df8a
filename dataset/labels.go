package dataset

import (
	"bytes"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/pkg/errors"

	"vgg/dataset/imagenet"
	"vgg/internal/archive"
)

// largestLabels is the size in bytes from which a file is not taken for labels.
const largestLabels = 1 << 26

// listFlat lists the pictures directly in a folder, without labels, and their names.
func listFlat(t archive.Tree, folder string) (*classSplit, []string, error) {
	s := &classSplit{files: t, folder: folder}
	var names []string
	first, end := archive.Below(t, folder)
	for i := first; i < end; i++ {
		if isPicture(t, i) {
			s.entries = append(s.entries, int32(i))
			names = append(names, path.Base(t.Path(i)))
		}
	}
	if len(names) == 0 {
		return nil, nil, errors.Errorf("dataset %s: no pictures for validation in %s", t.Name(), folder)
	}
	return s, names, nil
}

// listByDevkit lists the pictures directly in a folder, labelled by ILSVRC-2012's development kit.
func listByDevkit(t archive.Tree, folder string, kit archive.Tree, classes []string) (*classSplit, error) {
	s, names, err := listFlat(t, folder)
	if err != nil {
		return nil, err
	}
	wnids, err := imagenet.ValidationLabels(kit)
	if err != nil {
		return nil, errors.Wrapf(err, "dataset %s", kit.Name())
	}
	s.labels, err = parseLabels([]byte(strings.Join(wnids, "\n")), names, classes)
	return s, errors.Wrapf(err, "dataset %s: its labels", kit.Name())
}

// listLabelled lists the pictures directly in a folder, labelled by a text file in another: the first that fits.
func listLabelled(t archive.Tree, folder string, beside archive.Tree, in string, classes []string) (*classSplit, error) {
	s, names, err := listFlat(t, folder)
	if err != nil {
		return nil, err
	}
	var tried []string
	first, end := archive.Below(beside, in)
	for i := first; i < end; i++ {
		file := beside.Path(i)
		if strings.Contains(file[len(in):], "/") || isPicture(beside, i) {
			continue
		}
		data, err := beside.Read(i, largestLabels)
		if err != nil || len(data) == largestLabels || archive.Kind(data) != "" {
			continue
		}
		if s.labels, err = parseLabels(data, names, classes); err == nil {
			return s, nil
		}
		tried = append(tried, file[len(in):]+" is not: "+err.Error())
	}
	if tried == nil {
		tried = []string{"there is none"}
	}
	return nil, errors.Errorf("dataset %s: %d pictures for validation and no text file that labels them beside train and val (a line each: a class, or a picture's name and its class): %s",
		beside.Name(), len(names), strings.Join(tried, "; "))
}

// separators are between the words of a line of labels.
const separators = " \t,;"

// parseLabels reads the labels of pictures, whose names are sorted. A line of the text is a class, in the order of the
// pictures, or a picture's name, with or without its extension, and its class; anything after that is ignored, and so is
// a heading. A class is a name or a number from 0.
func parseLabels(text []byte, pictures, classes []string) ([]int32, error) {
	numbers := make(map[string]int32, 2*len(classes))
	for i := range classes {
		numbers[strconv.Itoa(i)] = int32(i)
	}
	for i, class := range classes {
		numbers[class] = int32(i)
	}
	labels := slices.Repeat([]int32{-1}, len(pictures))
	next := 0 // picture, if lines hold only classes
	line := 0
	for raw := range bytes.Lines(text) {
		line++
		class := strings.TrimSpace(string(raw))
		if class == "" {
			continue
		}
		picture := next
		label, known := numbers[class]
		if at := strings.IndexAny(class, separators); !known && at >= 0 {
			name, found := class[:at], false
			if picture, found = findPicture(pictures, name); !found {
				if line == 1 {
					continue
				}
				return nil, errors.Errorf("line %d: no picture %.40q", line, name)
			}
			class = strings.Trim(class[at:], separators)
			if label, known = numbers[class]; !known {
				if at := strings.IndexAny(class, separators); at >= 0 {
					class = class[:at]
				}
				label, known = numbers[class]
			}
		}
		switch {
		case !known:
			return nil, errors.Errorf("line %d: no class %.40q among the %d of train%s", line, class, len(classes), hint(class, len(classes)))
		case picture >= len(pictures):
			return nil, errors.Errorf("line %d: only %d pictures", line, len(pictures))
		case labels[picture] >= 0:
			return nil, errors.Errorf("line %d: a second class for picture %s", line, pictures[picture])
		}
		labels[picture] = label
		next++
	}
	if i := slices.Index(labels, -1); i >= 0 {
		return nil, errors.Errorf("no class for picture %s", pictures[i])
	}
	return labels, nil
}

// hint explains the numbers of ILSVRC-2012's development kit, which begin with 1 and have an order of their own.
func hint(class string, classes int) string {
	if class == strconv.Itoa(classes) {
		return " (numbers begin with 0 here, in the order of the names; the development kit's ground truth has numbers of its own: put the kit, " + imagenet.Devkit + ", there instead)"
	}
	return ""
}

func findPicture(pictures []string, name string) (int, bool) {
	name = path.Base(filepath.ToSlash(name))
	i, found := slices.BinarySearch(pictures, name)
	if !found && i < len(pictures) {
		found = strings.TrimSuffix(pictures[i], path.Ext(pictures[i])) == name
	}
	return i, found
}
