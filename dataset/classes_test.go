package dataset

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/bmp"

	"vgg/internal/archive/archivetest"
)

// encoded draws a picture of one colour in a file format.
func encoded(t *testing.T, format string, c color.Color) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 12, 10))
	for i := range 120 {
		img.Set(i%12, i/12, c)
	}
	var b bytes.Buffer
	var err error
	switch format {
	case "jpeg":
		err = jpeg.Encode(&b, img, &jpeg.Options{Quality: 95})
	case "png":
		err = png.Encode(&b, img)
	case "gif":
		err = gif.Encode(&b, img, nil)
	case "bmp":
		err = bmp.Encode(&b, img)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// classFolder is a valid set of class folders.
func classFolder(t *testing.T) map[string][]byte {
	red, blue := color.RGBA{200, 10, 10, 255}, color.RGBA{10, 10, 200, 255}
	return map[string][]byte{
		"train/red/1.jpg":       encoded(t, "jpeg", red),
		"train/red/2.png":       encoded(t, "jpeg", red), // what it is decides the content
		"train/red/notes.txt":   []byte("skipped"),
		"train/red/.hidden.jpg": []byte("skipped"),
		"train/blue/1.gif":      encoded(t, "gif", blue),
		"train/blue/2.bmp":      encoded(t, "bmp", blue),
		"train/README.md":       []byte("skipped"),
		"val/red/1.png":         encoded(t, "png", red),
		"val/blue/1.jpeg":       encoded(t, "jpeg", blue),
	}
}

// TestClasses reads class folders, plain and in archives.
func TestClasses(t *testing.T) {
	for _, spec := range []string{archivetest.Folder(t, classFolder(t)), zipFile(t, "", classFolder(t)), zipFile(t, "top/", classFolder(t))} {
		s, err := Open(spec, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(s.Classes, []string{"blue", "red"}) || s.Train.Len() != 4 || s.Val.Len() != 2 || s.Channels != 3 {
			t.Errorf("classes %v, %d + %d pictures, %d channels", s.Classes, s.Train.Len(), s.Val.Len(), s.Channels)
		}
		for _, split := range []Split{s.Train, s.Val} {
			for i := range split.Len() {
				p, err := split.Picture(i)
				if err != nil {
					t.Fatal(err)
				}
				if isRed := p.Pix[0] > p.Pix[2]; p.Width != 12 || p.Height != 10 || isRed != (split.Label(i) == 1) {
					t.Errorf("%s: %d×%d, first pixel %v, label %d", split.Name(i), p.Width, p.Height, p.Pix[:3], split.Label(i))
				}
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestUnicodeForms: a class is one whether its name is written with composed characters (NFC) or decomposed ones (NFD),
// in folders and archives, and its place is that of the composed name.
func TestUnicodeForms(t *testing.T) {
	archivetest.OwnCache(t)
	const composed, decomposed = "caf\u00e9", "cafe\u0301"
	picture := encoded(t, "png", color.Black)
	for _, c := range []struct{ train, val string }{{composed, decomposed}, {decomposed, composed}, {decomposed, decomposed}} {
		files := map[string][]byte{"labels.csv": []byte("1.png," + composed + "\n2.png,cafz\n")}
		for _, file := range []string{"train/" + c.train + "/1.png", "train/cafz/1.png"} {
			files[file] = picture
		}
		labelled := maps.Clone(files)
		labelled["val/1.png"], labelled["val/2.png"] = picture, picture
		files["val/"+c.val+"/1.png"], files["val/cafz/1.png"] = picture, picture
		for _, files := range []map[string][]byte{files, labelled} {
			for _, spec := range []string{archivetest.Folder(t, files), zipFile(t, "", files), archivetest.File(t, "d.tar", archivetest.Tar(t, files))} {
				s, err := Open(spec, Options{})
				if err != nil {
					t.Errorf("%+q: %v", c, err)
					continue
				}
				var got []string
				for _, split := range []Split{s.Train, s.Val} {
					for i := range split.Len() {
						got = append(got, s.Classes[split.Label(i)])
						if _, err := split.Picture(i); err != nil {
							t.Errorf("%+q: %v", c, err)
						}
					}
				}
				slices.Sort(got)
				if want := []string{"cafz", "cafz", composed, composed}; !slices.Equal(s.Classes, []string{"cafz", composed}) || !slices.Equal(got, want) {
					t.Errorf("%+q: classes %+q, labels %+q", c, s.Classes, got)
				}
				s.Close()
			}
		}
	}
	both := map[string][]byte{"train/" + composed + "/1.png": picture, "train/" + decomposed + "/1.png": picture}
	if _, err := Open(zipFile(t, "", both), Options{ValShare: 0.5}); err == nil || !strings.Contains(err.Error(), `"caf\u00e9/" have the same name`) {
		t.Errorf("error %v for both forms in one folder", err)
	}
}

// TestClassErrors: what is missing is named.
func TestClassErrors(t *testing.T) {
	for want, change := range map[string]func(map[string][]byte){
		"no folder train":           func(f map[string][]byte) { clear(f); f["x/y.txt"] = nil },
		"no val/CLASS/* in it":      func(f map[string][]byte) { delete(f, "val/red/1.png"); delete(f, "val/blue/1.jpeg") },
		"no picture in train/empty": func(f map[string][]byte) { f["train/empty/notes.txt"] = nil },
		"classes: only in train: green; only in val: black": func(f map[string][]byte) {
			f["train/green/1.jpg"], f["val/black/1.jpg"] = f["train/red/1.jpg"], f["train/red/1.jpg"]
		},
		"no class folders in train": func(f map[string][]byte) { clear(f); f["train/1.jpg"] = nil },
	} {
		files := classFolder(t)
		change(files)
		if _, err := Open(archivetest.Folder(t, files), Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

// TestBadPictures: what does not decode is refused with archive, entry and remedy when it is asked for.
func TestBadPictures(t *testing.T) {
	files := classFolder(t)
	files["train/red/broken.jpg"] = files["train/red/1.jpg"][:100]
	files["train/red/text.jpg"] = []byte("no picture")
	huge := encoded(t, "png", color.White)
	binary.BigEndian.PutUint32(huge[16:], 60000) // width and height of the header
	binary.BigEndian.PutUint32(huge[20:], 60000)
	binary.BigEndian.PutUint32(huge[29:], crc32.ChecksumIEEE(huge[12:29]))
	files["train/red/huge.png"] = huge
	s, err := Open(zipFile(t, "", files), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	folder := archivetest.Folder(t, classFolder(t))
	vanishing, err := Open(folder, Options{})
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[string]string{"broken.jpg": "unexpected EOF", "text.jpg": "not a JPEG", "huge.png": "60000×60000"}
	for i := range s.Train.Len() {
		_, err := s.Train.Picture(i)
		reason, bad := reasons[path.Base(s.Train.Name(i))]
		switch {
		case bad != (err != nil):
			t.Errorf("%s: error %v", s.Train.Name(i), err)
		case bad && !(strings.Contains(err.Error(), s.Train.Name(i)) && strings.Contains(err.Error(), reason) && strings.Contains(err.Error(), "replace or remove")):
			t.Errorf("the error does not say where, why and what to do: %v", err)
		}
	}
	if _, err := Measure(context.Background(), s.Train, 3, 0, nil); err == nil || !strings.Contains(err.Error(), "pictures.zip: train/red/broken.jpg") {
		t.Errorf("measured with broken pictures: %v", err)
	}
	if err := os.Remove(filepath.Join(folder, "val/blue/1.jpeg")); err != nil {
		t.Fatal(err)
	}
	if _, err := vanishing.Val.Picture(0); err == nil || !strings.Contains(err.Error(), "val/blue/1.jpeg") || !strings.Contains(err.Error(), "restore or remove") {
		t.Errorf("a picture that vanished: %v", err)
	}
}

// TestLinkedClasses: class folders may be links to folders elsewhere.
func TestLinkedClasses(t *testing.T) {
	elsewhere, dir := archivetest.Folder(t, classFolder(t)), t.TempDir()
	for _, split := range []string{"train", "val"} {
		if err := os.Mkdir(filepath.Join(dir, split), 0o777); err != nil {
			t.Fatal(err)
		}
		for _, class := range []string{"red", "blue"} {
			if err := os.Symlink(filepath.Join(elsewhere, split, class), filepath.Join(dir, split, class)); err != nil {
				t.Fatal(err)
			}
		}
	}
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Train.Picture(0); err != nil || s.Train.Len() != 4 {
		t.Errorf("%d pictures, %v", s.Train.Len(), err)
	}
}

// TestFlowers decodes real photographs, if VGG_DATA says where they are.
func TestFlowers(t *testing.T) {
	folder := os.Getenv("VGG_DATA")
	if folder == "" {
		t.Skip("VGG_DATA is not set: it names the folder of flowers96.zip")
	}
	s, err := Open(filepath.Join(folder, "flowers96.zip"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	m, err := Measure(context.Background(), s.Train, 3, 200, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Classes) != 5 || s.Train.Len() < 2000 || s.Val.Len() < 500 || m.Mean[0] < 80 || m.Mean[0] > 160 || m.Eigenvalues[2] < 3*m.Eigenvalues[1] {
		t.Errorf("classes %v, %d + %d pictures, %+v", s.Classes, s.Train.Len(), s.Val.Len(), m)
	}
}

// TestValShare: without val, a share of each class is kept, drawn by a seed, and each picture is in one split.
func TestValShare(t *testing.T) {
	files, picture := map[string][]byte{}, classFolder(t)["val/red/1.png"]
	for i := range 40 {
		files[fmt.Sprintf("a/%d.png", i)] = picture
		if i < 3 {
			files[fmt.Sprintf("b/%d", i)] = picture // by content
		}
	}
	inTrain := map[string][]byte{}
	for name, data := range files {
		inTrain["train/"+name] = data
	}
	dir := archivetest.Folder(t, files)
	names := func(spec string, o Options) []string {
		t.Helper()
		s, err := Open(spec, o)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		counts := map[string]int{}
		for i := range s.Val.Len() {
			counts[s.Classes[s.Val.Label(i)]]++
		}
		if s.Train.Len()+s.Val.Len() != 43 || counts["a"] != 10 || counts["b"] != 1 {
			t.Errorf("%d + %d pictures, for validation %v", s.Train.Len(), s.Val.Len(), counts)
		}
		var all, val []string
		for _, split := range []Split{s.Train, s.Val} {
			for i := range split.Len() {
				all = append(all, split.Name(i))
			}
			val = all[s.Train.Len():]
		}
		slices.Sort(all[:s.Train.Len()])
		if distinct := slices.Compact(slices.Sorted(slices.Values(all))); len(distinct) != 43 {
			t.Errorf("%d distinct pictures of 43", len(distinct))
		}
		return val
	}
	first := names(dir, Options{ValShare: 0.25, SplitSeed: 1})
	if !slices.Equal(first, names(dir, Options{ValShare: 0.25, SplitSeed: 1})) || slices.Equal(first, names(dir, Options{ValShare: 0.25, SplitSeed: 2})) {
		t.Error("the seed does not decide the split")
	}
	names(archivetest.Folder(t, inTrain), Options{ValShare: 0.25, SplitSeed: 1})
	if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "pictures.val_share") {
		t.Errorf("no share: %v", err)
	}
	files["c/only.png"] = picture
	if _, err := Open(archivetest.Folder(t, files), Options{ValShare: 0.5}); err == nil || !strings.Contains(err.Error(), "class c has one picture") {
		t.Errorf("a single picture: %v", err)
	}
}
