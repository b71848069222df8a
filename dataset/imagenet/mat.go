package imagenet

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/pkg/errors"

	"vgg/internal/archive"
)

// parseSynsets reads the WNID of each ILSVRC2012_ID from a MAT file of version 5 (MathWorks, "MAT-File Format"), where
// they are fields of the struct array synsets.
func parseSynsets(file []byte) (map[string]string, error) { return parseMAT(file, largestMAT) }

// parseMAT refuses files whose compressed variables unpack to more than limit bytes.
func parseMAT(file []byte, limit int) (map[string]string, error) {
	const head, version = 128, 0x100 // a text, the version and the order of bytes
	if len(file) < head {
		return nil, errors.Errorf("%d bytes are no MAT file", len(file))
	}
	elements := matElements{data: file[head:]}
	switch order := string(file[head-2 : head]); order {
	case "IM":
		elements.order = binary.LittleEndian
	case "MI":
		elements.order = binary.BigEndian
	default:
		return nil, errors.Errorf("not a MAT file of version 5: its order of bytes is %q", order)
	}
	if v := elements.order.Uint16(file[head-4:]); v != version {
		return nil, errors.Errorf("a MAT file of version %#x, want %#x: save it by MATLAB's save -v7", v, version)
	}
	for left := limit; len(elements.data) > 0; {
		variable := elements // those that begin with it
		kind, packed, err := elements.next()
		if err == nil && kind == matCompressed {
			variable.data, err = inflate(packed, left)
			left -= len(variable.data)
		}
		if err != nil {
			return nil, err
		}
		if left < 0 {
			return nil, errors.Errorf("the variables unpack to more than %d bytes", limit)
		}
		a, err := variable.array()
		if err != nil {
			return nil, err
		}
		if a.name == "synsets" {
			wnids, err := a.synsets()
			return wnids, errors.Wrap(err, a.name)
		}
	}
	return nil, errors.New("no variable synsets")
}

// largestMAT is the number of bytes to which the compressed variables of a MAT file may unpack.
const largestMAT = 1 << 26

// inflate unpacks a compressed variable; of one that is longer than limit, it gives one byte more than that.
func inflate(packed []byte, limit int) (data []byte, err error) {
	r, err := zlib.NewReader(bytes.NewReader(packed))
	if err == nil {
		data, err = archive.ReadAll(r, int64(len(packed)), limit+1)
	}
	return data, errors.Wrap(err, "a compressed variable is damaged")
}

// Kinds of elements, as a MAT file numbers them.
const (
	matInt8 = 1 + iota
	matUint8
	matInt16
	matUint16
	matInt32
	matUint32
	matFloat32
	_
	matFloat64
	_
	_
	matInt64
	matUint64
	matArray
	matCompressed
	matUTF8
	matUTF16
)

// Classes of arrays.
const (
	matStruct    = 2
	matChar      = 4
	matDouble    = 6 // the first of the numeric ones
	matLastClass = 15
)

// matElements are elements of a MAT file, one after the other: what the file, an array or a struct holds.
type matElements struct {
	data  []byte
	order binary.ByteOrder
}

// next removes the first element and gives its kind and data.
func (m *matElements) next() (kind uint32, data []byte, err error) {
	const head, small = 8, 4
	if len(m.data) < head {
		return 0, nil, errors.Errorf("damaged or incomplete: %d bytes in the place of an element", len(m.data))
	}
	kind, size := m.order.Uint32(m.data), int64(m.order.Uint32(m.data[4:]))
	if kind > math.MaxUint16 { // size and kind share a word, and the data are in the next one
		kind, size = kind&math.MaxUint16, int64(kind>>16)
		if size > small {
			return 0, nil, errors.Errorf("damaged: a small element of %d bytes", size)
		}
		data, m.data = m.data[small:small+size], m.data[head:]
		return kind, data, nil
	}
	rest := m.data[head:]
	if size > int64(len(rest)) {
		return 0, nil, errors.Errorf("damaged or incomplete: an element of %d bytes where %d are left", size, len(rest))
	}
	padded := size
	if kind != matCompressed {
		padded = min((size+7)&^7, int64(len(rest)))
	}
	data, m.data = rest[:size], rest[padded:]
	return kind, data, nil
}

// expect is next for an element that must be of a kind.
func (m *matElements) expect(want uint32) ([]byte, error) {
	kind, data, err := m.next()
	if err == nil && kind != want {
		err = errors.Errorf("damaged: an element of kind %d, want %d", kind, want)
	}
	return data, err
}

// matValue is an array, and the elements that follow its head.
type matValue struct {
	name  string
	class uint32
	count int64 // of its own elements, as MATLAB counts: the product of the dimensions
	matElements
}

// array is next for an element that must be an array.
func (m *matElements) array() (a matValue, err error) {
	if a.data, err = m.expect(matArray); err != nil {
		return a, err
	}
	a.order = m.order
	flags, err := a.expect(matUint32)
	if err != nil {
		return a, err
	}
	dimensions, err := a.expect(matInt32)
	if err != nil {
		return a, err
	}
	_, name, err := a.next()
	if err != nil {
		return a, err
	}
	if len(flags) != 8 || len(dimensions)%4 != 0 {
		return a, errors.Errorf("damaged: an array of %d bytes of flags, %d of dimensions", len(flags), len(dimensions))
	}
	a.name, a.class, a.count = string(name), a.order.Uint32(flags)&0xff, 1
	for d := range slices.Chunk(dimensions, 4) {
		if a.count *= int64(a.order.Uint32(d)); a.count > math.MaxInt32 {
			return a, errors.New("damaged: an array of more than 2³¹ elements")
		}
	}
	return a, nil
}

// values is next for an element that must be an array with values: these, and the kind in which they are stored.
func (m *matElements) values() (a matValue, kind uint32, data []byte, err error) {
	if a, err = m.array(); err == nil {
		kind, data, err = a.next()
	}
	return a, kind, data, err
}

// number is next for an element that must be an array of one number. MATLAB stores numbers of any class in the smallest
// kind that holds them.
func (m *matElements) number() (float64, error) {
	a, kind, data, err := m.values()
	if err != nil {
		return 0, err
	}
	if a.class >= matDouble && a.class <= matLastClass && a.count == 1 {
		switch {
		case kind == matInt8 && len(data) == 1:
			return float64(int8(data[0])), nil
		case kind == matUint8 && len(data) == 1:
			return float64(data[0]), nil
		case kind == matInt16 && len(data) == 2:
			return float64(int16(a.order.Uint16(data))), nil
		case kind == matUint16 && len(data) == 2:
			return float64(a.order.Uint16(data)), nil
		case kind == matInt32 && len(data) == 4:
			return float64(int32(a.order.Uint32(data))), nil
		case kind == matUint32 && len(data) == 4:
			return float64(a.order.Uint32(data)), nil
		case kind == matFloat32 && len(data) == 4:
			return float64(math.Float32frombits(a.order.Uint32(data))), nil
		case kind == matFloat64 && len(data) == 8:
			return math.Float64frombits(a.order.Uint64(data)), nil
		case kind == matInt64 && len(data) == 8:
			return float64(int64(a.order.Uint64(data))), nil
		case kind == matUint64 && len(data) == 8:
			return float64(a.order.Uint64(data)), nil
		}
	}
	return 0, errors.Errorf("want a number: class %d, %d elements, %d bytes of kind %d", a.class, a.count, len(data), kind)
}

// text is next for an element that must be an array of characters, and not empty.
func (m *matElements) text() (string, error) {
	a, kind, data, err := m.values()
	if err != nil {
		return "", err
	}
	var text string
	switch {
	case kind == matInt8 || kind == matUint8 || kind == matUTF8:
		text = string(data)
	case (kind == matUint16 || kind == matUTF16) && len(data)%2 == 0:
		units := make([]uint16, len(data)/2)
		for i := range units {
			units[i] = a.order.Uint16(data[2*i:])
		}
		text = string(utf16.Decode(units))
	}
	if a.class != matChar || text == "" || int64(utf8.RuneCountInString(text)) != a.count {
		return "", errors.Errorf("want a text: class %d, %d elements, %d bytes of kind %d", a.class, a.count, len(data), kind)
	}
	return text, nil
}

// synsets reads the fields ILSVRC2012_ID and WNID of a struct array.
func (a *matValue) synsets() (map[string]string, error) {
	if a.class != matStruct {
		return nil, errors.Errorf("class %d, want a struct array", a.class)
	}
	fields, idField, wnidField, err := a.fields()
	if err != nil {
		return nil, err
	}
	wnids := map[string]string{}
	for n := range a.count {
		var id float64
		var wnid string
		for f := range fields {
			switch f {
			case idField:
				id, err = a.number()
			case wnidField:
				wnid, err = a.text()
			default:
				_, err = a.expect(matArray)
			}
			if err != nil {
				return nil, errors.Wrapf(err, "field %d of element %d", f+1, n+1)
			}
		}
		key := strconv.FormatFloat(id, 'f', -1, 64)
		if wnids[key] != "" {
			return nil, errors.Errorf("element %d: a second with ILSVRC2012_ID %s", n+1, key)
		}
		wnids[key] = wnid
	}
	if len(a.data) > 0 {
		return nil, errors.Errorf("damaged: %d bytes after %d elements", len(a.data), a.count)
	}
	return wnids, nil
}

// fields removes the names of a struct's fields, and gives their number and the places of the two that synsets reads.
func (a *matValue) fields() (count, id, wnid int, err error) {
	width, err := a.expect(matInt32)
	if err != nil {
		return 0, 0, 0, err
	}
	_, names, err := a.next()
	if err != nil {
		return 0, 0, 0, err
	}
	length := 0 // of a name, padded with zeros
	if len(width) == 4 {
		length = int(int32(a.order.Uint32(width)))
	}
	if length < 1 || len(names)%length != 0 {
		return 0, 0, 0, errors.Errorf("damaged: %d bytes of names of fields, %d each", len(names), length)
	}
	id, wnid = -1, -1
	for name := range slices.Chunk(names, length) {
		name, _, _ = bytes.Cut(name, []byte{0})
		switch string(name) {
		case "ILSVRC2012_ID":
			id = count
		case "WNID":
			wnid = count
		}
		count++
	}
	if id < 0 || wnid < 0 {
		return 0, 0, 0, errors.New("no fields ILSVRC2012_ID and WNID")
	}
	return count, id, wnid, nil
}
