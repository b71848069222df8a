package dataset

import (
	"encoding/binary"
	"runtime"
	"slices"
	"strings"
	"testing"

	"vgg/internal/archive/archivetest"
)

// idx makes an IDX file.
func idx(dims []int, data []byte) []byte {
	out := []byte{0, 0, 8, byte(len(dims))}
	for _, d := range dims {
		out = binary.BigEndian.AppendUint32(out, uint32(d))
	}
	return append(out, data...)
}

// idxFolder is a valid folder of IDX files, one of them gzipped.
func idxFolder() map[string][]byte {
	return map[string][]byte{
		"train-images-idx3-ubyte":   idx([]int{3, 2, 2}, []byte("abcdefghijkl")),
		"train-labels-idx1-ubyte":   idx([]int{3}, []byte{0, 1, 2}),
		"t10k-images-idx3-ubyte.gz": archivetest.Gzip(idx([]int{1, 2, 2}, []byte("wxyz"))),
		"t10k-labels-idx1-ubyte":    idx([]int{1}, []byte{1}),
	}
}

// TestIDX reads IDX files in folders and archives, and refuses damaged ones.
func TestIDX(t *testing.T) {
	for _, spec := range []string{archivetest.Folder(t, idxFolder()), zipFile(t, "", idxFolder()), zipFile(t, "top/", idxFolder())} {
		s, err := Open(spec, Options{})
		if err != nil {
			t.Fatal(err)
		}
		p, err := s.Val.Picture(0)
		if err != nil || string(p.Pix) != "wxyz" || s.Train.Len() != 3 || s.Train.Label(2) != 2 || s.Channels != 1 || !slices.Equal(s.Classes, []string{"0", "1", "2"}) {
			t.Errorf("%q, %d pictures, classes %v, %v", p.Pix, s.Train.Len(), s.Classes, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	for want, change := range map[string]func(map[string][]byte){
		"starts with":       func(f map[string][]byte) { f["train-images-idx3-ubyte"][2] = 9 },
		"promises 12 bytes": func(f map[string][]byte) { f["train-images-idx3-ubyte"] = f["train-images-idx3-ubyte"][:20] },
		"the file has more": func(f map[string][]byte) { f["train-labels-idx1-ubyte"] = append(f["train-labels-idx1-ubyte"], 0) },
		"is incomplete":     func(f map[string][]byte) { f["train-labels-idx1-ubyte"] = f["train-labels-idx1-ubyte"][:5] },
		"3 pictures":        func(f map[string][]byte) { f["train-labels-idx1-ubyte"] = idx([]int{2}, []byte{0, 1}) },
		"holds no pictures": func(f map[string][]byte) {
			f["train-images-idx3-ubyte"] = idx([]int{0, 2, 2}, nil)
			f["train-labels-idx1-ubyte"] = idx([]int{0}, nil)
		},
		"train-labels-idx1-ubyte: label 9 of picture 1 is beyond the 1 classes": func(f map[string][]byte) { f["train-labels-idx1-ubyte"][9] = 9 },
		"t10k-labels-idx1-ubyte: label 3 of picture 0 is beyond the 3 classes":  func(f map[string][]byte) { f["t10k-labels-idx1-ubyte"][8] = 3 },
		"the first label is 5, and none is 0: want numbers from 0 on": func(f map[string][]byte) {
			f["train-labels-idx1-ubyte"] = idx([]int{3}, []byte{5, 5, 5})
		},
		"train-labels-idx1-ubyte: the first label is 1": func(f map[string][]byte) {
			f["train-labels-idx1-ubyte"] = idx([]int{3}, []byte{1, 1, 1})
		},
		"no t10k-labels": func(f map[string][]byte) { delete(f, "t10k-labels-idx1-ubyte") },
		"damaged or incomplete: download it again: unexpected EOF": func(f map[string][]byte) {
			f["t10k-images-idx3-ubyte.gz"] = f["t10k-images-idx3-ubyte.gz"][:len(f["t10k-images-idx3-ubyte.gz"])-9]
		},
		"checksum": func(f map[string][]byte) {
			f["t10k-images-idx3-ubyte.gz"][len(f["t10k-images-idx3-ubyte.gz"])-8] ^= 1
		},
		"too short for": func(f map[string][]byte) { f["t10k-images-idx3-ubyte.gz"] = []byte("no zip") },
		"which is too large": func(f map[string][]byte) { // 2^64 bytes
			f["train-images-idx3-ubyte"] = idx([]int{1 << 20, 1 << 20, 1 << 24}, nil)
		},
	} {
		files := idxFolder()
		change(files)
		if _, err := Open(archivetest.Folder(t, files), Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

// TestForgedHeader: a forged header cannot trigger a large allocation.
func TestForgedHeader(t *testing.T) {
	forged := idx([]int{1 << 20, 1 << 10, 1 << 9}, []byte("short"))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := decodeIDX(forged, 3); err == nil {
		t.Error("no error")
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("%d bytes allocated", got)
	}
}

// FuzzIDX: whatever is read has as many bytes as its dimensions say.
func FuzzIDX(f *testing.F) {
	f.Add(idx([]int{3, 2, 2}, []byte("abcdefghijkl")), 3)
	f.Add(idx([]int{1}, []byte{1}), 1)
	f.Add(idx([]int{1 << 20, 1 << 20, 1 << 24}, nil), 3)
	f.Fuzz(func(t *testing.T, data []byte, dims int) {
		if dims < 1 || dims > 3 {
			return
		}
		a, err := decodeIDX(data, dims)
		if err != nil {
			return
		}
		left := len(a.data)
		for _, d := range a.dims {
			if d > 0 && left%d == 0 {
				left /= d
			} else if left > 0 {
				t.Fatalf("dimensions %v of %d bytes", a.dims, len(a.data))
			}
		}
		if len(a.data) != len(data)-4-4*dims || left > 1 {
			t.Errorf("dimensions %v, %d bytes out of %d", a.dims, len(a.data), len(data))
		}
	})
}
