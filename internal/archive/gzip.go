package archive

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pkg/errors"

	"vgg/internal/atomicfile"
)

// A gzipped archive can only be read from its start, so it is unpacked once, into the user's cache folder. One that
// unpacks to more than maxUnpacked bytes, and to more than maxGzipRatio bytes for each of its own, is refused.
const (
	maxGzipRatio = 100
	maxUnpacked  = 1 << 26
)

// openGzip closes the file, unless there is an error.
func openGzip(file *os.File, notice func(string)) (Tree, error) {
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
		notice(fmt.Sprintf("unpacking %s to %s", file.Name(), unpacked))
		if err = gunzip(file, max(maxUnpacked, maxGzipRatio*info.Size()), unpacked); err != nil {
			return nil, err
		}
		t, err = os.Open(unpacked)
	}
	if err != nil {
		return nil, err
	}
	tree, err := openTar(t, file.Name(), notice)
	if err != nil {
		t.Close()
		return nil, err
	}
	used(unpacked)
	return tree, file.Close()
}

// gunzip unpacks a gzipped tar archive, whole or not at all. More than limit bytes are an error.
func gunzip(file io.ReadSeeker, limit int64, to string) error {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	r, err := newGzipReader(file)
	if err != nil {
		return errors.Wrap(err, "the gzip file is damaged")
	}
	out, err := atomicfile.Create(to)
	if err != nil {
		return errors.Wrap(err, "cannot unpack it")
	}
	defer out.Cleanup()
	if err := out.Chmod(0o600); err != nil { // the archive may be less public than atomicfile's files
		return errors.Wrap(err, "cannot unpack it")
	}
	head := make([]byte, tarBlock)
	n, err := io.ReadFull(r, head)
	if err == nil && !isTar(head) || err == io.EOF || err == io.ErrUnexpectedEOF && n > 0 {
		return errors.New("a gzip file that is no tar archive: want tar.gz")
	}
	if err != nil {
		return errors.Wrap(err, "the gzip file is damaged or incomplete")
	}
	written, err := io.Copy(out, io.LimitReader(io.MultiReader(bytes.NewReader(head), r), limit+1))
	switch {
	case err != nil:
		return errors.Wrapf(err, "the gzip file is damaged or incomplete, or the disk is full: unpacking it to %s stopped after %d bytes", to, written)
	case written > limit:
		return errors.Errorf("unpacks to more than %d bytes: a gzip bomb, or damaged", limit)
	}
	return errors.Wrap(out.CloseAtomicallyReplace(), "cannot unpack it")
}

// gzipReader reads one gzip stream after another, and skips zeros behind the last.
type gzipReader struct {
	in     *bufio.Reader
	stream *gzip.Reader
}

func newGzipReader(in io.Reader) (*gzipReader, error) {
	r := &gzipReader{in: bufio.NewReader(in)}
	var err error
	if r.stream, err = gzip.NewReader(r.in); err != nil {
		return nil, err
	}
	r.stream.Multistream(false)
	return r, nil
}

func (r *gzipReader) Read(p []byte) (int, error) {
	n, err := r.stream.Read(p)
	if err != io.EOF {
		return n, err
	}
	if n > 0 {
		return n, nil // the stream gives its end again
	}
	if next, err := r.in.Peek(len(gzipMagic)); err == nil && string(next) == gzipMagic {
		if err := r.stream.Reset(r.in); err != nil {
			return 0, err
		}
		r.stream.Multistream(false)
		return 0, nil
	}
	for {
		b, err := r.in.ReadByte()
		if err != nil {
			return 0, err
		}
		if b != 0 {
			return 0, errors.New("bytes behind the gzip stream that are neither zeros nor another one: cut them off, or download the file again")
		}
	}
}

// staleAfter is how long what an archive was unpacked to is kept after its last use when the archive has changed. Other
// machines with the same cache folder may have another version of it, and read from theirs.
const staleAfter = 7 * 24 * time.Hour

// used notes the use of what was unpacked, a file or a folder, and removes what is stale of other versions of the
// archive. What cannot be removed only takes room.
func used(unpacked string) {
	now := time.Now()
	_ = os.Chtimes(unpacked, now, now)
	dir, name := filepath.Split(unpacked)
	version := func(name string) string { return strings.TrimSuffix(name, ".tar") }
	archive, _, _ := strings.Cut(name, "-")
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), archive+"-") || version(e.Name()) == version(name) {
			continue
		}
		if info, err := e.Info(); err == nil && now.Sub(info.ModTime()) > staleAfter {
			_ = os.RemoveAll(filepath.Join(dir, e.Name()))
		}
	}
}

// cacheFile is the path in the user's cache folder for something that was made from a file. The folder is made.
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
