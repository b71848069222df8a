package foreign

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"strings"

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

// storageTypes gives the dtypes of the storages that are read, otherWidths the bytes of an element of the others.
var (
	storageTypes = map[string]string{"FloatStorage": "F32", "DoubleStorage": "F64", "HalfStorage": "F16", "BFloat16Storage": "BF16"}
	otherWidths  = map[string]int{
		"LongStorage": 8, "IntStorage": 4, "ShortStorage": 2, "CharStorage": 1, "ByteStorage": 1, "BoolStorage": 1,
		"ComplexFloatStorage": 8, "ComplexDoubleStorage": 16, "QInt8Storage": 1, "QUInt8Storage": 1, "QInt32Storage": 4, "UntypedStorage": 1,
	}
)

// elementBytes is the width of a dtype of storages, 0 where it is unknown.
func elementBytes(dtype string) int {
	if w := element.Bytes(dtype); w > 0 {
		return w
	}
	return otherWidths[dtype]
}

// storages collects those that a pickle names.
type storages map[string]*storage

// add is called for each mention of a storage, as torch.save writes it: "storage", class, key, device, elements, and
// in files of before version 1.6 a view of another storage.
func (s storages) add(id any) (any, error) {
	var of []any
	if l, ok := id.(*list); ok {
		of = l.items
	}
	if len(of) == 4 && of[0] == "module" { // a class of modules with its source text, in the format before version 1.6
		return of[1], nil
	}
	if len(of) < 5 || len(of) > 6 || of[0] != "storage" {
		return nil, errors.New("a reference that torch.save does not write")
	}
	c, ok1 := of[1].(class)
	key, ok2 := of[2].(string)
	elements, ok3 := of[4].(int)
	if !ok1 || !ok2 || !ok3 || elements < 0 {
		return nil, errors.New("a storage that torch.save does not describe so")
	}
	if len(of) == 6 && of[5] != nil {
		return nil, errors.Errorf("storage %s is a view of another one, as PyTorch 0.1 wrote them: save the weights again with a later one", key)
	}
	dtype := c.name
	if known := storageTypes[c.name]; known != "" {
		dtype = known
	}
	known, ok := s[key]
	if !ok {
		known = &storage{key: key, dtype: dtype, elements: elements}
		s[key] = known
	}
	if known.dtype != dtype || known.elements != elements {
		return nil, errors.Errorf("storage %s is described in two ways", key)
	}
	return known, nil
}

func isTorchZip(b []byte) bool { return bytes.HasPrefix(b, []byte("PK\x03\x04")) }

// decodeTorchZip reads what torch.save writes since version 1.6: an uncompressed zip archive with a folder of data.pkl,
// which describes the tensors, byteorder, and data/KEY, the storages.
func decodeTorchZip(b []byte, net string) (*weights.File, error) {
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
	if entries[folder+"constants.pkl"] != nil {
		return nil, errors.New("a program of TorchScript, of torch.jit.save, which is not read: save model.state_dict() with torch.save")
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
	r := tensorReader{order: order, left: len(b), find: func(s *storage) (err error) {
		s.data, err = stored(b, entries, folder+"data/"+s.key)
		return err
	}}
	return fromObject(object, &r, net)
}

// fromObject reads the net in what torch.save was given.
func fromObject(saved any, r *tensorReader, net string) (*weights.File, error) {
	f, err := fromLeaves(leavesOf(saved, r), net, &weights.File{}, weights.TorchVision)
	if err == nil {
		lookBeside(f, saved)
	}
	return f, err
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
func decodeTorchLegacy(b []byte, net string) (*weights.File, error) {
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
	keys, ok := objects[3].(*list)
	if !ok || len(keys.items) != len(found) {
		return nil, errors.Errorf("the list of storages does not name the %d that there are", len(found))
	}
	for _, k := range keys.items {
		key, _ := k.(string)
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
	r := tensorReader{order: binary.LittleEndian, left: len(b)}
	return fromObject(objects[2], &r, net)
}

// tensorReader reads tensors of a file.
type tensorReader struct {
	order binary.ByteOrder
	left  int                  // bytes that all tensors together may still take: views of a small file could take much memory
	find  func(*storage) error // gives a storage its data
}

// values gives the elements of a tensor row by row.
func (r *tensorReader) values(t *stridedTensor) ([]float32, error) {
	s := t.storage
	width := element.Bytes(s.dtype)
	if width == 0 {
		return nil, errors.Errorf("its elements are those of a %s: want float32, float64, float16 or bfloat16", s.dtype)
	}
	if s.data == nil && r.find != nil {
		if err := r.find(s); err != nil {
			return nil, err
		}
	}
	if len(s.data) != s.elements*width {
		return nil, errors.Errorf("storage %s of %d elements has %d bytes", s.key, s.elements, len(s.data))
	}
	n, ok := element.Count(t.size, s.elements)
	if !ok || !t.inside() {
		return nil, errors.Errorf("shape %v, strides %v and offset %d lead outside its storage of %d elements", t.size, t.stride, t.offset, s.elements)
	}
	if r.left -= n * width; r.left < 0 {
		return nil, errors.New("the tensors up to this one take more than the file has: they overlap")
	}
	if t.contiguous() {
		return element.Floats(s.data[t.offset*width:(t.offset+n)*width], s.dtype, r.order), nil
	}
	data := make([]float32, 0, n)
	index := make([]int, len(t.size))
	for range n {
		at := t.offset
		for d, i := range index {
			at += i * t.stride[d]
		}
		data = append(data, element.Float(s.data[at*width:], s.dtype, r.order))
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
