package weights

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pkg/errors"

	"vgg/internal/atomicfile"
	"vgg/internal/text"
	"vgg/weights/internal/element"
)

// A safetensors file is the length n of the header (uint64, little-endian),
// n bytes of JSON padded with spaces, and the tensors' little-endian data, end
// to end. The header maps each tensor's name to an entry, and metadataKey to an
// object of strings.
const (
	metadataKey  = "__metadata__"
	lengthBytes  = 8
	maxHeader    = 100_000_000 // the format's own limit
	dataAligned  = 8           // the data starts at a multiple of this
	bufferLength = 1 << 16
)

// entry is a tensor's description in the header.
type entry struct {
	DType   string `json:"dtype"`
	Shape   []int  `json:"shape"`
	Offsets []int  `json:"data_offsets"` // first byte and end, from the start of the data
	name    string
}

// Write writes f to path as float32, whole or not at all. Equal files are equal bytes: the metadata is sorted by key
// and the tensors stand in the order given. A tensor whose data does not fill its shape, or a name given twice, is an
// error.
func Write(path string, f File) error {
	err := atomicfile.Encode(path, func(out io.Writer) error { return Encode(out, f) })
	return errors.Wrapf(err, "cannot write the weights %s", path)
}

// Encode writes f as Write does, but to w.
func Encode(out io.Writer, f File) error {
	header, err := encodeHeader(f)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(out, bufferLength)
	// The bufio.Writer keeps the first error for Flush.
	_, _ = w.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(header))))
	_, _ = w.Write(header)
	for _, t := range f.Tensors {
		for _, v := range t.Data {
			_, _ = w.Write(binary.LittleEndian.AppendUint32(w.AvailableBuffer(), math.Float32bits(v)))
		}
	}
	return w.Flush()
}

// encodeHeader checks f and writes its header, padded to the data's alignment.
func encodeHeader(f File) ([]byte, error) {
	var h bytes.Buffer
	quote := json.NewEncoder(&h)
	quote.SetEscapeHTML(false)
	put := func(before string, v any) error {
		h.WriteString(before)
		if s, ok := v.(string); ok && !utf8.ValidString(s) {
			return errors.Errorf("%q is not UTF-8", s)
		}
		err := quote.Encode(v)
		h.Truncate(h.Len() - 1) // the encoder's newline
		return err
	}

	separator := "{"
	if len(f.Metadata) > 0 {
		h.WriteString(`{"` + metadataKey + `":`)
		for _, key := range slices.Sorted(maps.Keys(f.Metadata)) {
			if err := put(separator, key); err != nil {
				return nil, errors.Wrap(err, "metadata key")
			}
			if err := put(":", f.Metadata[key]); err != nil {
				return nil, errors.Wrapf(err, "metadata %s", key)
			}
			separator = ","
		}
		h.WriteString("}")
	}

	seen, offset := map[string]bool{metadataKey: true}, 0
	for _, t := range f.Tensors {
		if seen[t.Name] {
			return nil, errors.Errorf("tensor %s: the name is taken", t.Name)
		}
		seen[t.Name] = true
		if n, ok := element.Count(t.Shape, len(t.Data)); !ok || n != len(t.Data) {
			return nil, errors.Errorf("tensor %s: %d values do not fill the shape %v", t.Name, len(t.Data), t.Shape)
		}
		end := offset + 4*len(t.Data)
		e := entry{DType: "F32", Shape: append([]int{}, t.Shape...), Offsets: []int{offset, end}}
		if err := put(separator, t.Name); err != nil {
			return nil, errors.Wrap(err, "tensor name")
		}
		if err := put(":", e); err != nil {
			return nil, errors.Wrapf(err, "tensor %s", t.Name)
		}
		separator, offset = ",", end
	}
	if h.Len() == 0 {
		h.WriteString("{")
	}
	h.WriteString("}")
	for (lengthBytes+h.Len())%dataAligned != 0 {
		h.WriteByte(' ')
	}
	if h.Len() > maxHeader {
		return nil, errors.Errorf("names and metadata take %d bytes, the format allows %d", h.Len(), maxHeader)
	}
	return h.Bytes(), nil
}

// IsSafetensors recognises a safetensors file by its beginning: the header must be a JSON object.
func IsSafetensors(b []byte) bool { return len(b) > lengthBytes && b[lengthBytes] == '{' }

// Decode reads a whole safetensors file from b, whose bytes the tensors may share and change. The whole header is
// checked against the file's size before memory for tensors is allocated. Integers are left out, which File.Notes says.
// The names of a net with batch normalisation are an error, and so are weights or biases that are integers.
func Decode(b []byte) (*File, error) {
	header, data, err := splitHeader(b)
	if err != nil {
		return nil, err
	}
	f, entries, err := decodeHeader(header)
	if err != nil {
		return nil, errors.Wrap(err, "header")
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.name
	}
	if err := CheckNames(names); err != nil {
		return nil, err
	}
	if err := checkLayout(entries, len(data)); err != nil {
		return nil, err
	}
	var others []string
	for _, e := range entries {
		if element.Bytes(e.DType) == 0 {
			others = append(others, fmt.Sprintf("%.80s (%s)", e.name, e.DType))
			continue
		}
		f.Tensors = append(f.Tensors, Tensor{Name: e.name, Shape: e.Shape, DType: e.DType,
			Data: element.Floats(data[e.Offsets[0]:e.Offsets[1]], e.DType, binary.LittleEndian)})
	}
	if others != nil {
		f.Note("not numbers with a fraction, and left out: %s", text.FirstFew(others, 4))
	}
	return f, nil
}

// CheckNames refuses the names of the tensors of a net with batch normalisation.
func CheckNames(names []string) error {
	for _, name := range names {
		if strings.Contains(name, "features.") && strings.HasSuffix(name, ".running_mean") {
			return errors.Errorf("%s: a net with batch normalisation (such as vgg16_bn), which the paper's nets lack: use the plain one (such as vgg16)", name)
		}
	}
	return nil
}

// splitHeader gives the JSON text and the data after it.
func splitHeader(b []byte) (header, data []byte, err error) {
	if len(b) < lengthBytes {
		return nil, nil, errors.Errorf("%d bytes are too few for a safetensors file", len(b))
	}
	n := binary.LittleEndian.Uint64(b)
	if n > uint64(len(b)-lengthBytes) || n > maxHeader {
		return nil, nil, errors.Errorf("not a safetensors file, or cut short: a header of %d bytes in a file of %d", n, len(b))
	}
	header, data = b[lengthBytes:lengthBytes+n], b[lengthBytes+n:]
	if !utf8.Valid(header) || !bytes.HasPrefix(header, []byte("{")) {
		return nil, nil, errors.New("not a safetensors file: the header is not a JSON object in UTF-8")
	}
	return header, data, nil
}

// decodeHeader reads the JSON text: the metadata and, in their order in the
// text, the tensors' entries. encoding/json's maps would lose that order, and
// keys that occur twice.
func decodeHeader(header []byte) (*File, []entry, error) {
	f := &File{Format: "safetensors"}
	var entries []entry
	d := json.NewDecoder(bytes.NewReader(header))
	err := decodeObject(d, func(name string) error {
		if name == metadataKey {
			f.Metadata = map[string]string{}
			return decodeObject(d, func(key string) error {
				value, err := d.Token()
				if err != nil {
					return err
				}
				s, ok := value.(string)
				if !ok {
					return errors.New("not a string")
				}
				f.Metadata[key] = s
				return nil
			})
		}
		e := entry{name: name}
		// Decoding into a struct would ignore the case of the keys.
		err := decodeObject(d, func(key string) error {
			switch key {
			case "dtype":
				return d.Decode(&e.DType)
			case "shape":
				return d.Decode(&e.Shape)
			case "data_offsets":
				return d.Decode(&e.Offsets)
			}
			return errors.New("unknown key")
		})
		entries = append(entries, e)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	if rest := strings.TrimRight(string(header[d.InputOffset():]), " "); rest != "" {
		return nil, nil, errors.New("more text after the JSON object")
	}
	return f, entries, nil
}

// decodeObject reads a JSON object, calling value at each key to read its value.
func decodeObject(d *json.Decoder, value func(key string) error) error {
	open, err := d.Token()
	if err != nil {
		return err
	}
	if open != json.Delim('{') {
		return errors.New("not a JSON object")
	}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		key, _ := token.(string) // the decoder accepts no other type of key
		if seen[key] {
			return errors.Errorf("%s occurs twice", key)
		}
		seen[key] = true
		if err := value(key); err != nil {
			return errors.Wrapf(err, "%.80s", key)
		}
	}
	_, err = d.Token()
	return err
}

// checkLayout sorts the entries by the offsets of their data and checks that they
// fill size bytes without gaps, each with the bytes of its shape and dtype.
func checkLayout(entries []entry, size int) error {
	for _, e := range entries {
		bytesPer := element.Width(e.DType)
		isWeight := strings.HasSuffix(e.name, ".weight") || strings.HasSuffix(e.name, ".bias")
		switch {
		case bytesPer == 0 || isWeight && element.Bytes(e.DType) == 0:
			return errors.Errorf("tensor %s: dtype %q, want F64, F32, F16 or BF16", e.name, e.DType)
		case e.Shape == nil:
			return errors.Errorf("tensor %s: no shape", e.name)
		case len(e.Shape) > element.MaxDims:
			return errors.Errorf("tensor %s: %d dimensions, want at most %d", e.name, len(e.Shape), element.MaxDims)
		case len(e.Offsets) != 2:
			return errors.Errorf("tensor %s: data_offsets holds %d numbers, want a start and an end", e.name, len(e.Offsets))
		case e.Offsets[0] < 0 || e.Offsets[1] < e.Offsets[0] || e.Offsets[1] > size:
			return errors.Errorf("tensor %s: bytes %d to %d lie outside the file's %d bytes of data (cut short?)",
				e.name, e.Offsets[0], e.Offsets[1], size)
		}
		have := e.Offsets[1] - e.Offsets[0]
		if n, ok := element.Count(e.Shape, size/bytesPer); !ok || n*bytesPer != have {
			return errors.Errorf("tensor %s: %d bytes do not fill the shape %v of %s", e.name, have, e.Shape, e.DType)
		}
	}
	// Sorted by the end too, so that an empty tensor comes before the one that starts at the same byte.
	slices.SortStableFunc(entries, func(a, b entry) int { return slices.Compare(a.Offsets, b.Offsets) })
	end := 0
	for _, e := range entries {
		if e.Offsets[0] != end {
			return errors.Errorf("tensor %s: starts at byte %d, the data before it ends at %d", e.name, e.Offsets[0], end)
		}
		end = e.Offsets[1]
	}
	if end != size {
		return errors.Errorf("%d bytes of data, the tensors fill %d", size, end)
	}
	return nil
}
