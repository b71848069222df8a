package archivetest

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Folder makes a folder of files, and of folders whose names end in a slash, which goes with the test.
func Folder(t testing.TB, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		write := func() error { return os.WriteFile(path, data, 0o666) }
		if strings.HasSuffix(name, "/") {
			write = func() error { return os.Mkdir(path, 0o777) }
		}
		if err := write(); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// File makes a file with a name in a folder of its own.
func File(t testing.TB, name string, data []byte) string {
	t.Helper()
	return filepath.Join(Folder(t, map[string][]byte{name: data}), name)
}

// Zip packs files into a zip archive, below a folder ("" or with a slash at its end).
func Zip(t testing.TB, below string, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.BestSpeed) })
	for _, name := range slices.Sorted(maps.Keys(files)) {
		entry, err := w.Create(below + name)
		if err == nil {
			_, err = entry.Write(files[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Tar packs files into a tar archive, in the order of their names. A file whose name has .tar/ in it goes into a tar
// archive in the archive.
func Tar(t testing.TB, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	inner := map[string]map[string][]byte{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if archive, file, ok := strings.Cut(name, ".tar/"); ok {
			if inner[archive] == nil {
				inner[archive] = map[string][]byte{}
			}
			inner[archive][file] = files[name]
			continue
		}
		add(t, w, name, files[name])
	}
	for _, name := range slices.Sorted(maps.Keys(inner)) {
		add(t, w, name+".tar", Tar(t, inner[name]))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func add(t testing.TB, w *tar.Writer, name string, data []byte) {
	t.Helper()
	if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(data)), Mode: 0o644}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
}

// Gzip compresses a file.
func Gzip(data []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed) // a level that exists
	w.Write(data)                                   // a buffer takes everything
	w.Close()
	return b.Bytes()
}

// ManyFiles makes a tar archive of class archives with the given numbers of classes and of files in each. The files
// have a few bytes that begin like a JPEG.
func ManyFiles(t testing.TB, classes, files int, file string) {
	t.Helper()
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	outer := tar.NewWriter(out)
	var inner bytes.Buffer
	for c := range classes {
		inner.Reset()
		w := tar.NewWriter(&inner)
		for i := range files {
			add(t, w, fmt.Sprintf("n%08d_%d.JPEG", c, i), fmt.Appendf(nil, "\xff\xd8\xff picture %d of class %d", i, c))
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		add(t, outer, fmt.Sprintf("n%08d.tar", c), inner.Bytes())
	}
	if err := outer.Close(); err != nil {
		t.Fatal(err)
	}
}

// OwnCache gives the test a cache folder of its own, and its path.
func OwnCache(t testing.TB) string {
	dir := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", dir)
	return filepath.Join(dir, "vgg")
}
