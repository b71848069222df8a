package boxes

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Hand-worked overlaps.
func TestIoU(t *testing.T) {
	for _, c := range []struct {
		a, b Box
		want float64
	}{
		{Box{0, 0, 2, 2}, Box{0, 0, 2, 2}, 1},
		{Box{0, 0, 2, 2}, Box{1, 0, 3, 2}, 2.0 / 6},
		{Box{0, 0, 2, 2}, Box{1, 1, 3, 3}, 1.0 / 7},
		{Box{0, 0, 4, 4}, Box{1, 1, 3, 3}, 4.0 / 16},
		{Box{0, 0, 2, 2}, Box{2, 0, 4, 2}, 0}, // they touch
		{Box{0, 0, 2, 2}, Box{5, 5, 6, 6}, 0},
		{Box{0, 0, 2, 2}, Box{2, 2, 0, 0}, 0}, // edges in the wrong order
		{Box{0, 0, 0, 2}, Box{0, 0, 0, 2}, 0}, // no area
		{Box{0, 0, 2, 2}, Box{math.NaN(), 0, 2, 2}, 0},
		{FromPixels(1, 1, 2, 2), FromPixels(2, 2, 3, 3), 1.0 / 7}, // one pixel in common of 4 and 4
	} {
		if got := IoU(c.a, c.b); math.Abs(got-c.want) > 1e-12 || got != IoU(c.b, c.a) {
			t.Errorf("IoU(%v, %v) = %v and %v, want %v", c.a, c.b, got, IoU(c.b, c.a), c.want)
		}
	}
}

// grid is the side of the pictures in which boxes are drawn pixel by pixel.
const grid = 12

// mask has the pixels of a box with whole edges.
func mask(b Box) (pixels [grid][grid]bool) {
	for y := range pixels {
		for x := range pixels[y] {
			pixels[y][x] = float64(x) >= b.XMin && float64(x) < b.XMax && float64(y) >= b.YMin && float64(y) < b.YMax
		}
	}
	return pixels
}

// randomBox has whole edges, from low to high; it may be empty.
func randomBox(r *rand.Rand, low, high int) Box {
	side := func() (float64, float64) {
		a, b := low+r.IntN(high-low+1), low+r.IntN(high-low+1)
		return float64(min(a, b)), float64(max(a, b))
	}
	var b Box
	b.XMin, b.XMax = side()
	b.YMin, b.YMax = side()
	return b
}

// Overlap and clipping agree with counted pixels.
func TestAgainstPixels(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		a, b := randomBox(r, 0, grid), randomBox(r, 0, grid)
		inA, inB := mask(a), mask(b)
		clipped := mask(a.Clip(b))
		either, both, areaA := 0, 0, 0
		for y := range grid {
			for x := range grid {
				p, q := inA[y][x], inB[y][x]
				if p {
					areaA++
				}
				if p || q {
					either++
				}
				if p && q {
					both++
				}
				if clipped[y][x] != (p && q) {
					t.Fatalf("%v clipped to %v is %v", a, b, a.Clip(b))
				}
			}
		}
		want, inView := float64(both)/math.Max(1, float64(either)), float64(both)/math.Max(1, float64(areaA))
		if got := IoU(a, b); math.Abs(got-want) > 1e-12 {
			t.Fatalf("IoU(%v, %v) = %v, want %v", a, b, got, want)
		}
		if got := a.InView(b); math.Abs(got-inView) > 1e-12 || a.Area() != float64(areaA) {
			t.Fatalf("%v: %v in view of %v, want %v; area %v, want %d", a, got, b, inView, a.Area(), areaA)
		}
	}
}

// Clipping a box that is beyond another leaves an empty one on the edge.
func TestClip(t *testing.T) {
	for _, c := range []struct{ box, want Box }{
		{Box{-1, -2, 3, 4}, Box{0, 0, 1, 1}},
		{Box{0.25, -1, 0.5, 0.5}, Box{0.25, 0, 0.5, 0.5}},
		{Box{2, 0, 3, 1}, Box{1, 0, 1, 1}},
		{Box{-3, -3, -2, 0.5}, Box{0, 0, 0, 0.5}},
	} {
		if got := c.box.Clip(Unit); got != c.want {
			t.Errorf("%v clipped is %v, want %v", c.box, got, c.want)
		}
	}
}

// turned is a pixel of the upright picture that a stored one becomes, by EXIF's words: where its first row and column
// are.
func turned(orientation uint16, x, y int) (int, int) {
	last := grid - 1
	switch orientation {
	case 2: // first row at the top, first column at the right
		return last - x, y
	case 3: // bottom, right
		return last - x, last - y
	case 4: // bottom, left
		return x, last - y
	case 5: // first row at the left, first column at the top
		return y, x
	case 6: // right, top
		return last - y, x
	case 7: // right, bottom
		return last - y, last - x
	case 8: // left, bottom
		return y, last - x
	}
	return x, y
}

// Boxes follow their pixels when a picture is mirrored or turned.
func TestTurn(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		b := randomBox(r, 0, grid)
		if b.Empty() {
			continue
		}
		stored := mask(b)
		for orientation := range uint16(10) {
			got := b.Scale(1.0/grid, 1.0/grid).Turn(orientation).Scale(grid, grid)
			rounded := Box{math.Round(got.XMin), math.Round(got.YMin), math.Round(got.XMax), math.Round(got.YMax)}
			after := mask(rounded)
			for y := range grid {
				for x := range grid {
					if u, v := turned(orientation, x, y); after[v][u] != stored[y][x] {
						t.Fatalf("orientation %d: %v becomes %v", orientation, b, got)
					}
				}
			}
		}
		if asTurned := b.Scale(1.0/grid, 1.0/grid).Turn(2).Scale(grid, grid); IoU(b.Mirror(grid), asTurned) < 1-1e-9 {
			t.Errorf("%v mirrored is %v, turned %v", b, b.Mirror(grid), asTurned)
		}
		if twice := b.Mirror(grid).Mirror(grid); twice != b {
			t.Errorf("%v mirrored twice is %v", b, twice)
		}
		if back := b.Turn(6).Turn(8); back != b {
			t.Errorf("%v turned and turned back is %v", b, back)
		}
	}
}

// The conversions and their reverses.
func TestConversions(t *testing.T) {
	b := FromPixels(3, 1, 4, 10)
	if b != (Box{2, 0, 4, 10}) {
		t.Errorf("pixels 3 to 4 and 1 to 10 are %v", b)
	}
	if xmin, ymin, xmax, ymax := b.Pixels(); [4]float64{xmin, ymin, xmax, ymax} != [4]float64{3, 1, 4, 10} {
		t.Errorf("and back: %v %v %v %v", xmin, ymin, xmax, ymax)
	}
	x, y, width, height := b.Centre()
	if [4]float64{x, y, width, height} != [4]float64{3, 5, 2, 10} || FromCentre(x, y, width, height) != b {
		t.Errorf("%v has centre %v %v, width %v, height %v", b, x, y, width, height)
	}
	if got := b.Move(-1, 2).Scale(0.5, 0.25); got != (Box{0.5, 0.5, 1.5, 3}) {
		t.Errorf("%v", got)
	}
}
