package evaluate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"vgg/augment"
	"vgg/configs"
	"vgg/dataset"
	"vgg/graph"
	"vgg/weights"
)

// damaged is a split of noise in which every seventh picture, from picture 3 on, cannot be read.
type damaged struct{ noise }

func (s damaged) bad(i int) bool { return i%7 == 3 }

func (s damaged) Picture(i int) (augment.Picture, error) {
	if s.bad(i) {
		return augment.Picture{}, fmt.Errorf("%s is damaged", s.Name(i))
	}
	return s.noise.Picture(i)
}

// collect gives the predictions of an engine and the pictures that it skipped.
func collect(t *testing.T, models []*Model, split dataset.Split, o Options) (all []Prediction, skipped []int) {
	t.Helper()
	o.Skip = func(picture int, reason error) error {
		if !strings.Contains(reason.Error(), "is damaged") {
			return reason
		}
		skipped = append(skipped, picture)
		return nil
	}
	if err := Predict(context.Background(), models, split, o, func(p Prediction) error {
		all = append(all, p)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all, skipped
}

// protocols are those to test: with -short, which go test -race needs, only those with few crops.
func protocols() []configs.Protocol {
	if testing.Short() {
		return []configs.Protocol{configs.Center, configs.Dense}
	}
	return configs.Protocols()
}

// TestBatches: pictures of many shapes, some of which cannot be read, get the same predictions from two nets in batches
// of any size, in the order of the pictures; with one thread and with two they have the same bits.
func TestBatches(t *testing.T) {
	models := []*Model{small(t, 7, 1), small(t, 7, 2)}
	for _, protocol := range protocols() {
		split := damaged{noise{17, 7}}
		if testing.Short() || protocol == configs.MultiCrop || protocol == configs.Both {
			split.pictures = 5
		}
		o := Options{Protocol: protocol, Scales: []int{40, 64}, Batch: 1}
		want, _ := collect(t, models, split, o)
		for _, o.Batch = range []int{1, 3, 16} {
			var runs [2][]Prediction
			for threads := range runs {
				saved := runtime.GOMAXPROCS(threads + 1)
				var skipped []int
				runs[threads], skipped = collect(t, models, split, o)
				runtime.GOMAXPROCS(saved)
				if len(skipped) != (split.pictures+3)/7 || skipped[0] != 3 {
					t.Errorf("%s, batch %d: pictures %v were skipped", protocol, o.Batch, skipped)
				}
			}
			if !reflect.DeepEqual(runs[0], runs[1]) {
				t.Errorf("%s, batch %d: one thread and two give other bits", protocol, o.Batch)
			}
			equal(t, fmt.Sprintf("%s, batch %d", protocol, o.Batch), runs[0], want, 1e-6)
			next := 0
			for _, p := range runs[0] {
				for split.bad(next) {
					next++
				}
				if p.Picture != next || p.Class != split.Label(next) {
					t.Errorf("%s, batch %d: picture %d of class %d, want %d of %d", protocol, o.Batch, p.Picture, p.Class, next, split.Label(next))
				}
				next++
				i := slices.IndexFunc(want, func(w Prediction) bool { return w.Picture == p.Picture })
				if !slices.Equal(p.Ranking(), want[i].Ranking()) {
					t.Errorf("%s, batch %d: picture %d ranks the classes %v, want %v", protocol, o.Batch, p.Picture, p.Ranking(), want[i].Ranking())
				}
			}
		}
	}
}

// TestBoundedMemory: of pictures that all have other shapes few are held at a time, few of their crops wait, and few
// graphs are kept.
func TestBoundedMemory(t *testing.T) {
	pictures := 60
	if testing.Short() {
		pictures = 20
	}
	m := small(t, 7, 1)
	for _, o := range []Options{
		{Protocol: configs.Dense, Scales: []int{128}, Batch: 3},
		{Protocol: configs.Dense, Scales: []int{32, 40}, Batch: 6},
		{Protocol: configs.Center, Batch: 4},
		{Protocol: configs.Both, Scales: []int{48}, Batch: 20},
	} {
		e, err := newEngine([]*Model{m}, noise{pictures, 7}, o)
		if err != nil {
			t.Fatal(err)
		}
		delivered := 0
		if err := run(context.Background(), e, predicted, func(p Prediction) error {
			if p.Picture != delivered {
				t.Errorf("%+v: picture %d, want %d", o, p.Picture, delivered)
			}
			delivered++
			pixels := 0
			for _, b := range e.batches {
				pixels += len(b.crops) * b.pixels()
				if len(b.crops) == 0 || len(b.crops) >= e.size(b.shape) {
					t.Errorf("%+v: a batch of %d crops of %d waits", o, len(b.crops), e.size(b.shape))
				}
			}
			if most := mostWaiting * o.Batch * 32 * 32; pixels != e.waiting || pixels > most {
				t.Errorf("%+v: crops of %d pixels wait, counted as %d: want at most %d", o, pixels, e.waiting, most)
			}
			if len(e.pictures) > 2*o.Batch {
				t.Errorf("%+v: %d pictures are held", o, len(e.pictures))
			}
			largest := int64(0)
			for _, r := range m.graphs {
				largest = max(largest, r.vm.PlannedBytes())
			}
			if len(m.graphs) > keptGraphs || largest > m.activationBytes {
				t.Errorf("%+v: %d graphs, the largest of %d bytes in memory of %d", o, len(m.graphs), largest, m.activationBytes)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if delivered != pictures || e.waiting != 0 || len(e.batches) != 0 {
			t.Errorf("%+v: %d pictures, %d batches left", o, delivered, len(e.batches))
		}
	}
}

// TestPrepared: filters are prepared for many batches.
func TestPrepared(t *testing.T) {
	m := small(t, 7, 1)
	for _, c := range []struct {
		pictures int
		o        Options
		want     bool
	}{
		{127, Options{}, false},
		{128, Options{}, true},
		{31, Options{Protocol: configs.Dense, Scales: []int{45}}, false}, // of about twice the pixels of a crop
		{33, Options{Protocol: configs.Dense, Scales: []int{45}}, true},
		{7, Options{Protocol: configs.Dense, Scales: []int{1 << 30}}, false},
		{8, Options{Protocol: configs.Dense, Scales: []int{1 << 30}}, true}, // one picture fills a batch
	} {
		e, err := newEngine([]*Model{m}, noise{c.pictures, 7}, c.o)
		if err != nil {
			t.Fatal(err)
		}
		if e.prepared != c.want {
			t.Errorf("%+v: prepared: %t, want %t", c, e.prepared, c.want)
		}
	}
}

// TestSizeOfHugeViews: more pixels than an int counts.
func TestSizeOfHugeViews(t *testing.T) {
	e, err := newEngine([]*Model{small(t, 7, 1)}, noise{3, 7}, Options{Batch: 5})
	if err != nil {
		t.Fatal(err)
	}
	if n := e.size(shape{height: 1 << 32, width: 1 << 32}); n != 2 {
		t.Errorf("batches of %d", n)
	}
}

// TestLittleMemory: where there is no memory to keep prepared filters, the outputs have the same bits.
func TestLittleMemory(t *testing.T) {
	m := newTestModel(t, configs.B, graph.Options{Width: 0.5, FC: 64, Seed: 3}, weights.Info{Input: 64, Channels: 3, Classes: names(7), Scale: configs.Scale{Min: 64, Max: 64}})
	for _, o := range []Options{{Batch: 1}, {Batch: 1, Protocol: configs.Dense, Scales: []int{96}}} {
		outputs := map[bool][]float64{} // with filters that are kept, and others
		for _, limit := range []int64{math.MaxInt64, 1 << 22} {
			before := debug.SetMemoryLimit(limit)
			e, err := newEngine([]*Model{m}, noise{preparedBatches, 7}, o)
			debug.SetMemoryLimit(before)
			if err != nil {
				t.Fatal(err)
			}
			e.memory = math.MaxInt64 // for the pictures
			if err := run(t.Context(), e, predicted, func(p Prediction) error {
				outputs[e.kept] = append(outputs[e.kept], p.Logits...)
				return nil
			}); err != nil || !e.prepared {
				t.Fatalf("prepared: %t, error %v", e.prepared, err)
			}
		}
		if len(outputs[true]) != 7*preparedBatches || !slices.Equal(outputs[true], outputs[false]) {
			t.Errorf("%+v: %d logits with kept filters, %d others with the same bits", o, len(outputs[true]), len(outputs[false]))
		}
	}
}

// strips is a split of pictures of 48×40 pixels, but for picture 1, of 4×6000.
type strips struct{ noise }

func (s strips) Picture(i int) (augment.Picture, error) {
	p := augment.Picture{Width: 48, Height: 40, Channels: 3}
	if i == 1 {
		p.Width, p.Height = 4, 6000
	}
	p.Pix = make([]uint8, 3*p.Width*p.Height)
	return p, nil
}

// TestLargeViews: a dense view that does not fit in memory is refused before any is allocated, by the name of its
// picture, or skipped; other protocols and smaller scales see the picture.
func TestLargeViews(t *testing.T) {
	m := small(t, 7, 1)
	split := strips{noise{3, 7}}
	for _, c := range []struct {
		protocol configs.Protocol
		scale    int
		memory   int64 // 0 leaves it as it is
		refused  string
	}{
		{configs.Dense, 256, 1 << 30, "256×384000 pixels"},
		{configs.Both, 1 << 21, 0, "pixels"}, // more values than an int counts
		{configs.Dense, 32, 16 << 20, "32×48000 pixels"},
		{configs.Center, 256, 1 << 30, ""},
		{configs.MultiCrop, 256, 1 << 30, ""},
		{configs.Dense, 0, 1 << 30, ""},
	} {
		for _, skipping := range []bool{false, true} {
			o := Options{Protocol: c.protocol, Scales: []int{c.scale}, Batch: 2}
			var skipped []int
			if skipping {
				o.Skip = func(picture int, _ error) error { skipped = append(skipped, picture); return nil }
			}
			e, err := newEngine([]*Model{m}, split, o)
			if err != nil {
				t.Fatal(err)
			}
			if c.memory > 0 {
				e.memory = c.memory
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			predictions := 0
			err = run(context.Background(), e, predicted, func(Prediction) error { predictions++; return nil })
			runtime.ReadMemStats(&after)
			if allocated := after.TotalAlloc - before.TotalAlloc; c.refused != "" && allocated > 64<<20 {
				t.Errorf("%+v: %d bytes allocated", c, allocated)
			}
			if c.refused == "" {
				if err != nil || predictions != 3 || len(skipped) > 0 {
					t.Errorf("%+v: %d predictions, pictures %v skipped (%v)", c, predictions, skipped, err)
				}
				continue
			}
			if skipping {
				if err != nil || !slices.Contains(skipped, 1) || c.protocol == configs.Dense && len(skipped) > 1 || predictions+len(skipped) != split.pictures {
					t.Errorf("%+v: %d predictions, pictures %v skipped (%v)", c, predictions, skipped, err)
				}
				continue
			}
			if err == nil || !strings.Contains(err.Error(), c.refused) || !strings.Contains(err.Error(), "center and multi-crop") {
				t.Errorf("%+v: error %v", c, err)
			}
		}
	}
}

// TestStops: an unreadable picture ends a test after the predictions of those before it; so do errors of callbacks, at
// once.
func TestStops(t *testing.T) {
	models := []*Model{small(t, 7, 1)}
	broken := errors.New("broken")
	for _, c := range []struct {
		name string
		skip func(int, error) error
		fail int // the prediction whose callback fails
		want string
		done int
	}{
		{"without Skip", nil, -1, "picture 3 is damaged", 3},
		{"error from Skip", func(i int, reason error) error {
			if i > 9 {
				return broken
			}
			return nil
		}, -1, "broken", 9},
		{"callback", func(int, error) error { return nil }, 5, "broken", 5},
	} {
		var all []int
		err := Predict(context.Background(), models, damaged{noise{17, 7}}, Options{Skip: c.skip, Batch: 4}, func(p Prediction) error {
			if len(all) == c.fail {
				return broken
			}
			all = append(all, p.Picture)
			return nil
		})
		if err == nil || !strings.Contains(err.Error(), c.want) || len(all) != c.done {
			t.Errorf("%s: error %v after pictures %v, want %q after %d", c.name, err, all, c.want, c.done)
		}
	}
}

// slow takes slowness to read each picture.
type slow struct{ noise }

const slowness = 20 * time.Millisecond

func (s slow) Picture(i int) (augment.Picture, error) {
	time.Sleep(slowness)
	return s.noise.Picture(i)
}

// TestLoaderWait: the wait for a slow picture is measured.
func TestLoaderWait(t *testing.T) {
	r, err := Run(context.Background(), []*Model{small(t, 7, 1)}, slow{noise{3, 7}}, Options{}, nil)
	if err != nil || r.LoaderWait < slowness {
		t.Errorf("waited for %v, want at least %v (%v)", r.LoaderWait, slowness, err)
	}
}
