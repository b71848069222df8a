package dataset

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vgg/internal/archive/archivetest"
)

// TestEmbedded: the pictures that come with the project are all there and have labels of every class.
func TestEmbedded(t *testing.T) {
	s, err := Open("", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.Train.Len() != 10000 || s.Val.Len() != 2000 || len(s.Classes) != 10 || s.Channels != 1 {
		t.Fatalf("%d + %d pictures, %d classes, %d channels", s.Train.Len(), s.Val.Len(), len(s.Classes), s.Channels)
	}
	for _, split := range []Split{s.Train, s.Val} {
		counts := make([]int, 10)
		for i := range split.Len() {
			counts[split.Label(i)]++
		}
		if slices.Min(counts) < split.Len()/12 || slices.Max(counts) > split.Len()/8 {
			t.Errorf("pictures of each class: %v", counts)
		}
	}
	p, err := s.Train.Picture(0)
	if err != nil || p.Width != 28 || p.Height != 28 || s.Classes[s.Train.Label(0)] != "Ankle boot" {
		t.Errorf("the first picture: %d×%d, %s, %v", p.Width, p.Height, s.Classes[s.Train.Label(0)], err)
	}
	for _, spec := range []string{"embedded", "fashion-mnist-12k"} {
		same, err := Open(spec, Options{})
		if err != nil || same.Name != s.Name {
			t.Errorf("%s: %v", spec, err)
		}
	}
}

// zipFile packs files into a zip archive, below a folder.
func zipFile(t *testing.T, below string, files map[string][]byte) string {
	return archivetest.File(t, "pictures.zip", archivetest.Zip(t, below, files))
}

// TestOpenErrors: what is no data set is refused by name.
func TestOpenErrors(t *testing.T) {
	for want, spec := range map[string]string{
		`want a folder, an archive, "embedded" or "embedded-scenes"`: filepath.Join(t.TempDir(), "none"),
		"notes.txt: want a folder, or a zip, tar or tar.gz archive":  archivetest.File(t, "notes.txt", []byte("text")),
		"no folder train in it":               t.TempDir(),
		"pictures.zip: no folder train in it": zipFile(t, "", nil),
	} {
		if _, err := Open(spec, Options{}); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), spec) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

// TestSubset: samples are evenly spaced.
func TestSubset(t *testing.T) {
	s := Subset(numbers(100), 10)
	if s.Len() != 10 || s.Label(3) != 30%3 || s.Name(9) != "number 90" {
		t.Errorf("%d pictures, the last %s", s.Len(), s.Name(9))
	}
	if p, err := s.Picture(5); err != nil || p.Pix[0] != 50 {
		t.Errorf("picture 5: %v, %v", p.Pix, err)
	}
	if n := Subset(numbers(3), 10).Len(); n != 3 {
		t.Errorf("10 of 3 pictures: %d", n)
	}
}
