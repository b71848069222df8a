package archive

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"vgg/internal/archive/archivetest"
)

// An archive in an archive is unpacked once, from gzip too, and again when the outer one has changed.
func TestUnpack(t *testing.T) {
	archivetest.OwnCache(t)
	tarOf := func(name string) []byte { return archivetest.Tar(t, map[string][]byte{name: []byte("1")}) }
	inner := map[string][]byte{"x/in.tar.gz": tarOf("a/1.jpg"), "x/in.tgz": tarOf("a/2.jpg"), "x/in.tar": tarOf("a/3.jpg"), "y/in.tar": tarOf("a/4.jpg")}
	file := archivetest.File(t, "outer.zip", archivetest.Zip(t, "", map[string][]byte{
		"x/in.tar.gz": archivetest.Gzip(inner["x/in.tar.gz"]), "x/in.tgz": archivetest.Gzip(inner["x/in.tgz"]),
		"x/in.tar": inner["x/in.tar"], "y/in.tar": inner["y/in.tar"], "z.tgz": []byte("\x1f\x8b damaged"),
	}))
	unpack := func(path string) (unpacked string, notices int, err error) {
		outer, err := Open(file, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer outer.Close()
		i, ok := Find(outer, path)
		if !ok {
			t.Fatalf("no %s", path)
		}
		unpacked, err = Unpack(outer, i, func(string) { notices++ })
		return unpacked, notices, err
	}
	for path, inner := range inner {
		first, notices, err := unpack(path)
		if err != nil || notices != 1 || filepath.Base(first) != "in.tar" {
			t.Fatalf("%s: %s, %d notices, error %v", path, first, notices, err)
		}
		if data, err := os.ReadFile(first); err != nil || !bytes.Equal(data, inner) {
			t.Errorf("%s: %d bytes, error %v, want %d", path, len(data), err, len(inner))
		}
		if again, notices, err := unpack(path); again != first || notices != 0 || err != nil {
			t.Errorf("%s: %s, %d notices, error %v, want %s", path, again, notices, err, first)
		}
	}
	if unpacked, _, err := unpack("z.tgz"); err == nil {
		t.Errorf("a damaged archive is unpacked to %s", unpacked)
	}
	first, _, err := unpack("y/in.tar")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, archivetest.Zip(t, "other/", map[string][]byte{"y/in.tar": inner["y/in.tar"]}), 0o666); err != nil {
		t.Fatal(err)
	}
	if again, notices, err := unpack("other/y/in.tar"); again == first || notices != 1 || err != nil {
		t.Errorf("%s, %d notices, error %v", again, notices, err)
	}
}

// What an archive was unpacked to goes a while after its last use if the archive has changed; who reads from it may go on.
func TestStale(t *testing.T) {
	cache := archivetest.OwnCache(t)
	file := filepath.Join(t.TempDir(), "set.tar.gz")
	open := func(content string) Tree {
		t.Helper()
		if err := os.WriteFile(file, archivetest.Gzip(archivetest.Tar(t, map[string][]byte{content: []byte(content)})), 0o666); err != nil {
			t.Fatal(err)
		}
		tree, err := Open(file, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { tree.Close() })
		return tree
	}
	copies := func() []os.DirEntry {
		entries, err := os.ReadDir(cache)
		if err != nil {
			t.Fatal(err)
		}
		return entries
	}
	first := open("a")
	old := filepath.Join(cache, copies()[0].Name())
	open("other")
	if n := len(copies()); n != 2 {
		t.Errorf("%d copies, want that which was used a moment ago, too", n)
	}
	long := time.Now().Add(-staleAfter - time.Hour)
	if err := os.Chtimes(old, long, long); err != nil {
		t.Fatal(err)
	}
	open("yet another")
	if _, err := os.Stat(old); !os.IsNotExist(err) || len(copies()) != 2 {
		t.Errorf("the stale copy is left among %v", copies())
	}
	if data, err := ReadFile(first, 0, 10); err != nil || string(data) != "a" {
		t.Errorf("read %q from a copy that is gone, error %v", data, err)
	}
}
