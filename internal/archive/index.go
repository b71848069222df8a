package archive

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"io/fs"
	"os"

	"github.com/pkg/errors"

	"vgg/internal/atomicfile"
)

// The list of a large tar archive is kept in a file beside it, or, where that cannot be written, in the user's cache
// folder. It holds
//
//	magic, size and time of the archive, number of entries: 8 bytes each, least significant first
//	for each entry, as varints: length of the path, the path, its offset less the end of the entry before, its size
//	SHA-256 of all that
const (
	indexMagic  = "vggtar1\n"
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

// readIndex gives the entries of an archive as they were kept; nil if none were, or those of another archive.
func readIndex(archive string, info fs.FileInfo) []tarEntry {
	for _, file := range indexFiles(archive) {
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if entries, err := decodeIndex(data, info.Size(), info.ModTime().UnixNano()); err == nil {
			return entries
		}
	}
	return nil
}

// writeIndex keeps the entries of an archive if there are at least indexFrom.
func writeIndex(archive string, info fs.FileInfo, entries []tarEntry) (err error) {
	if len(entries) < indexFrom {
		return nil
	}
	for _, file := range indexFiles(archive) {
		err = atomicfile.Encode(file, func(w io.Writer) error {
			return encodeIndex(w, entries, info.Size(), info.ModTime().UnixNano())
		})
		if err == nil {
			return nil
		}
	}
	return err
}

func encodeIndex(to io.Writer, entries []tarEntry, size, time int64) error {
	sum := sha256.New()
	w := bufio.NewWriterSize(io.MultiWriter(to, sum), 1<<16)
	b := []byte(indexMagic)
	for _, v := range [3]int64{size, time, int64(len(entries))} {
		b = binary.LittleEndian.AppendUint64(b, uint64(v))
	}
	end := int64(0)
	for _, e := range entries {
		b = binary.AppendUvarint(b, uint64(len(e.path)))
		b = append(b, e.path...)
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

// decodeIndex refuses an index that is damaged or of another archive: all entries are in the archive, and their paths in
// order.
func decodeIndex(data []byte, size, time int64) ([]tarEntry, error) {
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
	entries := make([]tarEntry, count)
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
	for i := range entries {
		e := &entries[i]
		length := next(unsigned)
		if damaged || length < 0 || length > int64(len(data)-at) {
			return nil, errors.New("a damaged index")
		}
		e.path = text[at : at+int(length)]
		at += int(length)
		e.offset = end + next(binary.Varint)
		e.size = next(unsigned)
		if damaged || e.offset < 0 || e.size < 0 || e.offset > size || e.size > size-e.offset || i > 0 && e.path < entries[i-1].path {
			return nil, errors.New("a damaged index")
		}
		end = e.offset + e.size
	}
	if at != len(data) {
		return nil, errors.New("a damaged index")
	}
	return entries, nil
}
