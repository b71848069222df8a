package scenes

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"hash/crc32"
	"io"
	"runtime"
	"slices"
	"testing"

	"vgg/boxes"
	"vgg/dataset/fashion"
)

// embedded are the scenes of the embedded garments for validation.
func embedded(t testing.TB, o Options) *Scenes {
	t.Helper()
	read := func(name string, header int) []byte {
		file, err := fashion.Files.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		unzipped, err := gzip.NewReader(file)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(unzipped)
		if err != nil {
			t.Fatal(err)
		}
		return data[header:]
	}
	return New(read("t10k-images-idx3-ubyte.gz", 16), read("t10k-labels-idx1-ubyte.gz", 8), o)
}

// A scene depends on the seed and its number only.
func TestDraw(t *testing.T) {
	s, again, other := embedded(t, Options{Difficulty: 1, Seed: 1}), embedded(t, Options{Difficulty: 1, Seed: 1}), embedded(t, Options{Difficulty: 1, Seed: 2})
	for _, i := range []int{1999, 0, 7} {
		p, found := s.Draw(i)
		again.Draw(i / 2)
		q, foundAgain := again.Draw(i)
		if !bytes.Equal(p.Pix, q.Pix) || !slices.Equal(found, foundAgain) {
			t.Errorf("scene %d differs from itself", i)
		}
		if p.Check() != nil || p.Width != DefaultSide || p.Height != DefaultSide || p.Channels != 3 {
			t.Errorf("scene %d: %d×%d, %d channels", i, p.Width, p.Height, p.Channels)
		}
		if q, _ := other.Draw(i); bytes.Equal(p.Pix, q.Pix) {
			t.Errorf("scene %d is the same with another seed", i)
		}
		if q, _ := s.Draw(i/2 + 1); bytes.Equal(p.Pix, q.Pix) {
			t.Errorf("scenes %d and %d are the same", i, i/2+1)
		}
	}
}

// Scenes stay what they are to the last bit: trainings that were begun, and the records of finished ones, rest on them.
func TestBits(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("other processors may round sums of products once")
	}
	for _, test := range []struct {
		o    Options
		want uint32
	}{
		{Options{Side: 24, Difficulty: 2.5, Seed: 3}, 0x6f248273},
		{Options{Side: 64, Difficulty: 0, Seed: 1}, 0xb9ff1e1d},
		{Options{Side: 96, Difficulty: 1.75, Seed: 7}, 0x6a6f972a},
		{Options{Side: 200, Difficulty: 1, Seed: 9}, 0x1fb8f628},
	} {
		s, sum := embedded(t, test.o), crc32.NewIEEE()
		for i := range 500 {
			p, found := s.Draw(i)
			sum.Write(p.Pix)
			fmt.Fprint(sum, found)
		}
		if got := sum.Sum32(); got != test.want {
			t.Errorf("%+v: the sum of 500 scenes is %#x, not %#x", test.o, got, test.want)
		}
	}
}

// Boxes are as tight around the garments' visible pixels as a comparison with the scene without the garment shows, and
// most pixels of each garment are visible.
func TestBoxesAreTight(t *testing.T) {
	s := embedded(t, Options{Difficulty: 1, Seed: 1})
	const count = 400
	garments, close := 0, 0
	for i := range count {
		scene := s.draw(i, nothing)
		for k, box := range scene.boxes() {
			garments++
			of := firstGarment + owner(k)
			visible := 0
			for _, o := range scene.owners {
				if o == of {
					visible++
				}
			}
			if share := float64(visible) / float64(scene.painted[of]); share < leastVisible {
				t.Errorf("scene %d: %.2f of garment %d is visible", i, share, k)
			}
			without := s.draw(i, of)
			seen := boxes.Box{XMin: DefaultSide, YMin: DefaultSide}
			for at := range scene.owners {
				x, y := float64(at%DefaultSide), float64(at/DefaultSide)
				if !bytes.Equal(scene.pix[3*at:3*at+3], without.pix[3*at:3*at+3]) {
					seen = boxes.Box{XMin: min(seen.XMin, x), YMin: min(seen.YMin, y), XMax: max(seen.XMax, x+1), YMax: max(seen.YMax, y+1)}
				}
			}
			const edge = 2 // pixels over which an enlarged garment fades
			grown := boxes.Box{XMin: box.XMin - edge, YMin: box.YMin - edge, XMax: box.XMax + edge, YMax: box.YMax + edge}
			shrunk := boxes.Box{XMin: box.XMin + 1, YMin: box.YMin + 1, XMax: box.XMax - 1, YMax: box.YMax - 1}
			if seen.Clip(grown) == seen && shrunk.Clip(seen) == shrunk {
				close++
			}
		}
	}
	// A garment covered in part may show faint pixels beyond its box, or be of the colour behind it.
	if garments < count || float64(close) < 0.97*float64(garments) {
		t.Errorf("%d of %d boxes are those of the pixels that change without their garment, give or take the edge", close, garments)
	}
}

// A garment without pixels does no harm.
func TestBlackGarment(t *testing.T) {
	s := New(make([]byte, 2*garmentSize), []byte{0, 0}, Options{Difficulty: 1})
	for i := range 50 {
		s.Draw(i % 2)
		if p, found := s.Draw(i % 2); p.Check() != nil || len(found) > 0 {
			t.Fatalf("boxes %v of black garments", found)
		}
	}
}

func BenchmarkDraw(b *testing.B) {
	for _, side := range []int{48, 64, DefaultSide} {
		b.Run(fmt.Sprint(side), func(b *testing.B) {
			s := embedded(b, Options{Side: side, Difficulty: 1, Seed: 1})
			i := 0
			for b.Loop() {
				s.Draw(i)
				i++
			}
		})
	}
}
