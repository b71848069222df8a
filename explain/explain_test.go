package explain

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"vgg/augment"
	"vgg/boxes"
	"vgg/configs"
	"vgg/evaluate"
	"vgg/graph"
	"vgg/weights"
)

const side = 32

// model is a narrow net A of three classes, whose weights change may alter.
func model(t *testing.T, change func(tensors []weights.Tensor)) *evaluate.Model {
	t.Helper()
	g := gorgonia.NewGraph()
	net, err := graph.Build(graph.NewInput(g, 1, 3, side, side), configs.A, graph.Options{Classes: 3, Width: 1.0 / 8, FC: 16, Seed: 1, Init: configs.InitHe})
	if err != nil {
		t.Fatal(err)
	}
	tensors := net.Tensors()
	if change != nil {
		change(tensors)
	}
	info := weights.Info{Config: "A", Width: 1.0 / 8, FC: 16, Input: side, Channels: 3, Classes: []string{"a", "b", "c"},
		Mean: []float64{120, 110, 100}, Std: []float64{50, 60, 70}, Scale: configs.Scale{Min: side, Max: side}}
	m, err := evaluate.NewModel("net", &weights.File{Metadata: info.Metadata(), Tensors: tensors})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func explainer(t *testing.T, m *evaluate.Model, o Options) *Explainer {
	t.Helper()
	e, err := New(m, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

func view(t *testing.T, e *Explainer, p augment.Picture) *View {
	t.Helper()
	v, err := e.View(p)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func mapOf(t *testing.T, v *View, method Method, class int) Map {
	t.Helper()
	maps, err := v.Maps(context.Background(), method, []int{class}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return maps[0]
}

// noise is a picture of random pixels.
func noise(width, height int, seed uint64) augment.Picture {
	r := rand.New(rand.NewPCG(seed, 0))
	p := augment.Picture{Width: width, Height: height, Channels: 3, Pix: make([]uint8, 3*width*height)}
	for i := range p.Pix {
		p.Pix[i] = uint8(20 + r.IntN(200))
	}
	return p
}

// TestSaliency: the score changes by the map's value where the pixel with the largest gradient changes by a level, in
// the channel that changes it most.
func TestSaliency(t *testing.T) {
	e := explainer(t, model(t, nil), Options{})
	p := noise(side, side, 1)
	for class := range 2 {
		v := view(t, e, p)
		m := mapOf(t, v, Saliency, class)
		if m.Width != side || m.Height != side || m.Cell != 1 {
			t.Fatalf("%d×%d values of %g pixels", m.Width, m.Height, m.Cell)
		}
		x, y, ok := m.Peak()
		at := int(y)*side + int(x)
		most := 0.0
		for c := range 3 {
			changed := p
			changed.Pix = slices.Clone(p.Pix)
			changed.Pix[3*at+c]++
			up := view(t, e, changed).Logits[class]
			changed.Pix[3*at+c] -= 2
			down := view(t, e, changed).Logits[class]
			most = max(most, math.Abs(float64(up-down))/2)
		}
		if want := float64(m.Most()); !ok || math.Abs(most-want) > 0.02*want {
			t.Errorf("class %d: a level changes the score by %g, the map says %g", class, most, want)
		}
	}
	if len(e.graphs) != 1 {
		t.Errorf("%d graphs for views of one shape", len(e.graphs))
	}
}

// TestGradCAM: where the maps have one value each, the sum of all, weighted by the gradients, is how fast the score
// grows when the layer's output does, which is linear in its weights.
func TestGradCAM(t *testing.T) {
	const by = 1e-2
	grown := func(factor float32) *evaluate.Model {
		return model(t, func(tensors []weights.Tensor) {
			for _, tensor := range tensors {
				if strings.HasPrefix(tensor.Name, "features.18.") { // conv5_2
					for i := range tensor.Data {
						tensor.Data[i] *= factor
					}
				}
			}
		})
	}
	p := noise(side, side, 2)
	plain := explainer(t, grown(1), Options{Layer: "pool5"})
	more, less := explainer(t, grown(1+by), Options{}), explainer(t, grown(1-by), Options{})
	positive := 0
	for class := range 3 {
		m := mapOf(t, view(t, plain, p), GradCAM, class)
		growth := float64(view(t, more, p).Logits[class]-view(t, less, p).Logits[class]) / (2 * by)
		if len(m.Values) != 1 || m.Cell != side {
			t.Fatalf("%+v", m)
		}
		if want := max(0, growth); math.Abs(float64(m.Values[0])-want) > 0.02*math.Abs(growth) {
			t.Errorf("class %d: %g, want %g", class, m.Values[0], want)
		}
		if growth > 0 {
			positive++
		}
	}
	if positive == 0 {
		t.Error("no class has a map")
	}
}

// TestClassesDiffer: two classes give different maps, by each method, in one graph; several at once give the same.
func TestClassesDiffer(t *testing.T) {
	e := explainer(t, model(t, nil), Options{Grid: 4, Layer: "conv2_1", Batch: 3})
	v := view(t, e, noise(50, 40, 3))
	for _, method := range Methods() {
		one, other := mapOf(t, v, method, 0), mapOf(t, v, method, 1)
		if slices.Equal(one.Values, other.Values) || len(one.Values) != len(other.Values) {
			t.Errorf("%s: the maps of two classes are equal", method)
		}
		both, err := v.Maps(context.Background(), method, []int{1, 0}, nil)
		if err != nil || !slices.Equal(both[0].Values, other.Values) || !slices.Equal(both[1].Values, one.Values) {
			t.Errorf("%s: two classes at once: %v", method, err)
		}
	}
	if m := mapOf(t, v, GradCAM, 0); m.Width != 16 || m.Cell != 2 {
		t.Errorf("the maps of conv2_1: %d values a side of %g pixels", m.Width, m.Cell)
	}
}

// TestOcclusion: each value is the fall of the score for a picture that is covered by hand with the mean colour; a
// dense view of any shape has more places.
func TestOcclusion(t *testing.T) {
	e := explainer(t, model(t, nil), Options{Grid: 4, Square: 1, Batch: 3})
	p := noise(side, side, 4)
	v := view(t, e, p)
	places := 0
	maps, err := v.Occlusion(context.Background(), []int{2}, func(n int) { places += n })
	if err != nil || places != 16 || v.Places() != 16 {
		t.Fatalf("%d places, %v", places, err)
	}
	for _, place := range []struct{ column, row int }{{0, 0}, {2, 1}, {3, 3}} {
		covered := p
		covered.Pix = slices.Clone(p.Pix)
		for y := place.row * 8; y < place.row*8+8; y++ {
			for x := place.column * 8; x < place.column*8+8; x++ {
				copy(covered.Pix[3*(y*side+x):], []uint8{120, 110, 100})
			}
		}
		want := v.Logits[2] - view(t, e, covered).Logits[2]
		if got := maps[0].Values[place.row*4+place.column]; math.Abs(float64(got-want)) > 1e-3*math.Abs(float64(want)) {
			t.Errorf("place %v: %g, want %g", place, got, want)
		}
	}
	dense := view(t, explainer(t, model(t, nil), Options{Grid: 4, Dense: true}), noise(70, 40, 5))
	m := mapOf(t, dense, Occlusion, 0)
	if dense.Width != 56 || dense.Height != 32 || m.Width != 7 || m.Height != 4 || m.Cell != 8 {
		t.Errorf("a dense view of %d×%d: %d×%d places of %g pixels", dense.Width, dense.Height, m.Width, m.Height, m.Cell)
	}
	if m := mapOf(t, dense, GradCAM, 0); m.Width != 14 || m.Height != 8 {
		t.Errorf("a dense view: %d×%d maps", m.Width, m.Height)
	}
	few := view(t, explainer(t, model(t, nil), Options{Grid: 2, Batch: 64}), p)
	if mapOf(t, few, Occlusion, 0); len(few.explainer.graphs[0].covered.pixels) != 4*len(few.pixels) {
		t.Error("a batch of more views than there are places")
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := v.Occlusion(ended, []int{0}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
}

// TestPlaces: from the view to the picture and back, the pixels of the view, and where the peak and the values between
// cells are.
func TestPlaces(t *testing.T) {
	e := explainer(t, model(t, nil), Options{})
	p := noise(64, side, 6) // the view is the middle half
	v := view(t, e, p)
	if x, y := v.InPicture(0, side/2); math.Abs(x-0.25) > 1e-9 || math.Abs(y-0.5) > 1e-9 {
		t.Errorf("the left edge of the view is at %g, %g of the picture", x, y)
	}
	if b := v.InView(boxes.Box{XMin: 0.25, XMax: 0.5, YMax: 1}); math.Abs(b.XMin) > 1e-9 || math.Abs(b.XMax-0.5) > 1e-9 {
		t.Errorf("in the view: %v", b)
	}
	for i, level := range v.Picture().Pix {
		if want := p.Pix[3*(i/3/side*64+16+i/3%side)+i%3]; level != want {
			t.Fatalf("value %d of the view is %d, want %d", i, level, want)
		}
	}
	m := Map{Width: 2, Height: 2, Values: []float32{0, 1, 2, -1}, Cell: 4}
	if x, y, ok := m.Peak(); x != 2 || y != 6 || !ok || m.Most() != 2 {
		t.Errorf("the peak is at %g, %g", x, y)
	}
	if _, _, ok := (Map{Width: 1, Height: 1, Values: []float32{0}, Cell: 4}).Peak(); ok {
		t.Error("a map of 0 has a peak")
	}
	spread := m.Spread(8, 8)
	if spread[0] != 0 || spread[7] != 1 || math.Abs(float64(spread[3])-0.375) > 1e-6 || spread[63] != -1 {
		t.Errorf("spread: %v", spread[:8])
	}
}

// TestPointingGame counts peaks and middles in boxes, and the difference by the pictures in which they differ.
func TestPointingGame(t *testing.T) {
	e := explainer(t, model(t, nil), Options{})
	v := view(t, e, noise(side, side, 7))
	var game PointingGame
	right, middle := boxes.Box{XMin: 0.7, XMax: 1, YMax: 1}, boxes.Box{XMin: 0.4, YMin: 0.4, XMax: 0.6, YMax: 0.6}
	m := Map{Width: 2, Height: 1, Values: []float32{0, 1}, Cell: side / 2}
	none := Map{Width: 1, Height: 1, Values: []float32{0}, Cell: side}
	game.Add(v, m, []boxes.Box{middle, right})
	game.Add(v, m, []boxes.Box{right})
	game.Add(v, none, []boxes.Box{middle})
	game.Add(v, m, nil)
	if game.Pictures != 4 || game.Peaks != 2 || game.Middles != 2 || game.onlyPeak != 1 || game.onlyMiddle != 1 {
		t.Errorf("%+v", game)
	}
	if share, low, high := game.Share(); share != 50 || low > 50 || high < 50 {
		t.Errorf("%g (%g–%g)", share, low, high)
	}
	if d, low, high := game.Difference(); d != 0 || math.Abs(low+high) > 1e-9 || high < 10 {
		t.Errorf("difference %g (%g to %g)", d, low, high)
	}
}

// TestErrors: what does not fit is refused, with what would.
func TestErrors(t *testing.T) {
	m := model(t, nil)
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{Layer: "fc6"}, "conv1_1"}, {Options{Scale: 8}, "at least 32"}, {Options{Grid: 33}, "1 to 32"},
		{Options{Grid: 3, Square: 4}, "1 to 3"}, {Options{Batch: -1}, "at least 1"},
	} {
		if _, err := New(m, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.o, err)
		}
	}
	v := view(t, explainer(t, m, Options{}), noise(side, side, 8))
	for _, method := range append(Methods(), "guessing") {
		if _, err := v.Maps(context.Background(), method, []int{3}, nil); err == nil {
			t.Errorf("%s: a class that the net does not have", method)
		}
	}
	if _, err := v.explainer.View(augment.Picture{Width: 3, Height: 3, Channels: 3}); err == nil {
		t.Error("a picture without pixels")
	}
}
