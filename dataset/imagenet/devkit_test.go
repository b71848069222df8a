package imagenet

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"vgg/internal/archive"
)

// metaMAT is a file that testdata/make.py wrote.
func metaMAT(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func devkitTree(t *testing.T, files map[string][]byte) archive.Tree {
	t.Helper()
	disk := fstest.MapFS{}
	for name, data := range files {
		disk[name] = &fstest.MapFile{Data: data}
	}
	kit, err := archive.OpenFolder("kit", disk)
	if err != nil {
		t.Fatal(err)
	}
	return kit
}

// TestDevkit reads the files that scipy wrote, in whichever folder they are.
func TestDevkit(t *testing.T) {
	want := []string{"n07747607", "n02119789", "n07747607", "n02100735"}
	for _, name := range []string{"compressed.mat", "plain.mat"} {
		for _, dir := range []string{"", "data/", "ILSVRC2012_devkit_t12/data/"} {
			labels, err := ValidationLabels(devkitTree(t, map[string][]byte{
				dir + "ILSVRC2012_validation_ground_truth.txt": []byte("490\n3\r\n490\n1"),
				dir + "meta.mat":                metaMAT(t, name),
				"other/meta.mat":                nil,
				"ILSVRC2012_img_val/data/1.JPG": nil,
			}))
			if err != nil || !slices.Equal(labels, want) {
				t.Errorf("%s in %q: %v, %v", name, dir, labels, err)
			}
		}
	}
}

func TestDevkitErrors(t *testing.T) {
	const truth = "ILSVRC2012_validation_ground_truth.txt"
	for want, change := range map[string]func(map[string][]byte){
		"no data/meta.mat":                             func(f map[string][]byte) { delete(f, "data/meta.mat") },
		"no data/" + truth:                             func(f map[string][]byte) { delete(f, "data/"+truth) },
		"both data/meta.mat and t3/data/meta.mat":      func(f map[string][]byte) { f["t3/data/meta.mat"] = nil },
		"data/meta.mat: 2 bytes are no":                func(f map[string][]byte) { f["data/meta.mat"] = []byte("no") },
		"data/" + truth + `: line 2: "491" is no`:      func(f map[string][]byte) { f["data/"+truth] = []byte("490\n491\n") },
		"data/" + truth + `: line 3: "" is no`:         func(f map[string][]byte) { f["data/"+truth] = []byte("1\n3\n\n1\n") },
		"data/" + truth + `: line 1: "kit fox" is no`:  func(f map[string][]byte) { f["data/"+truth] = []byte("kit fox\n") },
		"data/" + truth + `: line 2: "\xff\x00" is no`: func(f map[string][]byte) { f["data/"+truth] = []byte("1\n\xff\x00\n") },
	} {
		files := map[string][]byte{"data/meta.mat": metaMAT(t, "compressed.mat"), "data/" + truth: []byte("490\n")}
		change(files)
		if _, err := ValidationLabels(devkitTree(t, files)); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}
