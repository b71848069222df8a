package dataset

import (
	"path"
	"slices"
	"strings"

	"vgg/internal/archive"
	"vgg/internal/text"
)

// synsetFiles have a line for each WNID of WordNet: the WNID and what it means. They are those of tiny-imagenet, Caffe
// and Kaggle.
var synsetFiles = []string{"words.txt", "synset_words.txt", "LOC_synset_mapping.txt"}

// nameSynsets adds to classes that are WNIDs what they mean, as a file of the set says: n01443537 becomes
// "n01443537 goldfish, Carassius auratus".
func (o *opener) nameSynsets(t archive.Tree, classes []string) []string {
	if len(classes) == 0 || slices.ContainsFunc(classes, func(class string) bool { return text.WNID(class) != class }) {
		return classes
	}
	for i := range t.Len() {
		if !slices.Contains(synsetFiles, path.Base(t.Path(i))) {
			continue
		}
		data, err := archive.ReadFile(t, i, largestLabels)
		if err != nil {
			continue
		}
		meanings := map[string]string{}
		for line := range strings.Lines(string(data)) {
			if wnid := text.WNID(line); wnid != "" {
				meanings[wnid] = strings.TrimSpace(line[len(wnid):])
			}
		}
		named := make([]string, len(classes))
		for label, wnid := range classes {
			if meanings[wnid] != "" {
				named[label] = wnid + " " + meanings[wnid]
			}
		}
		if !slices.Contains(named, "") {
			o.note("the classes are named by %s", t.Path(i))
			return named
		}
	}
	return classes
}
