package archive

import (
	"cmp"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/pkg/errors"
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

// Kind is zip, tar, gzip, or "" if a file that starts with head is none of them.
func Kind(head []byte) string {
	switch {
	case strings.HasPrefix(string(head), "PK\x03\x04"), strings.HasPrefix(string(head), "PK\x05\x06"):
		return "zip"
	case strings.HasPrefix(string(head), "\x1f\x8b"):
		return "gzip"
	case isTar(head):
		return "tar"
	}
	return ""
}

// Open opens an archive, whose content tells what it is: zip, tar, or gzipped tar. notice, if not nil, is called before
// slow operations.
func Open(file string, notice func(message string)) (Tree, error) {
	if notice == nil {
		notice = func(string) {}
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
		return openZip(file)
	case "tar":
		return openTar(file, file.Name(), notice)
	case "gzip":
		return openGzip(file, notice)
	}
	if n == 0 {
		return nil, errors.New("the file is empty: copy or download it again")
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

// isHidden tells what operating systems leave in folders and archives for themselves.
func isHidden(file string) bool {
	return strings.HasPrefix(file, ".") || strings.Contains(file, "/.") || strings.HasPrefix(file, "__MACOSX/")
}

// entryPath gives the path of an archive's entry in its shortest form; "" is the archive's own folder. It is an error if
// the path could lead out of the archive.
func entryPath(name string) (string, error) {
	switch {
	case strings.ContainsAny(name, "\\\x00"):
		return "", errors.New("the path has a backslash or a zero byte: pack the archive with slashes")
	case strings.HasPrefix(name, "/") || len(name) > 1 && name[1] == ':':
		return "", errors.New("an absolute path: pack the archive with relative ones")
	case slices.Contains(strings.Split(name, "/"), ".."):
		return "", errors.New("the path leads out of the archive (..): pack it without")
	}
	clean := path.Clean(name)
	switch {
	case clean == ".":
		return "", nil
	case strings.HasSuffix(name, "/"):
		clean += "/"
	}
	return clean, nil
}

// byPath sorts the entries of an archive.
func byPath[E any](entries []E, pathOf func(E) string) {
	slices.SortFunc(entries, func(a, b E) int { return cmp.Compare(pathOf(a), pathOf(b)) })
}
