package weights

import (
	"bytes"
	"encoding/binary"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"vgg/weights/internal/element"
)

// small is a file with every kind of tensor: names that JSON escapes, a
// scalar, an empty one between others, special values.
func small() File {
	return File{
		Metadata: map[string]string{"config": "A", "class_names": `["T-shirt/top","a<b>&"]`, "": "é\n"},
		Tensors: []Tensor{
			{Name: "features.0.weight", Shape: []int{2, 1, 3, 1}, Data: []float32{1, -2, 3.5, 0, 1e-45, math.MaxFloat32}},
			{Name: "empty", Shape: []int{3, 0}, Data: []float32{}},
			{Name: `quote"d <é>`, Shape: []int{2}, Data: []float32{-math.SmallestNonzeroFloat32, float32(math.Copysign(0, -1))}},
			{Name: "scalar", Shape: []int{}, Data: []float32{42}},
		},
	}
}

// text builds a file by hand: the header's length, the header, n bytes of data.
func headed(header string, n int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	b = append(b, header...)
	for i := range n {
		b = append(b, byte(i))
	}
	return b
}

func encode(t testing.TB, f File) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f.safetensors")
	if err := Write(path, f); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// decodeCopy leaves b as it is: what is decoded may share its bytes.
func decodeCopy(b []byte) (*File, error) { return Decode(bytes.Clone(b)) }

func sameTensor(a, b Tensor) bool {
	return a.Name == b.Name && slices.Equal(a.Shape, b.Shape) && slices.EqualFunc(a.Data, b.Data,
		func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

func TestRoundTrip(t *testing.T) {
	for name, f := range map[string]File{"small": small(), "empty": {}, "metadata only": {Metadata: map[string]string{"a": "b"}}} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "f.safetensors")
			if err := Write(path, f); err != nil {
				t.Fatal(err)
			}
			first, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if n := binary.LittleEndian.Uint64(first); n%8 != 0 {
				t.Errorf("a header of %d bytes leaves the data unaligned", n)
			}
			got, err := Read(path)
			if err != nil {
				t.Fatal(err)
			}
			if !maps.Equal(got.Metadata, f.Metadata) || !slices.EqualFunc(got.Tensors, f.Tensors, sameTensor) {
				t.Errorf("read %+v, wrote %+v", got, f)
			}
			if second := encode(t, *got); !bytes.Equal(first, second) {
				t.Errorf("written again:\n%q\nwas\n%q", second, first)
			}
		})
	}
}

// A tensor larger than the buffers, so that reading and writing go in parts.
func TestRoundTripLarge(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	f := File{Tensors: []Tensor{{Name: "a", Shape: []int{3}, Data: []float32{1, 2, 3}}, {Name: "b", Shape: []int{5, 10_007}}}}
	for range 5 * 10_007 {
		f.Tensors[1].Data = append(f.Tensors[1].Data, float32(random.NormFloat64()))
	}
	got, err := decodeCopy(encode(t, f))
	if err != nil {
		t.Fatal(err)
	}
	if b, ok := got.Tensor("b"); !ok || !sameTensor(b, f.Tensors[1]) {
		t.Error("the large tensor changed")
	}
	if _, ok := got.Tensor("c"); ok {
		t.Error("found a tensor that is not there")
	}
}

func TestWriteExact(t *testing.T) {
	f := File{Metadata: map[string]string{"b": "2", "a": "1"}, Tensors: []Tensor{
		{Name: "z", Shape: []int{1, 2}, Data: []float32{1, 2}}, {Name: "y", Data: []float32{3}}}}
	header := `{"__metadata__":{"a":"1","b":"2"},"z":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},` +
		`"y":{"dtype":"F32","shape":[],"data_offsets":[8,12]}}`
	header += strings.Repeat(" ", 7-(len(header)+7)%8)
	want := append(headed(header, 0), 0, 0, 0x80, 0x3f, 0, 0, 0, 0x40, 0, 0, 0x40, 0x40)
	if got := encode(t, f); !bytes.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

// A file as another writer may lay it out: an unpadded header in another order
// than the data, half precision, an entry's keys reversed.
func TestReadHandBuilt(t *testing.T) {
	b := headed(`{"last":{"dtype":"F32","shape":[1],"data_offsets":[16,20]},`+
		`"bf16":{"data_offsets":[12,16],"shape":[2],"dtype":"BF16"},"__metadata__":{"format":"pt"},`+
		`"f16":{"dtype":"F16","shape":[6],"data_offsets":[0,12]}}`, 0)
	for _, half := range []uint16{0x3c00, 0xc000, 0x7c00, 0x0001, 0x83ff, 0x7bff} {
		b = binary.LittleEndian.AppendUint16(b, half)
	}
	b = append(b, 0x80, 0x3f, 0x20, 0xc1, 0, 0, 0x80, 0x3e)
	f, err := decodeCopy(b)
	if err != nil {
		t.Fatal(err)
	}
	want := []Tensor{
		{"f16", []int{6}, []float32{1, -2, float32(math.Inf(1)), 0x1p-24, -0x1.ff8p-15, 65504}, "F16"},
		{"bf16", []int{2}, []float32{1, -10}, "BF16"},
		{"last", []int{1}, []float32{0.25}, "F32"},
	}
	if !slices.EqualFunc(f.Tensors, want, sameTensor) || f.Metadata["format"] != "pt" {
		t.Errorf("got %+v, want %+v", f, want)
	}
	if v := element.Float([]byte{0, 0x7e}, "F16", binary.LittleEndian); !math.IsNaN(float64(v)) {
		t.Errorf("half NaN is %v", v)
	}
}

func TestReadRefuses(t *testing.T) {
	entry := func(shape, offsets string) string {
		return `"w":{"dtype":"F32","shape":` + shape + `,"data_offsets":` + offsets + `}`
	}
	huge := func(n uint64) []byte {
		return append(binary.LittleEndian.AppendUint64(nil, n), "{}              "...)
	}
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"nothing":             {nil, "too few"},
		"header of 2^63":      {huge(1 << 63), "cut short"},
		"header of 2^64-1":    {huge(math.MaxUint64), "cut short"},
		"header over the end": {huge(17), "cut short"},
		"no header":           {huge(0), "not a JSON object"},
		"array":               {headed(`[]`, 0), "not a JSON object"},
		"not UTF-8":           {headed("{\"a\xff\":1}", 0), "UTF-8"},
		"open object":         {headed(`{"w":`, 0), "header"},
		"text behind":         {headed(`{}{}`, 0), "more text"},
		"null entry":          {headed(`{"w":null}`, 0), "w: not a JSON object"},
		"number entry":        {headed(`{"w":3}`, 0), "header: w"},
		"metadata number":     {headed(`{"__metadata__":{"a":1}}`, 0), "a: not a string"},
		"metadata array":      {headed(`{"__metadata__":[]}`, 0), "__metadata__: not a JSON object"},
		"metadata twice":      {headed(`{"__metadata__":{"a":"1","a":"2"}}`, 0), "a occurs twice"},
		"tensor twice":        {headed(`{`+entry("[1]", "[0,4]")+`,`+entry("[1]", "[4,8]")+`}`, 8), "w occurs twice"},
		"dtype":               {headed(`{"w":{"dtype":"I7","shape":[1],"data_offsets":[0,8]}}`, 8), `tensor w: dtype "I7"`},
		"integers":            {headed(`{"w.weight":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}`, 8), `tensor w.weight: dtype "I64"`},
		"no shape":            {headed(`{"w":{"dtype":"F32","data_offsets":[0,4]}}`, 4), "tensor w: no shape"},
		"null shape":          {headed(`{`+entry("null", "[0,4]")+`}`, 4), "tensor w: no shape"},
		"nine dimensions":     {headed(`{`+entry("[1,1,1,1,1,1,1,1,1]", "[0,4]")+`}`, 4), "tensor w: 9 dimensions"},
		"no offsets":          {headed(`{"w":{"dtype":"F32","shape":[1]}}`, 4), "tensor w: data_offsets"},
		"three offsets":       {headed(`{`+entry("[1]", "[0,4,4]")+`}`, 4), "tensor w: data_offsets"},
		"negative offset":     {headed(`{`+entry("[1]", "[-4,0]")+`}`, 4), "tensor w: bytes -4 to 0 lie outside"},
		"offsets turned":      {headed(`{`+entry("[1]", "[4,0]")+`}`, 4), "tensor w: bytes 4 to 0"},
		"offset over the end": {headed(`{`+entry("[2]", "[0,8]")+`}`, 4), "cut short"},
		"offset of 2^63":      {headed(`{`+entry("[1]", "[0,9223372036854775808]")+`}`, 4), "header: w"},
		"offset of 2^63-1":    {headed(`{`+entry("[1]", "[0,9223372036854775807]")+`}`, 4), "lie outside"},
		"fraction":            {headed(`{`+entry("[1.5]", "[0,4]")+`}`, 4), "header: w"},
		"negative dimensions": {headed(`{`+entry("[-1,-1]", "[0,4]")+`}`, 4), "do not fill"},
		"negative and zero":   {headed(`{`+entry("[-1,0]", "[0,0]")+`}`, 0), "do not fill"},
		"product over 2^64":   {headed(`{`+entry("[4294967296,4294967296,1]", "[0,0]")+`}`, 0), "do not fill"},
		"product 2^64+4":      {headed(`{`+entry("[3,6148914691236517207]", "[0,4]")+`}`, 4), "do not fill"},
		"shape too small":     {headed(`{`+entry("[1]", "[0,8]")+`}`, 8), "8 bytes do not fill the shape [1] of F32"},
		"odd bytes":           {headed(`{`+entry("[1]", "[0,5]")+`}`, 5), "5 bytes do not fill"},
		"gap":                 {headed(`{`+entry("[1]", "[4,8]")+`}`, 8), "tensor w: starts at byte 4"},
		"overlap": {headed(`{"v":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},`+entry("[2]", "[4,12]")+`}`, 12),
			"tensor w: starts at byte 4, the data before it ends at 8"},
		"data behind": {headed(`{`+entry("[1]", "[0,4]")+`}`, 6), "6 bytes of data, the tensors fill 4"},
	} {
		t.Run(name, func(t *testing.T) {
			var f *File
			var err error
			// A forged header must not trigger a large allocation.
			if n := allocated(func() { f, err = decodeCopy(c.file) }); n > 1<<18 {
				t.Errorf("%d bytes allocated for a file of %d", n, len(c.file))
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("read %+v, error %v, want %q", f, err, c.want)
			}
		})
	}
}

// allocated is the number of bytes that f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestReadTruncated(t *testing.T) {
	whole := encode(t, small())
	for n := range whole {
		if f, err := decodeCopy(whole[:n]); err == nil {
			t.Fatalf("the first %d of %d bytes read as %+v", n, len(whole), f)
		}
	}
}

func TestReadBitFlips(t *testing.T) {
	want := small()
	want.Tensors = slices.Delete(want.Tensors, 1, 2) // an empty tensor's other dimensions are free
	whole := encode(t, want)
	random := rand.New(rand.NewPCG(3, 4))
	var refused, read int
	for range 1000 {
		b := bytes.Clone(whole)
		bit := random.IntN(8 * len(b))
		b[bit/8] ^= 1 << (bit % 8)
		var f *File
		var err error
		if n := allocated(func() { f, err = decodeCopy(b) }); n > 1<<18 {
			t.Fatalf("bit %d flipped: %d bytes allocated for a file of %d", bit, n, len(b))
		}
		if err != nil {
			refused++
			continue
		}
		read++
		if len(f.Tensors) != len(want.Tensors) {
			t.Fatalf("bit %d flipped: %d tensors", bit, len(f.Tensors))
		}
		for i, w := range want.Tensors {
			if got := f.Tensors[i]; !slices.Equal(got.Shape, w.Shape) || len(got.Data) != len(w.Data) {
				t.Fatalf("bit %d flipped: tensor %s has shape %v, was %v", bit, w.Name, got.Shape, w.Shape)
			}
		}
	}
	if refused == 0 || read == 0 {
		t.Errorf("%d refused and %d read: the flips miss the header or the data", refused, read)
	}
}

func TestWriteRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		f    File
		want string
	}{
		"short data":    {File{Tensors: []Tensor{{Name: "w", Shape: []int{2, 2}, Data: make([]float32, 3)}}}, "tensor w: 3 values do not fill the shape [2 2]"},
		"long data":     {File{Tensors: []Tensor{{Name: "w", Shape: []int{1}, Data: make([]float32, 3)}}}, "tensor w: 3 values"},
		"negative":      {File{Tensors: []Tensor{{Name: "w", Shape: []int{-1, -3}, Data: make([]float32, 3)}}}, "tensor w: 3 values"},
		"name twice":    {File{Tensors: []Tensor{{Name: "w", Data: []float32{1}}, {Name: "w", Data: []float32{1}}}}, "tensor w: the name is taken"},
		"metadata name": {File{Tensors: []Tensor{{Name: metadataKey, Shape: nil, Data: []float32{1}}}}, "the name is taken"},
		"name bytes":    {File{Tensors: []Tensor{{Name: "\xff", Shape: nil, Data: []float32{1}}}}, `"\xff" is not UTF-8`},
		"metadata text": {File{Metadata: map[string]string{"a": "\xff"}}, `metadata a: "\xff" is not UTF-8`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "w.safetensors")
			if err := Write(path, c.f); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v, want %q and the path", err, c.want)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v (%v)", left, err)
			}
		})
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("no weights"), 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(dir, "missing", "w.safetensors")
	for _, path := range []string{missing, filepath.Join(file, "w.safetensors"), dir} {
		if err := Write(path, small()); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("error %v does not name %s", err, path)
		}
	}
	for _, path := range []string{missing, file, dir} {
		if _, err := Read(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("error %v does not name %s", err, path)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("the folder holds %v (%v), want one file", left, err)
	}

	// A failed write leaves the file as it was.
	path := filepath.Join(dir, "w.safetensors")
	if err := Write(path, small()); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := Write(path, File{Tensors: []Tensor{{Name: "w", Shape: []int{2}, Data: nil}}}); err == nil {
		t.Error("wrote a tensor without its data")
	}
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file changed (%v)", err)
	}
}

// What reads must write again, and then read back the same.
func FuzzRead(f *testing.F) {
	f.Add(encode(f, small()))
	f.Add(encode(f, File{}))
	f.Add(headed(`{"w":{"dtype":"BF16","shape":[2,1],"data_offsets":[0,4]}}   `, 4))
	f.Add(headed(`{"w":{"dtype":"F16","shape":[],"data_offsets":[0,2]},"e":{"dtype":"F32","shape":[0],"data_offsets":[2,2]}}`, 2))
	f.Fuzz(func(t *testing.T, b []byte) {
		first, err := decodeCopy(b)
		if err != nil {
			return
		}
		header, err := encodeHeader(*first)
		if err != nil {
			t.Fatalf("%+v does not write: %v", first, err)
		}
		second, entries, err := decodeHeader(header)
		if err != nil || len(entries) != len(first.Tensors) || !maps.Equal(first.Metadata, second.Metadata) {
			t.Fatalf("%+v reads back as %+v, %+v, %v", first, second, entries, err)
		}
	})
}
