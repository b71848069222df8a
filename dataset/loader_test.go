package dataset

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"vgg/augment"
	"vgg/configs"
)

// numbers is a split whose picture i is one pixel of brightness i.
type numbers int

func (n numbers) Len() int          { return int(n) }
func (n numbers) Label(i int) int   { return i % 3 }
func (n numbers) Name(i int) string { return fmt.Sprint("number ", i) }
func (n numbers) Picture(i int) (augment.Picture, error) {
	if i == 66 {
		return augment.Picture{}, fmt.Errorf("number 66 is broken")
	}
	return augment.Picture{Width: 3, Height: 3, Channels: 1, Pix: bytes.Repeat([]byte{byte(i)}, 9)}, nil
}

// options are those of a small loader.
func options(training bool, workers int) LoaderOptions {
	return LoaderOptions{Batch: 8, Seed: 4, Training: training, Workers: workers,
		Transform: augment.Transform{Size: 2, RandomCrop: true, Flip: true, Mean: []float64{0}, Std: []float64{1}}}
}

// epoch collects the brightness of all pictures in their order.
func epoch(t *testing.T, l *Loader, number int) (pictures []int) {
	t.Helper()
	for b, err := range l.Epoch(context.Background(), number) {
		if err != nil {
			t.Fatal(err)
		}
		for i, label := range b.Labels {
			if i >= b.Pictures {
				if label != -1 || b.Pixels[4*i] != 0 {
					t.Errorf("padding has label %d, pixel %v", label, b.Pixels[4*i])
				}
				continue
			}
			picture := int(b.Pixels[4*i])
			if label != picture%3 {
				t.Errorf("picture %d has label %d", picture, label)
			}
			pictures = append(pictures, picture)
		}
	}
	return pictures
}

// TestLoader: epochs are permutations, different ones, the same for any number of workers; validation keeps the order.
func TestLoader(t *testing.T) {
	l, err := NewLoader(numbers(50), 1, options(true, 1))
	if err != nil {
		t.Fatal(err)
	}
	first, second := epoch(t, l, 1), epoch(t, l, 2)
	if slices.Equal(first, second) || !slices.Equal(first, epoch(t, l, 1)) {
		t.Error("epochs have the same order, or one has two")
	}
	sorted := slices.Clone(first)
	slices.Sort(sorted)
	if len(first) != 48 || len(slices.Compact(sorted)) != 48 || l.Len() != 6 {
		t.Errorf("%d pictures in %d batches: %v", len(first), l.Len(), first)
	}
	for _, workers := range []int{2, 7} {
		other, err := NewLoader(numbers(50), 1, options(true, workers))
		if err != nil {
			t.Fatal(err)
		}
		if got := epoch(t, other, 1); !slices.Equal(got, first) {
			t.Errorf("%d workers: %v, one: %v", workers, got, first)
		}
	}
	val, err := NewLoader(numbers(50), 1, options(false, 0))
	if err != nil {
		t.Fatal(err)
	}
	if got := epoch(t, val, 0); len(got) != 50 || !slices.IsSorted(got) || val.Len() != 7 {
		t.Errorf("validation: %v in %d batches", got, val.Len())
	}
}

// noise is a split of unlike pictures.
type noise struct{ numbers }

func (n noise) Picture(i int) (augment.Picture, error) {
	r := rand.New(rand.NewPCG(1, uint64(i)))
	p := augment.Picture{Width: 20 + i%5, Height: 24, Channels: 3}
	for range 3 * p.Width * p.Height {
		p.Pix = append(p.Pix, uint8(r.Uint32()))
	}
	return p, nil
}

// TestWorkers: any number of workers makes the same batches, another epoch or seed others.
func TestWorkers(t *testing.T) {
	batches := func(workers, number int, seed uint64) []byte {
		o := LoaderOptions{Batch: 8, Seed: seed, Training: true, Workers: workers, Transform: augment.Transform{Size: 16, Scale: configs.Scale{Min: 16, Max: 32},
			RandomCrop: true, Pad: 1, Flip: true, ColourShift: 0.1, Mean: []float64{120, 120, 120}, Std: []float64{1, 1, 1},
			Eigenvalues: [3]float64{100, 500, 9000}, Eigenvectors: [3][3]float64{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}}}
		l, err := NewLoader(noise{50}, 3, o)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.New()
		for b, err := range l.Epoch(context.Background(), number) {
			if err != nil {
				t.Fatal(err)
			}
			if err := binary.Write(sum, binary.LittleEndian, b.Pixels); err != nil {
				t.Fatal(err)
			}
		}
		return sum.Sum(nil)
	}
	want := batches(1, 1, 1)
	for _, workers := range []int{2, 3, 8} {
		if !bytes.Equal(batches(workers, 1, 1), want) {
			t.Errorf("%d workers make other batches than one", workers)
		}
	}
	if bytes.Equal(batches(1, 2, 1), want) || bytes.Equal(batches(1, 1, 2), want) {
		t.Error("another epoch or seed makes the same batches")
	}
}

// TestTake: loaders that share the batches of an epoch make each once, with the pixels that one loader makes, also from
// a later batch on.
func TestTake(t *testing.T) {
	batches := func(first int, take func(int) bool) (all [][]float32) {
		o := options(true, 2)
		o.Take = take
		l, err := NewLoader(numbers(50), 1, o)
		if err != nil {
			t.Fatal(err)
		}
		for b, err := range l.EpochFrom(context.Background(), 3, first) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, slices.Clone(b.Pixels))
		}
		return all
	}
	want := batches(0, nil) // 50 pictures, 8 at a time
	for first := range 4 {
		next := [2]int{}
		shares := [2][][]float32{batches(first, func(b int) bool { return b%3 == 1 }), batches(first, func(b int) bool { return b%3 != 1 })}
		if n := len(shares[0]) + len(shares[1]); n != len(want)-first {
			t.Fatalf("from batch %d: %d batches, want %d", first, n, len(want)-first)
		}
		for b := first; b < len(want); b++ {
			share := 1
			if b%3 == 1 {
				share = 0
			}
			if !slices.Equal(shares[share][next[share]], want[b]) {
				t.Errorf("from batch %d: batch %d has other pixels", first, b)
			}
			next[share]++
		}
	}
}

// TestLoaderEnds: leaving early, cancelling and broken pictures end all goroutines; synctest fails if one stays.
func TestLoaderEnds(t *testing.T) {
	for _, c := range []struct {
		name    string
		cancel  int // the context after this many batches
		leave   int // the loop after this many batches
		batches int // that must come
		err     string
	}{
		{name: "leaving", leave: 1, batches: 1},
		{name: "cancelling", cancel: 2, batches: 2, err: context.Canceled.Error()},
		{name: "cancelled before", cancel: -1, err: context.Canceled.Error()},
		{name: "a broken picture", batches: 8, err: "number 66 is broken"},
	} {
		synctest.Test(t, func(t *testing.T) {
			l, err := NewLoader(numbers(100), 1, options(false, 3))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if c.cancel < 0 {
				cancel()
			}
			batches := 0
			var last error
			for _, last = range l.Epoch(ctx, 0) {
				if last == nil {
					batches++
				}
				if batches == c.cancel {
					cancel()
				}
				if batches == c.leave {
					break
				}
			}
			if batches != c.batches || (last == nil) != (c.err == "") || last != nil && !strings.Contains(last.Error(), c.err) {
				t.Errorf("%s: %d batches, error %v; want %d, %q", c.name, batches, last, c.batches, c.err)
			}
		})
	}
}

func skipping(share float64) configs.Pictures {
	return configs.Pictures{Bad: configs.BadSkip, SkipShare: share}
}

// TestSkips: pictures that cannot be read are skipped, the same for any number of workers, until they are too many.
func TestSkips(t *testing.T) {
	for _, workers := range []int{1, 3} {
		o := options(true, workers)
		o.Skips = NewSkips(&Set{Train: numbers(100), Val: numbers(100)}, skipping(0))
		l, err := NewLoader(numbers(100), 1, o)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			rows, skipped := 0, 0
			for b, err := range l.Epoch(t.Context(), 3) {
				if err != nil {
					t.Fatal(err)
				}
				for i, label := range b.Labels {
					rows++
					if label < 0 {
						skipped++
						if b.Pixels[4*i] != 0 {
							t.Errorf("a skipped picture has pixel %v", b.Pixels[4*i])
						}
					}
				}
			}
			if rows != 96 || skipped != 1 {
				t.Errorf("%d rows, %d of them skipped", rows, skipped)
			}
		}
		if got := o.Skips.List(); len(got) != 1 || got[0].Picture != "number 66" || !strings.Contains(got[0].Reason, "broken") {
			t.Errorf("skipped: %v", got)
		}
		if m, err := Measure(context.Background(), numbers(100), 1, 0, o.Skips); err != nil || m.Pictures != 99 {
			t.Errorf("measured %d pictures, %v", m.Pictures, err)
		}
	}
	for share, most := range map[float64]int{0: 1, 0.001: 1, 0.01: 1, 0.02: 2, 0.07: 7, 0.29: 29, 1: 100} {
		s := NewSkips(&Set{Train: numbers(50), Val: numbers(50)}, skipping(share))
		for n := 1; n <= 100; n++ {
			if err := s.Skip(strconv.Itoa(n), errors.New("broken")); (err != nil) != (n > most) {
				t.Errorf("share %g: picture %d of 100: %v", share, n, err)
			}
		}
	}
	if s := NewSkips(&Set{Train: numbers(50), Val: numbers(50)}, configs.Default().Pictures); s != nil || !errors.Is(s.Skip("1", errors.New("broken")), ErrBadPicture) {
		t.Errorf("skips of a recipe that skips none: %v", s)
	}
	ahead := NewSkips(&Set{Train: numbers(50), Val: numbers(50)}, skipping(0.02))
	for n := range 2 {
		if err := ahead.Skip(strconv.Itoa(n), errors.New("broken")); err != nil {
			t.Error(err)
		}
	}
	if err := ahead.SkipOf("others'", errors.New("broken"), 2); err != nil || len(ahead.List()) != 3 {
		t.Errorf("two are known to all: %v, %v", err, ahead.List())
	}
	if err := ahead.SkipOf("others', too", errors.New("broken"), 3); !errors.Is(err, ErrUnreadable) {
		t.Errorf("three are known to all: %v", err)
	}
	o := options(false, 2)
	o.Skips = NewSkips(&Set{Train: numbers(90), Val: numbers(9)}, skipping(0.01), Skip{"number 5", "lost"})
	l, err := NewLoader(numbers(90), 1, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, err = range l.Epoch(t.Context(), 1) {
	}
	if !errors.Is(err, ErrUnreadable) || !strings.Contains(err.Error(), "2 of 99 pictures cannot be read, more than 1 %") || !strings.Contains(err.Error(), "number 66 is broken") {
		t.Errorf("too many: %v", err)
	}
}

// TestLoaderErrors: options that make no batch are refused.
func TestLoaderErrors(t *testing.T) {
	for want, change := range map[string]func(*LoaderOptions){
		"batch of 0":                     func(o *LoaderOptions) { o.Batch = 0 },
		"-1 workers":                     func(o *LoaderOptions) { o.Workers = -1 },
		"input of 0":                     func(o *LoaderOptions) { o.Transform.Size = 0 },
		"50 pictures do not fill one":    func(o *LoaderOptions) { o.Batch = 51 },
		"for pictures of 1: want one va": func(o *LoaderOptions) { o.Transform.Mean = nil },
	} {
		o := options(true, 1)
		change(&o)
		if _, err := NewLoader(numbers(50), 1, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
	l, err := NewLoader(noise{50}, 1, options(false, 1))
	if err != nil {
		t.Fatal(err)
	}
	for _, err = range l.Epoch(t.Context(), 0) {
	}
	if err == nil || !strings.Contains(err.Error(), "number 0") || !strings.Contains(err.Error(), "want 1 channels") {
		t.Errorf("colour pictures for a grey net: %v", err)
	}
}

// BenchmarkLoader makes batches of the embedded pictures.
func BenchmarkLoader(b *testing.B) {
	s, err := Open("", Options{})
	if err != nil {
		b.Fatal(err)
	}
	transform := augment.Transform{Size: 32, Flip: true, RandomCrop: true, Pad: 2, Mean: []float64{73}, Std: []float64{90}}
	l, err := NewLoader(s.Train, 1, LoaderOptions{Batch: 32, Transform: transform, Training: true})
	if err != nil {
		b.Fatal(err)
	}
	pictures := 0
	for i := 0; b.Loop(); i++ {
		for batch := range l.Epoch(context.Background(), i) {
			pictures += batch.Pictures
		}
	}
	b.ReportMetric(float64(pictures)/b.Elapsed().Seconds(), "pictures/s")
}

// photograph makes a JPEG of 500×375 about as hard to decode as those of ILSVRC-2012, which have 110 kB on average:
// waves of all lengths, and noise.
func photograph(b *testing.B, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	img := image.NewRGBA(image.Rect(0, 0, 500, 375))
	var waves [24][3]float64
	for i := range waves {
		waves[i] = [3]float64{r.NormFloat64() / 4, r.NormFloat64() / 4, 7 * r.Float64()}
	}
	for i := range 500 * 375 {
		x, y := float64(i%500), float64(i/500)
		for c := range 3 {
			v := 128.0
			for k, w := range waves {
				v += 60 / float64(k/3+2) * math.Sin((w[0]*x+w[1]*y)/float64(24-k)+w[2]*float64(c+1))
			}
			img.Pix[4*i+c] = uint8(min(max(v+20*r.NormFloat64(), 0), 255))
		}
		img.Pix[4*i+3] = 255
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 88}); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}

// BenchmarkPhotographs makes training batches of pictures of 224×224, S from 256 to 512, of JPEGs of 500×375 in class
// folders.
func BenchmarkPhotographs(b *testing.B) {
	dir := b.TempDir()
	size := 0
	for i := range 18 {
		data := photograph(b, uint64(i))
		size += len(data)
		file := filepath.Join(dir, "train", string(rune('a'+i%2)), fmt.Sprint(i, ".jpg"))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(file, data, 0o666); err != nil {
			b.Fatal(err)
		}
	}
	s, err := Open(dir, Options{ValShare: 0.1})
	if err != nil {
		b.Fatal(err)
	}
	transform := augment.Transform{Size: 224, Scale: configs.Scale{Min: 256, Max: 512}, RandomCrop: true, Flip: true, ColourShift: 0.1, Mean: []float64{124, 117, 104}, Std: []float64{1, 1, 1}}
	l, err := NewLoader(s.Train, 3, LoaderOptions{Batch: 16, Transform: transform, Training: true})
	if err != nil {
		b.Fatal(err)
	}
	pictures := 0
	for i := 0; b.Loop(); i++ {
		for batch, err := range l.Epoch(context.Background(), i) {
			if err != nil {
				b.Fatal(err)
			}
			pictures += batch.Pictures
		}
	}
	b.ReportMetric(float64(size)/18e3, "kB/picture")
	b.ReportMetric(float64(pictures)/b.Elapsed().Seconds()/float64(runtime.GOMAXPROCS(0)), "pictures/s/core")
}
