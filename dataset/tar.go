package dataset

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/pkg/errors"
)

// tarBlock is the size in bytes of which tar archives are made.
const tarBlock = 512

// tarTree is the files of a tar archive and of the tar archives in it, as those of ILSVRC-2012's classes: what lies in
// n01440764.tar has the path n01440764/….
type tarTree struct {
	name    string
	file    *os.File
	entries []tarEntry
}

type tarEntry struct {
	path         string
	offset, size int64 // in bytes
}

// openTar lists an archive, or takes the list that was kept the last time.
func openTar(file *os.File, name string, o Options) (*tarTree, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	t := &tarTree{name: name, file: file}
	if t.entries = readIndex(file.Name(), info); t.entries != nil {
		return t, nil
	}
	if info.Size() > 1<<30 {
		o.notice(fmt.Sprintf("listing %s (%d MB); the list is kept for the next time", name, info.Size()>>20))
	}
	if err := t.list(io.NewSectionReader(file, 0, info.Size()), 0, "", true); err != nil {
		return nil, err
	}
	byPath(t.entries, func(e tarEntry) string { return e.path })
	if err := writeIndex(file.Name(), info, t.entries); err != nil {
		o.notice(fmt.Sprintf("the list of %s cannot be kept and will be made anew the next time: %v", name, err))
	}
	return t, nil
}

// isTar tells a tar archive, or the start of one, by its first header: by the magic, or the checksum of those that have
// no magic.
func isTar(head []byte) bool {
	if len(head) < tarBlock {
		return false
	}
	_, err := tar.NewReader(bytes.NewReader(head[:tarBlock])).Next()
	return err == nil && head[0] != 0
}

// list adds the entries of an archive that starts at an offset of the file, below a folder.
func (t *tarTree) list(archive *io.SectionReader, start int64, below string, outermost bool) error {
	window := &window{r: archive}
	r := tar.NewReader(window)
	for {
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return errors.Wrapf(err, "the tar archive is damaged or incomplete after %d bytes", window.at)
		}
		e := tarEntry{offset: start + window.at, size: h.Size}
		if e.path, err = listTarred(h); err == nil && e.size > archive.Size()-window.at {
			err = errors.Errorf("%d bytes from byte %d on, where the archive ends after %d: it is incomplete", e.size, window.at, archive.Size())
		}
		if err == nil && outermost && t.isArchive(e) {
			folder := strings.TrimSuffix(e.path, path.Ext(e.path)) + "/"
			t.entries = append(t.entries, tarEntry{path: folder})
			err = t.list(io.NewSectionReader(archive, window.at, e.size), e.offset, folder, false)
		} else if e.path != "" && !isHidden(e.path) {
			e.path = below + e.path
			t.entries = append(t.entries, e)
		}
		if err != nil {
			return errors.Wrap(err, h.Name)
		}
	}
}

// isArchive tells archives in the archive. Their size is a number of whole blocks, as that of few pictures.
func (t *tarTree) isArchive(e tarEntry) bool {
	if e.size == 0 || e.size%tarBlock != 0 {
		return false
	}
	head := make([]byte, tarBlock)
	_, err := t.file.ReadAt(head, e.offset)
	return err == nil && isTar(head)
}

// listTarred is the path of an entry; "" for what is neither a file nor a folder but belongs to the format.
func listTarred(h *tar.Header) (string, error) {
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeDir:
	case tar.TypeXGlobalHeader:
		return "", nil
	default:
		return "", errors.New("a link, device or sparse file: pack the archive with plain files")
	}
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return "", errors.New("a sparse file: pack the archive with plain files")
		}
	}
	return entryPath(h.Name)
}

// window reads headers a few at a time where files are small, and passes over the others.
type window struct {
	r      io.ReaderAt
	at     int64 // of the next byte
	start  int64 // of the buffer
	buffer []byte
}

func (w *window) Read(p []byte) (int, error) {
	if w.at < w.start || w.at >= w.start+int64(len(w.buffer)) {
		if w.buffer == nil {
			w.buffer = make([]byte, 8*tarBlock)
		}
		n, err := w.r.ReadAt(w.buffer[:cap(w.buffer)], w.at)
		if n == 0 {
			return 0, err
		}
		w.start, w.buffer = w.at, w.buffer[:n]
	}
	n := copy(p, w.buffer[w.at-w.start:])
	w.at += int64(n)
	return n, nil
}

func (w *window) Seek(offset int64, whence int) (int64, error) {
	if whence != io.SeekCurrent {
		return 0, errors.New("only from where it is")
	}
	w.at += offset
	return w.at, nil
}

func (t *tarTree) Name() string      { return t.name }
func (t *tarTree) Len() int          { return len(t.entries) }
func (t *tarTree) Path(i int) string { return t.entries[i].path }
func (t *tarTree) Close() error      { return t.file.Close() }

func (t *tarTree) Read(i, limit int) ([]byte, error) {
	e := t.entries[i]
	data, err := readAll(io.NewSectionReader(t.file, e.offset, e.size), e.size, limit)
	if err == nil && len(data) < limit && int64(len(data)) != e.size {
		err = errors.New("the archive ends within it: it became shorter")
	}
	return data, err
}

// A gzipped archive must be read from its start, so it is unpacked once, into the user's cache folder. Pictures hardly
// shrink: what unfolds to more than mostGzipped bytes a byte is no archive of pictures.
const (
	mostGzipped  = 100
	smallestBomb = 1 << 26
)

func openGzip(file *os.File, o Options) (*tarTree, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	unpacked, err := cacheFile(file.Name(), fmt.Sprintf("-%d-%d.tar", info.Size(), info.ModTime().UnixNano()))
	if err != nil {
		return nil, errors.Wrap(err, "no cache folder to unpack it into (set XDG_CACHE_HOME, or unpack it yourself)")
	}
	t, err := os.Open(unpacked)
	if os.IsNotExist(err) {
		o.notice(fmt.Sprintf("unpacking %s to %s", file.Name(), unpacked))
		if err = gunzip(file, info.Size(), unpacked); err != nil {
			return nil, err
		}
		t, err = os.Open(unpacked)
	}
	if err != nil {
		return nil, err
	}
	tree, err := openTar(t, file.Name(), o)
	if err != nil {
		t.Close()
		return nil, err
	}
	return tree, file.Close()
}

// gunzip unpacks a gzipped tar archive, whole or not at all.
func gunzip(file io.ReadSeeker, size int64, to string) error {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	r, err := gzip.NewReader(file)
	if err != nil {
		return errors.Wrap(err, "the gzip file is damaged")
	}
	out, err := renameio.NewPendingFile(to, renameio.WithTempDir(filepath.Dir(to)))
	if err != nil {
		return errors.Wrap(err, "cannot unpack it")
	}
	defer out.Cleanup()
	head := make([]byte, tarBlock)
	n, err := io.ReadFull(r, head)
	if err == nil && !isTar(head) || err == io.EOF || err == io.ErrUnexpectedEOF && n > 0 {
		return errors.New("a gzip file that is no tar archive: want tar.gz")
	}
	if err != nil {
		return errors.Wrap(err, "the gzip file is damaged or incomplete")
	}
	limit := max(smallestBomb, mostGzipped*size)
	written, err := io.Copy(out, io.LimitReader(io.MultiReader(bytes.NewReader(head), r), limit+1))
	switch {
	case err != nil:
		return errors.Wrapf(err, "the gzip file is damaged or incomplete, or the disk is full: unpacking it to %s stopped after %d bytes", to, written)
	case written > limit:
		return errors.Errorf("unfolds from %d to more than %d bytes: not an archive of pictures", size, limit)
	}
	return errors.Wrap(out.CloseAtomicallyReplace(), "cannot unpack it")
}

// cacheFile is where something that was made of a file is kept in the user's cache folder. The folder is made.
func cacheFile(of, suffix string) (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	if of, err = filepath.Abs(of); err != nil {
		return "", err
	}
	dir = filepath.Join(dir, "vgg")
	sum := sha256.Sum256([]byte(of))
	return filepath.Join(dir, fmt.Sprintf("%x%s", sum[:12], suffix)), os.MkdirAll(dir, 0o777)
}
