package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"vgg/internal/archive/archivetest"
)

// files and folders of a tree; hidden ones are not listed.
var files = map[string][]byte{
	"a.txt": []byte("a"), "b/": nil, "b/1": []byte("one"), "b/2": bytes.Repeat([]byte("2"), 5000), "b+/3": []byte("three"), "c/d/4": nil,
	".hidden": nil, "c/.hidden/5": nil, "__MACOSX/._6": nil,
}

// trees gives the same files in a folder and in every kind of archive.
func trees(t *testing.T) map[string]Tree {
	archivetest.OwnCache(t)
	disk := fstest.MapFS{}
	for name, data := range files {
		if !strings.HasSuffix(name, "/") {
			disk[name] = &fstest.MapFile{Data: data}
		}
	}
	folder, err := OpenFolder("folder", disk)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]Tree{"folder": folder}
	for name, data := range map[string][]byte{
		"zip": archivetest.Zip(t, "./", files), "tar": archivetest.Tar(t, files), "tar.gz": archivetest.Gzip(archivetest.Tar(t, files)),
		"tar in tar": archivetest.Tar(t, map[string][]byte{"b.tar/1": files["b/1"], "b.tar/2": files["b/2"], "b+.tar/3": files["b+/3"], "a.txt": files["a.txt"], "c/d/4": nil}),
	} {
		if all[name], err = Open(archivetest.File(t, name, data), nil); err != nil {
			t.Fatal(name, err)
		}
	}
	return all
}

// TestTrees: the files are listed in order, found by path and by folder, and read whole or in part, wherever they are.
func TestTrees(t *testing.T) {
	for name, tree := range trees(t) {
		var paths []string
		for i := range tree.Len() {
			path := tree.Path(i)
			if strings.HasSuffix(path, "/") {
				continue // not every archive lists folders
			}
			paths = append(paths, path)
			if data, err := ReadFile(tree, i, 5000); err != nil || !bytes.Equal(data, files[path]) {
				t.Errorf("%s: %s holds %.20q, %v", name, path, data, err)
			}
			if data, err := tree.Read(i, 2); err != nil || !bytes.Equal(data, files[path][:min(2, len(files[path]))]) {
				t.Errorf("%s: %s starts with %q, %v", name, path, data, err)
			}
			if at, found := Find(tree, path); at != i || !found {
				t.Errorf("%s: %s is at %d, %v, want %d", name, path, at, found, i)
			}
		}
		if want := []string{"a.txt", "b+/3", "b/1", "b/2", "c/d/4"}; !slices.Equal(paths, want) {
			t.Errorf("%s: files %q, want %q", name, paths, want)
		}
		for i := range tree.Len() {
			if first, end := Below(tree, "b/"); (i >= first && i < end) != strings.HasPrefix(tree.Path(i), "b/") {
				t.Errorf("%s: below b/ are %d to %d", name, first, end)
			}
		}
		if first, end := Below(tree, ""); first != 0 || end != tree.Len() {
			t.Errorf("%s: %d to %d of %d", name, first, end, tree.Len())
		}
		if _, found := Find(tree, "b/3"); found {
			t.Errorf("%s: a file that is not there was found", name)
		}
		at, _ := Find(tree, "b/2")
		if _, err := ReadFile(tree, at, 4999); err == nil || !strings.Contains(err.Error(), "longer than 4999 bytes") {
			t.Errorf("%s: error %v for a file that is too long", name, err)
		}
		if err := tree.Close(); err != nil {
			t.Error(name, err)
		}
	}
}

// TestHostileArchives: what leads out of the archive, or is no plain file, is refused by entry and reason.
func TestHostileArchives(t *testing.T) {
	cache := archivetest.OwnCache(t)
	entry := func(h tar.Header) []byte {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, f := range []tar.Header{{Name: "train/a/1.jpg", Size: 1}, h} {
			if err := w.WriteHeader(&f); err != nil {
				t.Fatal(err)
			}
			w.Write(make([]byte, f.Size))
		}
		w.Close()
		return b.Bytes()
	}
	inZip := func(h zip.FileHeader, raw []byte) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		out, err := w.CreateRaw(&h)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(raw)
		w.Close()
		return b.Bytes()
	}
	link := zip.FileHeader{Name: "train/a/link.jpg"}
	link.SetMode(os.ModeSymlink | 0o777)
	noise := make([]byte, 3000) // does not compress
	rand.NewChaCha8([32]byte{}).Read(noise)
	plain := archivetest.Tar(t, map[string][]byte{"a/1": []byte("1"), "b/2": noise})
	for want, file := range map[string][]byte{
		"train/../../1.jpg: the path leads out of the archive":                        entry(tar.Header{Name: "train/../../1.jpg"}),
		"/etc/1.jpg: an absolute path":                                                entry(tar.Header{Name: "/etc/1.jpg"}),
		"C:/1.jpg: an absolute path":                                                  entry(tar.Header{Name: "C:/1.jpg"}),
		`train\1.jpg: the path has a backslash`:                                       entry(tar.Header{Name: `train\1.jpg`}),
		"train/a/2.jpg: a link to /etc/passwd, an absolute":                           entry(tar.Header{Name: "train/a/2.jpg", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}),
		"train/a/4.jpg: a device, pipe":                                               entry(tar.Header{Name: "train/a/4.jpg", Typeflag: tar.TypeFifo}),
		"damaged or incomplete":                                                       entry(tar.Header{Name: "train/a/5.jpg", Size: 5000})[:1100],
		"it is incomplete":                                                            entry(tar.Header{Name: "train/a/6.jpg", Size: 5000})[:4096],
		"train/../2.jpg: the path leads out":                                          inZip(zip.FileHeader{Name: "train/../2.jpg"}, nil),
		"train/a/link.jpg: a link":                                                    inZip(link, []byte("/etc/passwd")),
		"train/a/7.jpg: encrypted":                                                    inZip(zip.FileHeader{Name: "train/a/7.jpg", Flags: 1}, nil),
		"train/a/7.jpg: packed by method 77":                                          inZip(zip.FileHeader{Name: "train/a/7.jpg", Method: 77}, nil),
		"packed by deflate64, which is not read: pack the archive again with deflate": inZip(zip.FileHeader{Name: "train/a/7.jpg", Method: 9}, nil),
		"packed by LZMA":                                                              inZip(zip.FileHeader{Name: "train/a/7.jpg", Method: 14}, nil),
		"train/a/8.jpg: packed by bzip2":                                              inZip(zip.FileHeader{Name: "train/a/8.jpg", Method: 12}, nil),
		"train/a/9.jpg: 10 bytes that claim":                                          inZip(zip.FileHeader{Name: "train/a/9.jpg", Method: zip.Deflate, CompressedSize64: 10, UncompressedSize64: 1 << 30}, make([]byte, 10)),
		"the zip archive is damaged":                                                  []byte("PK\x03\x04 and so on"),
		"no tar archive":                                                              archivetest.Gzip([]byte("text")),
		"the gzip file is damaged":                                                    archivetest.Gzip(plain)[:2000],
		"the file is empty":                                                           nil,
		"want a folder, or a zip":                                                     []byte("text"),
	} {
		file := archivetest.File(t, "archive", file)
		_, err := Open(file, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
	if _, err := Open(os.DevNull, nil); err == nil || !strings.Contains(err.Error(), "a pipe or a device: save it to a file first") {
		t.Errorf("error %v for a device", err)
	}
	if err := gunzip(bytes.NewReader(archivetest.Gzip(plain)), 1000, filepath.Join(cache, "bomb.tar")); err == nil || !strings.Contains(err.Error(), "more than 1000 bytes: a gzip bomb") {
		t.Errorf("error %v for an archive that unpacks to too much", err)
	}
	if left, err := os.ReadDir(cache); err == nil && len(left) > 0 {
		t.Errorf("archives that were refused left %v", left)
	}
}
