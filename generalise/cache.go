package generalise

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/internal/atomicfile"
	"vgg/internal/kernel"
)

// cache keeps the outputs of nets in files, one a block of pictures, in a folder for each key: DIR/KEY/00064.features
// has the block that begins with picture 64. A file is the outputs, little-endian float32, and a SHA-256 of the key,
// the block's place and the outputs. A nil cache keeps nothing.
type cache struct {
	dir    string
	notice func(string)
}

func openCache(o Options) (*cache, error) {
	if o.Cache == "" {
		return nil, nil
	}
	notice := o.Notice
	if notice == nil {
		notice = func(string) {}
	}
	if err := os.MkdirAll(o.Cache, 0o777); err != nil {
		return nil, errors.Wrap(err, "cache of features: give another folder")
	}
	return &cache{o.Cache, notice}, nil
}

// key is of all on which the outputs depend.
func (r run) key() string {
	sum := sha256.Sum256([]byte(r.basis()))
	return fmt.Sprintf("%x", sum[:16])
}

// basis is all on which the outputs depend: the net's weights, the layer, Q, the protocol, the kernels and
// their algorithm, each of which rounds in its own way, and the contents of the pictures in their order.
func (r run) basis() string {
	return fmt.Sprintf("features 3\n%s\n%s\nQ %d\n%s, in blocks of %d\n%s kernels\nconvolutions %q\n%d pictures %x\n",
		r.net.Checksum(), r.layer, r.scale, configs.Dense, blockItems, kernel.ISA(), kernel.Algorithm(), len(r.items), r.content)
}

func (c *cache) file(key string, first int) string {
	return filepath.Join(c.dir, key, fmt.Sprintf("%05d.features", first))
}

// seal is the hash at the end of a file.
func seal(key string, first int, data []byte) []byte {
	sum := sha256.New()
	fmt.Fprintln(sum, key, first)
	sum.Write(data)
	return sum.Sum(nil)
}

// read reads a block. It gives the name of a file that is not whole.
func (c *cache) read(key string, first int, values []float32) (found bool, bad string) {
	if c == nil {
		return false, ""
	}
	name := c.file(key, first)
	size := 4*len(values) + sha256.Size
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, ""
	}
	if err != nil || info.Size() != int64(size) {
		return false, name
	}
	data, err := os.ReadFile(name)
	if err != nil || len(data) != size || !bytes.Equal(data[4*len(values):], seal(key, first, data[:4*len(values)])) {
		return false, name
	}
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return true, ""
}

func (c *cache) write(key string, first int, values []float32) error {
	if c == nil {
		return nil
	}
	data := make([]byte, 0, 4*len(values)+sha256.Size)
	for _, v := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	name := c.file(key, first)
	err := os.MkdirAll(filepath.Dir(name), 0o777)
	if err == nil {
		err = atomicfile.Write(name, append(data, seal(key, first, data)...))
	}
	return errors.Wrap(err, "cache of features: make room, or give another folder")
}
