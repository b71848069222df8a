package reproduce

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vgg/augment"
	"vgg/boxes"
	"vgg/configs"
	"vgg/dataset"
	"vgg/internal/cli/clitest"
)

// squares is a split of bright squares on dark pictures: their class is the corner in which they are.
type squares struct{ stripes }

func (s squares) HasBox(int) bool { return true }

func (s squares) Orientation(int) (uint16, error) { return 1, nil }

func (s squares) place(i int) boxes.Box {
	side, x, y := 16+i%5, s.Label(i)%2, s.Label(i)/2%2
	left, top := x*(60-side), y*(60-side)
	return boxes.Box{XMin: float64(left), YMin: float64(top), XMax: float64(left + side), YMax: float64(top + side)}
}

func (s squares) Picture(i int) (augment.Picture, error) {
	p := augment.Picture{Width: 60, Height: 60, Channels: 1, Pix: make([]uint8, 60*60)}
	b := s.place(i)
	for y := int(b.YMin); y < int(b.YMax); y++ {
		for x := int(b.XMin); x < int(b.XMax); x++ {
			p.Pix[60*y+x] = 200
		}
	}
	return p, nil
}

func (s squares) Located(i int) (augment.Picture, []dataset.Instance, error) {
	p, err := s.Picture(i)
	return p, []dataset.Instance{{Box: s.place(i).Scale(1./60, 1./60), Class: s.Label(i)}}, err
}

func boxPlan(t *testing.T) (BoxPlan, *dataset.Set) {
	t.Helper()
	load := func(changes ...string) configs.Recipe {
		r, err := configs.LoadRecipe("miniature")
		if err == nil {
			err = r.Apply(append(changes, "net.width=0.0625", "net.fc=16", "training.epochs=2", "training.batch=16", "augment.scale_min=48", "augment.scale_max=48")...)
		}
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	p := BoxPlan{Classifier: load(), Boxes: load("boxes.regression=per-class"), Seeds: []uint64{1}, Dir: filepath.Join(t.TempDir(), "boxes")}
	return p, &dataset.Set{
		Name: "squares", Source: dataset.Source{Spec: "embedded", ValShare: 0.1, SplitSeed: 1}, Channels: 1,
		Classes: []string{"a", "b", "c", "d"}, Train: squares{stripes{48, 4}}, Val: squares{stripes{16, 4}},
	}
}

// TestBoxPlan: what is trained, from what, what is frozen, and at which scales it is tested.
func TestBoxPlan(t *testing.T) {
	p, _ := boxPlan(t)
	var trained []string
	for _, net := range p.work(1) {
		name := p.name(net)
		r := p.recipe(net)
		from, fine := net.from()
		if fine {
			if !slices.ContainsFunc(trained, func(n string) bool { return strings.HasPrefix(n, p.name(from)) }) || r.Weights != p.weights(from) {
				t.Errorf("%s comes before what it starts from, or starts from %q", name, r.Weights)
			}
			name += "←" + p.name(from)
		}
		trained = append(trained, name)
		if frozen := len(r.Training.Freeze); frozen != map[bool]int{true: 5}[net.regression != "" && !net.all] {
			t.Errorf("%s: frozen %v", name, r.Training.Freeze)
		}
		if r.Boxes.Regression != net.regression || r.Augment.Scale() != p.scale(net.scale) {
			t.Errorf("%s: %+v, %+v", name, r.Boxes, r.Augment)
		}
	}
	want := []string{"classes-S37", "classes-S48←classes-S37", "single-fc-S48←classes-S48", "per-class-fc-S48←classes-S48", "per-class-all-S48←classes-S48",
		"single-all-S48←classes-S48", "per-class-all-S37←classes-S37"}
	if !slices.Equal(trained, want) {
		t.Errorf("trained are\n%v, want\n%v", trained, want)
	}
	rows := table9()
	if got := p.label(rows[5], false); got != "37 / 37 and 48 / 43, 48" {
		t.Errorf("the last line of Table 9 is %q", got)
	}
	if got := p.label(rows[5], true); got != "256 / 256 and 384 / 352, 384" {
		t.Errorf("the paper's last line of Table 9 is %q", got)
	}
	for _, c := range boxClaims() {
		if c.candidate.nets == nil || c.baseline.nets == nil || c.paper < 0 {
			t.Errorf("%s: %v points", c.text, c.paper)
		}
	}
}

// TestRunBoxes: everything is done once, a run that was interrupted goes on, and the report says what was found.
func TestRunBoxes(t *testing.T) {
	p, set := boxPlan(t)
	set.Classes[3] += clitest.Unwritten // so that drawings lack a letter
	var first silent
	ctx, cancel := context.WithCancel(context.Background())
	stop := &stopping{epochs: 5, cancel: cancel}
	if _, err := RunBoxes(ctx, p, set, stop); err == nil {
		t.Fatal("not interrupted")
	}
	r, err := RunBoxes(context.Background(), p, set, &first)
	if err != nil {
		t.Fatal(err)
	}
	if first.trainings >= 7 || len(r.Trainings) != 7 || len(r.Findings) != 9 || len(r.Pictures) != 1 ||
		len(r.Notes) != 1 || !strings.HasPrefix(r.Notes[0], clitest.NotesUnwritten) {
		t.Errorf("%d trainings after the interruption, %+v", first.trainings, r)
	}
	text, err := os.ReadFile(filepath.Join(p.Dir, MarkdownFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"always the mean box", "| fully connected | SCR |", "36.4 |", "37 / 37 and 48 / 43, 48", "26.9 |", "figures/boxes.png"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not in the report: %s", want, text)
		}
	}
	var again silent
	if _, err := RunBoxes(context.Background(), p, set, &again); err != nil || again.trainings != 0 || slices.ContainsFunc(again.notices, func(n string) bool { return strings.HasPrefix(n, "tested") }) {
		t.Errorf("again: %d trainings, %v, %v", again.trainings, again.notices, err)
	}
	file := p.file(p.rows()[1], p.Seeds[0])
	o, err := readBoxOutcomes(file)
	if err != nil {
		t.Fatal(err)
	}
	n := len(o.pictures) - 1 // as if one could not be read
	o.pictures, o.ranks, o.overlaps = o.pictures[:n], o.ranks[:n], o.overlaps[:n]
	if err := o.write(file); err != nil {
		t.Fatal(err)
	}
	if _, err := RunBoxes(context.Background(), p, set, nil); err == nil || !strings.Contains(err.Error(), file+" is of other pictures than ") {
		t.Errorf("outcomes of other pictures: %v", err)
	}
	p.Classifier.Training.LearningRate *= 2
	if _, err := RunBoxes(context.Background(), p, set, nil); err == nil || !strings.Contains(err.Error(), "begun otherwise") {
		t.Errorf("another recipe: %v", err)
	}
	p.Dir = t.TempDir()
	set.Val = stripes{18, 4}
	if _, err := RunBoxes(context.Background(), p, set, nil); err == nil || !strings.Contains(err.Error(), "no picture has a box") {
		t.Errorf("pictures without boxes: %v", err)
	}
}
