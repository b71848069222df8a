// Package weights keeps trained nets in files of the safetensors format.
// Named float32 tensors and a table of texts flow in and come out; Info is that
// table's meaning: which net of Table 1 it is and how its pictures are
// normalised, so that a file is usable with no other flag.
// It serves section 3.1 of the paper, where the deeper nets start from the
// trained layers of net A, and the testing of section 3.2.
package weights

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/renameio/v2"
	"github.com/pkg/errors"
)

// Tensor is one named array of a net, row-major, as torchvision names and lays
// it out: features.0.weight is (out, in, 3, 3), classifier.0.weight (out, in).
type Tensor struct {
	Name  string
	Shape []int // no dimension at all is a scalar
	Data  []float32
}

// File is a whole weights file.
type File struct {
	Metadata map[string]string
	Tensors  []Tensor // in the order of their data in the file
}

// Tensor finds a tensor by its name.
func (f *File) Tensor(name string) (Tensor, bool) {
	i := slices.IndexFunc(f.Tensors, func(t Tensor) bool { return t.Name == name })
	if i < 0 {
		return Tensor{}, false
	}
	return f.Tensors[i], true
}

// A safetensors file is the length n of the header (uint64, little-endian),
// n bytes of JSON padded with spaces, and the tensors' little-endian data, end
// to end. The header maps each tensor's name to an entry, and metadataKey to an
// object of strings.
const (
	metadataKey  = "__metadata__"
	lengthBytes  = 8
	maxHeader    = 100_000_000 // the format's own limit
	dataAligned  = 8           // the data starts at a multiple of this
	maxDims      = 8           // ours: a net's tensors have at most 4
	bufferLength = 1 << 16
)

// entry is a tensor's description in the header.
type entry struct {
	DType   string `json:"dtype"`
	Shape   []int  `json:"shape"`
	Offsets []int  `json:"data_offsets"` // first byte and end, from the start of the data
	name    string
}

// Write writes f to path as float32, whole or not at all: under another name in
// the same folder, synced, then renamed. Equal files are equal bytes: the
// metadata is sorted by key and the tensors stand in the order given. A tensor
// whose data does not fill its shape, or a name given twice, is an error.
func Write(path string, f File) error {
	return errors.Wrapf(write(path, f), "cannot write the weights %s", path)
}

func write(path string, f File) error {
	out, err := renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)),
		renameio.WithPermissions(0o644), renameio.WithExistingPermissions())
	if err != nil {
		return err
	}
	defer out.Cleanup()
	if err := Encode(out, f); err != nil {
		return err
	}
	return out.CloseAtomicallyReplace()
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
		if n, ok := elements(t.Shape, len(t.Data)); !ok || n != len(t.Data) {
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

// elements is the number of elements of a shape; false where a dimension is
// negative or the number exceeds limit.
func elements(shape []int, limit int) (int, bool) {
	n := 1
	for _, d := range shape {
		if d < 0 {
			return 0, false
		}
	}
	if slices.Contains(shape, 0) {
		return 0, true
	}
	for _, d := range shape {
		if d > limit/n {
			return 0, false
		}
		n *= d
	}
	return n, n <= limit
}

// Read reads a weights file; half-precision tensors (F16, BF16) become float32.
// The whole header is checked against the file's size before any tensor is
// given memory. Errors name the file and the tensor.
func Read(path string) (*File, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, errors.Wrap(err, "cannot read the weights")
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return nil, errors.Wrap(err, "cannot read the weights")
	}
	if !info.Mode().IsRegular() {
		return nil, errors.Errorf("cannot read the weights %s: not a regular file", path)
	}
	f, err := read(in, info.Size())
	return f, errors.Wrapf(err, "cannot read the weights %s", path)
}

// read reads a file of size bytes.
func read(r io.Reader, size int64) (*File, error) {
	header, err := readHeader(r, size)
	if err != nil {
		return nil, err
	}
	f, entries, err := decodeHeader(header)
	if err != nil {
		return nil, errors.Wrap(err, "header")
	}
	if err := checkLayout(entries, int(size)-lengthBytes-len(header)); err != nil {
		return nil, err
	}
	in := bufio.NewReaderSize(r, bufferLength)
	for _, e := range entries {
		data, err := readData(in, e)
		if err != nil {
			return nil, errors.Wrapf(err, "tensor %s", e.name)
		}
		f.Tensors = append(f.Tensors, Tensor{Name: e.name, Shape: e.Shape, Data: data})
	}
	return f, nil
}

// readHeader reads the length and the JSON text behind it.
func readHeader(r io.Reader, size int64) ([]byte, error) {
	var length [lengthBytes]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, errors.Errorf("%d bytes are too few for a safetensors file", size)
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > uint64(size-lengthBytes) || n > maxHeader {
		return nil, errors.Errorf("not a safetensors file, or cut short: a header of %d bytes in a file of %d", n, size)
	}
	header := make([]byte, n)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, errors.Wrap(err, "header")
	}
	if !utf8.Valid(header) || !bytes.HasPrefix(header, []byte("{")) {
		return nil, errors.New("not a safetensors file: the header is not a JSON object in UTF-8")
	}
	return header, nil
}

// decodeHeader reads the JSON text: the metadata and, in their order in the
// text, the tensors' entries. encoding/json's maps would lose that order, and
// keys that occur twice.
func decodeHeader(header []byte) (*File, []entry, error) {
	f := &File{}
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
				text, ok := value.(string)
				if !ok {
					return errors.New("not a string")
				}
				f.Metadata[key] = text
				return nil
			})
		}
		e := entry{name: name}
		// A struct would take the keys in any case of their letters.
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
		key, _ := token.(string) // the decoder lets nothing else be a key
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

// width is the number of bytes of an element of a dtype, 0 for one we lack.
func width(dtype string) int {
	switch dtype {
	case "F32":
		return 4
	case "F16", "BF16":
		return 2
	}
	return 0
}

// checkLayout sorts the entries by their data's place and checks that they fill
// size bytes, end to end, each as many as its shape and dtype ask.
func checkLayout(entries []entry, size int) error {
	for _, e := range entries {
		bytesPer := width(e.DType)
		switch {
		case bytesPer == 0:
			return errors.Errorf("tensor %s: dtype %q, want F32, F16 or BF16", e.name, e.DType)
		case e.Shape == nil:
			return errors.Errorf("tensor %s: no shape", e.name)
		case len(e.Shape) > maxDims:
			return errors.Errorf("tensor %s: %d dimensions, want at most %d", e.name, len(e.Shape), maxDims)
		case len(e.Offsets) != 2:
			return errors.Errorf("tensor %s: data_offsets holds %d numbers, want a start and an end", e.name, len(e.Offsets))
		case e.Offsets[0] < 0 || e.Offsets[1] < e.Offsets[0] || e.Offsets[1] > size:
			return errors.Errorf("tensor %s: bytes %d to %d lie outside the file's %d bytes of data (cut short?)",
				e.name, e.Offsets[0], e.Offsets[1], size)
		}
		have := e.Offsets[1] - e.Offsets[0]
		if n, ok := elements(e.Shape, size/bytesPer); !ok || n*bytesPer != have {
			return errors.Errorf("tensor %s: %d bytes do not fill the shape %v of %s", e.name, have, e.Shape, e.DType)
		}
	}
	// Stable, and by the end too: an empty tensor stays before its neighbour.
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

// readData reads and converts a tensor whose entry has passed checkLayout.
func readData(r *bufio.Reader, e entry) ([]float32, error) {
	bytesPer := width(e.DType)
	data := make([]float32, (e.Offsets[1]-e.Offsets[0])/bytesPer)
	for done := 0; done < len(data); {
		chunk, err := r.Peek(min(bufferLength, (len(data)-done)*bytesPer))
		if err != nil {
			return nil, errors.Wrap(err, "the file ended early")
		}
		part := data[done : done+len(chunk)/bytesPer]
		switch e.DType {
		case "F32":
			for i := range part {
				part[i] = math.Float32frombits(binary.LittleEndian.Uint32(chunk[4*i:]))
			}
		case "F16":
			for i := range part {
				part[i] = float16(binary.LittleEndian.Uint16(chunk[2*i:]))
			}
		case "BF16": // the upper half of a float32
			for i := range part {
				part[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(chunk[2*i:])) << 16)
			}
		}
		done += len(part)
		// Discarding what was just peeked cannot fail.
		_, _ = r.Discard(len(chunk))
	}
	return data, nil
}

// float16 converts an IEEE 754 half: 1 sign, 5 exponent, 10 fraction bits.
func float16(h uint16) float32 {
	sign, exponent, fraction := uint32(h>>15), uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch exponent {
	case 0: // zero or subnormal: fraction · 2⁻²⁴, exact in float32
		v := float32(fraction) / (1 << 24)
		return math.Float32frombits(sign<<31 | math.Float32bits(v))
	case 0x1f: // infinity or NaN
		exponent = 0xff
	default: // the bias is 15 there and 127 here
		exponent += 127 - 15
	}
	return math.Float32frombits(sign<<31 | exponent<<23 | fraction<<13)
}
