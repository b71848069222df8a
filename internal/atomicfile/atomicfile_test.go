package atomicfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWriteReplacesAndKeepsPermissions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := Write(path, []byte("one")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, []byte("two")); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil || string(data) != "two" {
		t.Errorf("the file holds %q, %v: want two", data, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("permissions %v, %v: want those of the replaced file, 0600", info.Mode().Perm(), err)
	}
}

func TestFailureLeavesTheOldFileAlone(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := Write(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	err := Encode(path, func(w io.Writer) error {
		if _, err := io.WriteString(w, "half of the n"); err != nil {
			return err
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("error %v: want %v", err, broken)
	}
	if data, _ := os.ReadFile(path); string(data) != "old" {
		t.Errorf("the file holds %q: want old", data)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d files in the folder: want the old one alone", len(entries))
	}
}

func TestFolderThatDoesNotExist(t *testing.T) {
	if err := Write(filepath.Join(t.TempDir(), "none", "file"), nil); err == nil {
		t.Error("no error for a folder that does not exist")
	}
}

// TestCheck: what could be written passes, and nothing is changed or left behind.
func TestCheck(t *testing.T) {
	dir := t.TempDir()
	in := func(parts ...string) string { return filepath.Join(append([]string{dir}, parts...)...) }
	if err := Write(in("file"), []byte("old")); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(in("file"))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		in("new"): "", in("file"): "",
		in("none", "file"): "there is no folder " + in("none"), in("file", "file"): "no folder", in("file") + "/": "folder",
		dir: "a folder, not a file", in("new") + "/": "a folder, not a file", os.DevNull: "a device",
	} {
		if err := Check(path); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", path, err, want)
		}
	}
	if os.Getuid() != 0 { // who may write everywhere
		if err := os.Chmod(in("file"), 0o444); err != nil {
			t.Fatal(err)
		}
		if err := Check(in("file")); err == nil {
			t.Error("no error for a file that may not be written")
		}
		if err := os.Chmod(dir, 0o555); err != nil {
			t.Fatal(err)
		}
		defer os.Chmod(dir, 0o755)
		if err := Check(in("new")); err == nil {
			t.Error("no error in a folder that may not be written")
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
	after, err := os.Stat(in("file"))
	if err != nil || !after.ModTime().Equal(before.ModTime()) || after.Size() != 3 {
		t.Errorf("the file was changed: %v, %v", after, err)
	}
}
