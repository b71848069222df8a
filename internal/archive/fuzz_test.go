package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"vgg/internal/archive/archivetest"
)

// checkPaths: paths are in order, each once, and of UTF-8 text that stays in the archive; none is hidden; and together
// they are not much longer than an archive of size bytes.
func checkPaths[E any](t *testing.T, entries []E, pathOf func(*E) *string, size int) {
	last, length := "", 0
	for i := range entries {
		file := *pathOf(&entries[i])
		name := strings.TrimSuffix(file, "/")
		if file <= last || !utf8.ValidString(file) || strings.HasPrefix(file, "/") || isHidden(name) || slices.Contains(strings.Split(name, "/"), "") {
			t.Fatalf("path %q behind %q", file, last)
		}
		last, length = file, length+len(file)
	}
	if length > 2*size+maxLinked*maxLinkPath*len(entries) {
		t.Fatalf("%d bytes of paths from %d", length, size)
	}
}

// FuzzTar: whatever is listed is in the archive.
func FuzzTar(f *testing.F) {
	plain := tarOf(f, tar.Header{Name: "a/1"}, hardLink("a/2", "a/1"), symlink("b", "a"))
	pax := tarOf(f, tar.Header{Name: "é/1", Format: tar.FormatPAX, PAXRecords: map[string]string{"VENDOR.key": "value"}})
	f.Add(plain)
	f.Add(pax[:2560])
	f.Add(slices.Concat(plain, pax))
	f.Add(archivetest.Tar(f, map[string][]byte{"c.tar": pax}))
	f.Add(tarOf(f, tar.Header{Name: strings.Repeat("n", 120), Format: tar.FormatGNU}))
	f.Fuzz(func(t *testing.T, data []byte) {
		data = fixChecksums(slices.Clone(data))
		list, err := listTar(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		checkPaths(t, list.entries, tarPath, len(data))
		for _, e := range list.entries {
			if e.offset < 0 || e.size < 0 || e.size > int64(len(data))-e.offset {
				t.Fatalf("%+v in an archive of %d bytes", e, len(data))
			}
		}
	})
}

// fixChecksums makes blocks that say "ustar" headers that are accepted.
func fixChecksums(whole []byte) []byte {
	for data := whole; len(data) >= tarBlock; data = data[tarBlock:] {
		block := data[:tarBlock]
		if !bytes.HasPrefix(block[257:], []byte("ustar")) {
			continue
		}
		copy(block[148:156], "        ")
		sum := 0
		for _, b := range block {
			sum += int(b)
		}
		copy(block[148:156], []byte{'0' + byte(sum>>15&7), '0' + byte(sum>>12&7), '0' + byte(sum>>9&7), '0' + byte(sum>>6&7), '0' + byte(sum>>3&7), '0' + byte(sum&7), 0, ' '})
	}
	return whole
}

// FuzzZip: whatever is listed is in the archive, and reading it gives no more than it says.
func FuzzZip(f *testing.F) {
	f.Add(archivetest.Zip(f, "", map[string][]byte{"a/1": bytes.Repeat([]byte("1"), 500), "b/2": nil}))
	f.Add(zipOf(f, zip.FileHeader{Name: `a\1`}, zipLink("b", "a")))
	f.Add(zipOf(f, zip.FileHeader{Name: "\x82/1", Extra: unicodePath("\x82/1", "é/1")}))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, _, err := listZip(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		checkPaths(t, entries, zipPath, len(data))
		for _, e := range entries[:min(len(entries), 20)] {
			content, err := e.read(bytes.NewReader(data), 1000)
			if len(content) > 1000 || err == nil && len(content) < 1000 && int64(len(content)) != e.length {
				t.Fatalf("%+v gives %d bytes", e, len(content))
			}
		}
	})
}

// FuzzGzip: what stands before zeros is read as without them, and text behind is refused.
func FuzzGzip(f *testing.F) {
	f.Add(archivetest.Gzip([]byte("text")))
	f.Add(append(archivetest.Gzip([]byte("one")), archivetest.Gzip([]byte("two"))...))
	f.Add(append(archivetest.Gzip(nil), 0, 0, 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		read := func(behind string) ([]byte, error) {
			r, err := newGzipReader(strings.NewReader(string(data) + behind))
			if err != nil {
				return nil, err
			}
			return io.ReadAll(io.LimitReader(r, 1<<16))
		}
		plain, err := read("")
		if err != nil || len(plain) == 1<<16 {
			return
		}
		if padded, err := read("\x00\x00\x00"); err != nil || !bytes.Equal(padded, plain) {
			t.Fatalf("with zeros %q, %v, without %q", padded, err, plain)
		}
		if _, err := read("text"); err == nil {
			t.Fatal("text behind is accepted")
		}
	})
}

// FuzzLinks: links end, and lead to entries that there are. The input has a link in each line: its path, and where it
// leads.
func FuzzLinks(f *testing.F) {
	f.Add("b a\nc/d ../b/1\nb/x a")
	f.Add("a/up ..\nb a\na/c ../b\nd e")
	f.Fuzz(func(t *testing.T, text string) {
		l := links{}
		for line := range strings.Lines(text) {
			file, target, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			if file, err := entryPath(file, false); err == nil && file != "" {
				l[strings.TrimSuffix(file, "/")] = target
			}
		}
		entries := []tarEntry{{"a/", 0, 0}, {"a/1", 1, 1}, {"a/b/2", 2, 1}, {"e/3", 3, 1}, {"f", 4, 1}}
		for _, e := range entries {
			l.remove(e.path)
		}
		all, err := followed(maps.Clone(l), slices.Clone(entries), tarPath)
		if err != nil {
			return
		}
		checkPaths(t, all, tarPath, len(text)+100)
		if len(all) < len(entries) || len(all) > len(entries)+2*maxLinked*(len(entries)+len(l)) {
			t.Fatalf("%d entries from %d and %d links", len(all), len(entries), len(l))
		}
	})
}
