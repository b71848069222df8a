package outer

import (
	"math"
	"slices"
	"testing"
)

// TestGradient adds two micro-batches of one picture each.
func TestGradient(t *testing.T) {
	p := New(2, 2, 3)
	memory := p.MemSize()
	p.Add([]float32{1, 2, 3}, []float32{1, -1})
	p.Add([]float32{0, 0, 1}, []float32{10, 0})
	if want := []float32{1, 2, 13, -1, -2, -3}; !slices.Equal(p.Data().([]float32), want) {
		t.Errorf("%v, want %v", p.Data(), want)
	}
	if p.Rows() != 2 || p.MemSize() != memory || memory != 4*2*(2+3) {
		t.Errorf("%d rows, %d bytes, %d at first", p.Rows(), p.MemSize(), memory)
	}
	p.Resize(1)
	p.Add([]float32{0, 0, 2}, []float32{10, 0})
	if want := []float32{1, 2, 23, -1, -2, -3}; !slices.Equal(p.Data().([]float32), want) {
		t.Errorf("with another second row %v, want %v", p.Data(), want)
	}
	p.Clear()
	if want := make([]float32, 6); p.Rows() != 0 || !slices.Equal(p.Data().([]float32), want) || !p.Finite() {
		t.Errorf("not cleared: %v", p)
	}
}

// TestFinite: factors that are too large to tell are multiplied.
func TestFinite(t *testing.T) {
	p := New(2, 1, 1)
	p.Add([]float32{0, 0}, []float32{0, 0})
	for _, c := range []struct {
		x, g, second float32
		want         bool
	}{
		{1, 1, 1, true}, {1e30, 1, 1, true}, {1, 1e30, 1e30, true}, {1e30, 1e30, 1, false},
		{float32(math.Inf(1)), 1, 1, false}, {1, float32(math.NaN()), 1, false},
	} {
		p.X[0], p.G[0], p.X[1] = c.x, c.g, c.second // of the second picture g is zero
		if got := p.Finite(); got != c.want {
			t.Errorf("%+v: finite is %v", c, got)
		}
	}
}

func TestPays(t *testing.T) {
	for _, c := range []struct {
		rows, out, in int
		want          bool
	}{
		{256, 4096, 25088, true}, {256, 1000, 4096, true},
		{0, 4096, 25088, false}, {4000, 4096, 4096, false}, {32, 256, 256, false},
	} {
		if got := Pays(c.rows, c.out, c.in); got != c.want {
			t.Errorf("%+v: %t", c, got)
		}
	}
}
