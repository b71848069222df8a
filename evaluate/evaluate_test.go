package evaluate

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"vgg/augment"
	"vgg/configs"
	"vgg/graph"
	"vgg/weights"
)

// newTestModel is a net that no training has seen. What info leaves open is that of the net.
func newTestModel(t testing.TB, config configs.Config, o graph.Options, info weights.Info) *Model {
	t.Helper()
	o.Classes = len(info.Classes)
	g := gorgonia.NewGraph()
	x := graph.NewInput(g, 1, info.Channels, info.Input, info.Input)
	net, err := graph.Build(x, config, o)
	if err != nil {
		t.Fatal(err)
	}
	info.Config, info.Layers, info.Width, info.FC = config.Name, weights.LayersOf(config), net.Options.Width, net.Options.FC
	for range info.Channels {
		info.Mean, info.Std = append(info.Mean, 120), append(info.Std, 60)
	}
	m, err := NewModel("net "+config.Name, &weights.File{Metadata: info.Metadata(), Tensors: net.Tensors()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func names(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("class %d", i))
	}
	return all
}

// small is a narrow net A for pictures of 32×32, at S = 40.
func small(t testing.TB, classes int, seed uint64) *Model {
	return newTestModel(t, configs.A, graph.Options{Width: 1.0 / 16, FC: 16, Seed: seed},
		weights.Info{Input: 32, Channels: 3, Classes: names(classes), Scale: configs.Scale{Min: 40, Max: 40}})
}

// overflowing is a net whose weights are finite, and too large.
func overflowing(t testing.TB) *Model {
	m := small(t, 7, 1)
	for _, p := range m.net.Parameters() {
		for i := range p.Node.Value().Data().([]float32) {
			p.Node.Value().Data().([]float32)[i] *= 1e8
		}
	}
	return m
}

// noise is a split of pictures of all shapes.
type noise struct{ pictures, classes int }

func (s noise) Len() int          { return s.pictures }
func (s noise) Label(i int) int   { return i % s.classes }
func (s noise) Name(i int) string { return fmt.Sprintf("picture %d", i) }

func (s noise) Picture(i int) (augment.Picture, error) {
	r := rand.New(rand.NewPCG(uint64(i), 1))
	p := augment.Picture{Width: 40 + r.IntN(60), Height: 40 + r.IntN(60), Channels: 3}
	p.Pix = make([]uint8, 3*p.Width*p.Height)
	for k := range p.Pix {
		p.Pix[k] = uint8(r.IntN(256))
	}
	return p, nil
}

// count is the number of pictures to test.
func count() int {
	if testing.Short() {
		return 3
	}
	return 7
}

// test collects the predictions of a run.
func test(t *testing.T, models []*Model, o Options) []Prediction {
	t.Helper()
	var all []Prediction
	_, err := Run(context.Background(), models, noise{count(), 7}, o, func(p Prediction) error {
		all = append(all, p)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func equal(t *testing.T, what string, a, b []Prediction, tolerance float64) {
	t.Helper()
	if len(a) != len(b) || len(a) == 0 {
		t.Fatalf("%s: %d and %d predictions", what, len(a), len(b))
	}
	for i := range a {
		for c, p := range a[i].Probabilities {
			if d := math.Abs(p - b[i].Probabilities[c]); d > tolerance || math.IsNaN(d) {
				t.Fatalf("%s: picture %d, class %d: %v and %v", what, i, c, p, b[i].Probabilities[c])
			}
		}
	}
}

// TestGrid: where the crops of a grid lie, for several sizes.
func TestGrid(t *testing.T) {
	for _, c := range []struct {
		side, input int
		want        []int
	}{
		{256, 224, []int{0, 8, 16, 24, 32}},
		{384, 224, []int{0, 40, 80, 120, 160}},
		{512, 224, []int{0, 72, 144, 216, 288}},
		{341, 224, []int{0, 29, 59, 88, 117}},
		{224, 224, []int{0}},
		{33, 32, []int{0, 0, 1, 1, 1}},
	} {
		if got := positions(c.side, c.input); !slices.Equal(got, c.want) {
			t.Errorf("crops of %d in %d begin at %v, want %v", c.input, c.side, got, c.want)
		}
	}
	way := cropping{protocol: configs.MultiCrop, scale: 64}
	crops := way.crops(augment.Picture{Width: 200, Height: 100, Channels: 3}, 32)
	if len(crops) != 50 {
		t.Errorf("%d crops, want 50", len(crops))
	}
	if last := crops[49]; last != (augment.Crop{Scale: 64, Left: 96, Top: 32, Width: 32, Height: 32, Mirrored: true}) {
		t.Errorf("the last crop is %+v", last)
	}
	for _, c := range []struct {
		width, height, scale int
		want                 augment.Crop
	}{
		{255, 101, 64, augment.Crop{Scale: 64, Width: 162, Height: 64}},
		{33, 57, 0, augment.Crop{Width: 33, Height: 57}},
		{30, 57, 0, augment.Crop{Left: -1, Width: 32, Height: 57}},
		{7, 5, 0, augment.Crop{Left: -12, Top: -13, Width: 32, Height: 32}},
	} {
		crops = cropping{protocol: configs.Dense, scale: c.scale}.crops(augment.Picture{Width: c.width, Height: c.height, Channels: 3}, 32)
		if len(crops) != 2 || crops[0] != c.want || !crops[1].Mirrored {
			t.Errorf("of %d×%d pixels at Q = %d the dense net sees %+v, want %+v and its mirrored one", c.width, c.height, c.scale, crops, c.want)
		}
	}
}

// TestProtocols: what is averaged in one run is the mean of separate runs: both protocols, several scales, several
// nets.
func TestProtocols(t *testing.T) {
	m, other := small(t, 7, 1), small(t, 7, 2)
	one := []*Model{m}
	average := func(tests ...[]Prediction) []Prediction {
		mean, err := Average(tests...)
		if err != nil {
			t.Fatal(err)
		}
		return mean
	}
	dense := test(t, one, Options{Protocol: configs.Dense})
	crops := test(t, one, Options{Protocol: configs.MultiCrop})
	both := test(t, one, Options{Protocol: configs.Both})
	equal(t, "both", both, average(dense, crops), 1e-6) // dense alone is too little to prepare filters for, which rounds otherwise
	equal(t, "crops in other batches", crops, test(t, one, Options{Protocol: configs.MultiCrop, Batch: 7}), 1e-5)
	larger := test(t, one, Options{Protocol: configs.Dense, Scales: []int{72}})
	equal(t, "two scales", test(t, one, Options{Protocol: configs.Dense, Scales: []int{40, 72}}), average(dense, larger), 1e-12)
	equal(t, "a net with itself", test(t, []*Model{m, m}, Options{Protocol: configs.Dense}), dense, 1e-12)
	equal(t, "two nets", test(t, []*Model{m, other}, Options{Protocol: configs.Both}), average(both, test(t, []*Model{other}, Options{Protocol: configs.Both})), 1e-12)

	// The protocols differ: at the size of the input they differ only by the mirrored crop.
	equal(t, "no scale given", test(t, one, Options{Scales: []int{}}), test(t, one, Options{}), 0)
	exact := Options{Scales: []int{32}}
	for _, p := range []Prediction{dense[0], crops[0], larger[0]} {
		sum := 0.0
		for c := range p.Probabilities {
			sum += p.Probabilities[c]
		}
		if math.Abs(sum-1) > 1e-6 {
			t.Errorf("probabilities add up to %v", sum)
		}
	}
	if slices.Equal(dense[0].Probabilities, crops[0].Probabilities) || slices.Equal(dense[0].Probabilities, test(t, one, exact)[0].Probabilities) {
		t.Error("dense, multi-crop and center are the same")
	}
}

// TestUnresized: only a single crop at scale 0 may leave most of a picture out.
func TestUnresized(t *testing.T) {
	m := small(t, 7, 1)
	for _, c := range []struct {
		o    Options
		want bool
	}{
		{Options{Scales: []int{0}}, true},
		{Options{Scales: []int{32}}, false},
		{Options{Scales: []int{0}, Protocol: configs.Dense}, false},
		{Options{Scales: []int{0}, Protocol: configs.MultiCrop}, false},
	} {
		if got := c.o.Unresized(m); got != c.want {
			t.Errorf("%+v: %v", c.o, got)
		}
	}
}

// TestSquare: of a picture of exactly the net's input size, all protocols but center take the same crops: the picture
// and its mirrored one.
func TestSquare(t *testing.T) {
	m := small(t, 7, 1)
	var results [][]float64
	for _, p := range []configs.Protocol{configs.Dense, configs.MultiCrop, configs.Both} {
		if _, err := Run(context.Background(), []*Model{m}, square{}, Options{Protocol: p, Scales: []int{32}}, func(p Prediction) error {
			results = append(results, p.Probabilities)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range results[1:] {
		for c := range r {
			if math.Abs(r[c]-results[0][c]) > 1e-4 {
				t.Fatalf("%v and %v", results[0], r)
			}
		}
	}
}

// square is one picture of 32×32.
type square struct{ noise }

func (square) Len() int        { return 1 }
func (square) Label(i int) int { return 3 }

func (square) Picture(int) (augment.Picture, error) {
	p := augment.Picture{Width: 32, Height: 32, Channels: 3, Pix: make([]uint8, 3*32*32)}
	for i := range p.Pix {
		p.Pix[i] = uint8(i * i)
	}
	return p, nil
}

// TestScore counts errors worked out by hand.
func TestScore(t *testing.T) {
	p := func(class int, probabilities ...float64) Prediction {
		return Prediction{Class: class, Probabilities: probabilities}
	}
	r := Score(names(6), []Prediction{
		p(0, .5, .1, .1, .1, .1, .1),      // right
		p(1, .4, .3, .1, .1, .05, .05),    // second
		p(5, .4, .3, .1, .1, .05, .05),    // sixth: the first of equals goes before
		p(4, .4, .3, .1, .1, .05, .05),    // fifth
		p(2, .2, .2, .4, .1, .05, .05),    // right
		p(2, .1, .1, .1, .1, .1, .5),      // fourth
		p(0, .1, .18, .18, .18, .18, .18), // sixth
		p(1, .1, .9, 0, 0, 0, 0),          // right
	})
	if r.Pictures() != 8 || r.Top1Error() != 62.5 || r.Top5Error() != 25 {
		t.Errorf("%d pictures, errors %v and %v", r.Pictures(), r.Top1Error(), r.Top5Error())
	}
	want := [][]int{{1, 1, 0, 0, 0, 0}, {1, 1, 0, 0, 0, 0}, {0, 0, 1, 0, 0, 1}, make([]int, 6), {1, 0, 0, 0, 0, 0}, {1, 0, 0, 0, 0, 0}}
	for i := range want {
		if !slices.Equal(r.Confusion[i], want[i]) {
			t.Errorf("class %d was predicted as %v, want %v", i, r.Confusion[i], want[i])
		}
	}
	if r.ClassError(0) != 50 || r.ClassError(4) != 100 || !math.IsNaN(r.ClassError(3)) {
		t.Errorf("class errors %v, %v, %v", r.ClassError(0), r.ClassError(4), r.ClassError(3))
	}
	// The textbook's example of Wilson's interval: 5 of 8 lie between 30.6 and 86.3 %.
	if low, high := r.Top1Interval(); math.Abs(low-30.57) > 0.01 || math.Abs(high-86.32) > 0.01 {
		t.Errorf("interval %v to %v", low, high)
	}
	if five := Score(names(5), []Prediction{p(0, 1, 0, 0, 0, 0)}); !math.IsNaN(five.Top5Error()) {
		t.Errorf("a top-5 error of five classes: %v", five.Top5Error())
	}
	mean, err := Average([]Prediction{p(0, .25, .75)}, []Prediction{p(0, .75, .25)}, []Prediction{p(0, .5, .5)})
	if err != nil || !slices.Equal(mean[0].Probabilities, []float64{.5, .5}) {
		t.Errorf("the mean is %v (%v)", mean, err)
	}
}

// TestDifference lists what two nets do not know both.
func TestDifference(t *testing.T) {
	for _, c := range []struct {
		a, b []string
		want string
	}{
		{[]string{"cat", "dog", "owl"}, []string{"cow", "dog"}, "only the first knows cat, owl; only the second knows cow"},
		{[]string{"cat"}, []string{"cat", "dog"}, "only the second knows dog"},
		{[]string{"cat", "dog", "owl"}, []string{"cat", "owl", "dog"}, "in another order, from class 1 (dog) on"},
		{[]string{"cat"}, []string{"cat", "cat"}, "1 of them and 2"},
		{names(13), []string{"class 0"}, "only the first knows class 1, class 2, class 3, class 4, class 5, class 6, class 7, class 8, class 9, class 10 and 2 more"},
	} {
		if got := difference(c.a, c.b); got != c.want {
			t.Errorf("%v and %v: %q, want %q", c.a, c.b, got, c.want)
		}
	}
}

// TestErrors: what cannot be tested is refused by what is wrong.
func TestErrors(t *testing.T) {
	m := small(t, 7, 1)
	grey := newTestModel(t, configs.A, graph.Options{Width: 1.0 / 16, FC: 16}, weights.Info{Input: 32, Channels: 1, Classes: names(7)})
	for _, c := range []struct {
		name    string
		models  []*Model
		split   noise
		options Options
		want    []string
	}{
		{"no net", nil, noise{3, 3}, Options{}, []string{"no nets"}},
		{"no pictures", []*Model{m}, noise{0, 1}, Options{}, []string{"no pictures"}},
		{"protocol", []*Model{m}, noise{3, 3}, Options{Protocol: "ten-crop"}, []string{"ten-crop", "multi-crop"}},
		{"batch", []*Model{m}, noise{3, 3}, Options{Batch: -1}, []string{"-1"}},
		{"scale", []*Model{m}, noise{3, 3}, Options{Scales: []int{40, 31}}, []string{"Q = 31", "32×32", "net A"}},
		{"huge scale", []*Model{m}, noise{3, 3}, Options{Scales: []int{1 << 40}}, []string{"Q = 1099511627776", "at most 1073741824"}},
		{"not finite", []*Model{overflowing(t)}, noise{3, 3}, Options{}, []string{"net A, shown picture 0: class scores that are not finite"}},
		{"labels", []*Model{m}, noise{9, 9}, Options{}, []string{"picture 7", "7 classes"}},
		{"classes", []*Model{m, small(t, 6, 1)}, noise{3, 3}, Options{}, []string{"cannot be fused", "class 6"}},
		{"channels", []*Model{m, grey}, noise{3, 3}, Options{}, []string{"3 channels", "1"}},
		{"pictures' channels", []*Model{grey}, noise{3, 3}, Options{}, []string{"picture 0", "3 channels"}},
	} {
		_, err := Run(context.Background(), c.models, c.split, c.options, nil)
		if err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v does not say %q", c.name, err, want)
			}
		}
	}
	if _, err := NewModel("bare.safetensors", &weights.File{}); err == nil || !strings.Contains(err.Error(), "no features.0.weight") {
		t.Errorf("a file without tensors: %v", err)
	}
	if _, err := Average(); err == nil {
		t.Error("an average of nothing")
	}
	if _, err := Average([]Prediction{{Picture: 1}}, []Prediction{{Picture: 2}}); err == nil {
		t.Error("an average over other pictures")
	}
	if _, err := Average([]Prediction{{}}, nil); err == nil {
		t.Error("an average of different numbers of pictures")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, []*Model{m}, noise{3, 3}, Options{}, nil); err == nil {
		t.Error("a cancelled run ends well")
	}
}
