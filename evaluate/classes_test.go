package evaluate

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"vgg/augment"
	"vgg/weights"
)

// TestMatchClasses: pictures of some of the net's classes, in another order, are scored as the same pictures with the
// net's own labels, and predicted over all outputs.
func TestMatchClasses(t *testing.T) {
	m := small(t, 7, 1)
	classes := []string{"class 4", "class 0", "class 6"}
	outputs, notes, err := MatchClasses([]*Model{m, small(t, 7, 2)}, classes)
	if err != nil || !slices.Equal(outputs, []int{4, 0, 6}) || len(notes) != 1 || !strings.Contains(notes[0], "net A: classes matched by name: 3 of the 7") {
		t.Fatalf("%v, %q, %v", outputs, notes, err)
	}
	result, err := Run(context.Background(), []*Model{m}, Relabel(noise{6, 3}, outputs), Options{}, func(p Prediction) error {
		if want := outputs[p.Picture%3]; p.Class != want || len(p.Probabilities) != 7 {
			t.Errorf("picture %d is of output %d among %d, want %d", p.Picture, p.Class, len(p.Probabilities), want)
		}
		return nil
	})
	if err != nil || result.Pictures() != 6 || len(result.Classes) != 7 {
		t.Errorf("%+v, %v", result, err)
	}
}

// TestMatchUnnamed: weights without names of classes take those of the data, by number or in order.
func TestMatchUnnamed(t *testing.T) {
	for _, c := range []struct {
		classes, want []string // names of the outputs
	}{
		{[]string{"2", "00", "01"}, []string{"00", "01", "2"}},
		{[]string{"cat", "dog", "rat"}, []string{"cat", "dog", "rat"}},
		{[]string{"02", "0"}, []string{"0", "1", "02"}},
	} {
		bare := small(t, 3, 1)
		bare.Info.Classes = weights.NumberedClasses(3)
		_, notes, err := MatchClasses([]*Model{bare}, c.classes)
		if err != nil || len(notes) != 1 || !slices.Equal(bare.Info.Classes, c.want) {
			t.Errorf("%v: outputs called %v, notes %q, %v", c.classes, bare.Info.Classes, notes, err)
		}
	}
	bare := small(t, 3, 1)
	bare.Info.Classes = weights.NumberedClasses(3)
	if _, _, err := MatchClasses([]*Model{bare}, []string{"cat", "dog"}); err == nil || !strings.Contains(err.Error(), "net A: other classes: the weights have 3, without names, not the data's 2 (cat, dog)") {
		t.Errorf("two of three without names: %v", err)
	}
}

// TestMatchImageNet: a net of 1,000 classes without names knows those of a part of ImageNet, and what to call the rest.
func TestMatchImageNet(t *testing.T) {
	bare := &Model{Name: "net", Info: weights.Info{Classes: weights.NumberedClasses(1000)}}
	outputs, notes, err := MatchClasses([]*Model{bare}, []string{"n02123045", "n15075141"})
	if err != nil || !slices.Equal(outputs, []int{281, 999}) || len(notes) != 1 {
		t.Fatalf("%v, %q, %v", outputs, notes, err)
	}
	if got := bare.Info.Classes; got[281] != "n02123045" || got[0] != "n01440764 tench" {
		t.Errorf("outputs 281 and 0 are called %s and %s", got[281], got[0])
	}
}

// unreadable is a split of pictures that cannot be read.
type unreadable struct{ noise }

func (unreadable) Picture(int) (augment.Picture, error) {
	return augment.Picture{}, errors.New("damaged")
}

// TestAllSkipped: a test of no picture has no result.
func TestAllSkipped(t *testing.T) {
	skip := func(int, error) error { return nil }
	if result, err := Run(context.Background(), []*Model{small(t, 7, 1)}, unreadable{noise{3, 3}}, Options{Skip: skip}, nil); err == nil || !strings.Contains(err.Error(), "none of the 3 pictures could be read") {
		t.Errorf("%+v, %v", result, err)
	}
}
