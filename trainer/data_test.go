package trainer

import (
	"fmt"
	"strings"
	"testing"

	"vgg/configs"
	"vgg/internal/archive/archivetest"
)

// TestUntrainable: a set without training pictures, or of one class, is refused with the reason.
func TestUntrainable(t *testing.T) {
	for want, files := range map[string][]string{
		"no training pictures": {"val/a/1.png", "val/b/1.png"},
		"has one class (a)":    {"train/a/1.png", "val/a/1.png"},
	} {
		contents := map[string][]byte{}
		for _, name := range files {
			contents[name] = nil
		}
		r := configs.Default()
		r.Data = archivetest.Folder(t, contents)
		_, err := Train(t.Context(), Job{Recipe: r})
		if err == nil || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}
