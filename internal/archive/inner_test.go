package archive

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"vgg/internal/archive/archivetest"
)

// An archive in an archive is unpacked once, from gzip too, and again when the outer one has changed.
func TestUnpack(t *testing.T) {
	archivetest.OwnCache(t)
	inner := archivetest.Tar(t, map[string][]byte{"a/1.jpg": []byte("1")})
	file := archivetest.File(t, "outer.zip", archivetest.Zip(t, "", map[string][]byte{"x/in.tar.gz": archivetest.Gzip(inner), "y/in.tar": inner, "z.tgz": []byte("\x1f\x8b damaged")}))
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
	for _, path := range []string{"x/in.tar.gz", "y/in.tar"} {
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
	if err := os.WriteFile(file, archivetest.Zip(t, "other/", map[string][]byte{"y/in.tar": inner}), 0o666); err != nil {
		t.Fatal(err)
	}
	if again, notices, err := unpack("other/y/in.tar"); again == first || notices != 1 || err != nil {
		t.Errorf("%s, %d notices, error %v", again, notices, err)
	}
}
