package dataset

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"vgg/internal/archive/archivetest"
)

// TestFlatValidation: pictures straight in val, labelled by a file beside it.
func TestFlatValidation(t *testing.T) {
	files := classFolder(t)
	files["val/a.png"], files["val/b.jpg"], files["labels.csv"] = files["val/red/1.png"], files["val/blue/1.jpeg"], []byte("picture,class\nb.jpg,blue\na.png,red\n")
	delete(files, "val/red/1.png")
	delete(files, "val/blue/1.jpeg")
	for _, spec := range []string{archivetest.Folder(t, files), zipFile(t, "top/", files)} {
		s, err := Open(spec, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if s.Val.Len() != 2 || s.Val.Label(0) != 1 || s.Val.Label(1) != 0 {
			t.Errorf("%s: %d pictures", spec, s.Val.Len())
		}
		s.Close()
	}
}

// TestLabels: names of classes may have spaces and commas.
func TestLabels(t *testing.T) {
	pictures, classes := []string{"a.jpg", "b.jpg"}, []string{"bulldog, French", "golden retriever"}
	for _, text := range []string{"golden retriever\nbulldog, French\n", "b.jpg,bulldog, French\na.jpg golden retriever", "name;class\na;1\nb;0\n"} {
		if l, err := parseLabels([]byte(text), newPictureNames(pictures), classes); err != nil || !slices.Equal(l.of, []int32{1, 0}) {
			t.Errorf("%q: %v, %v", text, l.of, err)
		}
	}
}

// TestNumberedPictures: classes without the names of pictures need an order of these that is sure, and numbers of classes
// are said.
func TestNumberedPictures(t *testing.T) {
	classes := []string{"cat", "dog"}
	for _, c := range []struct{ pictures, text, want string }{
		{"1.png 10.png 2.png", "cat\ndog\ndog\n", "line 1: a class without the name of its picture, and the order of the pictures is not sure, as 10.png comes before 2.png by characters"},
		{"1.png 10.png 2.png", "1,cat\n2,cat\n10,dog\n", "[0 1 0]"},
		{"01.png 02.png 10.png", "cat\ndog\ndog\n", "[0 1 1]"},
		{"val_00009.png val_00010.png", "cat\ndog\n", "[0 1]"},
		{"a1b10.png a1b9.png", "cat\ndog\n", "a1b10.png comes before a1b9.png"},
		{"a.png b.png", "1\n0\n", "[1 0], which has numbers of classes from 0 on: 0 is cat, 1 is dog"},
	} {
		l, err := parseLabels([]byte(c.text), newPictureNames(strings.Fields(c.pictures)), classes)
		got := fmt.Sprint(l.of) + l.note
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s, %q: %s, want %s", c.pictures, c.text, got, c.want)
		}
	}
}

// FuzzLabels: every picture gets a class that exists, or there is an error.
func FuzzLabels(f *testing.F) {
	f.Add([]byte("n1\nn0\n"))
	f.Add([]byte("Id,Label\na,1\nb.jpg n0\n"))
	pictures := newPictureNames([]string{"a.jpg", "b.jpg"})
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 1<<10 {
			t.Skip("it takes the time of many others")
		}
		l, err := parseLabels(text, pictures, []string{"n0", "n1"})
		if err == nil && (len(l.of) != 2 || min(l.of[0], l.of[1]) < 0 || max(l.of[0], l.of[1]) > 1) {
			t.Errorf("labels %v", l.of)
		}
	})
}
