package weights

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestMapped reads a file that is large enough to be mapped, and changes what was read.
func TestMapped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w")
	large := Tensor{Name: "w", Shape: []int{mapFrom}, Data: make([]float32, mapFrom)}
	for i := range large.Data {
		large.Data[i] = float32(i)
	}
	if err := Write(path, File{Tensors: []Tensor{large}}); err != nil {
		t.Fatal(err)
	}
	var f *File
	var err error
	if n := allocated(func() { f, err = Read(path) }); err != nil || n > 1<<18 || f.mapping == nil {
		t.Fatalf("%d bytes allocated: %v", n, err)
	}
	if !sameTensor(f.Tensors[0], large) {
		t.Error("the tensor changed")
	}
	f.Tensors[0].Data[5] = -1
	again, err := Read(path)
	if err != nil || !sameTensor(again.Tensors[0], large) {
		t.Errorf("changing what was read changed the file (%v)", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if f.Tensors[0].Data[mapFrom-1] != mapFrom-1 {
		t.Error("the tensor changed when the file was removed")
	}
	for _, f := range []*File{f, again, f} {
		if err := f.Close(); err != nil || f.Tensors != nil {
			t.Error(err, f.Tensors)
		}
	}
}

// TestNoFile: what is no file is refused, a pipe without waiting for who writes to it.
func TestNoFile(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(pipe, 0o666); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{pipe: "save it to a file first", filepath.Dir(pipe): "is a folder"} {
		if _, err := Read(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// TestSealEmpty: a file without metadata can be sealed too.
func TestSealEmpty(t *testing.T) {
	var f File
	if err := f.Seal(); err != nil || f.Verify() != nil {
		t.Errorf("sealed: %v, verified: %v", err, f.Verify())
	}
}

// TestFinite: NaN and infinity are refused with the names of the tensors and the number of values, in every format.
func TestFinite(t *testing.T) {
	inf := float32(math.Inf(-1))
	nan := float32(math.NaN())
	path := filepath.Join(t.TempDir(), "w")
	f := File{Tensors: []Tensor{
		{Name: "a", Shape: []int{3}, Data: []float32{1, math.MaxFloat32, 2}},
		{Name: "b", Shape: []int{3}, Data: []float32{1, nan, inf}},
		{Name: "c", Shape: []int{mapFrom}, Data: append(make([]float32, mapFrom-1), inf)},
	}}
	if err := Write(path, f); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	if want := path + ": NaN or infinity in b (2 of 3 values), c (1 of 1048576 values): "; err == nil || got != nil || !strings.Contains(err.Error(), want) {
		t.Errorf("read %v, error %v, want %q", got, err, want)
	}
}

// TestIntegers: tensors of integers are left out, and said to be, unless they are weights.
func TestIntegers(t *testing.T) {
	f, err := Decode(headed(`{"n":{"dtype":"I64","shape":[],"data_offsets":[4,12]},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 12))
	if err != nil || len(f.Tensors) != 1 || f.Tensors[0].Name != "w" || len(f.Notes) != 1 || !strings.Contains(f.Notes[0], "n (I64)") {
		t.Errorf("read %+v, error %v", f, err)
	}
}
