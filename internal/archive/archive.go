package archive

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pkg/errors"

	"vgg/internal/text"
)

// Tree is the files of a folder or an archive, in the order of their paths. It is safe for concurrent use.
type Tree interface {
	Name() string      // for messages
	Len() int          // of files and folders
	Path(i int) string // relative, with slashes; that of a folder ends in one
	// Read reads a file, or, if it is longer than limit, its first limit bytes.
	Read(i, limit int) ([]byte, error)
	Close() error
}

// ReadFile reads a whole file of a tree. It is an error if the file has more than largest bytes: an archive may unpack
// to any length. Errors name neither the tree nor the file.
func ReadFile(t Tree, i, largest int) ([]byte, error) {
	data, err := t.Read(i, largest+1)
	if err == nil && len(data) > largest {
		err = errors.Errorf("longer than %d bytes", largest)
	}
	return data, err
}

// Describe is the name of a file of a tree for messages.
func Describe(t Tree, i int) string { return t.Name() + ": " + t.Path(i) }

// Find is the place of a path in a tree, and whether it is there.
func Find(t Tree, wanted string) (int, bool) {
	i := after(t, wanted)
	return i, i < t.Len() && t.Path(i) == wanted
}

// Below is the range of places of what is in a folder, whose path is "" or ends in a slash. The folder itself, if it is
// listed, is the first.
func Below(t Tree, folder string) (first, end int) {
	first = after(t, folder)
	if folder == "" {
		return first, t.Len()
	}
	return first, after(t, folder[:len(folder)-1]+string(rune('/'+1)))
}

// after is the place of the first path that is not before another.
func after(t Tree, wanted string) int {
	low, high := 0, t.Len()
	for low < high {
		if middle := (low + high) / 2; t.Path(middle) < wanted {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// HeadSize is the number of bytes at the start of a file from which Kind tells what it is.
const HeadSize = tarBlock

// zipMagics begin a zip archive, one without files, and one written in a piece of several; gzipMagic begins a gzip
// stream.
var zipMagics = []string{"PK\x03\x04", "PK\x05\x06", "PK\x07\x08"}

const gzipMagic = "\x1f\x8b"

// unread are archives of other kinds, by how they begin.
var unread = map[string]string{
	"BZh": "bzip2", "\xfd7zXZ\x00": "xz", "\x28\xb5\x2f\xfd": "zstd", "7z\xbc\xaf\x27\x1c": "7z", "Rar!\x1a\x07": "rar", "\x1f\x9d": "compress (.Z)",
}

// Kind is zip, tar, gzip, or "" if a file that starts with head is none of them.
func Kind(head []byte) string {
	switch {
	case slices.ContainsFunc(zipMagics, func(magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }):
		return "zip"
	case bytes.HasPrefix(head, []byte(gzipMagic)):
		return "gzip"
	case isTar(head):
		return "tar"
	}
	return ""
}

// readerAt is a file that is open.
type readerAt interface {
	io.ReaderAt
	io.Closer
}

// Open opens an archive, whose content tells what it is: zip, tar, or gzipped tar. notice, if not nil, is called before
// slow operations, and with what was chosen where an archive leaves a choice, such as the last of two files of one
// path.
func Open(file string, notice func(message string)) (Tree, error) {
	if notice == nil {
		notice = func(string) {}
	}
	if info, err := os.Stat(file); err != nil { // before it is opened: a pipe waits for who writes
		return nil, err
	} else if !info.Mode().IsRegular() && !info.IsDir() {
		return nil, errors.New("is a pipe or a device: save it to a file first")
	}
	opened, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	t, err := open(opened, notice)
	if err != nil {
		opened.Close()
		return nil, err
	}
	return t, nil
}

func open(file *os.File, notice func(string)) (Tree, error) {
	head := make([]byte, HeadSize)
	n, err := io.ReadFull(file, head)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return nil, err
	}
	switch Kind(head[:n]) {
	case "zip":
		return openZip(file, notice)
	case "tar":
		return openTar(file, file.Name(), notice)
	case "gzip":
		return openGzip(file, notice)
	}
	if n == 0 {
		return nil, errors.New("the file is empty: copy or download it again")
	}
	for magic, kind := range unread {
		if bytes.HasPrefix(head[:n], []byte(magic)) {
			return nil, errors.Errorf("packed by %s, which is not read: unpack it, or pack it as zip, tar or tar.gz", kind)
		}
	}
	return nil, errors.New("want a folder, or a zip, tar or tar.gz archive")
}

// ReadAll reads what r has, about size bytes, and at most limit. It is for sizes that may be wrong: it allocates little
// more than r gives.
func ReadAll(r io.Reader, size int64, limit int) ([]byte, error) {
	data := make([]byte, 0, min(max(size, 0)+1, int64(limit)))
	for len(data) < limit {
		if len(data) == cap(data) {
			data = slices.Grow(data, min(cap(data), limit-len(data)))
		}
		n, err := r.Read(data[len(data):min(cap(data), limit)])
		data = data[:len(data)+n]
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	return data, nil
}

// ofSystems are names, in small letters, of what operating systems leave in folders and archives for themselves.
var ofSystems = []string{
	"__macosx", "lost+found", "@eadir", "#recycle", "#snapshot", "@recycle", "@recently-snapshot", "$recycle.bin", "recycler",
	"system volume information", "thumbs.db", "ehthumbs.db", "desktop.ini",
}

// isHidden tells whether a part of a path is hidden, as names that begin with a dot are, or of a system.
func isHidden(file string) bool {
	for part := range strings.SplitSeq(file, "/") {
		if strings.HasPrefix(part, ".") || slices.Contains(ofSystems, strings.ToLower(part)) {
			return true
		}
	}
	return false
}

// entryPath gives the path of an archive's entry in its shortest form, with a slash at its end if it is a folder; "" is
// the archive's own folder, or what is hidden. It is an error if the path could lead out of the archive, or is no text.
func entryPath(name string, isFolder bool) (string, error) {
	switch {
	case strings.HasPrefix(name, "/") || len(name) > 1 && name[1] == ':':
		return "", errors.New("an absolute path: pack the archive with relative ones")
	case slices.Contains(strings.Split(name, "/"), ".."):
		return "", errors.New("the path leads out of the archive (..): pack it without")
	}
	clean := path.Clean(name)
	switch {
	case clean == "." || isHidden(clean):
		return "", nil
	case strings.ContainsAny(name, "\\\x00"):
		return "", errors.New("the path has a backslash or a zero byte: pack the archive with slashes")
	case !utf8.ValidString(name):
		return "", errors.New("the name is not UTF-8, and nothing tells in what encoding it is: unpack the archive and pack it again with names in UTF-8")
	case isFolder || strings.HasSuffix(name, "/"):
		clean += "/"
	}
	return clean, nil
}

// shown is an entry's name for messages: quoted if it is not UTF-8.
func shown(name string) string {
	if utf8.ValidString(name) {
		return name
	}
	return strconv.Quote(name)
}

// sorted puts the entries of an archive in the order of their paths. Of several with one path it keeps the last, as
// unpacking would; again are the paths of files to which that happened.
func sorted[E any](entries []E, pathOf func(*E) *string) (kept []E, again []string) {
	slices.SortStableFunc(entries, func(a, b E) int { return cmp.Compare(*pathOf(&a), *pathOf(&b)) })
	kept = entries[:0]
	for i := range entries {
		file := *pathOf(&entries[i])
		if last := len(kept) - 1; last >= 0 && *pathOf(&kept[last]) == file {
			kept[last] = entries[i]
			if !strings.HasSuffix(file, "/") && (len(again) == 0 || again[len(again)-1] != file) {
				again = append(again, file)
			}
			continue
		}
		kept = append(kept, entries[i])
	}
	return kept, again
}

// noteAgain says what sorted left out.
func noteAgain(again []string) string {
	return fmt.Sprintf("%d files stand in it more than once (%s): the last of each is taken, as when it is unpacked",
		len(again), text.FirstFew(again, 3))
}
