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

// ignoredFiles counts files that are no pictures that can be read, by their extension, without texts and the like.
type ignoredFiles map[string]int

func (o ignoredFiles) add(file string) {
	extension := strings.ToLower(path.Ext(file))
	if !strings.HasSuffix(file, "/") && !slices.Contains(otherExtensions, extension) {
		o[cmp.Or(extension, "no extension")]++
	}
}

// String is such as "3 files of .heic, 12 of .tif".
func (o ignoredFiles) String() string {
	var parts []string
	for i, extension := range slices.Sorted(maps.Keys(o)) {
		parts = append(parts, fmt.Sprintf("%d %s%s", o[extension], []string{"files of ", "of "}[min(i, 1)], extension))
	}
	return text.FirstFew(parts, fewNames)
}
