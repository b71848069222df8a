package text

import (
	"fmt"
	"strings"
)

// FirstFew writes the first n names, and how many more there are: "a, b, c and 4 more".
func FirstFew(names []string, n int) string {
	if len(names) > n {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:n], ", "), len(names)-n)
	}
	return strings.Join(names, ", ")
}
