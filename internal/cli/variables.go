package cli

import (
	"fmt"
	"slices"
	"strings"

	"vgg/internal/text"
)

// Variables of the environment: those that commands read, and those that tests do.
var (
	variables     = []string{"VGG_CPU", "VGG_CONV"}
	testVariables = []string{"VGG_DATA", "VGG_HOSTS", "VGG_KILLS", "VGG_REPORT", "VGG_TEST_AS_COMMAND"}
)

// unknownVariables is a note about variables of an environment that are called like ours and do not exist; "" if there
// are none.
func unknownVariables(environment []string) string {
	var unknown []string
	for _, setting := range environment {
		name, _, _ := strings.Cut(setting, "=")
		if len(name) > 3 && strings.EqualFold(name[:4], "VGG_") && !slices.Contains(variables, name) && !slices.Contains(testVariables, name) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return ""
	}
	slices.Sort(unknown)
	return fmt.Sprintf("%s in the environment means nothing: there are %s", text.FirstFew(unknown, 3), strings.Join(variables, " and "))
}
