package archive

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/pkg/errors"

	"vgg/internal/atomicfile"
)

// largestInner is the most bytes of an archive in an archive.
const largestInner = 1<<31 - 2

// Unpack writes a file of an archive, which is an archive itself, to the user's cache folder, where the same one is
// found again, and gives its path. One that is gzipped is unpacked from that too.
func Unpack(t Tree, i int, notice func(message string)) (file string, err error) {
	info, err := os.Stat(t.Name())
	if err != nil {
		return "", err
	}
	dir, err := cacheFile(t.Name(), fmt.Sprintf("-%d-%d", info.Size(), info.ModTime().UnixNano()))
	if err != nil {
		return "", errors.Wrap(err, "no cache folder to unpack it into (set XDG_CACHE_HOME, or unpack it yourself)")
	}
	defer used(dir)
	head, err := t.Read(i, HeadSize)
	if err != nil {
		return "", err
	}
	isGzip := Kind(head) == "gzip"
	file = filepath.Join(dir, filepath.FromSlash(t.Path(i)))
	if isGzip {
		name := strings.TrimSuffix(path.Base(t.Path(i)), path.Ext(file))
		file = filepath.Join(file, strings.TrimSuffix(name, ".tar")+".tar") // s.tgz, s.tar.gz and s.tar may all be there
	}
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	if notice != nil {
		notice(fmt.Sprintf("unpacking %s to %s", Describe(t, i), file))
	}
	data, err := ReadFile(t, i, largestInner)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return "", errors.Wrap(err, "cannot unpack it")
	}
	if isGzip {
		return file, gunzip(bytes.NewReader(data), max(maxUnpacked, maxGzipRatio*int64(len(data))), file)
	}
	return file, errors.Wrap(atomicfile.Write(file, data), "cannot unpack it")
}
