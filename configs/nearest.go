package configs

import (
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// nearest returns the candidate with the smallest edit distance to what was
// typed, ignoring case; the first of several.
func nearest(typed string, candidates []string) string {
	return slices.MinFunc(candidates, func(a, b string) int {
		return distance(typed, a) - distance(typed, b)
	})
}

// nearestKey is nearest for dotted keys. The part after the dot counts as well
// as the whole, so that a key under the wrong table, or none, is still found.
func nearestKey(typed string, keys []string) string {
	far := func(key string) int {
		return min(distance(typed, key), distance(lastPart(typed), lastPart(key)))
	}
	return slices.MinFunc(keys, func(a, b string) int { return far(a) - far(b) })
}

func distance(a, b string) int {
	return levenshtein.ComputeDistance(strings.ToLower(a), strings.ToLower(b))
}

// lastPart returns what follows the last dot of a key.
func lastPart(key string) string { return key[strings.LastIndexByte(key, '.')+1:] }
