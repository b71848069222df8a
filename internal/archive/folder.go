package archive

import (
	"io/fs"
	"os"
	"path"
	"slices"
	"unicode/utf8"

	"github.com/pkg/errors"
)

// maxDepth is the number of folders within each other that a folder may have.
const maxDepth = 64

// folder is a tree of files on disk or in the program.
type folder struct {
	name  string
	files fs.FS
	paths []string
}

// OpenFolder lists the files of a file system, which name calls. Links to files and folders count as these.
func OpenFolder(name string, files fs.FS) (Tree, error) {
	f := &folder{name: name, files: files}
	if err := f.list(".", maxDepth); err != nil {
		return nil, err
	}
	slices.Sort(f.paths)
	return f, nil
}

// list adds what is in a folder.
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
		if !utf8.ValidString(e.Name()) {
			return errors.Errorf("%s: the name is not UTF-8: rename it", shown(file))
		}
		mode := e.Type()
		if mode&fs.ModeSymlink != 0 {
			info, err := fs.Stat(f.files, file)
			if err != nil {
				return errors.Wrapf(err, "%s: a link that leads nowhere: restore or remove it", file)
			}
			if err := f.checkCircle(dir, info); err != nil {
				return errors.Wrap(err, file)
			}
			mode = info.Mode()
		}
		switch {
		case mode.IsRegular():
			f.paths = append(f.paths, file)
		case mode.IsDir() && depth == 0:
			return errors.Errorf("%s: more than %d folders within each other: remove some, or links that lead in circles", file, maxDepth)
		case mode.IsDir():
			f.paths = append(f.paths, file+"/")
			if err := f.list(file, depth-1); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkCircle refuses a link in dir that leads to dir itself or to a folder around it, where it would be found again.
func (f *folder) checkCircle(dir string, target fs.FileInfo) error {
	for ; ; dir = path.Dir(dir) {
		if around, err := fs.Stat(f.files, dir); err != nil || os.SameFile(around, target) {
			return errors.Errorf("a link that leads in a circle, to %s: remove it", path.Join(f.name, dir))
		}
		if dir == "." {
			return nil
		}
	}
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
	return ReadAll(file, info.Size(), limit)
}
