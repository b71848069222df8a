package dataset

import (
	"bytes"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"vgg/internal/archive/archivetest"
)

// ilsvrc is ILSVRC-2012 as it is distributed, in small: a tar of class tars, a flat tar, and other files beside them.
func ilsvrc(t *testing.T) map[string][]byte {
	f := classFolder(t)
	return map[string][]byte{
		"ILSVRC2012_img_train.tar": archivetest.Tar(t, map[string][]byte{
			"n01.tar/n01_2.JPEG": f["train/blue/1.gif"], "n01.tar/n01_1.JPEG": f["train/red/1.jpg"], "n02.tar/n02_7.JPEG": f["train/blue/2.bmp"],
		}),
		"ILSVRC2012_img_val.tar": archivetest.Tar(t, map[string][]byte{
			"ILSVRC2012_val_00000001.JPEG": f["val/red/1.png"], "ILSVRC2012_val_00000002.JPEG": f["val/blue/1.jpeg"], "ILSVRC2012_val_00000003.JPEG": f["val/red/1.png"],
		}),
		"val_labels.txt":            []byte("n02\nn01\nn02\n"),
		"ILSVRC2012_img_test.tar":   archivetest.Tar(t, map[string][]byte{"ILSVRC2012_test_1.JPEG": f["val/red/1.png"]}),
		"README.md":                 []byte("no labels\n"),
		"classes/n01/something.txt": []byte("n01"),
	}
}

// TestImageNet reads the archives without unpacking them, with labels in any of their forms.
func TestImageNet(t *testing.T) {
	archivetest.OwnCache(t)
	for _, text := range []string{
		"n02\nn01\nn02\n",
		"1\n0\n1",
		"ILSVRC2012_val_00000003.JPEG n02\nILSVRC2012_val_00000001.JPEG n02\nILSVRC2012_val_00000002.JPEG n01\n",
		"ImageId,PredictionString\r\nILSVRC2012_val_00000002,n01 1 2 3 4\r\nILSVRC2012_val_00000001,n02 5 6 7 8 n02 1 1 1 1\r\nILSVRC2012_val_00000003,n02 1 2 3 4\r\n",
		"val/ILSVRC2012_val_00000001.JPEG 1\nval/ILSVRC2012_val_00000002.JPEG 0\nval/ILSVRC2012_val_00000003.JPEG 1\n",
	} {
		files := ilsvrc(t)
		files["val_labels.txt"] = []byte(text)
		s, err := Open(archivetest.Folder(t, files), Options{})
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		labels := func(s Split) (all []int) {
			for i := range s.Len() {
				all = append(all, s.Label(i))
			}
			return all
		}
		if !slices.Equal(s.Classes, []string{"n01", "n02"}) || !slices.Equal(labels(s.Train), []int{0, 0, 1}) || !slices.Equal(labels(s.Val), []int{1, 0, 1}) {
			t.Errorf("classes %v, labels %v and %v", s.Classes, labels(s.Train), labels(s.Val))
		}
		if got, red := contents(t, s), "0 n01_1.JPEG 12 10 [200 10 10]"; !strings.Contains(got, red) {
			t.Errorf("no %q in\n%s", red, got)
		}
		if name := s.Train.Name(0); !strings.HasSuffix(name, "ILSVRC2012_img_train.tar: n01/n01_1.JPEG") {
			t.Errorf("the first picture is called %s", name)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestImageNetKit takes the labels from the development kit, if there is no text file with them.
func TestImageNetKit(t *testing.T) {
	archivetest.OwnCache(t)
	meta, err := os.ReadFile("imagenet/testdata/compressed.mat")
	if err != nil {
		t.Fatal(err)
	}
	wnids := map[string]string{"1": "n02100735", "3": "n02119789"} // by the kit's numbers
	files := ilsvrc(t)
	delete(files, "val_labels.txt")
	files["ILSVRC2012_img_train.tar"] = archivetest.Tar(t, map[string][]byte{wnids["1"] + ".tar/1.JPEG": files["ILSVRC2012_img_val.tar"][512:1024], wnids["3"] + ".tar/2.JPEG": nil})
	kit := map[string][]byte{"kit/data/meta.mat": meta, "kit/data/ILSVRC2012_validation_ground_truth.txt": []byte("3\n1\n1\n")}
	files["ILSVRC2012_devkit_t12.tar.gz"] = archivetest.Gzip(archivetest.Tar(t, kit))
	dir := archivetest.Folder(t, files)
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range []string{"3", "1", "1"} {
		if got := s.Classes[s.Val.Label(i)]; got != wnids[id] {
			t.Errorf("picture %d is of class %s, want %s", i, got, wnids[id])
		}
	}
	s.Close()
	for want, text := range map[string]string{"devkit_t12.tar.gz: its labels: no class for picture": "1\n", "line 2: \"x\" is no ILSVRC2012_ID": "1\nx\n"} {
		kit["kit/data/ILSVRC2012_validation_ground_truth.txt"] = []byte(text)
		files["ILSVRC2012_devkit_t12.tar.gz"] = archivetest.Gzip(archivetest.Tar(t, kit))
		if _, err := Open(archivetest.Folder(t, files), Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

// The kit's numbers of the classes are those of result files; another year's kit beside it has none.
func TestNumbers(t *testing.T) {
	archivetest.OwnCache(t)
	meta, err := os.ReadFile("imagenet/testdata/compressed.mat")
	if err != nil {
		t.Fatal(err)
	}
	files := photos(t, "train/n02119789/1.png train/n02100735/1.png val/n02119789/ILSVRC2012_val_00000001.png", "val/n02119789/ILSVRC2012_val_00000001.xml", annotated("n02119789 1 1 50 50"))
	other := archivetest.Gzip(archivetest.Tar(t, photos(t, "", "data/readme", "x")))
	for _, c := range []struct {
		kits map[string][]byte
		want []int
	}{
		{nil, nil},
		{map[string][]byte{"ILSVRC2014_devkit.tgz": other}, nil},
		{map[string][]byte{"ILSVRC2012_devkit_t12.tar.gz": archivetest.Gzip(archivetest.Tar(t, map[string][]byte{"kit/data/meta.mat": meta})), "ILSVRC2014_devkit.tgz": other}, []int{1, 3}},
	} {
		all := maps.Clone(files)
		maps.Copy(all, c.kits)
		s, err := Open(archivetest.Folder(t, all), Options{Boxes: true})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(s.Numbers, c.want) {
			t.Errorf("%d kits: numbers %v of %v, want %v", len(c.kits), s.Numbers, s.Classes, c.want)
		}
		s.Close()
	}
}

// TestImageNetRefused changes the archives and labels so that Open refuses them.
func TestImageNetRefused(t *testing.T) {
	archivetest.OwnCache(t)
	for want, change := range map[string]func(map[string][]byte){
		"no text file that labels them":           func(f map[string][]byte) { delete(f, "val_labels.txt") },
		"val_labels.txt is not: line 2: no class": func(f map[string][]byte) { f["val_labels.txt"] = []byte("n01\nn03\nn01\n") },
		"put the kit":  func(f map[string][]byte) { f["val_labels.txt"] = []byte("2\n1\n1\n") },
		"only 3 pict":  func(f map[string][]byte) { f["val_labels.txt"] = []byte("n01\nn01\nn01\nn01\n") },
		"no class for": func(f map[string][]byte) { f["val_labels.txt"] = []byte("n01\nn01\n") },
		"a second": func(f map[string][]byte) {
			f["val_labels.txt"] = []byte("ILSVRC2012_val_00000001 0\nILSVRC2012_val_00000001 0")
		},
		"no picture \"": func(f map[string][]byte) { f["val_labels.txt"] = []byte("ILSVRC2012_val_00000001 0\nx 0") },
		"validation pictures: archive ILSVRC2012_img_val.tar, archive my_val.tar: keep one": func(f map[string][]byte) {
			f["my_val.tar"] = f["ILSVRC2012_img_val.tar"]
		},
		"ILSVRC2012_img_train.tar: n01.tar: the tar archive is damaged": func(f map[string][]byte) {
			train := f["ILSVRC2012_img_train.tar"]
			copy(train[bytes.Index(train, []byte("n01_2"))+148:], "\xff\xff\xff") // checksum of the header
		},
		"val/CLASS/*": func(f map[string][]byte) { delete(f, "ILSVRC2012_img_val.tar") },
	} {
		files := ilsvrc(t)
		change(files)
		dir := archivetest.Folder(t, files)
		if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), dir) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}
