package text

import (
	"fmt"
	"regexp"
	"strings"
)

// FirstFew writes the first n names, and how many more there are: "a, b, c and 4 more".
func FirstFew(names []string, n int) string {
	if len(names) > n {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:n], ", "), len(names)-n)
	}
	return strings.Join(names, ", ")
}

// List writes all elements: "1, 2, 3".
func List[T any](all []T, separator string) string {
	var parts []string
	for _, one := range all {
		parts = append(parts, fmt.Sprint(one))
	}
	return strings.Join(parts, separator)
}

// Count writes a number of things: "1 thread", "2 threads".
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

var wnid = regexp.MustCompile(`^(n[0-9]{8})(?:[ \t,:]|$)`)

// WNID is the identifier of WordNet that the name of a class begins with, such as n01443537 in "n01443537 goldfish", or
// "".
func WNID(name string) string {
	if m := wnid.FindStringSubmatch(name); m != nil {
		return m[1]
	}
	return ""
}
