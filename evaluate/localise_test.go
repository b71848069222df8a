package evaluate

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/boxes"
	"vgg/configs"
	"vgg/dataset"
	"vgg/dataset/annotations"
	"vgg/graph"
	"vgg/internal/mpi"
	"vgg/metrics"
	"vgg/weights"
)

// smallBoxes is a net like small that predicts boxes. If it has a bias, its last layer gives that for every input.
func smallBoxes(t testing.TB, r configs.Regression, classes int, bias ...float32) *Model {
	t.Helper()
	m := newTestModel(t, configs.A, graph.Options{Width: 1.0 / 16, FC: 16, Seed: 3, Boxes: r},
		weights.Info{Input: 32, Channels: 3, Classes: names(classes), Boxes: r, Scale: configs.Scale{Min: 64, Max: 64}})
	if bias != nil {
		constant(t, m, bias)
	}
	return m
}

// constant makes the outputs of a model's last layer the same for every input.
func constant(t testing.TB, m *Model, bias []float32) {
	t.Helper()
	for _, tensor := range m.net.Tensors() {
		switch tensor.Name {
		case "classifier.6.weight":
			clear(tensor.Data)
		case "classifier.6.bias":
			if copy(tensor.Data, bias) != len(tensor.Data) || len(bias) != len(tensor.Data) {
				t.Fatalf("%d outputs, want %d", len(tensor.Data), len(bias))
			}
		}
	}
}

// located is a split of noise with an object in each picture, and a second one of its class in picture 1.
type locatedNoise struct{ noise }

func (s locatedNoise) HasBox(int) bool { return true }

func (s locatedNoise) Orientation(int) (uint16, error) { return 1, nil }

func (s locatedNoise) Located(i int) (augment.Picture, []dataset.Instance, error) {
	p, err := s.Picture(i)
	objects := []dataset.Instance{{Box: boxes.Box{XMin: 0.2, YMin: 0.3, XMax: 0.8, YMax: 0.9}, Class: s.Label(i)}, {Box: boxes.Unit, Class: -1}}
	if i == 1 {
		objects = append(objects, dataset.Instance{Box: boxes.Box{XMin: 0, YMin: 0, XMax: 0.5, YMax: 0.5}, Class: s.Label(i)})
	}
	return p, objects, err
}

// damagedBoxes has a picture that cannot be read.
type damagedBoxes struct{ locatedNoise }

func (s damagedBoxes) Located(i int) (augment.Picture, []dataset.Instance, error) {
	if i == 2 {
		return augment.Picture{}, nil, errors.New("damaged")
	}
	return s.locatedNoise.Located(i)
}

func localise(t *testing.T, classifiers []*Model, localisers []Localiser, split dataset.Split, o BoxOptions) (all []Localisation) {
	t.Helper()
	if err := Localise(context.Background(), classifiers, localisers, split, o, func(l Localisation) error {
		all = append(all, l)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestWindows: where a box predicted in a window is in the picture, by hand.
func TestWindows(t *testing.T) {
	m := smallBoxes(t, configs.RegressPerClass, 3)
	size := augment.Picture{Width: 200, Height: 100, Channels: 3}
	// Resized to 192×96 pixels: 6×3 positions. The box of class 1 is the left upper quarter of its window of 32×32.
	at := augment.Crop{Scale: 96, Width: 192, Height: 96}
	values := make([]float32, 6*3*12)
	for i := range 6 * 3 {
		copy(values[12*i+4:], []float32{0.25, 0.25, 0.5, 0.5})
	}
	mirrored := at
	mirrored.Mirrored = true
	for _, c := range []struct {
		at   augment.Crop
		i    int
		want boxes.Box // in pixels of the resized picture
	}{
		{at, 0, boxes.Box{XMin: 0, YMin: 0, XMax: 16, YMax: 16}},
		{at, 6 + 2, boxes.Box{XMin: 64, YMin: 32, XMax: 80, YMax: 48}},
		{mirrored, 6 + 2, boxes.Box{XMin: 192 - 80, YMin: 32, XMax: 192 - 64, YMax: 48}},
		{augment.Crop{Scale: 96, Left: 80, Top: 32, Width: 32, Height: 32}, 0, boxes.Box{XMin: 80, YMin: 32, XMax: 96, YMax: 48}},
	} {
		got, err := outputMap{0, configs.Dense, c.at, 3, 6, values}.box(c.i, 1, m, size)
		if err != nil {
			t.Fatal(err)
		}
		if got = got.Scale(192, 96); distanceOf(got, c.want) > 1e-6 {
			t.Errorf("%+v, position %d: %v, want %v", c.at, c.i, got, c.want)
		}
	}
	values[12*2+4] = float32(math.NaN())
	if _, err := (outputMap{0, configs.Dense, at, 3, 6, values}).box(2, 1, m, size); err == nil || !strings.Contains(err.Error(), "net A predicts a box") {
		t.Errorf("a box of NaN: %v", err)
	}
	copy(values[4:], []float32{0.5, 0.5, -1, 0.5})
	if b, err := (outputMap{0, configs.Dense, at, 3, 6, values}).box(0, 1, m, size); err != nil || b.XMin > b.XMax {
		t.Errorf("a width below 0: %v, %v", b, err)
	}
}

func distanceOf(a, b boxes.Box) float64 {
	return max(math.Abs(a.XMin-b.XMin), math.Abs(a.YMin-b.YMin), math.Abs(a.XMax-b.XMax), math.Abs(a.YMax-b.YMax))
}

// TestLocaliseByHand: nets with constant outputs, on a square picture of twice the input's side: 4 positions, and 4
// mirrored.
func TestLocaliseByHand(t *testing.T) {
	classifier := small(t, 3, 1)
	constant(t, classifier, []float32{0, float32(math.Log(6)), float32(math.Log(3))}) // probabilities 0.1, 0.6, 0.3
	// Class 1 has the middle half of the window, class 2 all of it.
	localiser := smallBoxes(t, configs.RegressPerClass, 3, 0.5, 0.5, 0, 0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1, 1)
	split := squares{side: 64}
	all := localise(t, []*Model{classifier}, []Localiser{{localiser, []int{64}}}, split, BoxOptions{Classes: 2, Limit: 0.01})
	// The mirrored picture's boxes are those of the picture itself: each is merged of two windows.
	if len(all) != 1 || len(all[0].Guesses) != MostGuesses || all[0].Central != nil {
		t.Fatalf("%+v", all)
	}
	for i, want := range []Guess{
		{Class: 1, Probability: 0.6}, {Class: 2, Probability: 0.3}, {Class: 1, Probability: 0.6}, {Class: 1, Probability: 0.6}, {Class: 1, Probability: 0.6},
	} {
		g := all[0].Guesses[i]
		side := map[int]float64{1: 0.25, 2: 0.5}[g.Class]
		x, y, width, height := g.Centre()
		atGrid := func(v float64) bool { return math.Abs(v-0.25) < 1e-6 || math.Abs(v-0.75) < 1e-6 }
		if g.Class != want.Class || math.Abs(g.Probability-want.Probability) > 1e-6 || g.Windows != 2 || math.Abs(g.Score-2*want.Probability) > 1e-6 ||
			math.Abs(width-side) > 1e-6 || math.Abs(height-side) > 1e-6 || !atGrid(x) || !atGrid(y) {
			t.Errorf("guess %d: %+v, want %+v", i, g, want)
		}
	}
	// By the central crop: one box for each class, rated by the whole picture.
	all = localise(t, []*Model{classifier}, []Localiser{{localiser, nil}}, split, BoxOptions{Boxes: configs.Center})
	want := []float64{0.25, 0.5, 0}
	for i, class := range []int{1, 2, 0} {
		g := all[0].Guesses[i]
		x, y, width, _ := g.Centre()
		if g.Class != class || g.Windows != 1 || math.Abs(g.Score-g.Probability) > 1e-9 || math.Abs(x-0.5) > 1e-6 || math.Abs(y-0.5) > 1e-6 || math.Abs(width-want[i]) > 1e-6 {
			t.Errorf("guess %d by the central crop: %+v", i, g)
		}
	}
	// One box for all classes, by two nets at two scales: at 32, one window. All classes have the same boxes.
	single := smallBoxes(t, configs.RegressSingle, 3, 0.5, 0.5, 1, 1)
	all = localise(t, []*Model{classifier}, []Localiser{{single, []int{32, 64}}, {single.Share(), []int{32}}}, split, BoxOptions{Limit: 0.01})
	best := all[0].Guesses[0]
	if best.Class != 1 || best.Windows != 4 || distanceOf(best.Box, boxes.Unit) > 1e-6 || math.Abs(best.Score-4*0.6) > 1e-6 {
		t.Errorf("the whole picture, by two nets, also mirrored: %+v", best)
	}
}

// squares is a split of one square picture.
type squares struct{ side int }

func (s squares) Len() int        { return 1 }
func (s squares) Label(int) int   { return -1 }
func (s squares) Name(int) string { return "square" }
func (s squares) Picture(int) (augment.Picture, error) {
	return augment.Picture{Width: s.side, Height: s.side, Channels: 3, Pix: make([]uint8, 3*s.side*s.side)}, nil
}

// TestCentral: test 1's box is the last layer's output for the central crop at the net's own scale, in the picture,
// whatever the other crops are.
func TestCentral(t *testing.T) {
	split := locatedNoise{noise{6, 7}}
	for _, regression := range []configs.Regression{configs.RegressPerClass, configs.RegressSingle} {
		m := smallBoxes(t, regression, 7)
		for _, o := range []BoxOptions{{}, {Boxes: configs.MultiCrop}, {Boxes: configs.Center}} {
			for _, scales := range [][]int{nil, {32, 40}} {
				for i, l := range localise(t, nil, []Localiser{{m, scales}}, split, o) {
					p, err := split.Picture(i)
					if err != nil {
						t.Fatal(err)
					}
					r, err := m.runner(purpose{rows: 1, height: 32, width: 32, layer: "fc8"})
					if err != nil {
						t.Fatal(err)
					}
					at := p.Centre(64, 32, 32)
					c := &crop{values: make([]float32, 3*32*32)}
					if err := m.transform.Crop(c.values, p, at); err != nil {
						t.Fatal(err)
					}
					if err := r.run([]*crop{c}); err != nil {
						t.Fatal(err)
					}
					v := values(r.wanted)
					if regression == configs.RegressPerClass {
						v = v[4*split.Label(i):]
					}
					want := at.InPicture(p, boxes.FromCentre(float64(v[0]), float64(v[1]), max(0, float64(v[2])), max(0, float64(v[3]))))
					if l.Guesses != nil || l.Probabilities != nil || len(l.Central) != 1 || distanceOf(l.Central[0], want) > 1e-4 {
						t.Errorf("%s, %+v, picture %d: %v, want %v", regression, o, i, l.Central, want)
					}
					if l.Width != p.Width || l.Height != p.Height || len(l.Objects) < 2 {
						t.Errorf("picture %d: %+v", i, l)
					}
				}
			}
		}
	}
}

// TestLocaliseClasses: the classes and their probabilities are those of a test without boxes, by any protocol, at any
// scales.
func TestLocaliseClasses(t *testing.T) {
	classifiers := []*Model{small(t, 7, 1), small(t, 7, 2)}
	m := smallBoxes(t, configs.RegressPerClass, 7)
	split := locatedNoise{noise{5, 7}}
	for _, protocol := range protocols() {
		o := Options{Protocol: protocol, Scales: []int{40, 64}, Batch: 4}
		want, _ := collect(t, classifiers, split, o)
		got := localise(t, classifiers, []Localiser{{m, []int{64}}}, split, BoxOptions{Options: o})
		var predictions []Prediction
		for i, l := range got {
			predictions = append(predictions, l.Prediction)
			if l.Guesses[0].Class != want[i].Ranking()[0] {
				t.Errorf("%s, picture %d: the first guess is of class %d, want %d", protocol, i, l.Guesses[0].Class, want[i].Ranking()[0])
			}
		}
		equal(t, string(protocol), predictions, want, 1e-5)
	}
}

// TestNearest: windows of nets with other inputs rate each other by the nearest.
func TestNearest(t *testing.T) {
	large := newTestModel(t, configs.A, graph.Options{Width: 1.0 / 16, FC: 16, Seed: 3}, weights.Info{Input: 64, Channels: 3, Classes: names(3)})
	m := smallBoxes(t, configs.RegressSingle, 3)
	l := &localisation{classifiers: 1, engine: &engine{models: []*Model{large, m}}}
	size := augment.Picture{Width: 128, Height: 128, Channels: 3}
	at := augment.Crop{Width: 128, Height: 128}
	in := outputMap{model: 0, protocol: configs.Dense, at: at, rows: 3, columns: 3}
	of := outputMap{model: 1, protocol: configs.Dense, at: at, rows: 4, columns: 4}
	// Centres at 16, 48, 80, 112 are nearest to those at 32, 32 (as near as 64), 64 (as near as 96), 96.
	for i, want := range []int{0, 0, 1, 2} {
		got, distance := l.nearest(in, of, 4*i+i, size)
		if got != 4*want || math.Abs(distance-math.Sqrt2*[]float64{16, 16, 16, 16}[i]/128) > 1e-9 {
			t.Errorf("position (%d, %d): %d, %v away, want %d", i, i, got, distance, 4*want)
		}
	}
}

// TestCropWindows: with multi-crop, each crop is a window, whose box is the one that the net predicts for the crop alone,
// rated by the class scores of the same crop.
func TestCropWindows(t *testing.T) {
	split := locatedNoise{noise{3, 7}}
	classifier, m := small(t, 7, 1), smallBoxes(t, configs.RegressPerClass, 7)
	o := BoxOptions{Boxes: configs.MultiCrop}
	l, err := newLocalisation([]*Model{classifier}, []Localiser{{m, []int{40}}}, split, o)
	if err != nil {
		t.Fatal(err)
	}
	err = run(t.Context(), l.engine, func(p *picture) (*picture, error) { return p, nil }, func(p *picture) error {
		windows := l.windows(p)
		picture, err := split.Picture(p.Picture)
		if err != nil {
			return err
		}
		crops := cropping{protocol: configs.MultiCrop, scale: 40}.crops(picture, 32)
		if len(windows) != len(crops) {
			t.Errorf("picture %d: %d windows of %d crops", p.Picture, len(windows), len(crops))
		}
		for _, w := range windows {
			if !slices.Contains(crops, w.from.at) {
				t.Errorf("picture %d: a window at %+v", p.Picture, w.from.at)
			}
			for model, got := range map[*Model][]float64{m: nil, classifier: w.probabilities} {
				r, err := model.runner(purpose{rows: 1, height: 32, width: 32, layer: "fc8"})
				if err != nil {
					return err
				}
				c := &crop{values: make([]float32, 3*32*32)}
				if err := model.transform.Crop(c.values, picture, w.from.at); err != nil {
					return err
				}
				if err := r.run([]*crop{c}); err != nil {
					return err
				}
				want := values(r.wanted)
				if model == classifier {
					for i, v := range metrics.Softmax(want) {
						if math.Abs(v-got[i]) > 1e-5 {
							t.Fatalf("picture %d, %+v: class probabilities %v, want %v", p.Picture, w.from.at, got, metrics.Softmax(want))
						}
					}
					continue
				}
				for i, v := range want {
					if math.Abs(float64(v-w.from.values[i])) > 1e-4 {
						t.Fatalf("picture %d, %+v: boxes %v, want %v", p.Picture, w.from.at, w.from.values, want)
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestLocalisationResult: any instance counts, test 1 wants more than an IoU of 0.5 and test 2 no more than that.
func TestLocalisationResult(t *testing.T) {
	half := boxes.Box{XMax: 1, YMax: 0.5}
	guess := func(class int, b boxes.Box) Guess { return Guess{Merged: boxes.Merged{Box: b}, Class: class} }
	l := Localisation{
		Prediction: Prediction{Class: 2},
		Objects:    []dataset.Instance{{Box: boxes.Box{XMin: 0.9, XMax: 1, YMax: 1}, Class: 2}, {Box: boxes.Unit, Class: 2}, {Box: half, Class: 1}},
		Central:    []boxes.Box{half, boxes.Unit},
		Guesses:    []Guess{guess(1, half), guess(2, boxes.Box{XMax: 0.4, YMax: 1}), guess(2, half)},
	}
	if l.Rank() != 2 || l.Right(l.Guesses[0]) || l.CentralOverlap(0) != 0.5 || l.CentralOverlap(1) != 1 {
		t.Errorf("rank %d, overlaps %v and %v", l.Rank(), l.CentralOverlap(0), l.CentralOverlap(1))
	}
	var r LocalisationResult
	r.Add(l)
	l.Guesses = l.Guesses[:2]
	r.Add(l)
	l.Guesses = []Guess{guess(2, boxes.Unit)}
	r.Add(l)
	r.Add(l)
	if r.Top1Error() != 50 || r.Top5Error() != 25 || r.Central[0].Error() != 100 || r.Central[1].Error() != 0 || r.Central[0].MeanIoU() != 0.5 {
		t.Errorf("%+v: errors %v, %v, %v, %v", r, r.Top1Error(), r.Top5Error(), r.Central[0].Error(), r.Central[1].Error())
	}
	if low, high := r.Top5Interval(); !(low < 25 && high > 25) {
		t.Errorf("interval %v to %v", low, high)
	}
}

// TestEntries: a result file's entries are in pixels of the stored picture, and score as the guesses themselves.
func TestEntries(t *testing.T) {
	upright := boxes.Box{XMin: 0.25, YMin: 0.5, XMax: 0.75, YMax: 1}
	l := Localisation{Width: 40, Height: 20, Guesses: []Guess{{Class: 3, Merged: boxes.Merged{Box: upright}}}}
	for orientation, want := range map[uint16]boxes.Box{1: {XMin: 10, YMin: 10, XMax: 30, YMax: 20}, 3: {XMin: 10, YMin: 0, XMax: 30, YMax: 10}, 6: {XMin: 10, YMin: 10, XMax: 20, YMax: 30}} {
		entry := l.Entry(orientation)
		if len(entry) != 1 || entry[0].Class != 3 || distanceOf(entry[0].Box, want) > 1e-9 {
			t.Errorf("orientation %d: %v, want %v", orientation, entry, want)
		}
		width, height := StoredSize(l.Width, l.Height, orientation)
		if back := guessesOf(entry, width, height, orientation); back[0].Class != 3 || distanceOf(back[0].Box, upright) > 1e-9 {
			t.Errorf("orientation %d: back %v", orientation, back)
		}
	}
	split := locatedNoise{noise{4, 7}}
	var entries [][]annotations.Guess
	for i := range split.Len() {
		p, _ := split.Picture(i)
		right := boxes.Box{XMin: 0.2, YMin: 0.3, XMax: 0.8, YMax: 0.9}.Scale(float64(p.Width), float64(p.Height))
		entries = append(entries, [][]annotations.Guess{ // right, second right, box wrong, none
			{{Class: split.Label(i), Box: right}}, {{Class: -1, Box: right}, {Class: split.Label(i), Box: right}}, {{Class: split.Label(i)}}, nil}[i%4])
	}
	counted := 0
	r, err := ScoreEntries(context.Background(), split, entries, func() { counted++ })
	if err != nil || counted != 4 || r.Guessed != (metrics.Errors{Pictures: 4, Top1: 3, Top5: 2}) || r.Classes != (metrics.Errors{Pictures: 4, Top1: 2, Top5: 1}) {
		t.Errorf("%+v, %d counted, error %v", r, counted, err)
	}
	if _, err := ScoreEntries(context.Background(), split, entries[1:], func() {}); err == nil || !strings.Contains(err.Error(), "entries for 3 pictures, and the data have 4") {
		t.Errorf("error %v", err)
	}
}

// TestMeanBox: the largest of the class in each picture, by hand.
func TestMeanBox(t *testing.T) {
	want := boxes.Box{XMin: 0.2, YMin: 0.3, XMax: 0.8, YMax: 0.9}
	var skipped []string
	skip := func(name string, reason error) error {
		skipped = append(skipped, fmt.Sprintf("%s: %v", name, reason))
		return nil
	}
	for _, split := range []dataset.Boxed{locatedNoise{noise{4, 7}}, damagedBoxes{locatedNoise{noise{4, 7}}}} {
		got, err := MeanBox(split, skip)
		if err != nil || distanceOf(got, want) > 1e-12 {
			t.Errorf("%v, %v, want %v", got, err, want)
		}
	}
	if !slices.Equal(skipped, []string{"picture 2: damaged"}) {
		t.Errorf("skipped %q", skipped)
	}
	var skips *dataset.Skips // skips none
	if _, err := MeanBox(damagedBoxes{locatedNoise{noise{4, 7}}}, skips.Skip); !errors.Is(err, dataset.ErrBadPicture) {
		t.Errorf("error %v", err)
	}
}

// TestLocaliseErrors: what does not fit together is refused by name.
func TestLocaliseErrors(t *testing.T) {
	classifier, localiser := small(t, 3, 1), smallBoxes(t, configs.RegressPerClass, 3)
	other := smallBoxes(t, configs.RegressSingle, 4)
	for _, c := range []struct {
		name        string
		classifiers []*Model
		localisers  []Localiser
		o           BoxOptions
		want        string
	}{
		{"no localiser", []*Model{classifier}, nil, BoxOptions{}, "no nets that predict boxes"},
		{"a classifier as localiser", []*Model{classifier}, []Localiser{{classifier, nil}}, BoxOptions{}, "predicts no boxes"},
		{"a localiser as classifier", []*Model{localiser}, []Localiser{{localiser, nil}}, BoxOptions{}, "the net predicts boxes"},
		{"other classes", []*Model{classifier}, []Localiser{{other, nil}}, BoxOptions{}, "only the second knows class 3"},
		{"two localisers of other classes", nil, []Localiser{{localiser, nil}, {other, nil}}, BoxOptions{}, "only the second knows class 3"},
		{"small pictures", []*Model{classifier}, []Localiser{{localiser, []int{16}}}, BoxOptions{}, "Q = 16"},
		{"protocol", nil, []Localiser{{localiser, nil}}, BoxOptions{Boxes: configs.Both}, "both"},
		{"classes", nil, []Localiser{{localiser, nil}}, BoxOptions{Classes: 6}, "6 classes"},
		{"limit", nil, []Localiser{{localiser, nil}}, BoxOptions{Limit: 2}, "2"},
		{"features", nil, []Localiser{{localiser, nil}}, BoxOptions{Options: Options{Features: "fc7"}}, "features"},
	} {
		err := Localise(context.Background(), c.classifiers, c.localisers, noise{2, 3}, c.o, func(Localisation) error { return nil })
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	err := Predict(context.Background(), []*Model{localiser}, noise{2, 3}, Options{}, func(Prediction) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "the net predicts boxes") {
		t.Errorf("classes of a net that predicts boxes: %v", err)
	}
}

// TestRelabelBoxes: objects get the labels of their pictures.
func TestRelabelBoxes(t *testing.T) {
	b, ok := Relabel(locatedNoise{noise{3, 3}}, []int{5, 6, 7}).(dataset.Boxed)
	if !ok {
		t.Fatal("boxes are lost")
	}
	_, objects, err := b.Located(1)
	if err != nil || objects[0].Class != 6 || objects[1].Class != -1 || objects[2].Class != 6 || !b.HasBox(0) {
		t.Errorf("%+v, %v", objects, err)
	}
	if _, ok := Relabel(noise{3, 3}, []int{5, 6, 7}).(dataset.Boxed); ok {
		t.Error("a split without boxes has some")
	}
}

// TestLocaliseRanks: ranks that share the pictures all find what one process finds, with the same bits.
func TestLocaliseRanks(t *testing.T) {
	classifier, localiser := small(t, 7, 1), smallBoxes(t, configs.RegressPerClass, 7)
	split, o := locatedNoise{noise{9, 7}}, BoxOptions{Options: Options{Batch: 2}}
	want := localise(t, []*Model{classifier}, []Localiser{{localiser, nil}}, split, o)
	ranks(2, func(w *mpi.World) {
		o := o
		o.World = w
		got := localise(t, []*Model{classifier.Share()}, []Localiser{{localiser.Share(), nil}}, split, o)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("rank %d: %+v, want %+v", w.Rank(), got, want)
		}
	})
}
