package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"vgg/configs"
	"vgg/graph"
	"vgg/internal/cli/clitest"
	"vgg/weights"
)

func TestMain(m *testing.M) { clitest.Main(m, main) }

// evaluateIn runs the command in a folder.
func evaluateIn(t *testing.T, dir string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return clitest.Run(t, clitest.Command(t, dir, args...))
}

// folder holds two nets of three classes, one of two, and pictures of noise: 6 to train on and 6 to test on.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	save := func(name string, classes []string, seed uint64, change func(*weights.File)) {
		g := gorgonia.NewGraph()
		x := graph.NewInput(g, 1, 3, 32, 32)
		net, err := graph.Build(x, configs.B, graph.Options{Classes: len(classes), Width: 1.0 / 16, FC: 16, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		info := weights.Info{Config: "B", Width: 1.0 / 16, FC: 16, Input: 32, Channels: 3, Classes: classes, Mean: []float64{127, 127, 127}, Std: []float64{50, 50, 50}, Scale: configs.Scale{Min: 32, Max: 48}}
		f := weights.File{Metadata: info.Metadata(), Tensors: net.Tensors()}
		change(&f)
		if err := weights.Write(filepath.Join(dir, name), f); err != nil {
			t.Fatal(err)
		}
	}
	keep := func(*weights.File) {}
	save("one.safetensors", []string{"a", "b", "c"}, 1, keep)
	save("two.safetensors", []string{"a", "b", "c"}, 2, keep)
	save("other.safetensors", []string{"a", "b"}, 1, keep)
	save("bare.safetensors", []string{"a", "b", "c"}, 1, func(f *weights.File) { f.Metadata = nil })
	save("partial.safetensors", []string{"a", "b", "c"}, 1, func(f *weights.File) { f.Metadata = map[string]string{"config": "B"} })
	r := rand.New(rand.NewPCG(1, 2))
	for _, split := range []string{"train", "val"} {
		for _, class := range []string{"a", "b", "c"} {
			at := filepath.Join(dir, "pictures", split, class)
			if err := os.MkdirAll(at, 0o777); err != nil {
				t.Fatal(err)
			}
			for i := range 2 {
				m := image.NewRGBA(image.Rect(0, 0, 40+r.IntN(30), 40+r.IntN(30)))
				for y := range m.Rect.Dy() {
					for x := range m.Rect.Dx() {
						m.Set(x, y, color.RGBA{uint8(r.IntN(256)), uint8(r.IntN(256)), uint8(r.IntN(256)), 255})
					}
				}
				var data bytes.Buffer
				if err := png.Encode(&data, m); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(at, fmt.Sprintf("%d.png", i)), data.Bytes(), 0o666); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return dir
}

// TestEvaluate tests one net and two fused, and compares what is printed with the predictions that are written.
func TestEvaluate(t *testing.T) {
	dir := folder(t)
	for _, args := range [][]string{
		{"--weights", "one.safetensors"},
		{"--weights", "one.safetensors", "--protocol", "both", "--scales", "several"},
		{"--weights", "one.safetensors", "--weights", "two.safetensors", "--protocol", "dense", "--scales", "32,40"},
	} {
		args = append(args, "--data", "pictures", "--json", "--predictions", "p.csv")
		stdout, stderr, code := evaluateIn(t, dir, args...)
		if code != 0 {
			t.Fatalf("%v: exit code %d: %s", args, code, stderr)
		}
		var out struct {
			Top1     float64   `json:"top1_error"`
			Top5     *float64  `json:"top5_error"`
			Interval []float64 `json:"top1_interval"`
			Images   int       `json:"images"`
			Rate     float64   `json:"images_per_second"`
			Scales   []int     `json:"scales"`
			Wait     *float64  `json:"loader_wait_percent"`
		}
		if err := json.Unmarshal([]byte(stdout), &out); err != nil {
			t.Fatalf("%v: %v in %s", args, err, stdout)
		}
		file, err := os.Open(filepath.Join(dir, "p.csv"))
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(file).ReadAll()
		file.Close()
		if err != nil || len(rows) != 1+6 || len(rows[0]) != 2+2*3 {
			t.Fatalf("%v: %d predictions, %v", args, len(rows)-1, err)
		}
		wrong := 0.0
		for _, row := range rows[1:] {
			if row[1] != row[2] {
				wrong++
			}
			sum := 0.0
			for _, at := range []int{3, 5, 7} {
				p, err := strconv.ParseFloat(row[at], 64)
				if err != nil {
					t.Fatal(err)
				}
				sum += p
			}
			if sum < 0.999 || sum > 1.001 || !strings.Contains(row[0], row[1]) {
				t.Errorf("%v: prediction %v", args, row)
			}
		}
		if out.Images != 6 || out.Top1 != 100*wrong/6 || out.Top5 != nil || out.Rate <= 0 || len(out.Interval) != 2 || out.Interval[0] > out.Top1 || out.Interval[1] < out.Top1 {
			t.Errorf("%v: %s, %v wrong", args, stdout, wrong)
		}
		if out.Wait == nil || *out.Wait < 0 || *out.Wait > 100 {
			t.Errorf("%v: no share of the time spent waiting in %s", args, stdout)
		}
	}
	stdout, stderr, code := evaluateIn(t, dir, "--weights", "one.safetensors", "--data", "pictures")
	if code != 0 || !strings.Contains(stdout, "waiting for pictures") || !strings.Contains(stdout, "6 pictures, top-1 error") || !strings.Contains(stdout, "Q = [40]") || strings.Contains(stdout, "top-5") {
		t.Errorf("exit code %d, %s%s", code, stdout, stderr)
	}
}

// TestOverrides: flags say of a bare file what its metadata would have said.
func TestOverrides(t *testing.T) {
	dir := folder(t)
	var predictions [2][]byte
	for i, args := range [][]string{
		{"--weights", "one.safetensors"},
		{"--weights", "bare.safetensors", "--mean", "127,127,127", "--std", "50,50,50"},
	} {
		args = append(args, "--data", "pictures", "--scales", "40", "--predictions", "p.csv")
		if _, stderr, code := evaluateIn(t, dir, args...); code != 0 {
			t.Fatalf("%v: exit code %d: %s", args, code, stderr)
		}
		var err error
		if predictions[i], err = os.ReadFile(filepath.Join(dir, "p.csv")); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(predictions[0], predictions[1]) {
		t.Errorf("predictions differ:\n%s\n%s", predictions[0], predictions[1])
	}
}

// TestErrors: one line that names the flag, and the exit code.
func TestErrors(t *testing.T) {
	dir := folder(t)
	if err := os.MkdirAll(filepath.Join(dir, "empty"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "text"), []byte("no weights"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		code int
		want []string
		args []string
	}{
		{2, []string{"--weights"}, nil},
		{2, []string{"--protocol", "ten-crop", "multi-crop"}, []string{"--weights", "one.safetensors", "--protocol", "ten-crop"}},
		{2, []string{"--scales", "x"}, []string{"--weights", "one.safetensors", "--scales", "32,x"}},
		{2, []string{"--batch"}, []string{"--weights", "one.safetensors", "--batch", "0"}},
		{1, []string{"Q = 20", "32×32", "one.safetensors"}, []string{"--weights", "one.safetensors", "--data", "pictures", "--scales", "20"}},
		{1, []string{"other.safetensors", "cannot be fused", "only the first knows c"}, []string{"--weights", "one.safetensors", "--weights", "other.safetensors", "--data", "pictures"}},
		{1, []string{"--data pictures", "other.safetensors", "other classes"}, []string{"--weights", "other.safetensors", "--data", "pictures"}},
		{1, []string{"--data", "empty"}, []string{"--weights", "one.safetensors", "--data", "empty"}},
		{1, []string{"--data", "no val", "val_share"}, []string{"--weights", "one.safetensors", "--data", "pictures/train", "--val-share", "0"}},
		{1, []string{"partial.safetensors", "give --mean R,G,B --std R,G,B"}, []string{"--weights", "partial.safetensors", "--data", "pictures"}},
		{1, []string{"bare.safetensors", "no features.14.weight", "unknown features.15.weight"}, []string{"--weights", "bare.safetensors", "--data", "pictures", "--config", "D", "--mean", "1,1,1", "--std", "1,1,1"}},
		{2, []string{"bare.safetensors: --mean and --std: give both or neither"}, []string{"--weights", "bare.safetensors", "--data", "pictures", "--config", "D", "--mean", "1,1,1"}},
		{1, []string{"one.safetensors has 3 outputs", "--classes 2: 2 classes"}, []string{"--weights", "one.safetensors", "--data", "pictures", "--classes", "2"}},
		{2, []string{"--normalisation", "none", "torchvision"}, []string{"--weights", "one.safetensors", "--data", "pictures", "--normalisation", "none"}},
		{1, []string{"text", "safetensors"}, []string{"--weights", "text", "--data", "pictures"}},
		{1, []string{"--predictions", "missing"}, []string{"--weights", "one.safetensors", "--data", "pictures", "--predictions", "missing/p.csv"}},
		{1, []string{"--predictions", "one.safetensors would be lost"}, []string{"--weights", "one.safetensors", "--data", "pictures", "--predictions", "one.safetensors"}},
	} {
		stdout, stderr, code := evaluateIn(t, dir, c.args...)
		if code != c.code || stdout != "" && c.code != 2 || c.code == 1 && strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: exit code %d, want %d: %q %q", c.args, code, c.code, stdout, stderr)
		}
		for _, want := range c.want {
			if !strings.Contains(stderr, want) {
				t.Errorf("%v: %q does not say %q", c.args, stderr, want)
			}
		}
	}
}

// TestSkip: pictures that cannot be read end the test, or are skipped and named, up to the share that may be.
func TestSkip(t *testing.T) {
	dir := folder(t)
	for _, name := range []string{"a/0.png", "b/1.png"} { // of 12 pictures
		if err := os.WriteFile(filepath.Join(dir, "pictures/val", name), []byte("damaged"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		code int
		want []string // on stderr
		args []string
	}{
		{1, []string{"a/0.png"}, nil},
		{1, []string{"--skip-share SHARE allows more: 2 of 12 pictures cannot be read", "b/1.png"}, []string{"--bad-pictures", "skip"}},
		{1, []string{"--skip-share SHARE allows more"}, []string{"--bad-pictures", "skip", "--skip-share", "0.16"}},
		{0, []string{"skipped: pictures: val/a/0.png: ", "skipped: pictures: val/b/1.png: "}, []string{"--bad-pictures", "skip", "--skip-share", "0.17"}},
		{2, []string{"--skip-share", "--bad-pictures skip"}, []string{"--skip-share", "0.17"}},
		{2, []string{"--skip-share 1.5: want a share from 0 to 1"}, []string{"--bad-pictures", "skip", "--skip-share", "1.5"}},
		{2, []string{"--skip-share NaN"}, []string{"--bad-pictures", "skip", "--skip-share", "nan"}},
	} {
		stdout, stderr, code := evaluateIn(t, dir, append([]string{"--weights", "one.safetensors", "--data", "pictures", "--json"}, c.args...)...)
		if code != c.code || (code == 0) != strings.Contains(stdout, `"images":4`) {
			t.Errorf("%v: exit code %d, want %d: %s", c.args, code, c.code, stdout)
		}
		for _, want := range c.want {
			if !strings.Contains(stderr, want) {
				t.Errorf("%v: %q does not say %q", c.args, stderr, want)
			}
		}
	}
}
