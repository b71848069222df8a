package dataset

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/image/bmp"

	"vgg/augment"
)

// TestEmbedded: the pictures that come with the project are all there and have labels of every class.
func TestEmbedded(t *testing.T) {
	s, err := Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.Train.Len() != 10000 || s.Val.Len() != 2000 || len(s.Classes) != 10 || s.Channels != 1 {
		t.Fatalf("%d + %d pictures, %d classes, %d channels", s.Train.Len(), s.Val.Len(), len(s.Classes), s.Channels)
	}
	for _, split := range []Split{s.Train, s.Val} {
		counts := make([]int, 10)
		for i := range split.Len() {
			counts[split.Label(i)]++
		}
		if slices.Min(counts) < split.Len()/12 || slices.Max(counts) > split.Len()/8 {
			t.Errorf("pictures of each class: %v", counts)
		}
	}
	p, err := s.Train.Picture(0)
	if err != nil || p.Width != 28 || p.Height != 28 || s.Classes[s.Train.Label(0)] != "Ankle boot" {
		t.Errorf("the first picture: %d×%d, %s, %v", p.Width, p.Height, s.Classes[s.Train.Label(0)], err)
	}
	// The first picture's class, and the mean of the pixels as the set's authors state it: 0.2860 (of 255).
	m, err := Measure(s.Train, 1, 0)
	if err != nil || math.Abs(m.Mean[0]/255-0.2860) > 0.002 || math.Abs(m.Std[0]/255-0.3530) > 0.002 {
		t.Errorf("mean %v, standard deviation %v, %v", m.Mean, m.Std, err)
	}
}

// idx makes an IDX file.
func idx(dims []int, data []byte) []byte {
	out := []byte{0, 0, 8, byte(len(dims))}
	for _, d := range dims {
		out = binary.BigEndian.AppendUint32(out, uint32(d))
	}
	return append(out, data...)
}

func zipped(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

// idxFolder is a valid folder of IDX files, one of them gzipped.
func idxFolder() map[string][]byte {
	return map[string][]byte{
		"train-images-idx3-ubyte":   idx([]int{3, 2, 2}, []byte("abcdefghijkl")),
		"train-labels-idx1-ubyte":   idx([]int{3}, []byte{0, 1, 2}),
		"t10k-images-idx3-ubyte.gz": zipped(idx([]int{1, 2, 2}, []byte("wxyz"))),
		"t10k-labels-idx1-ubyte":    idx([]int{1}, []byte{1}),
	}
}

func write(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestIDX(t *testing.T) {
	s, err := Open(write(t, idxFolder()))
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Val.Picture(0)
	if err != nil || string(p.Pix) != "wxyz" || s.Train.Len() != 3 || !slices.Equal(s.Classes, []string{"0", "1", "2"}) {
		t.Errorf("%q, %d pictures, classes %v, %v", p.Pix, s.Train.Len(), s.Classes, err)
	}
	for want, change := range map[string]func(map[string][]byte){
		"starts with":       func(f map[string][]byte) { f["train-images-idx3-ubyte"][2] = 9 },
		"promises 12 bytes": func(f map[string][]byte) { f["train-images-idx3-ubyte"] = f["train-images-idx3-ubyte"][:20] },
		"the file has more": func(f map[string][]byte) { f["train-labels-idx1-ubyte"] = append(f["train-labels-idx1-ubyte"], 0) },
		"too short":         func(f map[string][]byte) { f["train-labels-idx1-ubyte"] = f["train-labels-idx1-ubyte"][:5] },
		"3 pictures":        func(f map[string][]byte) { f["train-labels-idx1-ubyte"] = idx([]int{2}, []byte{0, 1}) },
		"holds no pictures": func(f map[string][]byte) {
			f["train-images-idx3-ubyte"] = idx([]int{0, 2, 2}, nil)
			f["train-labels-idx1-ubyte"] = idx([]int{0}, nil)
		},
		"no t10k-labels":  func(f map[string][]byte) { delete(f, "t10k-labels-idx1-ubyte") },
		"not a gzip file": func(f map[string][]byte) { f["t10k-images-idx3-ubyte.gz"] = []byte("no zip") },
		"claims to be":    func(f map[string][]byte) { f["train-images-idx3-ubyte"] = idx([]int{1 << 31, 1 << 31, 3}, nil) },
	} {
		files := idxFolder()
		change(files)
		if _, err := Open(write(t, files)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
	folder := fstest.MapFS{}
	for name, data := range idxFolder() {
		folder[name] = &fstest.MapFile{Data: data}
	}
	if _, err := openIDX("two", folder, []string{"a", "b"}); err == nil || !strings.Contains(err.Error(), "label 2 of picture 2") {
		t.Errorf("a label beyond the classes: %v", err)
	}
}

// TestLyingHeader: a header that promises a lot allocates nothing of it.
func TestLyingHeader(t *testing.T) {
	lying := idx([]int{1 << 20, 1 << 10, 1 << 9}, []byte("short"))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := decodeIDX(bytes.NewReader(lying), 3); err == nil {
		t.Error("no error")
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("%d bytes allocated", got)
	}
}

func FuzzIDX(f *testing.F) {
	f.Add(idx([]int{3, 2, 2}, []byte("abcdefghijkl")), 3)
	f.Add(idx([]int{1}, []byte{1}), 1)
	f.Fuzz(func(t *testing.T, data []byte, dims int) {
		if dims < 1 || dims > 3 {
			return
		}
		if a, err := decodeIDX(bytes.NewReader(data), dims); err == nil && len(a.data) > len(data) {
			t.Errorf("%d bytes out of %d", len(a.data), len(data))
		}
	})
}

// encoded draws a picture of one colour in a file format.
func encoded(t *testing.T, format string, c color.Color) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 12, 10))
	for i := range 120 {
		img.Set(i%12, i/12, c)
	}
	var b bytes.Buffer
	var err error
	switch format {
	case "jpeg":
		err = jpeg.Encode(&b, img, &jpeg.Options{Quality: 95})
	case "png":
		err = png.Encode(&b, img)
	case "gif":
		err = gif.Encode(&b, img, nil)
	case "bmp":
		err = bmp.Encode(&b, img)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func classFolder(t *testing.T) map[string][]byte {
	red, blue := color.RGBA{200, 10, 10, 255}, color.RGBA{10, 10, 200, 255}
	return map[string][]byte{
		"train/red/1.jpg":       encoded(t, "jpeg", red),
		"train/red/2.png":       encoded(t, "jpeg", red), // what it is decides the content
		"train/red/notes.txt":   []byte("passed over"),
		"train/red/.hidden.jpg": []byte("passed over"),
		"train/blue/1.gif":      encoded(t, "gif", blue),
		"train/blue/2.bmp":      encoded(t, "bmp", blue),
		"train/README.md":       []byte("passed over"),
		"val/red/1.png":         encoded(t, "png", red),
		"val/blue/1.jpeg":       encoded(t, "jpeg", blue),
	}
}

// archive packs files into a zip, below a folder.
func archive(t *testing.T, below string, files map[string][]byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pictures.zip")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(out)
	for name, data := range files {
		entry, err := w.Create(below + name)
		if err == nil {
			_, err = entry.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestClasses reads class folders, plain and in archives.
func TestClasses(t *testing.T) {
	for _, spec := range []string{write(t, classFolder(t)), archive(t, "", classFolder(t)), archive(t, "top/", classFolder(t))} {
		s, err := Open(spec)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(s.Classes, []string{"blue", "red"}) || s.Train.Len() != 4 || s.Val.Len() != 2 || s.Channels != 3 {
			t.Errorf("classes %v, %d + %d pictures, %d channels", s.Classes, s.Train.Len(), s.Val.Len(), s.Channels)
		}
		for _, split := range []Split{s.Train, s.Val} {
			for i := range split.Len() {
				p, err := split.Picture(i)
				if err != nil {
					t.Fatal(err)
				}
				if isRed := p.Pix[0] > p.Pix[2]; p.Width != 12 || p.Height != 10 || isRed != (split.Label(i) == 1) {
					t.Errorf("%s: %d×%d, first pixel %v, label %d", split.Name(i), p.Width, p.Height, p.Pix[:3], split.Label(i))
				}
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestClassErrors(t *testing.T) {
	for want, change := range map[string]func(map[string][]byte){
		"no folder train":            func(f map[string][]byte) { clear(f); f["x/y.txt"] = nil },
		"want class folders in val":  func(f map[string][]byte) { delete(f, "val/red/1.png"); delete(f, "val/blue/1.jpeg") },
		"class empty has no picture": func(f map[string][]byte) { f["train/empty/notes.txt"] = nil },
		"different classes: green":   func(f map[string][]byte) { f["train/green/1.jpg"] = f["train/red/1.jpg"] },
		"no class folders":           func(f map[string][]byte) { clear(f); f["train/1.jpg"] = nil },
	} {
		files := classFolder(t)
		change(files)
		if _, err := Open(write(t, files)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("a missing folder: %v", err)
	}
	if _, err := Open(write(t, map[string][]byte{"a": nil}) + "/a"); err == nil || !strings.Contains(err.Error(), "zip") {
		t.Errorf("not an archive: %v", err)
	}
	files := classFolder(t)
	files["train/red/broken.jpg"] = files["train/red/1.jpg"][:100]
	files["train/red/text.jpg"] = []byte("no picture")
	huge := encoded(t, "png", color.White)
	binary.BigEndian.PutUint32(huge[16:], 60000) // width and height of the header
	binary.BigEndian.PutUint32(huge[20:], 60000)
	files["train/red/huge.png"] = huge
	s, err := Open(archive(t, "", files))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	broken := 0
	for i := range s.Train.Len() {
		if _, err := s.Train.Picture(i); err != nil {
			broken++
			if !strings.Contains(err.Error(), "pictures.zip: train/red/") || !strings.Contains(err.Error(), "remove or replace") {
				t.Errorf("the error does not say where and what to do: %v", err)
			}
		}
	}
	if broken != 3 {
		t.Errorf("%d pictures are refused, want 3", broken)
	}
}

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

func options(training bool, workers int) LoaderOptions {
	return LoaderOptions{Batch: 8, Seed: 4, Training: training, Workers: workers,
		View: augment.View{Size: 2, Crop: true, Flip: true, Mean: []float64{0}, Std: []float64{1}}}
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

// TestLoaderEnds: leaving early, cancelling and broken pictures end the goroutines.
func TestLoaderEnds(t *testing.T) {
	before := runtime.NumGoroutine()
	l, err := NewLoader(numbers(100), 1, options(false, 3))
	if err != nil {
		t.Fatal(err)
	}
	for range l.Epoch(context.Background(), 0) {
		break
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	seen := 0
	for _, err = range l.Epoch(ctx, 0) {
		if seen++; seen == 2 {
			cancel()
		}
	}
	if err != context.Canceled || seen != 3 {
		t.Errorf("cancelled after two batches: %d, %v", seen, err)
	}
	for _, err = range l.Epoch(context.Background(), 0) {
	}
	if err == nil || !strings.Contains(err.Error(), "66") {
		t.Errorf("a broken picture: %v", err)
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond) // until those that have finished are gone
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

// TestMeasure finds the components of colours made from known ones.
func TestMeasure(t *testing.T) {
	p := augment.Picture{Width: 2, Height: 2, Channels: 3, Pix: []uint8{100, 100, 100, 200, 100, 100, 100, 120, 100, 200, 120, 100}}
	s, err := Measure(single{p}, 3, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.Mean, []float64{150, 110, 100}) || !slices.Equal(s.Std, []float64{50, 10, 0}) {
		t.Errorf("mean %v, standard deviation %v", s.Mean, s.Std)
	}
	for k, want := range [3]float64{0, 100, 2500} {
		axis := 2 - k // the eigenvectors are the axes, blue, green, red
		if math.Abs(s.PCA.Eigenvalues[k]-want) > 1e-9 || math.Abs(math.Abs(s.PCA.Eigenvectors[k][axis])-1) > 1e-9 {
			t.Errorf("component %d: %v along %v", k, s.PCA.Eigenvalues[k], s.PCA.Eigenvectors[k])
		}
	}
	if n := Subset(numbers(100), 10); n.Len() != 10 || n.Label(3) != 30%3 || n.Name(9) != "number 90" {
		t.Errorf("subset: %d pictures, the last %s", n.Len(), n.Name(9))
	}
}

type single struct{ p augment.Picture }

func (s single) Len() int                             { return 1 }
func (s single) Label(int) int                        { return 0 }
func (s single) Name(int) string                      { return "single" }
func (s single) Picture(int) (augment.Picture, error) { return s.p, nil }

// TestFlowers decodes real photographs where they are at hand.
func TestFlowers(t *testing.T) {
	folder := os.Getenv("VGG_DATA")
	if folder == "" {
		t.Skip("VGG_DATA is not set: it names the folder of flowers96.zip")
	}
	s, err := Open(filepath.Join(folder, "flowers96.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	m, err := Measure(s.Train, 3, 200)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Classes) != 5 || s.Train.Len() < 2000 || s.Val.Len() < 500 || m.Mean[0] < 80 || m.Mean[0] > 160 || m.PCA.Eigenvalues[2] < 3*m.PCA.Eigenvalues[1] {
		t.Errorf("classes %v, %d + %d pictures, %+v", s.Classes, s.Train.Len(), s.Val.Len(), m)
	}
}

// BenchmarkLoader makes batches of the embedded pictures.
func BenchmarkLoader(b *testing.B) {
	s, err := Open("")
	if err != nil {
		b.Fatal(err)
	}
	v := augment.View{Size: 32, Flip: true, Crop: true, Pad: 2, Mean: []float64{73}, Std: []float64{90}}
	l, err := NewLoader(s.Train, 1, LoaderOptions{Batch: 32, View: v, Training: true})
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

func ExampleLoader() {
	set, err := Open("embedded")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer set.Close()
	view := augment.View{Size: 32, Flip: true, Mean: []float64{73}, Std: []float64{90}}
	loader, err := NewLoader(set.Train, set.Channels, LoaderOptions{Batch: 32, View: view, Seed: 1, Training: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	pictures := 0
	for batch, err := range loader.Epoch(context.Background(), 1) {
		if err != nil {
			fmt.Println(err)
			return
		}
		pictures += batch.Pictures // batch.Pixels is (32, 1, 32, 32)
	}
	fmt.Println(loader.Len(), "batches,", pictures, "pictures")
	// Output: 312 batches, 9984 pictures
}
