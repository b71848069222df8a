package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"vgg/internal/archive/archivetest"
)

// tarOf packs entries as they are; those without a size get the length of their content, which is their name.
func tarOf(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		content := ""
		if h.Typeflag == 0 || h.Typeflag == tar.TypeReg {
			content = h.Name
			h.Size = int64(len(content))
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// zipOf packs entries as they are; the content of each is its name, that of a link its comment.
func zipOf(t testing.TB, headers ...zip.FileHeader) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, h := range headers {
		content := h.Name
		if h.Mode()&fs.ModeSymlink != 0 {
			content = h.Comment
		}
		h.CRC32, h.CompressedSize64, h.UncompressedSize64 = crc32.ChecksumIEEE([]byte(content)), uint64(len(content)), uint64(len(content))
		out, err := w.CreateRaw(&h)
		if err == nil {
			_, err = out.Write([]byte(content))
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

// unicodePath is the extra field that has the name of a zip entry in UTF-8.
func unicodePath(raw, name string) []byte {
	b := binary.LittleEndian.AppendUint16(nil, unicodePathField)
	b = binary.LittleEndian.AppendUint16(b, uint16(5+len(name)))
	b = append(b, 1)
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE([]byte(raw)))
	return append(b, name...)
}

func hardLink(name, to string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeLink, Linkname: to}
}

func symlink(name, to string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: to}
}

func zipLink(name, to string) zip.FileHeader {
	h := zip.FileHeader{Name: name, Comment: to}
	h.SetMode(fs.ModeSymlink | 0o777)
	return h
}

const unix, oldUnix = 3 << 8, 19 << 8 // systems on which zip archives are made

// kind is an archive, and the content of its files by path, or a part of the error; and of a note.
type kind struct {
	name  string
	data  []byte
	files map[string]string
	err   string // with files nil
	note  string
}

func checkKinds(t *testing.T, kinds ...kind) {
	t.Helper()
	archivetest.OwnCache(t)
	for _, c := range kinds {
		for _, again := range []string{"", " (again)"} { // an unpacked gzip file is kept
			var notes []string
			tree, err := Open(archivetest.File(t, "archive", c.data), func(note string) { notes = append(notes, note) })
			if err != nil || c.files == nil {
				if err == nil || c.files != nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("%s%s: error %v, want %q", c.name, again, err, c.err)
				}
				continue
			}
			if got := contents(t, tree); !maps.Equal(got, c.files) {
				t.Errorf("%s%s: files %q, want %q", c.name, again, got, c.files)
			}
			notes = slices.DeleteFunc(notes, func(n string) bool { return strings.HasPrefix(n, "unpacking") })
			if all := strings.Join(notes, "\n"); !strings.Contains(all, c.note) || (all == "") != (c.note == "") {
				t.Errorf("%s%s: notes %q, want %q", c.name, again, notes, c.note)
			}
			tree.Close()
		}
	}
}

func file(name string) tar.Header { return tar.Header{Name: name} }

func pax(name string) tar.Header {
	return tar.Header{Name: name, Format: tar.FormatPAX, PAXRecords: map[string]string{"VENDOR.key": "value"}}
}

// inClass packs a tar archive as the class archive c into another.
func inClass(t *testing.T, inner []byte) []byte {
	return archivetest.Tar(t, map[string][]byte{"c.tar": inner, "d/3": []byte("d/3")})
}

// The files of most archives below, and those with inClass.
var (
	plain   = map[string]string{"a/1": "a/1", "b/2": "b/2"}
	classes = map[string]string{"c/a/1": "a/1", "c/b/2": "b/2", "d/3": "d/3"}
)

// TestTarHeaders: archives of all kinds of headers are listed, without what is hidden or of systems.
func TestTarHeaders(t *testing.T) {
	long := strings.Repeat("n", 120) + "/" + strings.Repeat("m", 120)
	checkKinds(t,
		kind{name: "PAX header first", data: tarOf(t, pax("a/1"), pax("b/2")), files: plain},
		kind{name: "global header first", data: tarOf(t, tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "0123"}}, file("a/1"), file("b/2")), files: plain},
		kind{name: "PAX long name", data: tarOf(t, tar.Header{Name: long + "é", Format: tar.FormatPAX}), files: map[string]string{long + "é": long + "é"}},
		kind{name: "GNU long name", data: tarOf(t, tar.Header{Name: long, Format: tar.FormatGNU}), files: map[string]string{long: long}},
		kind{name: "GNU long link", data: tarOf(t, file(long), tar.Header{Name: "a", Typeflag: tar.TypeLink, Linkname: long, Format: tar.FormatGNU}), files: map[string]string{long: long, "a": long}},
		kind{name: "gzipped PAX", data: archivetest.Gzip(tarOf(t, pax("a/1"), pax("b/2"))), files: plain},
		kind{name: "class archive that begins with PAX", data: inClass(t, tarOf(t, pax("a/1"), pax("b/2"))), files: classes},
		kind{name: "class archive in PAX", data: tarOf(t, pax("a/1"), pax("b/2")), files: plain},
		kind{name: "folder without a slash", data: tarOf(t, tar.Header{Name: "a", Typeflag: tar.TypeDir}, file("a/1"), file("b/2")), files: plain},
		kind{name: "volume label", data: tarOf(t, tar.Header{Name: "label", Typeflag: typeVolume}, file("a/1"), file("b/2")), files: plain},
		kind{name: "hidden links and devices", data: tarOf(t, symlink(".venv/python", "/usr/bin/python"), tar.Header{Name: "a/.pipe", Typeflag: tar.TypeFifo}, file("a/1"), file("b/2")), files: plain},
		kind{name: "what systems leave", data: tarOf(t, file("a/1"), file("A/__MACOSX/3"), file("a/@eaDir/1/thumb.jpg"), file("Lost+Found/4"), file("a/Thumbs.db"), file("b/2"), file("$RECYCLE.BIN/5")), files: plain},
	)
}

// TestTarLinks: links lead to other files and folders of the archive, or are refused.
func TestTarLinks(t *testing.T) {
	checkKinds(t,
		kind{name: "hard link", data: tarOf(t, file("a/1"), hardLink("b/2", "a/1")), files: map[string]string{"a/1": "a/1", "b/2": "a/1"}},
		kind{name: "hard link with ./", data: tarOf(t, file("./a/1"), hardLink("./b/2", "./a/1")), files: map[string]string{"a/1": "./a/1", "b/2": "./a/1"}},
		kind{name: "hard link to a hard link", data: tarOf(t, file("a"), hardLink("b", "a"), hardLink("c", "b")), files: map[string]string{"a": "a", "b": "a", "c": "a"}},
		kind{name: "hard link in a class archive", data: inClass(t, tarOf(t, file("a/1"), hardLink("b/2", "a/1"))), files: map[string]string{"c/a/1": "a/1", "c/b/2": "a/1", "d/3": "d/3"}},
		kind{name: "hard link that comes first", data: tarOf(t, hardLink("b", "a"), file("a")), err: "b: a link to a, which is not before it"},
		kind{name: "hard link to what is outside", data: tarOf(t, hardLink("b", "/etc/passwd"), file("a")), err: "b: a link to /etc/passwd: an absolute path"},
		kind{name: "hard link to a symbolic one", data: tarOf(t, file("d/a"), symlink("d/b", "a"), hardLink("d/c", "d/b")), files: map[string]string{"d/a": "d/a", "d/b": "d/a", "d/c": "d/a"}},
		kind{name: "symbolic links", data: tarOf(t, symlink("b/2", "../a/1"), file("a/1"), symlink("b/3", "./2"), symlink("4", "b/3")),
			files: map[string]string{"a/1": "a/1", "b/2": "a/1", "b/3": "a/1", "4": "a/1"}},
		kind{name: "symbolic link to a folder", data: tarOf(t, file("valid/a/1"), symlink("valid/b", "a"), symlink("val", "valid")),
			files: map[string]string{"valid/a/1": "valid/a/1", "valid/b/1": "valid/a/1", "val/a/1": "valid/a/1", "val/b/1": "valid/a/1"}},
		kind{name: "symbolic link through another", data: tarOf(t, file("a/1"), symlink("b", "a"), symlink("2", "b/1")), files: map[string]string{"a/1": "a/1", "b/1": "a/1", "2": "a/1"}},
		kind{name: "symbolic link to nowhere", data: tarOf(t, file("a"), symlink("b", "c")), err: "b: a link to c, which is not in the archive"},
		kind{name: "symbolic link out", data: tarOf(t, file("a"), symlink("b/c", "../../a")), err: "b/c: a link to ../../a, which leads out"},
		kind{name: "symbolic link to itself", data: tarOf(t, file("a"), symlink("b", "b")), err: "b: a link that leads in a circle"},
		kind{name: "symbolic links to each other", data: tarOf(t, file("a"), symlink("b", "c"), symlink("c", "b")), err: "b: a link that leads in a circle"},
		kind{name: "symbolic link to its own folder", data: tarOf(t, file("a/1"), symlink("a/b", "../a")), err: "a/b: a link that leads in a circle"},
		kind{name: "folders that link to each other", data: tarOf(t, file("a/1"), file("b/1"), symlink("a/b", "../b"), symlink("b/a", "../a")), err: "a link that leads in a circle"},
		kind{name: "file after a link of its name", data: tarOf(t, symlink("a/1", "/gone"), file("a/1"), file("b/2")), files: plain},
		kind{name: "links in zip", data: zipOf(t, zip.FileHeader{Name: "a/1"}, zipLink("b/2", "../a/1"), zipLink("c", "b")), files: map[string]string{"a/1": "a/1", "b/2": "a/1", "c/2": "a/1"}},
		kind{name: "link out of a zip", data: zipOf(t, zip.FileHeader{Name: "a/1"}, zipLink("b", "/etc")), err: "b: a link to /etc, an absolute path"},
	)
}

// TestTwice: the last of several files of one path is taken.
func TestTwice(t *testing.T) {
	checkKinds(t,
		kind{name: "file twice", data: tarOf(t, file("./a"), file("b"), file("a")), files: map[string]string{"a": "a", "b": "b"}, note: "1 files stand in it more than once (a)"},
		kind{name: "hard link to the first of two", data: tarOf(t, file("./a"), hardLink("b", "a"), file("a")), files: map[string]string{"a": "a", "b": "./a"}, note: "more than once"},
		kind{name: "file twice in zip", data: zipOf(t, zip.FileHeader{Name: "./a"}, zip.FileHeader{Name: "a"}), files: map[string]string{"a": "a"}, note: "more than once (a)"},
		kind{name: "folder twice", data: tarOf(t, tar.Header{Name: "a/", Typeflag: tar.TypeDir}, file("a/1"), tar.Header{Name: "a/", Typeflag: tar.TypeDir}, file("b/2")), files: plain},
	)
}

// TestEnds: archives are read to their end, and what is behind it is zeros or another archive.
func TestEnds(t *testing.T) {
	two := tarOf(t, file("a/1"), file("b/2"))
	checkKinds(t,
		kind{name: "two archives, one behind the other", data: slices.Concat(tarOf(t, file("a/1")), make([]byte, 10240), tarOf(t, pax("b/2"))), files: plain},
		kind{name: "zeros behind tar", data: slices.Concat(two, make([]byte, 10000)), files: plain},
		kind{name: "text behind tar", data: slices.Concat(two, []byte("text")), err: "behind the end of the tar archive, after b/2: 4 bytes that are neither"},
		kind{name: "no end mark", data: two[:len(two)-1024], files: plain, note: "no end mark behind b/2"},
		kind{name: "class archive without end mark", data: inClass(t, two[:len(two)-1024]), files: classes, note: "no end mark behind c/b/2"},
		kind{name: "cut in a header", data: two[:len(two)-1024-700], err: "incomplete after 1348 bytes, behind a/1"},
		kind{name: "cut in a file", data: archivetest.Tar(t, map[string][]byte{"a": make([]byte, 5000)})[:4000], err: "a: 5000 bytes from byte 512 on"},
		kind{name: "zeros behind gzip", data: append(archivetest.Gzip(two), make([]byte, 10240)...), files: plain},
		kind{name: "text behind gzip", data: append(archivetest.Gzip(two), "text"...), err: "bytes behind the gzip stream that are neither zeros"},
		kind{name: "text behind zeros behind gzip", data: append(archivetest.Gzip(two), "\x00\x00\x1f\x8b"...), err: "bytes behind the gzip stream"},
		kind{name: "gzip in pieces", data: slices.Concat(archivetest.Gzip(two[:700]), archivetest.Gzip(nil), archivetest.Gzip(two[700:]), make([]byte, 3)), files: plain},
		kind{name: "gzip of two archives", data: append(archivetest.Gzip(tarOf(t, file("a/1"))), archivetest.Gzip(tarOf(t, file("b/2")))...), files: plain},
		kind{name: "second gzip piece cut", data: append(archivetest.Gzip(two[:700]), archivetest.Gzip(two[700:])[:20]...), err: "damaged or incomplete"},
	)
}

// TestTarNames: names are UTF-8 and have slashes.
func TestTarNames(t *testing.T) {
	checkKinds(t,
		kind{name: "old sparse", data: tarOf(t, file("a"), tar.Header{Name: "s", Typeflag: tar.TypeGNUSparse, Format: tar.FormatGNU}), err: "s: a sparse file"},
		kind{name: "tar with backslashes", data: tarOf(t, file(`a\1`)), err: `a\1: the path has a backslash`},
		kind{name: "tar name in GBK", data: tarOf(t, tar.Header{Name: "train/\xc3\xa8\xb9/1", Format: tar.FormatGNU}), err: `"train/è\xb9/1": the name is not UTF-8`},
		kind{name: "tar name in UTF-8", data: tarOf(t, tar.Header{Name: "é/1", Format: tar.FormatGNU}), files: map[string]string{"é/1": "é/1"}},
	)
}

// TestZipNames: names are decoded only where the archive tells how.
func TestZipNames(t *testing.T) {
	checkKinds(t,
		kind{name: "zip with backslashes", data: zipOf(t, zip.FileHeader{Name: `a\`}, zip.FileHeader{Name: `a\1`}, zip.FileHeader{Name: `.\b\2`}), files: map[string]string{"a/1": `a\1`, "b/2": `.\b\2`}, note: "taken for slashes"},
		kind{name: "zip with both", data: zipOf(t, zip.FileHeader{Name: `a\1`}, zip.FileHeader{Name: "b/2"}), err: `a\1: the path has a backslash`},
		kind{name: "zip with backslashes that lead out", data: zipOf(t, zip.FileHeader{Name: `..\1`}), err: "../1: the path leads out"},
		kind{name: "zip with absolute backslashes", data: zipOf(t, zip.FileHeader{Name: `\a\1`}), err: "/a/1: an absolute path"},
		kind{name: "zip in GBK", data: zipOf(t, zip.FileHeader{Name: "\xc3\xa8/1", CreatorVersion: unix}, zip.FileHeader{Name: "\xb9\xb7/1", CreatorVersion: unix}), err: `"\xb9\xb7/1": the archive does not tell in what encoding`},
		kind{name: "zip of Windows that is UTF-8 by chance", data: zipOf(t, zip.FileHeader{Name: "\xc4\xa3/1"}), err: "does not tell in what encoding"},
		kind{name: "zip in CP437", data: zipOf(t, zip.FileHeader{Name: "caf\x82/1"}), err: `"caf\x82/1": the archive does not tell`},
		kind{name: "zip marked as UTF-8 which is not", data: zipOf(t, zip.FileHeader{Name: "\xb9\xb7/1", Flags: flagUTF8}), err: `"\xb9\xb7/1"`},
		kind{name: "zip in UTF-8", data: zipOf(t, zip.FileHeader{Name: "é/1", Flags: flagUTF8}), files: map[string]string{"é/1": "é/1"}},
		kind{name: "zip in UTF-8 of macOS, not marked", data: zipOf(t, zip.FileHeader{Name: "é/1", CreatorVersion: oldUnix}), files: map[string]string{"é/1": "é/1"}},
		kind{name: "zip with the name in an extra field", data: zipOf(t, zip.FileHeader{Name: "\x82/1", Extra: unicodePath("\x82/1", "é/1")}), files: map[string]string{"é/1": "\x82/1"}},
		kind{name: "zip with an extra field for another name", data: zipOf(t, zip.FileHeader{Name: "\x82/1", Extra: unicodePath("x", "é/1")}), err: "does not tell"},
		kind{name: "encrypted", data: zipOf(t, zip.FileHeader{Name: "a/1", Flags: 1}), err: "a/1: encrypted"},
		kind{name: "bzip2", data: []byte("BZh91AY&SY"), err: "packed by bzip2"},
		kind{name: "7z", data: []byte("7z\xbc\xaf\x27\x1c\x00"), err: "packed by 7z"},
	)
}

// contents reads all files of a tree.
func contents(t testing.TB, tree Tree) map[string]string {
	files := map[string]string{}
	for i := range tree.Len() {
		if path := tree.Path(i); !strings.HasSuffix(path, "/") {
			data, err := ReadFile(tree, i, 1<<20)
			if err != nil {
				t.Errorf("%s: %v", path, err)
			}
			files[path] = string(data)
		}
	}
	return files
}

// TestSparse: sparse files in PAX archives, whose header archive/tar does not write, are refused.
func TestSparse(t *testing.T) {
	archivetest.OwnCache(t)
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	records := map[string]string{"XXX.sparse.major": "1", "XXX.sparse.minor": "0"}
	if err := w.WriteHeader(&tar.Header{Name: "s", Size: tarBlock + 1, Format: tar.FormatPAX, PAXRecords: records}); err != nil {
		t.Fatal(err)
	}
	w.Write(append([]byte("1\n0\n1\n"), make([]byte, tarBlock-5)...)) // one piece, of one byte, at the start
	w.Close()
	data := bytes.ReplaceAll(b.Bytes(), []byte("XXX.sparse"), []byte("GNU.sparse"))
	if _, err := Open(archivetest.File(t, "sparse.tar", data), nil); err == nil || !strings.Contains(err.Error(), "s: a sparse file") {
		t.Errorf("error %v", err)
	}
}

// TestFolders: links in folders are followed, unless they lead in circles, and what systems leave is not listed.
func TestFolders(t *testing.T) {
	dir := archivetest.Folder(t, map[string][]byte{"a/b/c/d/e/f/g/h/1": []byte("1"), "lost+found/2": nil, "a/Desktop.ini": nil, "a/@eaDir/3": nil})
	if err := os.Symlink("b", filepath.Join(dir, "a", "link")); err != nil {
		t.Skip("no links here:", err)
	}
	tree, err := OpenFolder(dir, os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := contents(t, tree), map[string]string{"a/b/c/d/e/f/g/h/1": "1", "a/link/c/d/e/f/g/h/1": "1"}; !maps.Equal(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}
	badName := fstest.MapFS{"a/caf\xe9.jpg": &fstest.MapFile{}}
	if _, err := OpenFolder(dir, badName); err == nil || err.Error() != `"a/caf\xe9.jpg": the name is not UTF-8: rename it` {
		t.Errorf("error %v", err)
	}
	if err := os.Symlink("..", filepath.Join(dir, "a", "b", "up")); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFolder(dir, os.DirFS(dir)); err == nil || !strings.Contains(err.Error(), "a/b/up: a link that leads in a circle") {
		t.Errorf("error %v", err)
	}
}
