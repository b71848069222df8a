package foreign

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math/big"
	"slices"
	"strings"

	"github.com/nlpodyssey/gopickle/types"
	"github.com/pkg/errors"

	"vgg/weights"
	"vgg/weights/internal/element"
)

// storage is the memory that tensors of PyTorch share.
type storage struct {
	key      string
	dtype    string // as in safetensors, or the name of PyTorch's class for one that is not read
	elements int
	data     []byte // nil until found
}

// stridedTensor is a tensor of PyTorch: a view of a storage.
type stridedTensor struct {
	storage      *storage
	offset       int // in elements, as the strides
	size, stride []int
}

// storages collects those that a pickle names.
type storages map[string]*storage

// add is called for each mention of a storage, as torch.save writes it: "storage", class, key, device, elements, and
// in files of before version 1.6 a view of another storage.
func (s storages) add(id any) (any, error) {
	tuple, ok := id.(*types.Tuple)
	if !ok || tuple.Len() < 5 || tuple.Len() > 6 || tuple.Get(0) != "storage" {
		return nil, errors.New("a reference that torch.save does not write")
	}
	class, ok1 := tuple.Get(1).(*torchClass)
	key, ok2 := tuple.Get(2).(string)
	elements, ok3 := tuple.Get(4).(int)
	if !ok1 || !ok2 || !ok3 || elements < 0 {
		return nil, errors.New("a storage that torch.save does not describe so")
	}
	if tuple.Len() == 6 && tuple.Get(5) != nil {
		return nil, errors.Errorf("storage %s is a view of another one, as PyTorch 0.1 wrote them: save the weights again with a later one", key)
	}
	known, ok := s[key]
	if !ok {
		known = &storage{key: key, dtype: class.dtype, elements: elements}
		s[key] = known
	}
	if known.dtype != class.dtype || known.elements != elements {
		return nil, errors.Errorf("storage %s is described in two ways", key)
	}
	return known, nil
}

func isTorchZip(b []byte) bool { return bytes.HasPrefix(b, []byte("PK\x03\x04")) }

// decodeTorchZip reads what torch.save writes since version 1.6: an uncompressed zip archive with a folder of data.pkl,
// which describes the tensors, byteorder, and data/KEY, the storages.
func decodeTorchZip(b []byte) (*weights.File, error) {
	archive, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, errors.Wrap(err, "not a zip archive of PyTorch, or cut short")
	}
	entries, folder := map[string]*zip.File{}, ""
	for _, e := range archive.File {
		if entries[e.Name] != nil {
			return nil, errors.Errorf("%.80s occurs twice in the zip archive", e.Name)
		}
		entries[e.Name] = e
		if name, ok := strings.CutSuffix(e.Name, "/data.pkl"); ok && !strings.Contains(name, "/") {
			folder = name + "/"
		}
	}
	pickled, err := stored(b, entries, folder+"data.pkl")
	if err != nil {
		return nil, errors.Wrap(err, "not an archive of torch.save")
	}
	var order binary.ByteOrder = binary.LittleEndian
	if entries[folder+"byteorder"] != nil {
		if order, err = byteOrder(b, entries, folder+"byteorder"); err != nil {
			return nil, err
		}
	}
	found := storages{}
	object, _, err := unpickle(pickled, found.add)
	if err != nil {
		return nil, errors.Wrap(err, "data.pkl")
	}
	return stateDict(object, order, len(b), func(s *storage) error {
		s.data, err = stored(b, entries, folder+"data/"+s.key)
		return err
	})
}

func byteOrder(b []byte, entries map[string]*zip.File, name string) (binary.ByteOrder, error) {
	text, err := stored(b, entries, name)
	switch {
	case err != nil:
		return nil, err
	case string(text) == "big":
		return binary.BigEndian, nil
	case string(text) == "little":
		return binary.LittleEndian, nil
	}
	return nil, errors.Errorf("byte order %.20q: want little or big", text)
}

// stored gives the bytes of a file in the archive b.
func stored(b []byte, entries map[string]*zip.File, name string) ([]byte, error) {
	e := entries[name]
	if e == nil {
		return nil, errors.Errorf("no %s in the zip archive", name)
	}
	if e.Method != zip.Store {
		return nil, errors.Errorf("%s is compressed, as torch.save does not do: save it again with that", name)
	}
	at, err := e.DataOffset()
	if err != nil {
		return nil, errors.Wrap(err, name)
	}
	size := uint64(len(b))
	if e.UncompressedSize64 != e.CompressedSize64 || uint64(at) > size || e.UncompressedSize64 > size-uint64(at) {
		return nil, errors.Errorf("%s lies outside the file (cut short?)", name)
	}
	data := b[at : uint64(at)+e.UncompressedSize64]
	if crc32.ChecksumIEEE(data) != e.CRC32 {
		return nil, errors.Errorf("damaged: the checksum of %s is wrong", name)
	}
	return data, nil
}

// legacyMagic begins the files that torch.save wrote before version 1.6: an integer of ten bytes, pickled.
var legacyMagic = []byte{0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.'}

const legacyVersion = 1001

func isTorchLegacy(b []byte) bool { return bytes.HasPrefix(b, legacyMagic) }

// decodeTorchLegacy reads five pickles (magic number, version, the writer's machine, the tensors, the storages' keys)
// and the storages behind them: the number of elements in eight bytes, and the elements. They are little-endian
// whatever the writer's machine was.
func decodeTorchLegacy(b []byte) (*weights.File, error) {
	rest := b[len(legacyMagic):]
	found := storages{}
	var objects [4]any
	for i, what := range []string{"version", "description of the machine", "tensors", "list of storages"} {
		object, length, err := unpickle(rest, found.add)
		if err != nil {
			return nil, errors.Wrap(err, what)
		}
		objects[i], rest = object, rest[length:]
	}
	if objects[0] != legacyVersion {
		return nil, errors.Errorf("version %v of PyTorch's old format: want %d", objects[0], legacyVersion)
	}
	keys, ok := objects[3].(*types.List)
	if !ok || keys.Len() != len(found) {
		return nil, errors.Errorf("the list of storages does not name the %d that there are", len(found))
	}
	for i := range keys.Len() {
		key, _ := keys.Get(i).(string)
		s := found[key]
		if s == nil || s.data != nil {
			return nil, errors.Errorf("the list of storages names %.80q, which no tensor has or which it has named before", key)
		}
		width := elementBytes(s.dtype)
		if width == 0 {
			return nil, errors.Errorf("storage %s is a %s, which is not read", key, s.dtype)
		}
		if len(rest) < 8 || binary.LittleEndian.Uint64(rest) != uint64(s.elements) || s.elements > (len(rest)-8)/width {
			return nil, errors.Errorf("storage %s of %d elements is not there (cut short?)", key, s.elements)
		}
		s.data, rest = rest[8:8+s.elements*width], rest[8+s.elements*width:]
	}
	if len(rest) > 0 {
		return nil, errors.Errorf("%d bytes behind the last storage", len(rest))
	}
	return stateDict(objects[2], binary.LittleEndian, len(b), func(*storage) error { return nil })
}

// nested are the keys under which training programs keep the state dict.
var nested = []string{"state_dict", "model_state_dict", "model"}

// stateDict turns a pickled object, a dict of tensors by their names or a dict that holds one, into a file. find gives a
// storage its data.
func stateDict(object any, order binary.ByteOrder, fileSize int, find func(*storage) error) (*weights.File, error) {
	names, values, err := items(object)
	if err != nil {
		return nil, err
	}
	for _, key := range nested {
		if i := slices.Index(names, key); i >= 0 {
			if names, values, err = items(values[i]); err != nil {
				return nil, errors.Wrap(err, key)
			}
			break
		}
	}
	if err := weights.CheckNames(names); err != nil {
		return nil, err
	}
	f, left := &weights.File{}, fileSize
	for i, name := range names {
		t, ok := values[i].(*stridedTensor)
		if !ok {
			return nil, errors.Errorf("%.80s is not a tensor: save model.state_dict() alone", name)
		}
		if t.storage.data == nil {
			if err := find(t.storage); err != nil {
				return nil, errors.Wrapf(err, "tensor %s", name)
			}
		}
		data, err := t.values(order, &left)
		if err != nil {
			return nil, errors.Wrapf(err, "tensor %s", name)
		}
		f.Tensors = append(f.Tensors, weights.Tensor{Name: name, Shape: t.size, Data: data, DType: t.storage.dtype})
	}
	if len(f.Tensors) == 0 {
		return nil, errors.New("it holds no tensors: save model.state_dict()")
	}
	return f, adopt(f, weights.TorchVision)
}

// items gives the keys and values of a dict.
func items(object any) (names []string, values []any, err error) {
	add := func(key, value any) {
		name, ok := key.(string)
		if !ok && err == nil {
			err = errors.Errorf("a dict with a key of type %T: want the tensors' names", key)
		}
		names, values = append(names, name), append(values, value)
	}
	switch d := object.(type) {
	case *types.Dict:
		for _, e := range *d {
			add(e.Key, e.Value)
		}
	case *types.OrderedDict:
		for e := d.List.Front(); e != nil; e = e.Next() {
			entry := e.Value.(*types.OrderedDictEntry)
			add(entry.Key, entry.Value)
		}
	default:
		return nil, nil, errors.New("not a dict of tensors: save model.state_dict()")
	}
	return names, values, err
}

// values gives the elements row by row. left is the number of bytes that all tensors together may still take: overlapping
// views of a small file could otherwise take much memory.
func (t *stridedTensor) values(order binary.ByteOrder, left *int) ([]float32, error) {
	s := t.storage
	width := element.Bytes(s.dtype)
	if width == 0 {
		return nil, errors.Errorf("its elements are those of a %s: want float32, float64, float16 or bfloat16", s.dtype)
	}
	if len(s.data) != s.elements*width {
		return nil, errors.Errorf("storage %s of %d elements has %d bytes", s.key, s.elements, len(s.data))
	}
	n, ok := element.Count(t.size, s.elements)
	if !ok || !t.inside() {
		return nil, errors.Errorf("shape %v, strides %v and offset %d lead outside its storage of %d elements", t.size, t.stride, t.offset, s.elements)
	}
	if *left -= n * width; *left < 0 {
		return nil, errors.New("the tensors up to this one take more than the file has: they overlap")
	}
	if t.contiguous() {
		return element.Floats(s.data[t.offset*width:(t.offset+n)*width], s.dtype, order), nil
	}
	data := make([]float32, 0, n)
	index := make([]int, len(t.size))
	for range n {
		at := t.offset
		for d, i := range index {
			at += i * t.stride[d]
		}
		data = append(data, element.Float(s.data[at*width:], s.dtype, order))
		for d := len(index) - 1; d >= 0; d-- {
			if index[d]++; index[d] < t.size[d] {
				break
			}
			index[d] = 0
		}
	}
	return data, nil
}

// inside says whether the whole tensor is in its storage.
func (t *stridedTensor) inside() bool {
	if t.offset < 0 || t.offset > t.storage.elements || len(t.size) != len(t.stride) || len(t.size) > element.MaxDims {
		return false
	}
	if slices.Contains(t.size, 0) {
		return true
	}
	rest := t.storage.elements - 1 - t.offset
	for d, size := range t.size {
		if t.stride[d] < 0 || size > 1 && t.stride[d] > rest/(size-1) {
			return false
		}
		rest -= (size - 1) * t.stride[d]
	}
	return rest >= 0
}

func (t *stridedTensor) contiguous() bool {
	step := 1
	for d := len(t.size) - 1; d >= 0; d-- {
		if t.size[d] != 1 && t.stride[d] != step {
			return false
		}
		step *= t.size[d]
	}
	return true
}

// integers reads a tuple of sizes or strides.
func integers(v any) ([]int, bool) {
	tuple, ok := v.(*types.Tuple)
	if !ok {
		return nil, false
	}
	list := make([]int, tuple.Len())
	for i := range list {
		if list[i], ok = integer(tuple.Get(i)); !ok {
			return nil, false
		}
	}
	return list, true
}

// integer reads a whole number, which a pickle may have as a long one.
func integer(v any) (int, bool) {
	switch n := v.(type) {
	case int:
		return n, true
	case *big.Int:
		return int(n.Int64()), n.IsInt64()
	}
	return 0, false
}
