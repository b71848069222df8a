package dataset

import (
	"slices"
	"strings"
	"testing"

	"vgg/boxes"
	"vgg/dataset/scenes"
)

// central is the part of a scene that the central crop of 64 pixels shows.
var central = boxes.Unit.Scale(64.0/scenes.DefaultSide, 64.0/scenes.DefaultSide).Move(0.5-32.0/scenes.DefaultSide, 0.5-32.0/scenes.DefaultSide)

// quantile is a value that a share of the values is below.
func quantile(values []float64, share float64) float64 {
	values = slices.Sorted(slices.Values(values))
	return values[int(share*float64(len(values)-1))]
}

// Some classes of the embedded sets: their pictures in their order, with labels from 0 in the order of the classes.
func TestEmbeddedPart(t *testing.T) {
	for _, name := range []string{Embedded, EmbeddedScenes} {
		all, err := Open(name, Options{})
		if err != nil {
			t.Fatal(err)
		}
		spec := name + ":Ankle boot, shirt,T-shirt/top"
		s, err := Open(spec, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(s.Classes, []string{"T-shirt/top", "Shirt", "Ankle boot"}) || s.Fingerprint() == all.Fingerprint() || s.Source.Spec != spec {
			t.Errorf("%+v", s)
		}
		for _, split := range []struct{ part, of Split }{{s.Train, all.Train}, {s.Val, all.Val}} {
			testPart(t, split.part, split.of, []int{0, 6, 9})
		}
		for list, want := range map[string]string{
			"":           `no class ""`,
			"Shirt,Hat":  `no class "Hat": want some of T-shirt/top,Trouser,`,
			"Bag,bag":    "class Bag twice",
			"Shirt,,Bag": `no class ""`,
		} {
			if _, err := Open(name+":"+list, Options{}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s:%s: %v, want %s", name, list, err, want)
			}
		}
	}
}

// testPart compares some classes of a split with all of it; of some scenes, the pixels and boxes too.
func testPart(t *testing.T, part, all Split, classes []int) {
	t.Helper()
	at := 0
	for i := range all.Len() {
		label := slices.Index(classes, all.Label(i))
		if label < 0 {
			continue
		}
		if part.Label(at) != label || part.Name(at) != all.Name(i) {
			t.Fatalf("picture %d is not picture %d of all: %s, label %d", at, i, part.Name(at), part.Label(at))
		}
		if boxed, ok := part.(Boxed); !ok || at%100 == 0 {
			got, err := part.Picture(at)
			want, _ := all.Picture(i)
			if err != nil || !slices.Equal(got.Pix, want.Pix) {
				t.Fatalf("picture %d is not picture %d of all, error %v", at, i, err)
			}
			if ok {
				_, objects, _ := boxed.Located(at)
				_, of, _ := all.(Boxed).Located(i)
				if len(objects) != len(of) || objects[0].Class != label || objects[0].Box != of[0].Box {
					t.Fatalf("scene %d has %v, of all %v", at, objects, of)
				}
			}
		}
		at++
	}
	if at != part.Len() {
		t.Errorf("%d pictures, want %d", part.Len(), at)
	}
}

// The scenes have what the documents say of them.
func TestScenes(t *testing.T) {
	garments, err := Open(Embedded, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(EmbeddedScenes, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s.Train.Len() != 10000 || s.Val.Len() != 2000 || s.Channels != 3 || !slices.Equal(s.Classes, garments.Classes) {
		t.Errorf("%d and %d scenes, %d channels, classes %v", s.Train.Len(), s.Val.Len(), s.Channels, s.Classes)
	}
	for _, c := range []struct {
		split Split
		of    Split
	}{{Subset(s.Train, 2000), Subset(garments.Train, 2000)}, {s.Val, garments.Val}} {
		testScenes(t, c.split.(Boxed), c.of)
	}
}

func testScenes(t *testing.T, split Boxed, garments Split) {
	var longer, aspects []float64
	var inCrop [][]boxes.Box // of each scene, as shares of the central crop
	all, inView, pairs := 0, 0, 0
	for i := range split.Len() {
		_, objects, err := split.Located(i)
		if err != nil || split.Label(i) != garments.Label(i) || !split.HasBox(i) || len(objects) < 1 || len(objects) > 2 {
			t.Fatalf("scene %d: label %d, objects %v, error %v", i, split.Label(i), objects, err)
		}
		if len(objects) == 2 {
			pairs++
		}
		var found []boxes.Box
		for _, o := range objects {
			_, _, width, height := o.Centre()
			longer, aspects = append(longer, max(width, height)), append(aspects, width/height)
			if all++; o.InView(central) >= 0.5 {
				inView++
			}
			if o.Class != split.Label(i) || o.Clip(boxes.Unit) != o.Box {
				t.Errorf("scene %d has %+v", i, o)
			}
			found = append(found, o.Move(-central.XMin, -central.YMin).Scale(scenes.DefaultSide/64.0, scenes.DefaultSide/64.0))
		}
		inCrop = append(inCrop, found)
	}
	if share := float64(pairs) / float64(split.Len()); share < 0.08 || share > 0.12 {
		t.Errorf("a share of %.3f of the scenes has two garments", share)
	}
	if share := float64(inView) / float64(all); share < 0.85 {
		t.Errorf("a share of %.3f of the boxes is half or more in the central crop", share)
	}
	if low, high := quantile(longer, 0.01), quantile(longer, 0.99); high < 3*low {
		t.Errorf("longer sides from %.3f to %.3f of the canvas", low, high)
	}
	if low, high := quantile(aspects, 0.05), quantile(aspects, 0.95); high < 2*low {
		t.Errorf("width by height from %.2f to %.2f", low, high)
	}
	missed := meanBoxError(inCrop)
	if missed < 0.8 {
		t.Errorf("the mean box misses a share of only %.3f", missed)
	}
	t.Logf("%d scenes: two garments in a share of %.3f; half of the box or more in the central crop: %.3f; longer side, of the canvas, from %.2f to %.2f (1st and 99th percentile); width by height from %.2f to %.2f (5th and 95th); the mean box misses %.3f",
		split.Len(), float64(pairs)/float64(split.Len()), float64(inView)/float64(all), quantile(longer, 0.01), quantile(longer, 0.99), quantile(aspects, 0.05), quantile(aspects, 0.95), missed)
}

// meanBoxError is the share of scenes of which the mean of all targets overlaps no garment by more than half.
func meanBoxError(scenes [][]boxes.Box) float64 {
	var mean [4]float64
	for _, found := range scenes {
		x, y, width, height := found[0].Clip(boxes.Unit).Centre()
		for k, v := range []float64{x, y, width, height} {
			mean[k] += v / float64(len(scenes))
		}
	}
	guess := boxes.FromCentre(mean[0], mean[1], mean[2], mean[3])
	missed := 0
	for _, found := range scenes {
		if !slices.ContainsFunc(found, func(b boxes.Box) bool { return boxes.IoU(b, guess) > 0.5 }) {
			missed++
		}
	}
	return float64(missed) / float64(len(scenes))
}
