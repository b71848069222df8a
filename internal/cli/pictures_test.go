package cli

import (
	"strings"
	"testing"
)

// TestStandardInput: what is on standard input is read once, and who asks again gets the same error.
func TestStandardInput(t *testing.T) {
	files := NewPictureFiles([]PictureFile{{Name: standardInput}}, strings.NewReader("no picture"), 3)
	for range 2 {
		if _, err := files.Picture(0); err == nil || !strings.Contains(err.Error(), "not a JPEG, PNG, GIF, WebP or BMP picture") {
			t.Error(err)
		}
	}
}
