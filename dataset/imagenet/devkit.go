package imagenet

import (
	"bytes"
	"strings"

	"github.com/pkg/errors"

	"vgg/internal/archive"
)

// Devkit is the archive of the development kit as it is distributed.
const Devkit = "ILSVRC2012_devkit_t12.tar.gz"

// largestFile is the size in bytes above which a file of the kit is refused.
const largestFile = 1 << 28

// Synsets gives the WNID of each ILSVRC2012_ID, of which 1 to 1000 are those of the classes.
func Synsets(t archive.Tree) (map[string]string, error) {
	return parseDevkit(t, "meta.mat", parseSynsets)
}

// ValidationLabels gives the WNID of each validation picture, in the order of the pictures' names, from the development
// kit. Errors name the file of the kit.
func ValidationLabels(t archive.Tree) ([]string, error) {
	wnids, err := Synsets(t)
	if err != nil {
		return nil, err
	}
	return parseDevkit(t, "ILSVRC2012_validation_ground_truth.txt", func(text []byte) ([]string, error) {
		return parseGroundTruth(text, wnids)
	})
}

// parseDevkit parses the only file of a name at the top of a tree or in a folder called data.
func parseDevkit[T any](t archive.Tree, name string, parse func([]byte) (T, error)) (parsed T, err error) {
	at := -1
	for i := range t.Len() {
		if t.Path(i) != name && !strings.HasSuffix("/"+t.Path(i), "/data/"+name) {
			continue
		}
		if at >= 0 {
			return parsed, errors.Errorf("both %s and %s: keep one", t.Path(at), t.Path(i))
		}
		at = i
	}
	if at < 0 {
		return parsed, errors.Errorf("no data/%s: unpack all of the development kit", name)
	}
	data, err := archive.ReadFile(t, at, largestFile)
	if err == nil {
		parsed, err = parse(data)
	}
	return parsed, errors.Wrap(err, t.Path(at))
}

// parseGroundTruth reads a text of one ILSVRC2012_ID per line.
func parseGroundTruth(text []byte, wnids map[string]string) (labels []string, err error) {
	for line := range bytes.Lines(text) {
		id := strings.TrimSpace(string(line))
		wnid, known := wnids[id]
		if !known {
			return nil, errors.Errorf("line %d: %.40q is no ILSVRC2012_ID of meta.mat", len(labels)+1, id)
		}
		labels = append(labels, wnid)
	}
	return labels, nil
}
