package weights

import (
	"os"
	"path/filepath"
	"testing"
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
