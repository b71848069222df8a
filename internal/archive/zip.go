package archive

import (
	"archive/zip"
	"cmp"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pkg/errors"
)

// zipTree is the files of a zip archive. It keeps a quarter of what archive/zip keeps for each.
type zipTree struct {
	name    string
	file    readerAt
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

func openZip(file *os.File, notice func(string)) (Tree, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	entries, notes, err := listZip(file, info.Size())
	if err != nil {
		return nil, err
	}
	for _, note := range notes {
		notice(file.Name() + ": " + note)
	}
	return &zipTree{name: file.Name(), file: file, entries: entries}, nil
}

// listZip lists an archive of size bytes.
func listZip(file io.ReaderAt, size int64) (entries []zipEntry, notes []string, err error) {
	directory, err := zip.NewReader(file, size)
	if err != nil {
		return nil, nil, errors.Wrap(err, "the zip archive is damaged or incomplete")
	}
	names, err := zipNames(directory.File)
	if err != nil {
		return nil, nil, err
	}
	if names.backslashes {
		notes = append(notes, "the paths in it have backslashes, which are taken for slashes")
	}
	entries = make([]zipEntry, 0, len(directory.File))
	links := links{}
	for i, f := range directory.File {
		e, err := newZipEntry(f, names.of[i], size)
		if err == nil && e.path != "" {
			if f.Mode().Type() == fs.ModeSymlink {
				var target []byte
				target, err = e.read(file, maxLinkPath+1)
				links[e.path] = string(target)
			} else {
				links.remove(e.path)
				entries = append(entries, e)
			}
		}
		if err != nil {
			return nil, nil, errors.Wrap(err, shown(names.of[i]))
		}
	}
	entries, again := sorted(entries, zipPath)
	if len(again) > 0 {
		notes = append(notes, noteAgain(again))
	}
	entries, err = followed(links, entries, zipPath)
	return entries, notes, err
}

func zipPath(e *zipEntry) *string { return &e.path }

// decodedNames are the names of a zip archive's files as text.
type decodedNames struct {
	of          []string
	backslashes bool // separated the folders in the archive
}

// zipNames decodes the names of files. Some programs for Windows separate folders by backslashes: they do so in an
// archive without any slash.
func zipNames(files []*zip.File) (names decodedNames, err error) {
	slashes := false
	for _, f := range files {
		name, err := zipName(f)
		if err != nil {
			return names, errors.Wrap(err, strconv.Quote(f.Name))
		}
		names.of = append(names.of, name)
		slashes = slashes || strings.Contains(name, "/")
		names.backslashes = names.backslashes || strings.Contains(name, `\`)
	}
	if names.backslashes = names.backslashes && !slashes; names.backslashes {
		for i, name := range names.of {
			names.of[i] = strings.ReplaceAll(name, `\`, "/")
		}
	}
	return names, nil
}

// The parts of a zip archive's directory that tell in what encoding a name is: a flag for UTF-8; where it is not set,
// the name in UTF-8 in an extra field, or the system on which the archive was made.
const (
	flagUTF8         = 0x800
	unicodePathField = 0x7075
	madeOnFAT        = 0
	madeOnNTFS       = 10
)

// zipName is the name of a file in UTF-8. Systems other than Windows write UTF-8 without saying so; Windows writes the
// encoding of its country, such as CP437 or GBK, and there is no way to tell which.
func zipName(f *zip.File) (string, error) {
	if utf8.ValidString(f.Name) && (f.Flags&flagUTF8 != 0 || isASCII(f.Name)) {
		return f.Name, nil
	}
	for extra := f.Extra; len(extra) >= 4; {
		kind, size := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		if extra = extra[4:]; size > len(extra) {
			break
		}
		field := extra[:size]
		extra = extra[size:]
		// The field has a version, the checksum of the name that it is for, and the name.
		if kind == unicodePathField && size > 5 && field[0] == 1 && utf8.Valid(field[5:]) &&
			binary.LittleEndian.Uint32(field[1:]) == crc32.ChecksumIEEE([]byte(f.Name)) {
			return string(field[5:]), nil
		}
	}
	system := f.CreatorVersion >> 8
	if f.Flags&flagUTF8 != 0 || !utf8.ValidString(f.Name) || system == madeOnFAT || system == madeOnNTFS {
		return "", errors.New("the archive does not tell in what encoding this name is: unpack it where it was made, and pack it again with names in UTF-8")
	}
	return f.Name, nil
}

// zipMethods are the names of methods that are not read (APPNOTE.TXT, section 4.4.5).
var zipMethods = map[uint16]string{1: "shrink", 6: "implode", 9: "deflate64", 12: "bzip2", 14: "LZMA", 93: "zstd", 95: "xz", 98: "PPMd"}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

// newZipEntry is a file of an archive of size bytes; its path is "" if it is hidden.
func newZipEntry(f *zip.File, name string, size int64) (e zipEntry, err error) {
	mode := f.Mode()
	if e.path, err = entryPath(name, mode.IsDir()); err != nil || e.path == "" {
		return e, err
	}
	e.path = strings.Clone(e.path)
	switch {
	case mode.Type()&^(fs.ModeDir|fs.ModeSymlink) != 0:
		return e, errors.New("a device or pipe, not a file: pack the archive without it")
	case f.Flags&1 != 0:
		return e, errors.New("encrypted: pack the archive without a password")
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return e, errors.Errorf("packed by %s, which is not read: pack the archive again with deflate, the usual method, or unpack it", cmp.Or(zipMethods[f.Method], fmt.Sprintf("method %d", f.Method)))
	case f.UncompressedSize64/maxDeflateRatio > f.CompressedSize64:
		return e, errors.Errorf("%d bytes that claim to unpack to %d: a zip bomb, or damaged", f.CompressedSize64, f.UncompressedSize64)
	}
	if e.offset, err = f.DataOffset(); err != nil {
		return e, errors.Wrap(err, "damaged")
	}
	if f.CompressedSize64 > uint64(max(size-e.offset, 0)) {
		return e, errors.Errorf("%d bytes from byte %d on, where the archive ends after %d: it is incomplete", f.CompressedSize64, e.offset, size)
	}
	e.packed, e.length, e.crc, e.stored = int64(f.CompressedSize64), int64(f.UncompressedSize64), f.CRC32, f.Method == zip.Store
	return e, nil
}

func (t *zipTree) Name() string      { return t.name }
func (t *zipTree) Len() int          { return len(t.entries) }
func (t *zipTree) Path(i int) string { return t.entries[i].path }
func (t *zipTree) Close() error      { return t.file.Close() }

func (t *zipTree) Read(i, limit int) ([]byte, error) { return t.entries[i].read(t.file, limit) }

// read unpacks a file of an archive, or its first limit bytes.
func (e zipEntry) read(archive io.ReaderAt, limit int) ([]byte, error) {
	var r io.Reader = io.NewSectionReader(archive, e.offset, e.packed)
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
