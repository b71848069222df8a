package archive

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/pkg/errors"

	"vgg/internal/atomicfile"
)

// The list of a large tar archive is kept in a file beside it, or, where that cannot be written, in the user's cache
// folder. It holds
//
//	magic, size and time of the archive, number of entries: 8 bytes each, least significant first
//	length of the notes as a varint, the notes, a line each
//	for each entry, as varints: length of the path, the path, its offset less the end of the entry before, its size
//	SHA-256 of all that
const (
	indexMagic  = "vggtar2\n" // the number grows with each change of what an archive is listed as
	indexSuffix = ".vgg-index"
	indexFrom   = 10_000 // entries; shorter lists are made in a few milliseconds
	indexHead   = 32
)

// indexFiles are the places for the index of an archive, the best first.
func indexFiles(archive string) []string {
	places := []string{archive + indexSuffix}
	if cached, err := cacheFile(archive, indexSuffix); err == nil {
		places = append(places, cached)
	}
	return places
}

// readIndex gives the list of an archive as it was kept; nil if none was, or that of another archive.
func readIndex(archive string, info fs.FileInfo) *tarList {
	for _, file := range indexFiles(archive) {
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if list, err := decodeIndex(data, info.Size(), info.ModTime().UnixNano()); err == nil {
			return list
		}
	}
	return nil
}

// writeIndex keeps the list of an archive of at least indexFrom entries.
func writeIndex(archive string, info fs.FileInfo, list *tarList) (err error) {
	if len(list.entries) < indexFrom {
		return nil
	}
	for _, file := range indexFiles(archive) {
		err = atomicfile.Encode(file, func(w io.Writer) error {
			return encodeIndex(w, list, info.Size(), info.ModTime().UnixNano())
		})
		if err == nil {
			return nil
		}
	}
	return err
}

func encodeIndex(to io.Writer, list *tarList, size, time int64) error {
	sum := sha256.New()
	w := bufio.NewWriterSize(io.MultiWriter(to, sum), 1<<16)
	b := []byte(indexMagic)
	for _, v := range [3]int64{size, time, int64(len(list.entries))} {
		b = binary.LittleEndian.AppendUint64(b, uint64(v))
	}
	b = appendText(b, strings.Join(list.notes, "\n"))
	end := int64(0)
	for _, e := range list.entries {
		b = appendText(b, e.path)
		b = binary.AppendVarint(b, e.offset-end)
		b = binary.AppendUvarint(b, uint64(e.size))
		end = e.offset + e.size
		w.Write(b) // it keeps the first error for Flush
		b = b[:0]
	}
	w.Write(b)
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := to.Write(sum.Sum(nil))
	return err
}

// appendText adds the length of a text as a varint, and the text.
func appendText(to []byte, text string) []byte {
	return append(binary.AppendUvarint(to, uint64(len(text))), text...)
}

// decodeIndex refuses an index that is damaged or of another archive: all entries are in the archive, and their paths
// in order.
func decodeIndex(data []byte, size, time int64) (*tarList, error) {
	if len(data) < indexHead+sha256.Size || string(data[:len(indexMagic)]) != indexMagic {
		return nil, errors.New("not an index")
	}
	data, sum := data[:len(data)-sha256.Size], data[len(data)-sha256.Size:]
	if own := sha256.Sum256(data); !bytes.Equal(own[:], sum) {
		return nil, errors.New("a damaged index")
	}
	head := func(i int) int64 { return int64(binary.LittleEndian.Uint64(data[len(indexMagic)+8*i:])) }
	if head(0) != size || head(1) != time {
		return nil, errors.New("an index of another archive")
	}
	count := head(2)
	data = data[indexHead:]
	text := string(data) // the paths are pieces of it
	if count < 0 || count > int64(len(data)/3) {
		return nil, errors.New("more entries than the index has room for")
	}
	list := &tarList{entries: make([]tarEntry, count)}
	at, end, damaged := 0, int64(0), false
	next := func(read func([]byte) (int64, int)) int64 {
		v, n := read(data[at:])
		if n <= 0 {
			damaged = true
			return 0
		}
		at += n
		return v
	}
	unsigned := func(b []byte) (int64, int) {
		v, n := binary.Uvarint(b)
		return int64(v), n
	}
	nextText := func() string {
		length := next(unsigned)
		if damaged = damaged || length < 0 || length > int64(len(data)-at); damaged {
			return ""
		}
		at += int(length)
		return text[at-int(length) : at]
	}
	if notes := nextText(); notes != "" {
		list.notes = strings.Split(notes, "\n")
	}
	last := ""
	for i := range list.entries {
		e := &list.entries[i]
		e.path = nextText()
		e.offset = end + next(binary.Varint)
		e.size = next(unsigned)
		if damaged || e.offset < 0 || e.size < 0 || e.offset > size || e.size > size-e.offset || e.path <= last {
			return nil, errors.New("a damaged index")
		}
		last, end = e.path, e.offset+e.size
	}
	if damaged || at != len(data) {
		return nil, errors.New("a damaged index")
	}
	return list, nil
}
