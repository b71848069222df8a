package evaluate

import (
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"vgg/augment"
	"vgg/configs"
	"vgg/graph"
	"vgg/metrics"
	"vgg/weights"
)

// pictures are those of the split of noise.
func pictures(t *testing.T, n int) (all []augment.Picture) {
	t.Helper()
	for i := range n {
		p, err := noise{n, 7}.Picture(i)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

func predict(t *testing.T, m *Model, o Options, pictures ...augment.Picture) []Prediction {
	t.Helper()
	answers, err := m.Predict(o, pictures...)
	if err != nil {
		t.Fatal(err)
	}
	return answers
}

func distance(a, b []float64) float64 {
	if len(a) != len(b) || len(a) == 0 {
		return math.Inf(1)
	}
	d := 0.0
	for i := range a {
		d = max(d, math.Abs(a[i]-b[i]))
	}
	return d
}

// TestPredict: what is predicted of several pictures together is what a test finds of each, with every protocol and
// with features too, in batches of any size.
func TestPredict(t *testing.T) {
	m := small(t, 7, 1)
	all := pictures(t, count())
	for _, protocol := range protocols() {
		want := test(t, []*Model{m}, Options{Protocol: protocol, Scales: []int{40, 64}})
		for _, o := range []Options{
			{Protocol: protocol, Scales: []int{40, 64}},
			{Protocol: protocol, Scales: []int{40, 64}, Batch: 3, Features: "fc7"},
		} {
			for i, a := range predict(t, m, o, all...) {
				if d := distance(a.Probabilities, want[i].Probabilities); d > 1e-5 {
					t.Errorf("%+v: picture %d: probabilities differ by %v", o, i, d)
				}
				if !slices.Equal(a.Ranking(), want[i].Ranking()) {
					t.Errorf("%+v: picture %d: ranking %v, want %v", o, i, a.Ranking(), want[i].Ranking())
				}
				if (a.Features != nil) != (o.Features != "") {
					t.Errorf("%+v: picture %d: %d features", o, i, len(a.Features))
				}
			}
		}
	}
	single := predict(t, m, Options{}, all[2])[0]
	scores := make([]float32, len(single.Logits))
	for i, l := range single.Logits {
		scores[i] = float32(l)
	}
	if d := distance(single.Probabilities, metrics.Softmax(scores)); d > 1e-6 {
		t.Errorf("the soft-max of the logits is %v off", d)
	}
}

// TestFeatures: they have norm 1, are the same for a picture and its mirrored one, and are the layer's values.
func TestFeatures(t *testing.T) {
	m := small(t, 7, 1)
	p := augment.Picture{Width: 64, Height: 64, Channels: 3, Pix: make([]uint8, 3*64*64)}
	copy(p.Pix, pictures(t, 6)[5].Pix) // noise and black
	mirrored := augment.Picture{Width: p.Width, Height: p.Height, Channels: 3, Pix: slices.Clone(p.Pix)}
	for y := range p.Height {
		for x := range p.Width {
			copy(mirrored.Pix[3*(y*p.Width+x):], p.Pix[3*(y*p.Width+p.Width-1-x):][:3])
		}
	}
	for layer, width := range map[string]int{"fc6": 16, "fc7": 16, "conv1_1": m.net.Summary()[1].Output[0], "pool5": m.net.Parameters()[14].Node.Shape()[0]} {
		for _, o := range []Options{
			{Features: layer, Scales: []int{40}},
			{Features: layer, Protocol: configs.Dense, Scales: []int{64, 96}},
			{Features: layer, Protocol: configs.Both, Scales: []int{40}},
		} {
			answers := predict(t, m, o, p, mirrored)
			norm := 0.0
			for _, v := range answers[0].Features {
				norm += v * v
			}
			if len(answers[0].Features) != width || math.Abs(norm-1) > 1e-9 {
				t.Errorf("%+v: %d features of norm %v", o, len(answers[0].Features), math.Sqrt(norm))
			}
			if d := distance(answers[0].Features, answers[1].Features); d > 1e-5 {
				t.Errorf("%+v: features of the mirrored picture differ by %v", o, d)
			}
		}
	}
}

// TestFeaturesByHand: of a picture of the very size of the input, center, dense and the mean over both halves and all
// places, by hand, are the same.
func TestFeaturesByHand(t *testing.T) {
	m := small(t, 7, 1)
	s, err := square{}.Picture(0)
	if err != nil {
		t.Fatal(err)
	}
	for _, layer := range []string{"fc7", "conv2_1", "pool5"} {
		center := predict(t, m, Options{Features: layer, Scales: []int{32}}, s)[0].Features
		if d := distance(center, predict(t, m, Options{Features: layer, Scales: []int{32}, Protocol: configs.Dense}, s)[0].Features); d > 1e-5 {
			t.Errorf("%s: dense features differ by %v", layer, d)
		}
		r, err := m.runner(purpose{rows: 2, height: 32, width: 32, layer: layer})
		if err != nil {
			t.Fatal(err)
		}
		var crops []*crop
		for _, at := range (cropping{protocol: configs.Dense, scale: 32}).crops(s, 32) {
			c := &crop{values: make([]float32, 3*32*32)}
			if err := m.transform.Crop(c.values, s, at); err != nil {
				t.Fatal(err)
			}
			crops = append(crops, c)
		}
		if err := r.run(crops); err != nil {
			t.Fatal(err)
		}
		byHand := make([]float64, len(center))
		area := r.wanted.Shape().TotalSize() / len(crops) / len(center)
		for i, v := range values(r.wanted) { // (N, features) or (N, C, H, W)
			byHand[i/area%len(center)] += float64(v)
		}
		normalise(byHand)
		if d := distance(center, byHand); d > 1e-5 {
			t.Errorf("%s: features differ from the layer's values by %v", layer, d)
		}
	}
}

// TestGrey: nets for grey pictures take those in colours, and the other way round.
func TestGrey(t *testing.T) {
	m := newTestModel(t, configs.A, graph.Options{Width: 1.0 / 16, FC: 16, Seed: 1}, weights.Info{Input: 32, Channels: 1, Classes: names(3)})
	colours := pictures(t, 1)[0]
	grey := colours.WithChannels(1)
	if grey.Channels != 1 || len(grey.Pix)*3 != len(colours.Pix) {
		t.Fatalf("grey: %d channels, %d bytes", grey.Channels, len(grey.Pix))
	}
	answers := predict(t, m, Options{}, colours, grey)
	if !slices.Equal(answers[0].Logits, answers[1].Logits) {
		t.Error("the grey picture gives other scores than the one in colours")
	}
	predict(t, small(t, 7, 1), Options{}, grey)
}

func TestPredictErrors(t *testing.T) {
	m := small(t, 7, 1)
	for want, o := range map[string]Options{
		`"fc8": want one of conv1_1, pool1, `: {Features: "fc8"},
		`protocol "ten"`:                      {Protocol: "ten"},
		"Q = 20":                              {Scales: []int{20}},
		"a batch of -1":                       {Batch: -1},
	} {
		if _, err := m.Predict(o, pictures(t, 1)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
	for _, p := range []augment.Picture{{}, {Width: 40, Height: 40, Channels: 3}, {Width: 40, Height: 40, Channels: 1}} {
		if _, err := m.Predict(Options{}, p); err == nil {
			t.Errorf("a picture without pixels %+v: no error", p)
		}
	}
}

// TestNoTensors: a file without weights is no net with new ones.
func TestNoTensors(t *testing.T) {
	info := weights.Info{Config: "A", Width: 1, FC: 4096, Input: 32, Channels: 1, Classes: names(3), Mean: []float64{0}, Std: []float64{1}}
	if _, err := NewModel("empty", &weights.File{Metadata: info.Metadata()}); err == nil || !strings.Contains(err.Error(), "no features.0.weight") {
		t.Errorf("error %v", err)
	}
}

// TestOwnNet: the metadata tell the layers of a net that is not one of the paper's.
func TestOwnNet(t *testing.T) {
	own := configs.Config{Name: "own", Stages: [][]configs.Row{{configs.Conv(5, 8)}, {configs.Conv(3, 16), configs.Conv(1, 8)}}}
	m := newTestModel(t, own, graph.Options{FC: 16}, weights.Info{Input: 20, Channels: 3, Classes: names(3)})
	if got := predict(t, m, Options{Batch: 1, Protocol: configs.Center}, pictures(t, 1)[0]); len(got) != 1 || len(got[0].Probabilities) != 3 {
		t.Errorf("predicted %+v", got)
	}
}

// TestShare: models that share weights predict at the same time what one predicts alone.
func TestShare(t *testing.T) {
	m := small(t, 7, 1)
	all := pictures(t, 4)
	want := make([][]Prediction, len(all))
	for i, p := range all {
		want[i] = predict(t, m, Options{Batch: 1, Protocol: configs.Dense}, p)
	}
	got := make([][]Prediction, len(all))
	var running sync.WaitGroup
	for i, p := range all {
		running.Go(func() {
			own := m.Share()
			defer own.Close()
			var err error
			if got[i], err = own.Predict(Options{Batch: 1, Protocol: configs.Dense}, p); err != nil {
				t.Error(err)
			}
		})
	}
	running.Wait()
	for i := range all {
		if got[i] == nil || !slices.Equal(got[i][0].Probabilities, want[i][0].Probabilities) {
			t.Errorf("picture %d: other probabilities", i)
		}
	}
}
