package generalise

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"vgg/augment"
	"vgg/boxes"
	"vgg/configs"
	"vgg/dataset/transfer"
	"vgg/evaluate"
	"vgg/graph"
	"vgg/internal/kernel"
	"vgg/svm"
	"vgg/weights"
)

const fc = 12

var grid = []float64{0.1, 1, 10}

// model is a narrow net of random weights for 32×32 pixels.
func model(t *testing.T, seed uint64) *evaluate.Model {
	t.Helper()
	g := gorgonia.NewGraph()
	net, err := graph.Build(graph.NewInput(g, 1, 3, 32, 32), configs.A, graph.Options{Classes: 3, Width: 1.0 / 32, FC: fc, Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	info := weights.Info{Config: "A", Width: 1.0 / 32, FC: fc, Input: 32, Channels: 3, Classes: []string{"a", "b", "c"},
		Mean: []float64{127, 127, 127}, Std: []float64{50, 50, 50}, Scale: configs.Scale{Min: 32, Max: 32}}
	m, err := evaluate.NewModel(fmt.Sprintf("net %d", seed), &weights.File{Metadata: info.Metadata(), Tensors: net.Tensors()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func write(t *testing.T, file string, encode func(*os.File) error) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := encode(f); err != nil {
		t.Fatal(err)
	}
}

// noise is a picture of random pixels around a colour.
func noise(random *rand.Rand, width, height int, around color.RGBA) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = uint8(int(around.A) * random.IntN(60) / 255)
	}
	for y := range height {
		for x := range width {
			c := img.RGBAAt(x, y)
			img.SetRGBA(x, y, color.RGBA{c.R + around.R, c.G + around.G, c.B + around.B, 255})
		}
	}
	return img
}

// classes is a set of three classes of pictures of other colours, n of each.
func classes(t *testing.T, n int, o transfer.Options) *transfer.Set {
	t.Helper()
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(1, 2))
	for class, colour := range map[string]color.RGBA{"blue": {0, 0, 190, 255}, "green": {0, 190, 0, 255}, "red": {190, 0, 0, 255}} {
		for i := range n {
			img := noise(random, 8+i%2, 6, colour)
			write(t, filepath.Join(dir, class, fmt.Sprintf("%03d.png", i)), func(f *os.File) error { return png.Encode(f, img) })
		}
	}
	return opened(t, dir, o)
}

func opened(t *testing.T, dir string, o transfer.Options) *transfer.Set {
	t.Helper()
	set, err := transfer.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { set.Close() })
	return set
}

func pictures(t *testing.T, set *transfer.Set, r Regions) *Pictures {
	t.Helper()
	p, err := Read(context.Background(), set, r, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func features(t *testing.T, p *Pictures, o Options, nets ...Net) *Features {
	t.Helper()
	o.Layer = "fc7"
	f, err := p.Features(context.Background(), nets, o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// predicted is what evaluate gives of a picture.
func predicted(t *testing.T, m *evaluate.Model, p augment.Picture, scales ...int) []float64 {
	t.Helper()
	all, err := m.Predict(evaluate.Options{Protocol: configs.Dense, Features: "fc7", Scales: scales}, p)
	if err != nil {
		t.Fatal(err)
	}
	return all[0].Features
}

func near(a []float32, b []float64, times float64) bool {
	for i, v := range b {
		if math.Abs(float64(a[i])-times*v) > 1e-6 {
			return false
		}
	}
	return len(a) == len(b)
}

// Features at several scales are those of command predict if they are averaged, and its features at each scale if they
// are stacked; all parts of a row have one norm.
func TestFeatures(t *testing.T) {
	set := classes(t, 4, transfer.Options{Train: 2, Test: 1, Splits: 2})
	p := pictures(t, set, WholePicture)
	a, b := model(t, 1), model(t, 2)
	averaged := features(t, p, Options{Aggregate: Mean}, Net{a, []int{32, 48}})
	stacked := features(t, p, Options{Aggregate: Stack}, Net{a, []int{32, 48}}, Net{b, []int{40}})
	if averaged.D != fc || stacked.D != 3*fc || len(averaged.X) != len(averaged.Samples)*fc || stacked.Computed != 3*p.Len() {
		t.Fatalf("%d and %d features, %d computed", averaged.D, stacked.D, stacked.Computed)
	}
	for i, sample := range averaged.Samples {
		picture, err := set.Pictures.Picture(set.Samples[sample].Picture)
		if err != nil {
			t.Fatal(err)
		}
		if !near(averaged.Row(i), predicted(t, a, picture, 32, 48), 1) {
			t.Errorf("%s: averaged features differ", averaged.Name(i))
		}
		row, third := stacked.Row(i), 1/math.Sqrt(3)
		if !near(row[:fc], predicted(t, a, picture, 32), third) || !near(row[fc:2*fc], predicted(t, a, picture, 48), third) ||
			!near(row[2*fc:], predicted(t, b, picture, 40), third) {
			t.Errorf("%s: stacked features differ", stacked.Name(i))
		}
	}
}

// What a cache holds of the same pictures, weights and scale is not computed again; nothing else is used, and a file
// that is not whole is told and replaced.
func TestCache(t *testing.T) {
	set := classes(t, 30, transfer.Options{Train: 25, Test: 5, Splits: 1})
	p := pictures(t, set, WholePicture)
	if p.Len() != 90 {
		t.Fatalf("%d pictures", p.Len())
	}
	dir := t.TempDir()
	var notices []string
	o := Options{Aggregate: Mean, Cache: dir, Notice: func(m string) { notices = append(notices, m) }}
	a := Net{model(t, 1), []int{32}}
	fresh := features(t, p, Options{Aggregate: Mean}, a)
	compute := func(want int, of *Pictures, nets ...Net) {
		t.Helper()
		f := features(t, of, o, nets...)
		if f.Computed != want || f.Computed+f.Cached != len(nets)*len(nets[0].Scales)*of.Len() {
			t.Errorf("%d computed, %d from the cache: want %d computed", f.Computed, f.Cached, want)
		}
		if of == p && nets[0].Model == a.Model && len(nets) == 1 && len(nets[0].Scales) == 1 && !slices.Equal(f.X, fresh.X) {
			t.Error("features from the cache differ")
		}
	}
	compute(90, p, a)
	compute(0, p, a)
	compute(0, pictures(t, set, WholePicture), Net{a.Share(), a.Scales})
	compute(90, p, Net{a.Model, []int{32, 40}})
	compute(90, p, Net{model(t, 2), []int{32}})
	compute(90, p, a, Net{model(t, 3), []int{32}})
	compute(90, pictures(t, classes(t, 31, transfer.Options{Train: 25, Test: 5, Splits: 1}), WholePicture), a)
	if notices != nil {
		t.Errorf("notices %q", notices)
	}

	r := run{Pictures: p, net: a.Model, layer: "fc7", scale: 32}
	if basis, want := r.basis(), fmt.Sprintf("%s kernels\nconvolutions %q\n", kernel.ISA(), kernel.Algorithm()); !strings.Contains(basis, want) {
		t.Errorf("the key does not tell kernels and algorithms apart: %q", basis)
	}
	file := (&cache{dir: dir}).file(r.key(), blockItems)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := slices.Clone(data)
	changed[5] ^= 1
	for _, bad := range [][]byte{data[:len(data)-1], nil, append(slices.Clone(data), 0), changed} {
		if err := os.WriteFile(file, bad, 0o666); err != nil {
			t.Fatal(err)
		}
		notices = nil
		compute(90-blockItems, p, a)
		if len(notices) != 1 || !strings.Contains(notices[0], file) {
			t.Errorf("%d bytes: notices %q", len(bad), notices)
		}
		compute(0, p, a)
	}
	// One changed pixel, in a picture of the same name and size.
	first := filepath.Join(set.Name, set.Samples[p.samples[0]].ID)
	f, err := os.Open(first)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(f)
	f.Close()
	if err != nil {
		t.Fatal(err)
	}
	img := picture.(*image.RGBA)
	img.Pix[0] ^= 1
	write(t, first, func(f *os.File) error { return png.Encode(f, img) })
	again := pictures(t, opened(t, set.Name, transfer.Options{Train: 25, Test: 5, Splits: 1}), WholePicture)
	compute(90, again, a)
	o.Layer = "fc6"
	other, err := again.Features(context.Background(), []Net{a}, o)
	if err != nil || other.Cached > 0 {
		t.Errorf("another layer: error %v, or features from the cache", err)
	}
}

// stopper ends a context after some steps.
type stopper struct {
	cancel func()
	after  int
}

func (s *stopper) Restart(int) {}
func (s *stopper) Set(step int, _ string) {
	if step == s.after {
		s.cancel()
	}
}

// An interrupted run keeps the blocks that it has computed.
func TestResume(t *testing.T) {
	set := classes(t, 30, transfer.Options{Train: 25, Test: 5, Splits: 1})
	p := pictures(t, set, WholePicture)
	ctx, cancel := context.WithCancel(context.Background())
	p.progress = &stopper{cancel, blockItems + 1}
	o := Options{Layer: "fc7", Aggregate: Mean, Cache: t.TempDir()}
	nets := []Net{{model(t, 1), []int{32}}}
	if _, err := p.Features(ctx, nets, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	p.progress = noProgress{}
	f := features(t, p, o, nets...)
	if f.Cached != blockItems || !slices.Equal(f.X, features(t, p, Options{Aggregate: Mean}, nets...).X) {
		t.Errorf("%d from the cache", f.Cached)
	}
}

// A box is cut out with all pixels that it touches.
func TestCut(t *testing.T) {
	p := augment.Picture{Width: 4, Height: 3, Channels: 1, Pix: []uint8{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}}
	for _, c := range []struct {
		box           boxes.Box
		width, height int
		pix           []uint8
	}{
		{boxes.Unit, 4, 3, p.Pix},
		{boxes.Box{XMin: 0.25, YMin: 1.0 / 3, XMax: 0.75, YMax: 1}, 2, 2, []uint8{5, 6, 9, 10}},
		{boxes.Box{XMin: 0.3, YMin: 0.4, XMax: 0.31, YMax: 0.41}, 1, 1, []uint8{5}},
		{boxes.Box{XMin: 0.99, YMin: 0.99, XMax: 1, YMax: 1}, 1, 1, []uint8{11}},
		{boxes.Box{XMin: 1 - 1e-9, YMin: 0, XMax: 1, YMax: 1e-9}, 1, 1, []uint8{3}},
	} {
		got := cut(p, c.box)
		if got.Width != c.width || got.Height != c.height || !slices.Equal(got.Pix, c.pix) {
			t.Errorf("%v: %+v", c.box, got)
		}
	}
}

// actions is a set of VOC-2012 with a box in each picture, the left half of it, and a second one, all of it, in train.
func actions(t *testing.T) *transfer.Set {
	dir := filepath.Join(t.TempDir(), "VOC2012")
	random := rand.New(rand.NewPCG(3, 4))
	text := func(name, content string) {
		write(t, filepath.Join(dir, name), func(f *os.File) error { _, err := f.WriteString(content); return err })
	}
	object := "<object><name>person</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>%d</xmax><ymax>6</ymax></bndbox></object>"
	for _, id := range []string{"1", "2", "3"} {
		img := noise(random, 8, 6, color.RGBA{90, 90, 90, 255})
		write(t, filepath.Join(dir, "JPEGImages", id+".jpg"), func(f *os.File) error { return jpeg.Encode(f, img, nil) })
		text("Annotations/"+id+".xml", "<annotation><size><width>8</width><height>6</height><depth>3</depth></size>"+
			fmt.Sprintf(object, 4)+fmt.Sprintf(object, 8)+"</annotation>")
	}
	for name, content := range map[string]string{
		"train": "1\n", "val": "2\n", "test": "3 1\n",
		"running_train": "1 1 1\n1 2 -1\n", "reading_train": "1 1 -1\n1 2 1\n", "running_val": "2 1 1\n2 2 -1\n", "reading_val": "2 1 -1\n2 2 1\n",
	} {
		text("ImageSets/Action/"+name+".txt", content)
	}
	return opened(t, dir, transfer.Options{Task: transfer.Action})
}

// Of an action, the features of the box are stacked on those of the picture, which are computed once a picture.
func TestPictureAndBox(t *testing.T) {
	set := actions(t)
	p := pictures(t, set, PictureAndBox)
	if len(p.samples) != 5 || p.Len() != 3+5 {
		t.Fatalf("%d samples, %d pictures and boxes", len(p.samples), p.Len())
	}
	m := model(t, 1)
	f := features(t, p, Options{Aggregate: Mean}, Net{m, []int{32}})
	for i, sample := range f.Samples {
		picture, box, err := set.Located(sample)
		if err != nil {
			t.Fatal(err)
		}
		want := map[int]int{1: 4, 2: 8}[set.Samples[sample].Object]
		part := cut(picture, box)
		half := 1 / math.Sqrt(2)
		if part.Width != want || !near(f.Row(i)[:fc], predicted(t, m, picture, 32), half) || !near(f.Row(i)[fc:], predicted(t, m, part, 32), half) {
			t.Errorf("%s: a box of %d pixels, features %v", f.Name(i), part.Width, f.Row(i))
		}
	}
	if _, err := Read(context.Background(), classes(t, 3, transfer.Options{Train: 2, Test: 1}), PictureAndBox, nil); err == nil || !strings.Contains(err.Error(), "no boxes") {
		t.Errorf("a set without boxes: error %v", err)
	}
	// The labels of the test sample are on a server: its score is there, and no value.
	r, err := Classify(context.Background(), f, grid, svm.Options{Bias: 1})
	if err != nil || !math.IsNaN(r.Mean) || len(r.Splits) != 1 || len(r.Splits[0].Scores) != 2 || r.Each != nil {
		t.Errorf("%+v, error %v", r, err)
	}
}

// Pixels tell classes of other colours, and a net of random weights is another net of the same shape.
func TestBaselines(t *testing.T) {
	set := classes(t, 12, transfer.Options{Train: 8, Test: 4, Splits: 2})
	p := pictures(t, set, WholePicture)
	m := model(t, 1)
	f, err := p.Pixels(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Classify(context.Background(), f, grid, svm.Options{Bias: 1})
	if err != nil || r.Mean != 100 || r.Deviation != 0 || f.D != PixelsSide*PixelsSide*3 || !slices.Equal(r.Each, []float64{100, 100, 100}) {
		t.Errorf("%+v, error %v", r, err)
	}
	var sums []string
	for _, seed := range []uint64{1, 1, 2} {
		random, err := RandomWeights(m, seed+100)
		if err != nil {
			t.Fatal(err)
		}
		defer random.Close()
		sums = append(sums, random.Checksum())
	}
	if sums[0] != sums[1] || sums[0] == sums[2] || sums[0] == m.Checksum() {
		t.Errorf("checksums %v of random weights, %s of the net", sums, m.Checksum())
	}
}

// steps are what a Progress has been told.
type steps struct {
	total int
	set   []int
	what  string
}

func (s *steps) Restart(total int) { *s = steps{total: total} }
func (s *steps) Set(step int, what string) {
	s.set, s.what = append(s.set, step), what
}

// A C that does not converge is left out in the splits where it does not; the progress goes through all classes of all
// values of C, and an interruption ends the trainings.
func TestLeftOut(t *testing.T) {
	set := classes(t, 30, transfer.Options{Train: 25, Test: 5, Splits: 2})
	p := pictures(t, set, WholePicture)
	f := features(t, p, Options{Aggregate: Mean}, Net{model(t, 1), []int{32}})
	random := rand.New(rand.NewPCG(1, 1))
	for i := range f.X { // that tell nothing
		f.X[i] = random.Float32()
	}
	s := &steps{}
	f.progress = s
	o := svm.Options{Bias: 1, MaxPasses: 40}
	r, err := Classify(context.Background(), f, []float64{0.01, 0.1, 1e6}, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, tried := range r.Splits {
		if c := tried.Choice; c.C > 0.1 || c.LeftOut[0] != nil || c.LeftOut[2] == nil || tried.Validation != c.Values[c.Best] || tried.Gap > 1e-4 {
			t.Errorf("%+v", tried)
		}
	}
	if lines := r.LeftOut(); len(lines) != 1 || !strings.Contains(lines[0], "C = 1e+06 is left out in split 1, 2: after 40 passes") || !strings.HasSuffix(lines[0], ", above 0.0001") {
		t.Errorf("%q", lines)
	}
	if s.total != 2*3*4 || !slices.IsSorted(s.set) || s.set[0] != 0 || s.set[len(s.set)-1] != s.total || !strings.HasPrefix(s.what, "SVM, split 2, C = ") {
		t.Errorf("%+v", s)
	}
	if _, err := Classify(context.Background(), f, []float64{1e6}, o); !errors.As(err, new(*svm.NotConvergedError)) || !strings.Contains(err.Error(), "split 1: C = 1e+06: after 40 passes") {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	f.progress = &stopper{cancel, 3}
	if _, err := Classify(ctx, f, grid, o); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// With a C that converges without the validation samples but not with them, the next best is taken.
func TestTrainBest(t *testing.T) {
	var x []float32
	targets := svm.Targets{K: 2}
	random := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		x = append(x, random.Float32(), random.Float32(), random.Float32())
		y := int8(2*random.IntN(2) - 1)
		targets.Y = append(targets.Y, y, -y)
	}
	rows, err := svm.NewRows(x, 20, 3)
	if err != nil {
		t.Fatal(err)
	}
	choice := svm.Choice{C: 1e6, Best: 1, Grid: []float64{0.01, 1e6}, Values: []float64{1, 2}, LeftOut: make([]*svm.NotConvergedError, 2)}
	o := svm.Options{Bias: 1, MaxPasses: 3}
	if m, err := trainBest(rows, targets, &choice, o); err != nil || choice.C != 0.01 || choice.LeftOut[1] == nil || !m.Certificates[0].Converged {
		t.Errorf("%+v, error %v", choice, err)
	}
	choice.C, choice.Best, choice.LeftOut[0] = 1e6, 1, choice.LeftOut[1]
	if _, err := trainBest(rows, targets, &choice, o); err == nil || !strings.Contains(err.Error(), "C = 1e+06: after 3 passes") {
		t.Errorf("error %v", err)
	}
}

// Errors name what is wrong.
func TestErrors(t *testing.T) {
	set := classes(t, 3, transfer.Options{Train: 2, Test: 1, Splits: 1})
	p := pictures(t, set, WholePicture)
	m := model(t, 1)
	f := features(t, p, Options{Aggregate: Stack}, Net{m, []int{32}})
	f.X[2*f.D] = float32(math.NaN())
	_, err := Classify(context.Background(), f, grid, svm.Options{})
	if err == nil || !strings.Contains(err.Error(), "features of "+f.Name(2)) {
		t.Errorf("NaN: error %v", err)
	}
	occupied := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(occupied, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	unused := filepath.Join(t.TempDir(), "cache")
	for _, c := range []struct {
		want string
		nets []Net
		o    Options
	}{
		{"no nets", nil, Options{Layer: "fc7", Aggregate: Stack}},
		{"aggregation", []Net{{m, []int{32}}}, Options{Layer: "fc7"}},
		{"no scales", []Net{{m, nil}}, Options{Layer: "fc7", Aggregate: Stack}},
		{"conv1_1, pool1, ", []Net{{m, []int{32}}}, Options{Layer: "fc9", Aggregate: Stack}},
		{"Q = 16", []Net{{m, []int{16}}}, Options{Layer: "fc7", Aggregate: Stack}},
		{"Q = 16", []Net{{m, []int{32}}, {m, []int{32, 16}}}, Options{Layer: "fc7", Aggregate: Stack, Cache: unused}},
		{"another folder", []Net{{m, []int{32}}}, Options{Layer: "fc7", Aggregate: Stack, Cache: occupied}},
	} {
		if _, err := p.Features(context.Background(), c.nets, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v", c.want, err)
		}
	}
	if _, err := os.Stat(unused); !os.IsNotExist(err) {
		t.Errorf("one scale was computed before the other was refused: %v", err)
	}
	broken := filepath.Join(set.Name, "red", "000.png")
	if err := os.WriteFile(broken, []byte("no picture"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(context.Background(), set, WholePicture, nil); err == nil || !strings.Contains(err.Error(), "000.png") {
		t.Errorf("a broken picture: error %v", err)
	}
}
