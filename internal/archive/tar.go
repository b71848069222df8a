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

	"vgg/internal/text"
)

// tarBlock is the size in bytes of the blocks that make up a tar archive.
const tarBlock = 512

// tarTree is the files of a tar archive and of the tar archives in it: what is in class.tar has the path class/….
type tarTree struct {
	name    string
	file    readerAt
	entries []tarEntry
}

type tarEntry struct {
	path         string
	offset, size int64 // in bytes
}

func tarPath(e *tarEntry) *string { return &e.path }

// openTar lists an archive, or takes the list that was kept the last time. name is for messages.
func openTar(file *os.File, name string, notice func(string)) (Tree, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	kept := readIndex(file.Name(), info)
	if kept == nil {
		if info.Size() > 1<<30 {
			notice(fmt.Sprintf("listing %s (%d MB); the list is kept for the next time", name, info.Size()>>20))
		}
		if kept, err = listTar(file, info.Size()); err != nil {
			return nil, err
		}
		if err := writeIndex(file.Name(), info, kept); err != nil {
			notice(fmt.Sprintf("the list of %s cannot be kept and will be made again the next time: %v", name, err))
		}
	}
	for _, note := range kept.notes {
		notice(name + ": " + note)
	}
	return &tarTree{name: name, file: file, entries: kept.entries}, nil
}

// isTar tells a tar archive by its first header: by the magic, or by the checksum of headers without it. Where that is
// one of several headers for the first file, the others are missing here, which is another error than a wrong header.
func isTar(head []byte) bool {
	if len(head) < tarBlock || head[0] == 0 {
		return false
	}
	_, err := tar.NewReader(bytes.NewReader(head[:tarBlock])).Next()
	return !errors.Is(err, tar.ErrHeader)
}

// tarList is what a tar archive holds, and notes for the user.
type tarList struct {
	entries []tarEntry
	notes   []string
}

// tarLister lists an archive.
type tarLister struct {
	file io.ReaderAt
	tarList
	links   links
	endless []string // the last entries of archives without an end mark
	// seen are the last places in entries of all paths up to now; nil until the first hard link.
	seen map[string]int
}

// listTar lists an archive of size bytes.
func listTar(file io.ReaderAt, size int64) (*tarList, error) {
	l := &tarLister{file: file, links: links{}}
	if err := l.list(io.NewSectionReader(file, 0, size), 0, "", true); err != nil {
		return nil, err
	}
	if len(l.endless) > 0 {
		l.notes = append(l.notes, fmt.Sprintf("no end mark behind %s: it may be incomplete", text.FirstFew(l.endless, 3)))
	}
	var again []string
	if l.entries, again = sorted(l.entries, tarPath); len(again) > 0 {
		l.notes = append(l.notes, noteAgain(again))
	}
	var err error
	l.entries, err = followed(l.links, l.entries, tarPath)
	return &l.tarList, err
}

// list adds the entries of an archive that starts at an offset of the file, below a folder. Archives in the outermost
// one are listed too.
func (l *tarLister) list(archive *io.SectionReader, start int64, below string, outermost bool) error {
	headers := &headerReader{r: archive}
	r := tar.NewReader(headers)
	last, end := "its start", int64(0) // the entry before, and where it ends
	for {
		h, err := r.Next()
		if err == io.EOF {
			if end >= headers.at {
				l.endless = append(l.endless, below+last)
			}
			if headers.at, err = nextArchive(archive, headers.at); err != nil {
				return errors.Wrapf(err, "behind the end of the tar archive, after %s", last)
			}
			if headers.at == archive.Size() {
				return nil
			}
			r, end = tar.NewReader(headers), headers.at
			continue
		}
		if err != nil {
			return errors.Wrapf(err, "the tar archive is damaged or incomplete after %d bytes, behind %s", headers.at, last)
		}
		e := tarEntry{offset: start + headers.at, size: h.Size}
		if h.Typeflag != tar.TypeReg {
			e.size = 0
		}
		last, end = shown(h.Name), headers.at+(e.size+tarBlock-1)/tarBlock*tarBlock
		if e.size > archive.Size()-headers.at {
			err = errors.Errorf("%d bytes from byte %d on, where the archive ends after %d: it is incomplete", e.size, headers.at, archive.Size())
		} else if e.path, err = l.path(h); err == nil && e.path != "" {
			err = l.add(e, h, archive, headers.at, below, outermost)
		}
		if err != nil {
			return errors.Wrap(err, last)
		}
	}
}

// nextArchive is the offset of an archive behind the zeros at the end of another, or the size if nothing is there.
func nextArchive(archive *io.SectionReader, at int64) (int64, error) {
	buffer := make([]byte, 8*tarBlock)
	for at < archive.Size() {
		n, err := archive.ReadAt(buffer, at)
		zeros := n - len(bytes.TrimLeft(buffer[:n], "\x00"))
		switch {
		case n == 0:
			return 0, err
		case zeros == n:
			at += int64(n)
		case zeros >= tarBlock:
			at += int64(zeros / tarBlock * tarBlock)
		case isTar(buffer[:n]):
			return at, nil
		default:
			return 0, errors.Errorf("%d bytes that are neither zeros nor another tar archive: cut them off, or download the archive again", archive.Size()-at)
		}
	}
	return archive.Size(), nil
}

// add adds an entry of an archive, whose content is at an offset of it.
func (l *tarLister) add(e tarEntry, h *tar.Header, archive *io.SectionReader, at int64, below string, outermost bool) error {
	switch {
	case h.Typeflag == tar.TypeSymlink:
		l.links[below+e.path] = h.Linkname
		return nil
	case h.Typeflag == tar.TypeLink:
		return l.addHardLink(below+e.path, below, h.Linkname)
	case outermost && l.isArchive(e):
		folder := strings.TrimSuffix(e.path, path.Ext(e.path)) + "/"
		l.entries = append(l.entries, tarEntry{path: folder})
		return l.list(io.NewSectionReader(archive, at, e.size), e.offset, folder, false)
	}
	e.path = below + e.path
	l.append(e)
	return nil
}

func (l *tarLister) append(e tarEntry) {
	l.links.remove(e.path)
	if l.seen != nil {
		l.seen[e.path] = len(l.entries)
	}
	l.entries = append(l.entries, e)
}

// addHardLink adds a file that has the content of one before it in the archive.
func (l *tarLister) addHardLink(file, below, target string) error {
	if l.seen == nil {
		l.seen = map[string]int{}
		for i, e := range l.entries {
			l.seen[e.path] = i
		}
	}
	to, err := entryPath(target, false)
	if err != nil {
		return errors.Wrapf(err, "a link to %s", shown(target))
	}
	if says, isLink := l.links[below+to]; isLink {
		l.links[file] = says
		return nil
	}
	i, found := l.seen[below+to]
	if !found || to == "" {
		return errors.Errorf("a link to %s, which is not before it in the archive: pack the file itself", shown(target))
	}
	e := l.entries[i]
	e.path = file
	l.append(e)
	return nil
}

// isArchive tells archives in the archive. Their size is a number of whole blocks, so most other files need not be
// read.
func (l *tarLister) isArchive(e tarEntry) bool {
	if e.size == 0 || e.size%tarBlock != 0 {
		return false
	}
	head := make([]byte, tarBlock)
	_, err := l.file.ReadAt(head, e.offset)
	return err == nil && isTar(head)
}

// The kinds of entries that GNU tar adds: the name of the archive, and a folder of an incremental backup.
const (
	typeVolume = 'V'
	typeDump   = 'D'
)

// path is that of an entry; "" for headers that describe neither a file nor a folder, and for what is hidden.
func (l *tarLister) path(h *tar.Header) (string, error) {
	if h.Typeflag == tar.TypeXGlobalHeader || h.Typeflag == typeVolume {
		return "", nil
	}
	file, err := entryPath(h.Name, h.Typeflag == tar.TypeDir || h.Typeflag == typeDump)
	if err != nil || file == "" {
		return "", err
	}
	sparse := h.Typeflag == tar.TypeGNUSparse
	for key := range h.PAXRecords {
		sparse = sparse || strings.HasPrefix(key, "GNU.sparse.")
	}
	switch {
	case sparse:
		return "", errors.New("a sparse file: pack the archive with plain files")
	case h.Typeflag == tar.TypeLink, h.Typeflag == tar.TypeSymlink:
		return strings.TrimSuffix(file, "/"), nil
	case h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeDir && h.Typeflag != typeDump:
		return "", errors.New("a device, pipe or part of a file: pack the archive with plain files")
	}
	return file, nil
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
