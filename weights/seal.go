package weights

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/pkg/errors"
)

// The metadata that hold checksums.
const (
	checksumsKey = "sha256.tensors" // of each tensor's bytes, by its name, as a JSON object
	sealKey      = "sha256"         // of all other metadata and the tensors' names and shapes
)

// Seal adds checksums to the metadata: of each tensor, and of the metadata with the tensors' names and shapes.
func (f *File) Seal() error {
	sums, err := f.checksums()
	if err != nil {
		return err
	}
	f.set(checksumsKey, sums)
	f.set(sealKey, f.seal())
	return nil
}

// Sealed says whether the file has checksums.
func (f *File) Sealed() bool { return f.Metadata[sealKey] != "" }

// Verify compares a file with its checksums. It is an error if it has none, or if anything in it has changed since
// Seal.
func (f *File) Verify() error {
	if !f.Sealed() {
		return errors.New("it has no checksums")
	}
	if f.Metadata[sealKey] != f.seal() {
		return errors.New("damaged: the checksum of its header is wrong")
	}
	sums, err := f.checksums()
	if err == nil && sums != f.Metadata[checksumsKey] {
		err = errors.Errorf("damaged: the checksum of %s is wrong", f.firstDamaged(sums))
	}
	return err
}

// firstDamaged is the name of the first tensor whose checksum is not the one that was sealed.
func (f *File) firstDamaged(sums string) string {
	var is, was map[string]string
	if json.Unmarshal([]byte(sums), &is) != nil || json.Unmarshal([]byte(f.Metadata[checksumsKey]), &was) != nil {
		return "the tensors"
	}
	for _, t := range f.Tensors {
		if is[t.Name] != was[t.Name] {
			return t.Name
		}
	}
	return "the tensors"
}

func (f *File) checksums() (string, error) {
	sums := map[string]string{}
	for _, t := range f.Tensors {
		sums[t.Name] = t.SHA256()
	}
	text, err := json.Marshal(sums)
	return string(text), errors.Wrap(err, "checksums")
}

// SHA256 is the checksum of the values as float32, little-endian, in hexadecimal.
func (t Tensor) SHA256() string {
	sum := sha256.New()
	buffer := make([]byte, 0, bufferLength)
	for part := range slices.Chunk(t.Data, bufferLength/4) {
		buffer = buffer[:0]
		for _, v := range part {
			buffer = binary.LittleEndian.AppendUint32(buffer, math.Float32bits(v))
		}
		sum.Write(buffer)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func (f *File) seal() string {
	var b bytes.Buffer
	for _, key := range slices.Sorted(maps.Keys(f.Metadata)) {
		if key != sealKey {
			fmt.Fprintf(&b, "%q=%q\n", key, f.Metadata[key])
		}
	}
	for _, t := range f.Tensors {
		fmt.Fprintf(&b, "%q %v\n", t.Name, t.Shape)
	}
	sum := sha256.Sum256(b.Bytes())
	return hex.EncodeToString(sum[:])
}
