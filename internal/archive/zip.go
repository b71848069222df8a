package archive

import (
	"archive/zip"
	"compress/flate"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/pkg/errors"
)

// zipTree is the files of a zip archive. It keeps a quarter of what archive/zip keeps for each.
type zipTree struct {
	file    *os.File
	entries []zipEntry
}

type zipEntry struct {
	path           string
	offset         int64 // of the packed bytes in the archive
	packed, length int64 // in bytes
	crc            uint32
	stored         bool
}

// maxDeflateRatio is the number of bytes that one deflated byte can become at most.
const maxDeflateRatio = 1032

func openZip(file *os.File) (Tree, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	directory, err := zip.NewReader(file, info.Size())
	if err != nil {
		return nil, errors.Wrap(err, "the zip archive is damaged or incomplete")
	}
	t := &zipTree{file: file, entries: make([]zipEntry, 0, len(directory.File))}
	for _, f := range directory.File {
		e, err := newZipEntry(f)
		if err != nil {
			return nil, errors.Wrap(err, f.Name)
		}
		if e.path != "" && !isHidden(e.path) {
			t.entries = append(t.entries, e)
		}
	}
	byPath(t.entries, func(e zipEntry) string { return e.path })
	return t, nil
}

func newZipEntry(f *zip.File) (e zipEntry, err error) {
	if e.path, err = entryPath(f.Name); err != nil {
		return e, err
	}
	e.path = strings.Clone(e.path)
	switch {
	case f.Mode().Type()&^fs.ModeDir != 0:
		return e, errors.New("a link or a device, not a file: pack the archive without it")
	case f.Flags&1 != 0:
		return e, errors.New("encrypted: pack the archive without a password")
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return e, errors.Errorf("packed by method %d: want stored or deflated files", f.Method)
	case f.UncompressedSize64/maxDeflateRatio > f.CompressedSize64:
		return e, errors.Errorf("%d bytes that claim to unpack to %d: a zip bomb, or damaged", f.CompressedSize64, f.UncompressedSize64)
	}
	if e.offset, err = f.DataOffset(); err != nil {
		return e, errors.Wrap(err, "damaged")
	}
	e.packed, e.length, e.crc, e.stored = int64(f.CompressedSize64), int64(f.UncompressedSize64), f.CRC32, f.Method == zip.Store
	return e, nil
}

func (t *zipTree) Name() string      { return t.file.Name() }
func (t *zipTree) Len() int          { return len(t.entries) }
func (t *zipTree) Path(i int) string { return t.entries[i].path }
func (t *zipTree) Close() error      { return t.file.Close() }

func (t *zipTree) Read(i, limit int) ([]byte, error) {
	e := t.entries[i]
	var r io.Reader = io.NewSectionReader(t.file, e.offset, e.packed)
	expected := e.length
	if !e.stored {
		r, expected = flate.NewReader(r), min(e.length, 4*e.packed) // the length may be forged
	}
	data, err := ReadAll(r, expected, limit)
	switch {
	case err != nil:
		return nil, errors.Wrap(err, "damaged")
	case len(data) < limit && (int64(len(data)) != e.length || crc32.ChecksumIEEE(data) != e.crc):
		return nil, errors.New("damaged: length or checksum is not what the archive says")
	}
	return data, nil
}
