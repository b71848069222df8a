package cli

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"slices"
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

// TestGreyed: who predicts by a net for grey pictures is told that colours were left out, of pictures that have any.
func TestGreyed(t *testing.T) {
	for _, c := range []struct {
		name     string
		pixel    color.RGBA
		channels int
		want     []string
	}{
		{"colour, grey net", color.RGBA{200, 100, 100, 255}, 1, []string{"the net is for grey pictures: the colours of 1 of 1 were left out"}},
		{"colour, colour net", color.RGBA{200, 100, 100, 255}, 3, nil},
		{"grey, grey net", color.RGBA{100, 100, 100, 255}, 1, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			picture := image.NewRGBA(image.Rect(0, 0, 2, 2))
			picture.Set(0, 0, color.White)
			picture.Set(1, 1, c.pixel)
			var file bytes.Buffer
			if err := png.Encode(&file, picture); err != nil {
				t.Fatal(err)
			}
			files := NewPictureFiles([]PictureFile{{Name: standardInput}}, &file, c.channels)
			if _, err := files.Picture(0); err != nil {
				t.Fatal(err)
			}
			var notes Notes
			if files.NoteGreyed(&notes); !slices.Equal(notes.List(), append([]string{}, c.want...)) {
				t.Errorf("notes %q, want %q", notes.List(), c.want)
			}
		})
	}
}
