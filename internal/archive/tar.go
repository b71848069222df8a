package archive

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/pkg/errors"
)

// tarBlock is the size in bytes of the blocks that make up a tar archive.
const tarBlock = 512

// tarTree is the files of a tar archive and of the tar archives in it: what is in class.tar has the path class/….
type tarTree struct {
	name    string
	file    *os.File
	entries []tarEntry
}

type tarEntry struct {
	path         string
	offset, size int64 // in bytes
}

// openTar lists an archive, or takes the list that was kept the last time. name is for messages.
func openTar(file *os.File, name string, notice func(string)) (Tree, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	t := &tarTree{name: name, file: file}
	if t.entries = readIndex(file.Name(), info); t.entries != nil {
		return t, nil
	}
	if info.Size() > 1<<30 {
		notice(fmt.Sprintf("listing %s (%d MB); the list is kept for the next time", name, info.Size()>>20))
	}
	if err := t.list(io.NewSectionReader(file, 0, info.Size()), 0, "", true); err != nil {
		return nil, err
	}
	byPath(t.entries, func(e tarEntry) string { return e.path })
	if err := writeIndex(file.Name(), info, t.entries); err != nil {
		notice(fmt.Sprintf("the list of %s cannot be kept and will be made again the next time: %v", name, err))
	}
	return t, nil
}

// isTar tells a tar archive by its first header: by the magic, or by the checksum of headers without it.
func isTar(head []byte) bool {
	if len(head) < tarBlock {
		return false
	}
	_, err := tar.NewReader(bytes.NewReader(head[:tarBlock])).Next()
	return err == nil && head[0] != 0
}

// list adds the entries of an archive that starts at an offset of the file, below a folder. Archives in the outermost
// one are listed too.
func (t *tarTree) list(archive *io.SectionReader, start int64, below string, outermost bool) error {
	headers := &headerReader{r: archive}
	r := tar.NewReader(headers)
	for {
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return errors.Wrapf(err, "the tar archive is damaged or incomplete after %d bytes", headers.at)
		}
		e := tarEntry{offset: start + headers.at, size: h.Size}
		if e.path, err = tarPath(h); err == nil && e.size > archive.Size()-headers.at {
			err = errors.Errorf("%d bytes from byte %d on, where the archive ends after %d: it is incomplete", e.size, headers.at, archive.Size())
		}
		if err == nil && outermost && t.isArchive(e) {
			folder := strings.TrimSuffix(e.path, path.Ext(e.path)) + "/"
			t.entries = append(t.entries, tarEntry{path: folder})
			err = t.list(io.NewSectionReader(archive, headers.at, e.size), e.offset, folder, false)
		} else if e.path != "" && !isHidden(e.path) {
			e.path = below + e.path
			t.entries = append(t.entries, e)
		}
		if err != nil {
			return errors.Wrap(err, h.Name)
		}
	}
}

// isArchive tells archives in the archive. Their size is a number of whole blocks, so most other files need not be read.
func (t *tarTree) isArchive(e tarEntry) bool {
	if e.size == 0 || e.size%tarBlock != 0 {
		return false
	}
	head := make([]byte, tarBlock)
	_, err := t.file.ReadAt(head, e.offset)
	return err == nil && isTar(head)
}

// tarPath is the path of an entry; "" for headers that describe neither a file nor a folder.
func tarPath(h *tar.Header) (string, error) {
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

// headerReader reads the headers of an archive, several at a time where files are small, and skips the contents.
type headerReader struct {
	r      io.ReaderAt
	at     int64 // of the next byte
	start  int64 // of the buffer
	buffer []byte
}

func (h *headerReader) Read(p []byte) (int, error) {
	if h.at < h.start || h.at >= h.start+int64(len(h.buffer)) {
		if h.buffer == nil {
			h.buffer = make([]byte, 8*tarBlock)
		}
		n, err := h.r.ReadAt(h.buffer[:cap(h.buffer)], h.at)
		if n == 0 {
			return 0, err
		}
		h.start, h.buffer = h.at, h.buffer[:n]
	}
	n := copy(p, h.buffer[h.at-h.start:])
	h.at += int64(n)
	return n, nil
}

func (h *headerReader) Seek(offset int64, whence int) (int64, error) {
	if whence != io.SeekCurrent {
		return 0, errors.New("only from the current offset")
	}
	h.at += offset
	return h.at, nil
}

func (t *tarTree) Name() string      { return t.name }
func (t *tarTree) Len() int          { return len(t.entries) }
func (t *tarTree) Path(i int) string { return t.entries[i].path }
func (t *tarTree) Close() error      { return t.file.Close() }

func (t *tarTree) Read(i, limit int) ([]byte, error) {
	e := t.entries[i]
	data, err := ReadAll(io.NewSectionReader(t.file, e.offset, e.size), e.size, limit)
	if err == nil && len(data) < limit && int64(len(data)) != e.size {
		err = errors.New("the archive ends within it: it became shorter")
	}
	return data, err
}
