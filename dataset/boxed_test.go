package dataset

import (
	"context"
	"math"
	"strings"
	"testing"

	"vgg/augment"
	"vgg/boxes"
	"vgg/configs"
)

// squares are pictures of 32×24 pixels of two classes, each with the objects given; picture i is grey i but for a white
// box around its first object.
type squares [][]Instance

func (s squares) Len() int          { return len(s) }
func (s squares) Label(i int) int   { return i % 2 }
func (s squares) Name(i int) string { return "square" }
func (s squares) HasBox(i int) bool { return len(s[i]) > 0 }

func (s squares) Orientation(int) (uint16, error) { return 1, nil }

func (s squares) Picture(i int) (augment.Picture, error) {
	p := augment.Picture{Width: 32, Height: 24, Channels: 1, Pix: make([]uint8, 32*24)}
	for k := range p.Pix {
		p.Pix[k] = uint8(i)
		x, y := (float64(k%32)+0.5)/32, (float64(k/32)+0.5)/24
		if len(s[i]) > 0 && x > s[i][0].XMin && x < s[i][0].XMax && y > s[i][0].YMin && y < s[i][0].YMax {
			p.Pix[k] = 255
		}
	}
	return p, nil
}

func (s squares) Located(i int) (augment.Picture, []Instance, error) {
	p, err := s.Picture(i)
	return p, s[i], err
}

func boxLoader(t *testing.T, split Split, training bool, o configs.Boxes) *Loader {
	t.Helper()
	l, err := NewLoader(split, 1, LoaderOptions{Batch: split.Len(), Seed: 3, Training: training, Boxes: &o, Transform: augment.Transform{
		Size: 16, Scale: configs.Scale{Min: 20, Max: 28}, RandomCrop: true, Flip: true, Mean: []float64{0}, Std: []float64{1}}})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// The target of a training row is around the white pixels of its crop; rows with too little of the box in view do not
// count.
func TestLoaderBoxes(t *testing.T) {
	s := squares{}
	for i := range 200 {
		left, top := float64(i%20)/32, float64(i/20)/24
		s = append(s, []Instance{{boxes.Box{XMin: left, YMin: top, XMax: left + 10.0/32, YMax: top + 8.0/24}, i % 2}, {boxes.Unit, 1 - i%2}})
	}
	counted, out := 0, 0
	for b, err := range boxLoader(t, s, true, configs.Boxes{Target: configs.TargetLargest, MinInView: 0.5, Clip: true}).Epoch(context.Background(), 1) {
		if err != nil {
			t.Fatal(err)
		}
		for row, label := range b.Labels {
			white := boxes.Box{XMin: 16, YMin: 16}
			for k, v := range b.Pixels[row*256 : (row+1)*256] {
				if v > 220 {
					x, y := float64(k%16), float64(k/16)
					white = boxes.Box{XMin: min(white.XMin, x), YMin: min(white.YMin, y), XMax: max(white.XMax, x+1), YMax: max(white.YMax, y+1)}
				}
			}
			v := b.Boxes[4*row : 4*row+4]
			if label < 0 {
				if out++; len(b.Instances[row]) > 0 || v[2] != 0 {
					t.Errorf("row %d does not count and has boxes: %v, %v", row, b.Instances[row], v)
				}
				continue
			}
			counted++
			target := boxes.FromCentre(float64(v[0]), float64(v[1]), float64(v[2]), float64(v[3])).Scale(16, 16)
			for _, d := range []float64{target.XMin - white.XMin, target.YMin - white.YMin, target.XMax - white.XMax, target.YMax - white.YMax} {
				if math.Abs(d) > 1.01 {
					t.Errorf("row %d: the target is %v, the white pixels are in %v", row, target, white)
					break
				}
			}
			if view := b.Instances[row][0].InView(boxes.Unit); len(b.Instances[row]) != 1 || view < 0.5 {
				t.Errorf("row %d: %d instances, %g in view", row, len(b.Instances[row]), view)
			}
		}
	}
	if counted < 100 || out < 10 {
		t.Errorf("%d rows count, %d do not", counted, out)
	}
}

// Of several instances the largest in the crop, or a random one, is the target; in validation the largest, and all are
// given, also those that are hardly in view.
func TestLoaderTarget(t *testing.T) {
	small, large, edge := boxes.Box{XMin: 0.4, YMin: 0.4, XMax: 0.5, YMax: 0.5}, boxes.Box{XMin: 0.45, YMin: 0.3, XMax: 0.6, YMax: 0.7}, boxes.Box{XMax: 0.02, YMax: 0.02}
	s := squares{{{small, 0}, {large, 0}}, {{edge, 1}}, {}, {{small, 0}}}
	for b, err := range boxLoader(t, s, false, configs.Boxes{Target: configs.TargetRandom, MinInView: 0.5, Clip: true}).Epoch(context.Background(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if b.Labels[0] != 0 || b.Labels[1] != 1 || b.Labels[2] != -1 || b.Labels[3] != -1 {
			t.Errorf("labels %v: want -1 where there is no instance of the class", b.Labels)
		}
		if len(b.Instances[0]) != 2 || len(b.Instances[1]) != 1 || b.Boxes[6] != 0 || b.Boxes[2] < 0.2 {
			t.Errorf("instances %v, targets %v", b.Instances, b.Boxes)
		}
	}
	var same squares
	for range 200 {
		same = append(same, s[0], s[1])
	}
	for _, target := range []configs.BoxTarget{configs.TargetLargest, configs.TargetRandom} {
		ofLarge, ofAll := 0, 0
		for b, err := range boxLoader(t, same, true, configs.Boxes{Target: target, MinInView: 1}).Epoch(context.Background(), 1) {
			if err != nil {
				t.Fatal(err)
			}
			for row, label := range b.Labels {
				if label == 0 && len(b.Instances[row]) == 2 && b.Instances[row][0].InView(boxes.Unit) == 1 && b.Instances[row][1].InView(boxes.Unit) == 1 {
					ofAll++
					if b.Boxes[4*row+3] > b.Boxes[4*row+2] {
						ofLarge++
					}
				}
			}
		}
		if ofAll < 50 || target == configs.TargetLargest && ofLarge != ofAll || target == configs.TargetRandom && (ofLarge < ofAll/3 || ofLarge > 2*ofAll/3) {
			t.Errorf("%s: the large instance is the target of %d of %d rows", target, ofLarge, ofAll)
		}
	}
}

// The target is the box with the largest part in the crop, not the largest box: all of it, or that part.
func TestLoaderClip(t *testing.T) {
	wide, square := boxes.Box{XMax: 0.35, YMin: 0.2, YMax: 0.8}, boxes.Box{XMin: 0.3, YMin: 0.3, XMax: 0.5, YMax: 0.7}
	s := squares{{{wide, 0}}, {{wide, 1}, {square, 1}}}
	for clip, want := range map[bool][]float64{false: {-0.15, 0.5, 0.7, 0.9, 0.3, 0.5, 0.4, 0.6}, true: {0.1, 0.5, 0.2, 0.9, 0.3, 0.5, 0.4, 0.6}} {
		for b, err := range boxLoader(t, s, false, configs.Boxes{Target: configs.TargetLargest, Clip: clip}).Epoch(context.Background(), 0) {
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range b.Boxes {
				if math.Abs(float64(v)-want[i]) > 1e-6 {
					t.Fatalf("clip %t: targets %v, want %v", clip, b.Boxes, want)
				}
			}
		}
	}
}

// Only pictures with a box of their class are kept.
func TestWithBoxes(t *testing.T) {
	some := []Instance{{boxes.Unit, 0}}
	with, without, err := WithBoxes(squares{some, nil, some})
	if err != nil || with.Len() != 2 || without != 1 || with.Label(1) != 0 || !with.HasBox(1) {
		t.Errorf("%v, %d without, error %v", with, without, err)
	}
	if part, ok := Subset(with, 1).(Boxed); !ok || part.Len() != 1 || !part.HasBox(0) {
		t.Error("a sample of pictures with boxes has none")
	}
	for _, none := range []Split{squares{nil}, &classSplit{}} {
		if _, _, err := WithBoxes(none); err == nil || !strings.Contains(err.Error(), "no picture has a box") {
			t.Errorf("error %v", err)
		}
	}
	largest := configs.Boxes{Target: configs.TargetLargest}
	for _, c := range []struct {
		want  string
		split Split
		o     configs.Boxes
	}{
		{"want largest or random", squares{some}, configs.Boxes{Target: "x"}},
		{"want 0 to 1", squares{some}, configs.Boxes{Target: configs.TargetLargest, MinInView: 2}},
		{"opened with Options.Boxes: dataset: no picture has a box", squares{nil}, largest},
		{"opened with Options.Boxes: dataset: no picture has a box", &classSplit{}, largest},
	} {
		_, err := NewLoader(c.split, 1, LoaderOptions{Batch: 1, Boxes: &c.o, Transform: augment.Transform{Size: 1, Mean: []float64{0}, Std: []float64{1}}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q in it", err, c.want)
		}
	}
}
