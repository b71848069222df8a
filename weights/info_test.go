package weights

import (
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pkg/errors"

	"vgg/configs"
)

var flowers = Info{
	Config: "D", Width: 0.25, FC: 256, Input: 224, Channels: 3, Classes: []string{"rose", "lily, white", `"7"`},
	Mean: []float64{123.68, 116.779, 103.939}, Std: []float64{1, 1, 0.5}, Scale: configs.Scale{Min: 256, Max: 512},
	Recipe: "paper-jitter", Epoch: 74, ValTop1Error: 8.8,
	Split: "share 0.1 by seed 7; training 54 9f86d081884c7d65, validation 6 2c26b46b68ffc68f, all 60 fcde2b2edba56bf4", ValShare: 0.1, SplitSeed: 7,
}

func TestInfoRoundTrip(t *testing.T) {
	got, err := ParseInfo(flowers.Metadata())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, flowers) {
		t.Errorf("got %+v, want %+v", got, flowers)
	}

	own := flowers
	own.SplitSeed = math.MaxUint64
	own.Config, own.Layers = "mine", "conv3-8 maxpool conv5-16 LRN maxpool"
	if got, err = ParseInfo(own.Metadata()); err != nil || !reflect.DeepEqual(got, own) {
		t.Errorf("got %+v, want %+v (%v)", got, own, err)
	}
	if net, err := got.Net(); err != nil || LayersOf(net) != own.Layers || net.Name != "mine" || LayersOf(configs.D) != "" {
		t.Errorf("the net is %s (%v)", net, err)
	}

	unknown := flowers
	unknown.ValTop1Error = math.NaN()
	got, err = ParseInfo(unknown.Metadata())
	if err != nil || !math.IsNaN(got.ValTop1Error) {
		t.Errorf("unknown error read as %v (%v)", got.ValTop1Error, err)
	}
}

// TestBoxes: metadata tell a net that predicts boxes from one that classifies.
func TestBoxes(t *testing.T) {
	for _, boxes := range []configs.Regression{"", configs.RegressPerClass, configs.RegressSingle} {
		i := flowers
		i.Boxes = boxes
		got, err := ParseInfo(i.Metadata())
		if err != nil || !reflect.DeepEqual(got, i) {
			t.Errorf("got %+v, want %+v (%v)", got, i, err)
		}
		if classifies, predicts := got.Classifies() == nil, got.PredictsBoxes() == nil; classifies != (boxes == "") || predicts == classifies {
			t.Errorf("boxes %q: classifies %t, predicts boxes %t", boxes, classifies, predicts)
		}
	}
}

func TestParseInfoOfAnotherWriter(t *testing.T) {
	got, err := ParseInfo(map[string]string{
		"format": "pt", "config": "vgg11", "width": "1", "fc": "4096", "input": "224", "channels": "3", "classes": "3",
		"mean": "123.68, 116.779, 103.939", "std": "1,1,1",
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.Config != "A" {
		t.Errorf("vgg11 is net %s", got.Config)
	}
	if want := []string{"0", "1", "2"}; !reflect.DeepEqual(got.Classes, want) {
		t.Errorf("classes %q, want %q", got.Classes, want)
	}
	if got.Scale != (configs.Scale{}) || !math.IsNaN(got.ValTop1Error) {
		t.Errorf("what is unknown reads as %+v", got)
	}
}

func TestParseInfoErrors(t *testing.T) {
	_, err := ParseInfo(nil)
	keys := []string{"config", "width", "fc", "input", "channels", "mean", "std", "classes"}
	if want := "the metadata lacks " + strings.Join(keys, ", "); err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}

	for _, key := range keys {
		m := flowers.Metadata()
		delete(m, key)
		_, err := ParseInfo(m)
		var missing *MissingKeysError
		if !errors.As(err, &missing) || !slices.Equal(missing.Keys, []string{key}) {
			t.Errorf("error %v, want one of the missing key %s", err, key)
		}
	}

	for _, c := range []struct{ key, value, want string }{
		{"config", "", "is empty"},
		{"width", "wide", "finite numbers"},
		{"width", "1,2", "not one number"},
		{"width", "0", "not above 0"},
		{"width", "NaN", "finite numbers"},
		{"fc", "0", "whole number from 1 up"},
		{"input", "22.4", "whole number"},
		{"channels", "-3", "whole number from 1 up"},
		{"channels", "1", "one number per channel"},
		{"mean", "1,2", "one number per channel"},
		{"mean", "", "finite numbers"},
		{"std", "1,0,1", "not above 0"},
		{"std", "1,inf,1", "finite numbers"},
		{"classes", "1000", "not the number of class_names"},
		{"class_names", "rose,lily", "not a JSON array"},
		{"scale_min", "1024", "does not follow"},
		{"scale_max", "0", "does not follow"},
		{"layers", "conv3-8", "want maxpool"},
		{"layers", "conv3-8 maxpool", "belongs to a net of the paper"},
		{"epoch", "", "whole number from 0 up"},
		{"split_seed", "-1", "whole number from 0"},
		{"boxes", "all", "is not per-class or single"},
		{"val_top1_error", "x", "finite numbers"},
	} {
		m := flowers.Metadata()
		m[c.key] = c.value
		_, err := ParseInfo(m)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "metadata ") {
			t.Errorf("%s %q: error %v, want %q", c.key, c.value, err, c.want)
		}
	}

	m := maps.Clone(flowers.Metadata())
	delete(m, "class_names")
	m["classes"] = "1000000000"
	var huge error
	if n := allocated(func() { _, huge = ParseInfo(m) }); n > 1<<20 || huge == nil {
		t.Errorf("a billion classes: %d bytes allocated, error %v", n, huge)
	}
}
