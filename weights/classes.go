package weights

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pkg/errors"
	"golang.org/x/text/unicode/norm"

	"vgg/internal/text"
)

// ClassNamesKey is the metadata's key of the names of the classes, in the order of the outputs.
const ClassNamesKey = "class_names"

// EncodeClassNames is the value of ClassNamesKey: a JSON array.
func EncodeClassNames(names []string) string {
	array, _ := json.Marshal(names) // of strings: it cannot fail
	return string(array)
}

func decodeClassNames(array string) (names []string, err error) {
	err = json.Unmarshal([]byte(array), &names)
	return names, errors.Wrap(err, "not a JSON array of strings")
}

// ClassNames are the names of the classes in the metadata, in the order of the outputs; nil if there are none.
func (f *File) ClassNames() ([]string, error) {
	array, ok := f.Metadata[ClassNamesKey]
	if !ok {
		return nil, nil
	}
	names, err := decodeClassNames(array)
	return names, errors.Wrapf(err, "metadata %s %.60q", ClassNamesKey, array)
}

// NumberedClasses names n classes "0", "1", and so on.
func NumberedClasses(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	return names
}

// Unnamed tells whether classes are called "0", "1", and so on: those of a net whose weights do not name them.
func Unnamed(classes []string) bool { return slices.Equal(classes, NumberedClasses(len(classes))) }

//go:embed imagenet/classes.txt
var imageNet string

// ImageNetClasses are ILSVRC's 1,000 classes, each a WNID and a name ("n01440764 tench"), in the order of the WNIDs:
// that of the outputs of torchvision's nets, and of the authors'.
func ImageNetClasses() []string { return strings.Split(strings.TrimSuffix(imageNet, "\n"), "\n") }

// NameImageNet gives the classes of a net the names of ImageNet's, without WNIDs, if its weights do not name them and
// they are as many. The note says so; without one the classes are as they were.
func NameImageNet(classes []string) (names []string, note string) {
	all := ImageNetClasses()
	if len(classes) != len(all) || !Unnamed(classes) {
		return classes, ""
	}
	for i, name := range all {
		_, all[i], _ = strings.Cut(name, " ")
	}
	return all, fmt.Sprintf("the weights do not name their %d classes: the names are those of ImageNet, in the order of their WNIDs", len(all))
}

// fewNames is the number of names that messages give.
const fewNames = 6

// MatchClasses finds, for each class of a data set, the output of a net that stands for it, where known names the
// outputs. Classes are matched by name, in any order, or by WNID if all names begin with one; the data may have some of
// the net's classes only. If known has only numbers, as for weights that do not name their classes, there are three cases.
// 1,000 outputs are ImageNet's classes if all of the data's are among these, by WNID. If the data's classes are numbers
// too, output i is class i, however it is written (7, 07). If they are names, as many as the outputs, the outputs are
// taken to be in the order of the data's classes. The note says what was decided where the two
// lists differ, else "". The error names the classes that the net does not know.
func MatchClasses(known, classes []string) (outputs []int, note string, err error) {
	known, classes = composed(known), composed(classes)
	if a, b := wnids(known), wnids(classes); a != nil && b != nil {
		known, classes = a, b
	}
	if slices.Equal(known, classes) {
		return identity(len(classes)), noteOrder(known), nil
	}
	if Unnamed(known) {
		if outputs := matchImageNet(len(known), classes); outputs != nil {
			return outputs, fmt.Sprintf("the weights do not name their classes: taken to be ImageNet's, of which the data have %d, by WNID", len(outputs)), nil
		}
		return matchNumbered(len(known), classes)
	}
	places := map[string]int{} // of the outputs by name, -1 for a name of several
	for i, name := range known {
		if _, twice := places[name]; twice {
			i = -1
		}
		places[name] = i
	}
	var unknown, ambiguous []string
	for _, name := range classes {
		i, ok := places[name]
		switch {
		case !ok:
			unknown = append(unknown, name)
		case i < 0:
			ambiguous = append(ambiguous, name)
		}
		outputs = append(outputs, i)
	}
	switch {
	case len(unknown) > 0:
		return nil, "", errors.Errorf("other classes: the net knows %d (%s), but not %s", len(known), text.FirstFew(known, fewNames), text.FirstFew(unknown, fewNames))
	case len(ambiguous) > 0:
		return nil, "", errors.Errorf("several of the net's classes have the same name: %s", text.FirstFew(ambiguous, fewNames))
	case len(classes) < len(known):
		return outputs, fmt.Sprintf("classes matched by name: %d of the %d that the net knows", len(classes), len(known)), nil
	}
	return outputs, "classes matched by name: the net has them in another order", nil
}

// noteOrder notes classes that are numbers of several lengths, of which other programs have another order.
func noteOrder(classes []string) string {
	if !Unnamed(classes) || len(classes) <= 10 {
		return ""
	}
	return "classes matched by number: weights of a program that sorts folders by characters (0, 1, 10, …) have another order, and need the names of theirs"
}

// matchImageNet is MatchClasses for n outputs without names, if they are as many as ImageNet's classes, and the data's
// are among these; else nil.
func matchImageNet(n int, classes []string) (outputs []int) {
	known, wanted := wnids(ImageNetClasses()), wnids(classes)
	if n != len(known) {
		return nil
	}
	for _, wnid := range wanted {
		i, ok := slices.BinarySearch(known, wnid)
		if !ok {
			return nil
		}
		outputs = append(outputs, i)
	}
	return outputs
}

// wnids are the identifiers of WordNet that names begin with; nil if one has none.
func wnids(names []string) []string {
	all := make([]string, len(names))
	for i, name := range names {
		if all[i] = text.WNID(name); all[i] == "" {
			return nil
		}
	}
	return all
}

// composed writes names in Unicode's form NFC, in which an accented letter is one character: systems write it as one or
// two.
func composed(names []string) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = norm.NFC.String(name)
	}
	return all
}

// matchNumbered is MatchClasses for n outputs without names.
func matchNumbered(n int, classes []string) (outputs []int, note string, err error) {
	seen := map[int]string{}
	for _, name := range classes {
		i, err := strconv.Atoi(name)
		if err != nil || i < 0 || i >= n {
			break
		}
		if other, twice := seen[i]; twice {
			return nil, "", errors.Errorf("classes %s and %s have the same number", other, name)
		}
		seen[i] = name
		outputs = append(outputs, i)
	}
	switch {
	case len(outputs) == len(classes):
		return outputs, fmt.Sprintf("the weights do not name their classes: output i is taken for class i of the data's %d, by number", len(classes)), nil
	case len(classes) == n:
		return identity(n), fmt.Sprintf("the weights do not name their classes: the outputs are taken to be %s, in this order", text.FirstFew(classes, fewNames)), nil
	}
	return nil, "", errors.Errorf("other classes: the weights have %d, without names, not the data's %d (%s)", n, len(classes), text.FirstFew(classes, fewNames))
}

func identity(n int) []int {
	outputs := make([]int, n)
	for i := range outputs {
		outputs[i] = i
	}
	return outputs
}
