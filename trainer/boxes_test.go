package trainer

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vgg/augment"
	"vgg/boxes"
	"vgg/configs"
	"vgg/dataset"
	"vgg/history"
	"vgg/internal/splitmix"
	"vgg/weights"
)

// patches are grey pictures of 48×48 pixels with a striped patch somewhere, whose class decides the direction of its
// stripes. Every fifth picture of some sets has no box.
type patches struct {
	stripes
	lack bool
}

func (p patches) HasBox(i int) bool { return !p.lack || i%5 > 0 }

func (p patches) Orientation(int) (uint16, error) { return 1, nil }

// box is in pixels.
func (p patches) box(i int) boxes.Box {
	r := splitmix.Mix(uint64(i))
	x, y := float64(r%20), float64(r>>8%20)
	return boxes.Box{XMin: x, YMin: y, XMax: x + 18 + float64(r>>16%10), YMax: y + 18 + float64(r>>24%10)}
}

func (p patches) Picture(i int) (augment.Picture, error) {
	striped, _ := p.stripes.Picture(i)
	picture := augment.Picture{Width: 48, Height: 48, Channels: 1, Pix: make([]uint8, 48*48)}
	b := p.box(i)
	for k := range picture.Pix {
		x, y := k%48, k/48
		picture.Pix[k] = 30
		if float64(x) >= b.XMin && float64(x) < b.XMax && float64(y) >= b.YMin && float64(y) < b.YMax {
			picture.Pix[k] = 100 + striped.Pix[y%32*32+x%32]/2
		}
	}
	return picture, nil
}

func (p patches) Located(i int) (augment.Picture, []dataset.Instance, error) {
	picture, err := p.Picture(i)
	if !p.HasBox(i) {
		return picture, nil, err
	}
	return picture, []dataset.Instance{{Box: p.box(i).Scale(1./48, 1./48), Class: p.Label(i)}}, err
}

// boxJob trains on patches of three classes, of which some lack boxes, from a classification net.
func boxJob(t *testing.T, regression configs.Regression, dir string, lack bool) Job {
	t.Helper()
	r := quick(t)
	r.Boxes.Regression, r.Augment.ScaleMin, r.Augment.ScaleMax, r.Augment.Crop = regression, 48, 48, true
	r.Training.Epochs, r.Schedule.Patience, r.Net.Dropout = 3, 9, 0
	r.Training.MicroBatch, r.Run.CheckpointMinutes, r.Augment.Flip = 8, 0, true
	r.Weights = startFile(t, []string{"c", "a", "b"}, nil)
	s := set(128, 3)
	s.Train, s.Val = patches{stripes{160, 3}, lack}, patches{stripes{64, 3}, lack}
	return Job{Recipe: r, Set: s, Dir: dir, Observer: &notes{}}
}

// TestTrainBoxes learns where patches are, per class and single, and writes a complete run directory.
func TestTrainBoxes(t *testing.T) {
	for _, regression := range []configs.Regression{configs.RegressPerClass, configs.RegressSingle} {
		dir := filepath.Join(t.TempDir(), "run")
		job := boxJob(t, regression, dir, false)
		job.Set.Train = patches{stripes{960, 3}, false}
		job.Recipe.Training.Epochs, job.Recipe.Training.LearningRate = 6, 0.02
		h, err := Train(context.Background(), job)
		if err != nil {
			t.Fatal(err)
		}
		best, _ := h.Best()
		if best.ValTop1Error > 60 || best.ValLoss > h[0].ValLoss/2 || !math.IsNaN(best.ValTop5Error) || !math.IsNaN(best.TrainTop5Error) {
			t.Errorf("%s: %+v, want an error of at most 60 %%, half the first loss, and no top-5 error", regression, best)
		}
		n := job.Observer.(*notes)
		said := strings.Join(append(n.begin, n.notices...), "\n")
		for _, want := range []string{"fc8 is new (he): it predicts boxes", "errors are those of test 1", "always answering the mean box of "} {
			if !strings.Contains(said, want) {
				t.Errorf("%s: the notes do not say %q:\n%s", regression, want, said)
			}
		}
		var summary Summary
		data, err := os.ReadFile(filepath.Join(dir, SummaryFile))
		if err == nil {
			err = json.Unmarshal(data, &summary)
		}
		if err != nil || summary.Boxes != string(regression) || summary.Measured != measuredBoxes || summary.ValTop1Error != best.ValTop1Error {
			t.Errorf("%s: summary %+v, %v", regression, summary, err)
		}
		f, err := weights.Read(filepath.Join(dir, BestFile))
		if err != nil {
			t.Fatal(err)
		}
		info, err := f.Info()
		last, _ := f.Tensor("classifier.6.weight")
		if err != nil || info.Boxes != regression || last.Shape[0] != regression.Outputs(3) || !slices.Equal(info.Classes, []string{"a", "b", "c"}) {
			t.Errorf("%s: metadata %+v, last layer %v, %v", regression, info, last.Shape, err)
		}
		again := job
		again.Dir, again.Recipe.Weights, again.Recipe.Boxes.Regression = "", filepath.Join(dir, BestFile), ""
		if _, err := Train(context.Background(), again); err == nil || !strings.Contains(err.Error(), "the net predicts boxes ("+string(regression)+")") {
			t.Errorf("%s: a classification net that starts from it: %v", regression, err)
		}
	}
}

// TestResumeBoxes: a run that is interrupted after every fifth step ends with the same bits.
func TestResumeBoxes(t *testing.T) {
	dirs := []string{t.TempDir(), t.TempDir()}
	job := boxJob(t, configs.RegressPerClass, "", true)
	job.Recipe.Boxes.Target = configs.TargetRandom
	for i, dir := range dirs {
		job.Dir, job.Resume = dir, false
		for resumes := 0; ; resumes++ {
			ctx, cancel := context.WithCancel(context.Background())
			after := 5
			if i == 0 {
				after = -1
			}
			job.Observer = &canceller{after: after, cancel: cancel}
			_, err := Train(ctx, job)
			cancel()
			if err == nil {
				if i == 1 && resumes < 3 {
					t.Errorf("resumed %d times", resumes)
				}
				break
			}
			if !errors.Is(err, context.Canceled) || resumes > 30 {
				t.Fatal(err)
			}
			job.Resume = true
		}
	}
	if outcome(t, dirs[0]) != outcome(t, dirs[1]) {
		t.Error("a run that was interrupted ends otherwise")
	}
}

// TestBoxData: pictures without a box are left out and counted; data without any, and classification nets of other
// classes, are refused.
func TestBoxData(t *testing.T) {
	job := boxJob(t, configs.RegressPerClass, "", true)
	s, err := newSession(context.Background(), job)
	if err != nil {
		t.Fatal(err)
	}
	s.close()
	n := job.Observer.(*notes)
	if said := strings.Join(n.notices, "\n"); !strings.Contains(said, "32 training and 13 validation pictures without a box of their class are left out") || s.steps != 128/16 {
		t.Errorf("%d steps, notices:\n%s", s.steps, said)
	}
	without := job
	without.Set = set(128, 3)
	_, noBoxes := newSession(context.Background(), without)
	other := job
	other.Recipe.Weights = startFile(t, []string{"x", "y", "z"}, nil)
	_, otherClasses := newSession(context.Background(), other)
	for want, err := range map[string]error{
		"a net that predicts boxes cannot be trained on stripes: dataset: no picture has a box": noBoxes,
		"the classes are not those of stripes: other classes: the net knows 3 (x, y, z)":        otherClasses,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	job.Recipe.Weights, job.Observer = "", &notes{}
	if s, err = newSession(context.Background(), job); err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if said := strings.Join(job.Observer.(*notes).notices, "\n"); !strings.Contains(said, "all layers from random (he), while appendix A") {
		t.Errorf("notices:\n%s", said)
	}
	stuck := s.diagnose(historyRow(1, s.meanBoxLoss))
	if !strings.Contains(stuck, "after epoch 1 the validation loss is") || !strings.Contains(stuck, "that of the mean box is") {
		t.Errorf("a net that answers the mean box: %q", stuck)
	}
	if stuck := s.diagnose(historyRow(1, s.meanBoxLoss/2)); stuck != "" {
		t.Errorf("a net that is better than the mean box: %q", stuck)
	}
}

func historyRow(epoch int, valLoss float64) history.Epoch {
	return history.Epoch{Epoch: epoch, TrainLoss: math.Inf(1), ValLoss: valLoss}
}

// TestBoxMeter counts boxes by hand: right with any instance of the class, with an overlap above a half.
func TestBoxMeter(t *testing.T) {
	left, right := boxes.Box{XMax: 0.4, YMax: 1}, boxes.Box{XMin: 0.5, XMax: 1, YMax: 1}
	batch := &dataset.Batch{Labels: []int{0, 1, 1, 1, -1}, Boxes: make([]float32, 20), Instances: [][]boxes.Box{{left, right}, {left, right}, {left}, {right}, nil}}
	perClass := []float32{
		0.75, 0.5, 0.5, 1, 0, 0, 0, 0, // the second instance exactly
		0.75, 0.5, 0.5, 1, 0, 0, 0, 0, // right, but of class 0
		0, 0, 0, 0, 0.2, 0.5, 0.4, 0.5, // the overlap is a half
		0, 0, 0, 0, 0.75, 0.5, 0.5, 0.51, // a little more than a half
		0.75, 0.5, 0.5, 1, 0, 0, 0, 0,
	}
	m := &meter{}
	m.add(2, perClass, batch)
	if m.Pictures != 4 || m.Top1 != 2 || m.meanLoss() != 2 {
		t.Errorf("per class: %+v, want 2 of 4 wrong", m)
	}
	single := []float32{0.75, 0.5, 0.5, 1, 0.2, 0.5, 0.4, 1, 0.75, 0.5, 0.5, 1, 0.2, 0.5, 0.4, 1, 0, 0, 0, 0}
	m = &meter{}
	m.add(1, single, batch)
	if m.Pictures != 4 || m.Top1 != 2 {
		t.Errorf("single: %+v, want 2 of 4 wrong", m)
	}
}
