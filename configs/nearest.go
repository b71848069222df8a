package configs

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/pkg/errors"
)

// unknown is the error for a name that is not known: it suggests another, if there is one, and says which are.
func unknown(kind, name, suggestion, known string) error {
	if suggestion == "" {
		suggestion = "."
	}
	return errors.Errorf("unknown %s %q%s %s", kind, name, suggestion, known)
}

// suggest asks whether the nearest candidate was meant, in a sentence that begins with "; ", or says nothing where more
// than half of what was typed would be wrong. Case is ignored; of several as near, the first is taken.
func suggest(typed string, candidates []string) string {
	return suggestBy(typed, candidates, func(candidate string) int { return distance(typed, candidate) })
}

// suggestKey is suggest for dotted keys. The part after the dot counts as well as the whole, so that a key under the
// wrong table, or none, is still found.
func suggestKey(typed string, keys []string) string {
	return suggestBy(typed, keys, func(key string) int {
		return min(distance(typed, key), distance(lastPart(typed), lastPart(key)))
	})
}

func suggestBy(typed string, candidates []string, far func(string) int) string {
	nearest := slices.MinFunc(candidates, func(a, b string) int { return far(a) - far(b) })
	if 2*far(nearest) > len(typed) {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", nearest)
}

func distance(a, b string) int {
	return levenshtein.ComputeDistance(strings.ToLower(a), strings.ToLower(b))
}

// lastPart returns what follows the last dot of a key.
func lastPart(key string) string { return key[strings.LastIndexByte(key, '.')+1:] }
