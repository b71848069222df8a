package foreign

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"vgg/internal/text"
	"vgg/weights"
)

// classKey is a key under which programs that train keep the names of the classes, beside the weights or in a dict
// there.
var classKey = regexp.MustCompile(`(?i)^(classes|class_?names|categories|label_?names|labels|class_to_idx|idx_to_class|label2id|id2label)$`)

// classDepth is the number of dicts within each other in which names of classes are looked for.
const classDepth = 3

// lookBeside gives a net the names of classes that an object of PyTorch has beside it: a list, or a dict of names and
// numbers. It notes that they are used, or why not, and that what is there of the normalisation is not.
func lookBeside(f *weights.File, saved any) {
	last, ok := f.Tensor(weights.LastLayer)
	if !ok || len(last.Shape) != 2 || f.Metadata[weights.ClassNamesKey] != "" {
		return
	}
	if beside := meansIn(saved); beside != nil {
		f.Note("%s beside the weights is not used: give it in levels from 0 to 255, if it is how pixels are normalised", strings.Join(beside, ", "))
	}
	for _, found := range classesIn(saved, classDepth, map[*dict]bool{}) {
		if found.names == nil || len(found.names) != last.Shape[0] {
			f.Note("%s beside the weights is not used: it does not name the %d classes in their order", found.key, last.Shape[0])
			continue
		}
		f.Metadata[weights.ClassNamesKey] = weights.EncodeClassNames(found.names)
		f.Note("the classes are called %s, as %s beside the weights says", text.FirstFew(found.names, 4), found.key)
		return
	}
}

// classList is what a dict has under a classKey: names, nil if it is something else.
type classList struct {
	key   string
	names []string
}

// classesIn finds the names of classes in a dict, and in dicts in it, each looked at once.
func classesIn(v any, depth int, seen map[*dict]bool) (found []classList) {
	d, _ := v.(*dict)
	if o, isObject := v.(*object); isObject {
		d, _ = o.state.(*dict)
	}
	if d == nil || depth == 0 || seen[d] {
		return nil
	}
	seen[d] = true
	for _, i := range d.items {
		key, _ := i.key.(string)
		if _, isNumber := i.value.(int); classKey.MatchString(key) && !isNumber && i.value != nil {
			found = append(found, classList{key, namesIn(i.value)})
		}
	}
	for _, i := range d.items {
		if key, _ := i.key.(string); !classKey.MatchString(key) {
			found = append(found, classesIn(i.value, depth-1, seen)...)
		}
	}
	return found
}

// meanKey is a key under which programs that train keep how pixels are normalised.
var meanKey = regexp.MustCompile(`(?i)^(pixel_|image_|img_|channel_|dataset_)?(mean|std|normali[sz]ation)s?$`)

// meansIn lists the keys of a dict that may tell how pixels are normalised.
func meansIn(v any) (keys []string) {
	d, _ := v.(*dict)
	if d == nil {
		return nil
	}
	for _, i := range d.items {
		if key, _ := i.key.(string); meanKey.MatchString(key) && i.value != nil {
			keys = append(keys, key)
		}
	}
	return keys
}

// namesIn takes names from a list, or from a dict of names by numbers from 0, or of numbers by names.
func namesIn(value any) []string {
	switch v := value.(type) {
	case *list:
		names := make([]string, len(v.items))
		for i, item := range v.items {
			names[i], _ = item.(string)
		}
		return whole(names)
	case *dict:
		names := make([]string, len(v.items))
		for _, i := range v.items {
			name, number := i.key, i.value
			if _, swapped := i.value.(string); swapped {
				name, number = i.value, i.key
			}
			n, ok := number.(int)
			if digits, isText := number.(string); isText {
				parsed, err := strconv.Atoi(digits)
				n, ok = parsed, err == nil
			}
			if called, isText := name.(string); ok && isText && n >= 0 && n < len(names) {
				names[n] = called
			}
		}
		return whole(names)
	}
	return nil
}

// whole gives names if none is missing.
func whole(names []string) []string {
	if len(names) == 0 || slices.ContainsFunc(names, func(name string) bool { return strings.TrimSpace(name) == "" }) {
		return nil
	}
	return names
}
