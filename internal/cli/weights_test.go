package cli

import (
	"testing"

	"github.com/pkg/errors"

	"vgg/weights"
)

func TestNameOverrides(t *testing.T) {
	_, err := weights.ParseInfo(nil)
	want := "f: the metadata lacks config, width, fc, input, channels, mean, std, classes: " +
		"give --config --width --fc --input --channels --mean R,G,B --std R,G,B --classes"
	if got := NameOverrides(errors.Wrap(err, "f")); got.Error() != want {
		t.Errorf("%v\nwant %s", got, want)
	}
	if other := errors.New("other"); NameOverrides(other) != other || NameOverrides(nil) != nil {
		t.Error("another error was changed")
	}
}
