package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"

	"vgg/internal/kernel"
)

// helpOf is the help of a flag with its default, unless that is spoken of already.
func helpOf(v *kong.Value) string {
	if !v.HasDefault || v.Default == "" || strings.Contains(strings.ToLower(v.Help), "default") {
		return v.Help
	}
	return strings.TrimSuffix(v.Help, ".") + " (default " + v.Default + ")."
}

// Build names the version and revision of this program.
func Build() string {
	module, revision := "(devel)", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" {
			module = info.Main.Version
		}
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				revision = ", revision " + s.Value + revision
			case s.Key == "vcs.modified" && s.Value == "true":
				revision += " with changes"
			}
		}
	}
	return module + revision
}

// version says which build of a program this is.
func version(name string) string {
	return fmt.Sprintf("%s %s\n%s %s/%s, %s kernels", name, Build(), runtime.Version(), runtime.GOOS, runtime.GOARCH, kernel.ISA())
}
