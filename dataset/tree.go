package dataset

import (
	"cmp"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/pkg/errors"
)

// tree is the files of a folder or an archive, in the order of their paths. It is safe for concurrent use.
type tree interface {
	Name() string      // for messages
	Len() int          // of files and folders
	Path(i int) string // relative, with slashes; that of a folder ends in one
	// Read reads a file, the first bytes of it where it is longer than limit.
	Read(i, limit int) ([]byte, error)
	Close() error
}

// The sizes in bytes above which a file is not read: an archive may unfold to any length.
const (
	largestFile    = 1 << 28
	largestPicture = 1 << 26
)

// readFile reads a whole file of a tree, which is refused if it has more than largest bytes. Errors name neither.
func readFile(t tree, i, largest int) ([]byte, error) {
	data, err := t.Read(i, largest+1)
	if err == nil && len(data) > largest {
		err = errors.Errorf("longer than %d bytes", largest)
	}
	return data, err
}

// message is how errors call a file of a tree.
func message(t tree, i int) string { return t.Name() + ": " + t.Path(i) }

// find is the place of a path in a tree, and whether it is there.
func find(t tree, wanted string) (int, bool) {
	i := after(t, wanted)
	return i, i < t.Len() && t.Path(i) == wanted
}

// after is the place of the first path that is not before another.
func after(t tree, wanted string) int {
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

// below is the range of places of what lies in a folder, whose path is "" or ends in a slash.
func below(t tree, folder string) (first, end int) {
	first = after(t, folder)
	if folder == "" {
		return first, t.Len()
	}
	return first, after(t, folder[:len(folder)-1]+string(rune('/'+1)))
}

// isHidden tells what systems leave in folders and archives for themselves.
func isHidden(file string) bool {
	return strings.HasPrefix(file, ".") || strings.Contains(file, "/.") || strings.HasPrefix(file, "__MACOSX/")
}

// depth is the number of folders within each other that are searched: links may lead in circles.
const depth = 6

// folder is a tree of files on disk or in the program.
type folder struct {
	name  string
	files fs.FS
	paths []string
}

func openFolder(name string, files fs.FS) (*folder, error) {
	f := &folder{name: name, files: files}
	if err := f.list(".", depth); err != nil {
		return nil, errors.Wrapf(err, "dataset %s", name)
	}
	slices.Sort(f.paths)
	return f, nil
}

// list adds what is in a folder; links to folders and files count as these.
func (f *folder) list(dir string, depth int) error {
	entries, err := fs.ReadDir(f.files, dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if isHidden(e.Name()) {
			continue
		}
		file := path.Join(dir, e.Name())
		mode := e.Type()
		if mode&fs.ModeSymlink != 0 {
			info, err := fs.Stat(f.files, file)
			if err != nil {
				return errors.Wrapf(err, "%s: a link that leads nowhere: restore or remove it", file)
			}
			mode = info.Mode()
		}
		switch {
		case mode.IsRegular():
			f.paths = append(f.paths, file)
		case mode.IsDir() && depth > 1:
			f.paths = append(f.paths, file+"/")
			if err := f.list(file, depth-1); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *folder) Name() string      { return f.name }
func (f *folder) Len() int          { return len(f.paths) }
func (f *folder) Path(i int) string { return f.paths[i] }
func (f *folder) Close() error      { return nil }

func (f *folder) Read(i, limit int) ([]byte, error) {
	file, err := f.files.Open(f.paths[i])
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	return readAll(file, info.Size(), limit)
}

// readAll reads from r what it has, about size bytes, and at most limit.
func readAll(r io.Reader, size int64, limit int) ([]byte, error) {
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

// entryPath checks the path of an archive's entry, of which there must be none that leads out of the archive, and gives
// it in its shortest form; "" is the archive's own folder.
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

// openArchive opens an archive by its content: zip, tar, or gzipped tar.
func openArchive(file string, o Options) (tree, error) {
	opened, err := os.Open(file)
	if err != nil {
		return nil, errors.Wrap(err, "dataset")
	}
	head := make([]byte, tarBlock)
	n, err := io.ReadFull(opened, head)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		opened.Close()
		return nil, errors.Wrapf(err, "dataset %s", file)
	}
	var t tree
	switch head := head[:n]; archiveKind(head) {
	case "zip":
		t, err = openZip(opened)
	case "tar":
		t, err = openTar(opened, file, o)
	case "gzip":
		t, err = openGzip(opened, o)
	case "":
		if n == 0 {
			err = errors.New("the file is empty: copy or download it again")
			break
		}
		err = errors.New("want a folder, or a zip, tar or tar.gz archive of pictures")
	}
	if err != nil {
		opened.Close()
		return nil, errors.Wrapf(err, "dataset %s", file)
	}
	return t, nil
}

// archiveKind is zip, tar, gzip, or "" for none of them.
func archiveKind(head []byte) string {
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

// byPath sorts the entries of an archive.
func byPath[E any](entries []E, path func(E) string) {
	slices.SortFunc(entries, func(a, b E) int { return cmp.Compare(path(a), path(b)) })
}
