package archive

import (
	"bytes"
	"crypto/sha256"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vgg/internal/archive/archivetest"
)

// TestIndex: the list of a large archive is kept beside it, or else in the cache folder, used again, and made again
// when the archive or the list changed.
func TestIndex(t *testing.T) {
	cache := archivetest.OwnCache(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "train.tar")
	archivetest.ManyFiles(t, 20, 600, file)
	count := func() (files int) {
		t.Helper()
		tree, err := Open(file, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer tree.Close()
		if data, err := ReadFile(tree, 5, 100); err != nil || string(data) != "\xff\xd8\xff picture 101 of class 0" {
			t.Errorf("entry %s holds %q, %v", tree.Path(5), data, err)
		}
		for i := range tree.Len() {
			if !strings.HasSuffix(tree.Path(i), "/") {
				files++
			}
		}
		return files
	}
	beside := file + indexSuffix
	if n := count(); n != 12000 {
		t.Fatalf("%d files", n)
	}
	kept, err := os.ReadFile(beside)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	list, err := decodeIndex(kept, info.Size(), info.ModTime().UnixNano())
	if err != nil {
		t.Fatal(err)
	}
	// A list with one file less, correctly kept, is used: it is not made again each time.
	last := slices.IndexFunc(list.entries, func(e tarEntry) bool { return strings.HasSuffix(e.path, "n00000019_99.JPEG") })
	if err := writeIndex(file, info, &tarList{entries: slices.Delete(list.entries, last, last+1)}); err != nil {
		t.Fatal(err)
	}
	if n := count(); n != 11999 {
		t.Errorf("%d files: the list that was kept is not used", n)
	}
	// Flipping any byte of it makes it useless, and the list is made again.
	for _, at := range []int{0, 9, 20, 28, 40, len(kept) / 2, len(kept) - 1} {
		damaged := slices.Clone(kept)
		damaged[at] ^= 4
		if _, err := decodeIndex(damaged, info.Size(), info.ModTime().UnixNano()); err == nil {
			t.Errorf("byte %d flipped, and no error", at)
		}
	}
	if err := os.Truncate(beside, 1000); err != nil {
		t.Fatal(err)
	}
	if n := count(); n != 12000 {
		t.Errorf("%d files from a damaged list", n)
	}
	if again, err := os.ReadFile(beside); err != nil || !bytes.Equal(again, kept) {
		t.Errorf("the list was not kept again: %d bytes, %v", len(again), err)
	}
	// Where no file can be made beside the archive, the cache folder keeps it.
	if err := os.Remove(beside); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(beside, 0o777); err != nil { // in its place, since root may write everywhere
		t.Fatal(err)
	}
	count()
	if files, _ := filepath.Glob(filepath.Join(cache, "*"+indexSuffix)); len(files) != 1 {
		t.Errorf("the cache folder holds %v", files)
	}
	// Another archive under its name is listed again.
	archivetest.ManyFiles(t, 20, 601, file)
	if n := count(); n != 12020 {
		t.Errorf("%d files of another archive", n)
	}
}

// FuzzIndex: whatever is read is within the archive, and is the same when written again.
func FuzzIndex(f *testing.F) {
	encoded := func(list *tarList) []byte {
		var b bytes.Buffer
		if err := encodeIndex(&b, list, 1<<20, 5); err != nil {
			f.Fatal(err)
		}
		return b.Bytes()
	}
	whole := encoded(&tarList{[]tarEntry{{"a/", 0, 0}, {"a/1", 512, 100}, {"a/2", 2048, 7}}, []string{"a note"}})
	f.Add(whole[:len(whole)-32])
	f.Add(whole[:indexHead])
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) >= indexHead { // most damage would stop at the checksum and the archive's size
			data = append(whole[:24:24], data[24:]...)
			sum := sha256.Sum256(data)
			data = append(slices.Clip(data), sum[:]...)
		}
		list, err := decodeIndex(data, 1<<20, 5)
		if err != nil {
			return
		}
		for _, e := range list.entries {
			if e.offset < 0 || e.size < 0 || e.offset+e.size > 1<<20 {
				t.Fatalf("an entry outside the archive: %+v", e)
			}
		}
		again, err := decodeIndex(encoded(list), 1<<20, 5)
		if err != nil || !slices.Equal(again.entries, list.entries) || !slices.Equal(again.notes, list.notes) {
			t.Fatalf("%v, written and read again %v, %v", list, again, err)
		}
	})
}
