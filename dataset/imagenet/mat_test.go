package imagenet

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

// TestDamagedMAT: a MAT file cut anywhere is refused, and no byte that differs leads to a panic.
func TestDamagedMAT(t *testing.T) {
	for _, name := range []string{"compressed.mat", "plain.mat"} {
		whole := metaMAT(t, name)
		for n := range whole {
			if wnids, err := parseSynsets(whole[:n]); err == nil {
				t.Errorf("the first %d bytes of %s give %v", n, name, wnids)
			}
			for _, flip := range []byte{1, 0x80, 0xff} {
				damaged := slices.Clone(whole)
				damaged[n] ^= flip
				parseSynsets(damaged)
			}
		}
	}
}

// matWriter writes MAT files as MATLAB might, or might not.
type matWriter struct {
	binary.ByteOrder
}

func (w matWriter) bytes(values any) []byte {
	data, err := binary.Append(nil, w, values)
	if err != nil {
		panic(err)
	}
	return data
}

func (w matWriter) element(kind uint32, values any) []byte {
	data := w.bytes(values)
	e := append(w.bytes([]uint32{kind, uint32(len(data))}), data...)
	return append(e, make([]byte, -len(e)&7)...)
}

// small is an element of up to four bytes.
func (w matWriter) small(kind uint32, values any) []byte {
	data := w.bytes(values)
	return append(append(w.bytes(uint32(len(data))<<16|kind), data...), make([]byte, 4-len(data))...)
}

func (w matWriter) array(class uint32, count int32, name string, elements ...[]byte) []byte {
	return w.element(matArray, slices.Concat(w.element(matUint32, []uint32{class, 0}), w.element(matInt32, []int32{count, 1}),
		w.element(matInt8, []byte(name)), slices.Concat(elements...)))
}

func (w matWriter) synsets(count int32, fields ...[]byte) []byte {
	names := make([]byte, 5*16)
	for i, name := range []string{"words", "WNID", "ILSVRC2012_ID", "children", "x"} {
		copy(names[16*i:], name)
	}
	return w.array(matStruct, count, "synsets", w.small(matInt32, int32(16)), w.element(matInt8, names), slices.Concat(fields...))
}

// synset is the fields of an element: arrays of numbers and characters, and empty ones that have no head.
func (w matWriter) synset(wnid, id []byte) []byte {
	empty := w.element(matArray, []byte{})
	return slices.Concat(empty, w.array(matChar, 9, "", wnid), w.array(matDouble, 1, "", id), empty, empty)
}

// packer is used again and again: to make one takes longer than all else that FuzzMAT does.
var packer = zlib.NewWriter(nil)

func (w matWriter) compressed(elements []byte) []byte {
	var b bytes.Buffer
	packer.Reset(&b)
	packer.Write(elements)
	packer.Close()
	return append(w.bytes([]uint32{matCompressed, uint32(b.Len())}), b.Bytes()...) // not padded
}

func (w matWriter) file(variables ...[]byte) []byte {
	return slices.Concat(make([]byte, 124), w.bytes([]uint16{0x100, 'M'<<8 | 'I'}), slices.Concat(variables...))
}

// TestMATStorage reads numbers and characters in all the ways in which a MAT file may hold them.
func TestMATStorage(t *testing.T) {
	const wnid = "n02119789"
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		w := matWriter{order}
		for text, characters := range map[string][]byte{
			"int8":   w.element(matInt8, []byte(wnid)),
			"uint8":  w.element(matUint8, []byte(wnid)),
			"uint16": w.element(matUint16, utf16.Encode([]rune(wnid))),
			"UTF-8":  w.element(matUTF8, []byte(wnid)),
			"UTF-16": w.element(matUTF16, utf16.Encode([]rune(wnid))),
		} {
			for want, number := range map[string][]byte{
				"-1":    w.small(matInt8, int8(-1)),
				"200":   w.small(matUint8, uint8(200)),
				"-2":    w.small(matInt16, int16(-2)),
				"65535": w.element(matUint16, uint16(65535)),
				"-3":    w.small(matInt32, int32(-3)),
				"490":   w.element(matUint32, uint32(490)),
				"1.5":   w.small(matFloat32, float32(1.5)),
				"1000":  w.element(matFloat64, 1000.0),
				"-4":    w.element(matInt64, int64(-4)),
				"17":    w.element(matUint64, uint64(17)),
			} {
				elements := w.synsets(1, w.synset(characters, number))
				other := w.compressed(w.array(matDouble, 3, "cost", w.element(matFloat64, []float64{1, 2, 3})))
				for _, file := range [][]byte{w.file(elements), w.file(other, w.compressed(elements))} {
					if wnids, err := parseSynsets(file); err != nil || !maps.Equal(wnids, map[string]string{want: wnid}) {
						t.Errorf("%s as %s, %v: %v, %v", want, text, order, wnids, err)
					}
				}
			}
		}
	}
}

// TestForgedMAT: sizes, counts and kinds that are wrong.
func TestForgedMAT(t *testing.T) {
	w := matWriter{binary.LittleEndian}
	wnid, id := w.element(matUTF8, []byte("n02119789")), w.small(matUint8, uint8(7))
	one := w.synset(wnid, id)
	good := w.file(w.synsets(1, one))
	if wnids, err := parseSynsets(good); err != nil || !maps.Equal(wnids, map[string]string{"7": "n02119789"}) {
		t.Fatal(wnids, err)
	}
	patched := func(at int, data string) []byte {
		return append(append(good[:at:at], data...), good[at+len(data):]...)
	}
	for _, forged := range []struct {
		want string
		file []byte
	}{
		{"127 bytes are no MAT file", good[:127]},
		{`its order of bytes is "HI"`, patched(126, "HI")},
		{"version 0x200", patched(125, "\x02")},
		{"no variable synsets", w.file(w.array(matDouble, 1, "cost", id))},
		{"3 bytes in the place of an element", w.file([]byte("abc"))},
		{"an element of 4294967295 bytes where", patched(132, "\xff\xff\xff\xff")},
		{"a small element of 5 bytes", w.file(w.bytes(uint32(5<<16|matArray)), make([]byte, 8))},
		{"kind 9, want 14", w.file(w.element(matFloat64, 1.0))},
		{"kind 15, want 14", w.file(w.compressed(w.compressed(w.synsets(1, one))))},
		{"a compressed variable is damaged", w.file(w.element(matCompressed, []byte("no zlib")))},
		{"synsets: class 6, want a struct array", w.file(w.array(matDouble, 1, "synsets", id))},
		{"synsets: no fields", w.file(w.array(matStruct, 1, "synsets", w.small(matInt32, int32(4)), w.small(matInt8, []byte("WNID")), one))},
		{"4 bytes of names of fields, 3 each", w.file(w.array(matStruct, 1, "synsets", w.small(matInt32, int32(3)), w.small(matInt8, []byte("WNID"))))},
		{"4 bytes of names of fields, -1 each", w.file(w.array(matStruct, 1, "synsets", w.small(matInt32, int32(-1)), w.small(matInt8, []byte("WNID"))))},
		{"4 bytes of names of fields, 0 each", w.file(w.array(matStruct, 1, "synsets", w.small(matInt32, int16(4)), w.small(matInt8, []byte("WNID"))))},
		{"field 1 of element 2: damaged", w.file(w.synsets(1<<30, one))},
		{"more than 2³¹ elements", w.file(w.synsets(-1, one))},
		{"bytes after 1 elements", w.file(w.synsets(1, one, one))},
		{"element 2: a second with ILSVRC2012_ID 7", w.file(w.synsets(2, one, one))},
		{"field 2 of element 1: want a text: class 4, 9 elements, 8 bytes", w.file(w.synsets(1, w.synset(w.element(matUTF8, []byte("n0211978")), id)))},
		{"want a text: class 4, 9 elements, 19 bytes of kind 17", w.file(w.synsets(1, w.synset(w.element(matUTF16, make([]byte, 19)), id)))},
		{"want a text: class 4, 9 elements, 9 bytes of kind 5", w.file(w.synsets(1, w.synset(w.element(matInt32, []byte("n02119789")), id)))},
		{"field 3 of element 1: want a number: class 6, 1 elements, 3 bytes", w.file(w.synsets(1, w.synset(wnid, w.small(matUint8, []byte("123")))))},
		{"want a number: class 6, 1 elements, 4 bytes of kind 9", w.file(w.synsets(1, w.synset(wnid, w.small(matFloat64, []byte("1234")))))},
	} {
		if wnids, err := parseSynsets(forged.file); err == nil || !strings.Contains(err.Error(), forged.want) {
			t.Errorf("%v, error %v, want %q in it", wnids, err, forged.want)
		}
	}
}

// TestLongMAT: compressed variables, alone or together, may not unpack to more than a limit.
func TestLongMAT(t *testing.T) {
	const limit = 1000
	w := matWriter{binary.LittleEndian}
	for _, file := range [][]byte{
		w.file(w.compressed(w.element(matArray, make([]byte, limit)))),
		w.file(slices.Repeat(w.compressed(w.array(matDouble, 1, "cost", make([]byte, limit/2))), 2)),
	} {
		if _, err := parseMAT(file, limit); err == nil || !strings.Contains(err.Error(), "unpack to more than 1000 bytes") {
			t.Errorf("error %v", err)
		}
	}
}

// FuzzMAT: whatever the elements of a MAT file, they are read or refused, in memory of a multiple of their size, and
// mean the same when they are compressed.
func FuzzMAT(f *testing.F) {
	for _, name := range []string{"compressed.mat", "plain.mat"} {
		f.Add(metaMAT(f, name)[128:], false)
	}
	for _, big := range []bool{false, true} {
		w := matOrder(big)
		one := w.synset(w.element(matUint16, utf16.Encode([]rune("n02119789"))), w.small(matUint8, uint8(7)))
		f.Add(w.synsets(1, one), big)
		f.Add(w.compressed(w.synsets(2, one, one)), big)
	}
	f.Fuzz(func(t *testing.T, elements []byte, big bool) {
		w := matOrder(big)
		parse := func(file []byte) (map[string]string, error) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			wnids, err := parseSynsets(file)
			runtime.ReadMemStats(&after)
			expands := bytes.IndexByte(elements, matCompressed) >= 0
			if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20+32*uint64(len(elements)) && !expands || used > 8*largestMAT {
				t.Errorf("%d bytes of memory for %d of elements", used, len(elements))
			}
			for id, wnid := range wnids {
				if id == "" || wnid == "" {
					t.Errorf("ID %q of WNID %q", id, wnid)
				}
			}
			return wnids, err
		}
		wnids, err := parse(w.file(elements))
		packed, packedErr := parse(w.file(w.compressed(elements)))
		if packedErr == nil && (err != nil || !maps.Equal(wnids, packed)) {
			t.Errorf("%v, %v, but %v when compressed", wnids, err, packed)
		}
	})
}

func matOrder(big bool) matWriter {
	if big {
		return matWriter{binary.BigEndian}
	}
	return matWriter{binary.LittleEndian}
}
