package dataset

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"vgg/internal/text"
)

// passedOver counts files that are no pictures, by their extension, without texts and the like.
type passedOver map[string]int

func (o passedOver) add(file string) {
	extension := strings.ToLower(path.Ext(file))
	if !strings.HasSuffix(file, "/") && !slices.Contains(otherExtensions, extension) {
		o[cmp.Or(extension, "no extension")]++
	}
}

// String is such as "3 files of .heic, 12 of .tif".
func (o passedOver) String() string {
	var parts []string
	for i, extension := range slices.Sorted(maps.Keys(o)) {
		parts = append(parts, fmt.Sprintf("%d %s%s", o[extension], []string{"files of ", "of "}[min(i, 1)], extension))
	}
	return text.FirstFew(parts, fewNames)
}
