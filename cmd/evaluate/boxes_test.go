package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"vgg/configs"
	"vgg/dataset/fashion"
	"vgg/graph"
	"vgg/weights"
)

// boxNets holds a net that classifies the embedded garments, and nets that predict boxes: the same for each picture, in
// the middle and half as large as the crop.
func boxNets(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	save := func(name string, boxes configs.Regression, classes []string) {
		g := gorgonia.NewGraph()
		net, err := graph.Build(graph.NewInput(g, 1, 3, 32, 32), configs.A, graph.Options{Classes: len(classes), Boxes: boxes, Width: 1.0 / 32, FC: 8, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		tensors := net.Tensors()
		if boxes != "" {
			for _, tensor := range tensors {
				switch tensor.Name {
				case "classifier.6.weight":
					clear(tensor.Data)
				case "classifier.6.bias":
					for i := range tensor.Data {
						tensor.Data[i] = 0.5
					}
				}
			}
		}
		info := weights.Info{Config: "A", Width: 1.0 / 32, FC: 8, Input: 32, Channels: 3, Classes: classes, Boxes: boxes,
			Mean: []float64{127, 127, 127}, Std: []float64{50, 50, 50}, Scale: configs.Scale{Min: 32, Max: 32}}
		if err := weights.Write(filepath.Join(dir, name), weights.File{Metadata: info.Metadata(), Tensors: tensors}); err != nil {
			t.Fatal(err)
		}
	}
	classes := fashion.Classes()
	save("classes.safetensors", "", classes)
	save("pcr.safetensors", configs.RegressPerClass, classes)
	save("scr.safetensors", configs.RegressSingle, classes)
	save("fewer.safetensors", configs.RegressSingle, classes[:9])
	return dir
}

// boxOutput is what --json prints.
type boxOutput struct {
	Images     int       `json:"images"`
	Test1      *float64  `json:"true_class_localisation_error"`
	Test1Range []float64 `json:"true_class_localisation_error_interval"`
	Mean       *float64  `json:"mean_box_error"`
	Top5       *float64  `json:"localisation_error"`
	Top5Range  []float64 `json:"localisation_error_interval"`
	Top1       *float64  `json:"localisation_top1_error"`
	IoU        float64   `json:"mean_iou"`
	Class      *float64  `json:"top1_error"`
	Notes      []string  `json:"notes"`
	Localisers []struct {
		Scales []int    `json:"scales"`
		Test1  *float64 `json:"true_class_localisation_error"`
	} `json:"localisers"`
}

// TestBoxes tests nets on the embedded scenes and draws some.
func TestBoxes(t *testing.T) {
	dir := boxNets(t)
	run := func(args ...string) boxOutput {
		t.Helper()
		stdout, stderr, code := evaluateIn(t, dir, append(args, "--data", "embedded-scenes", "--json")...)
		var out boxOutput
		if err := json.Unmarshal([]byte(stdout), &out); code != 0 || err != nil {
			t.Fatalf("%v: exit code %d, %v: %s", args, code, err, stderr)
		}
		return out
	}
	test1 := run("--boxes", "scr.safetensors", "--draw", "drawn", "--draw-pictures", "7")
	if test1.Images != 2000 || test1.Top5 != nil || test1.Class != nil || len(test1.Localisers) != 1 || !slices.Contains(test1.Notes, "7 of 2000 pictures are drawn, evenly spaced") {
		t.Errorf("test 1: %+v", test1)
	}
	if e := *test1.Test1; !(test1.Test1Range[0] < e && e < test1.Test1Range[1]) || math.IsNaN(test1.IoU) || test1.IoU <= 0 || test1.IoU >= 1 || *test1.Mean < 50 {
		t.Errorf("test 1: %+v", test1)
	}
	drawn := drawings(t, filepath.Join(dir, "drawn"))
	if len(drawn) != 7 || !slices.ContainsFunc(drawn, func(name string) bool {
		return strings.HasPrefix(name, "wrong/00000-") || strings.HasPrefix(name, "right/00000-")
	}) {
		t.Errorf("drawn: %v", drawn)
	}
	test2 := run("--weights", "classes.safetensors", "--boxes", "pcr.safetensors@32,40", "--boxes", "scr.safetensors", "--box-protocol", "center", "--result", "guesses.txt")
	if *test2.Test1 != *test1.Test1 || len(test2.Localisers) != 2 || !slices.Equal(test2.Localisers[0].Scales, []int{32, 40}) ||
		*test2.Top5 > *test2.Top1 || *test2.Class > *test2.Top1 || !(test2.Top5Range[0] <= *test2.Top5 && *test2.Top5 <= test2.Top5Range[1]) {
		t.Errorf("test 2: %+v, test 1 alone %v", test2, *test1.Test1)
	}
	scored := run("--score", "guesses.txt")
	if math.Abs(*scored.Top5-*test2.Top5) > 1 || math.Abs(*scored.Top1-*test2.Top1) > 1 || *scored.Class != *test2.Class || scored.Images != 2000 {
		t.Errorf("the result file: %+v, test 2: %+v", scored, test2) // but for parts of pixels
	}
}

// TestResultFile: a picture without box has a line too, and does not count; boxes are those of the stored picture.
func TestResultFile(t *testing.T) {
	dir := boxNets(t)
	var rows, truth strings.Builder
	rows.WriteString("filename,class,xmin,ymin,xmax,ymax\n")
	for i, class := range fashion.Classes() {
		class = strings.ReplaceAll(class, "/", "-")
		for split, boxes := range map[string]string{"train": "1,1,20,40", "val": "11,6,30,25"} {
			folder := filepath.Join(dir, "set", split, class)
			if err := os.MkdirAll(folder, 0o777); err != nil {
				t.Fatal(err)
			}
			writePNG(t, filepath.Join(folder, split+strconv.Itoa(i)+".png"), 40, 60)
			if i > 0 || split == "train" {
				fmt.Fprintf(&rows, "%s%d.png,%s,%s\n", split, i, class, boxes)
			}
		}
	}
	write(t, filepath.Join(dir, "set", "boxes.csv"), rows.String())
	for i := range 10 { // in the order of the names, the first guess of another class
		fmt.Fprintf(&truth, "%d 11 6 30 25 %d 11 6 30 25\n", (i+1)%10+1, i+1)
	}
	write(t, filepath.Join(dir, "truth.txt"), truth.String())
	stdout, stderr, code := evaluateIn(t, dir, "--score", "truth.txt", "--data", "set", "--json")
	var out boxOutput
	if err := json.Unmarshal([]byte(stdout), &out); code != 0 || err != nil {
		t.Fatalf("exit code %d, %v: %s", code, err, stderr)
	}
	if out.Images != 9 || *out.Top5 != 0 || *out.Top1 != 100 || !slices.Contains(out.Notes, "1 of 10 pictures are left out: they have no box of their class") {
		t.Errorf("%+v", out)
	}
	for want, text := range map[string]string{
		"9 lines, and set has 10 pictures for validation": strings.SplitAfterN(truth.String(), "\n", 2)[1],
		"line 1: label \"11\": want 1 to 10":              strings.Replace(truth.String(), "2 11", "11 11", 1),
		"line 2: 9 words: want up to 5 times":             strings.Replace(truth.String(), "\n3 ", "\n", 1),
	} {
		write(t, filepath.Join(dir, "bad.txt"), text)
		_, stderr, code := evaluateIn(t, dir, "--score", "bad.txt", "--data", "set")
		lines := strings.Split(strings.TrimSpace(stderr), "\n")
		if code != 1 || !strings.Contains(lines[len(lines)-1], want) || !strings.Contains(lines[len(lines)-1], "--score bad.txt") {
			t.Errorf("exit code %d: %s\nwant %q", code, stderr, want)
		}
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func writePNG(t *testing.T, file string, width, height int) {
	t.Helper()
	var data bytes.Buffer
	if err := png.Encode(&data, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	write(t, file, data.String())
}

func drawings(t *testing.T, dir string) (names []string) {
	t.Helper()
	for _, folder := range []string{"right", "wrong"} {
		entries, err := os.ReadDir(filepath.Join(dir, folder))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, folder+"/"+e.Name())
		}
	}
	return names
}

// TestBoxErrors: each in one line, with the remedy.
func TestBoxErrors(t *testing.T) {
	dir := boxNets(t)
	for _, c := range []struct {
		code int
		want []string
		args []string
	}{
		{2, []string{"--weights FILE", "--boxes FILE"}, nil},
		{1, []string{"--boxes", "classes.safetensors", "predicts no boxes", "boxes.regression"}, []string{"--boxes", "classes.safetensors"}},
		{1, []string{"--weights", "scr.safetensors", "predicts boxes", "--boxes scr.safetensors"}, []string{"--weights", "scr.safetensors"}},
		{1, []string{"only the first knows Ankle boot"}, []string{"--weights", "classes.safetensors", "--boxes", "fewer.safetensors"}},
		{1, []string{"--data embedded", "no picture has a box", "embedded-scenes"}, []string{"--boxes", "scr.safetensors", "--data", "embedded"}},
		{2, []string{"--boxes scr.safetensors@x", "256,384,512"}, []string{"--boxes", "scr.safetensors@x"}},
		{1, []string{"Q = 16", "scales of at least 32"}, []string{"--boxes", "scr.safetensors@16"}},
		{2, []string{"--scales", "--boxes FILE@Q"}, []string{"--boxes", "scr.safetensors", "--scales", "64"}},
		{2, []string{"--draw", "--boxes FILE"}, []string{"--weights", "classes.safetensors", "--draw", "drawn"}},
		{2, []string{"--box-merge 2"}, []string{"--boxes", "scr.safetensors", "--box-merge", "2"}},
		{2, []string{"--box-classes 6", "1 to 5"}, []string{"--boxes", "scr.safetensors", "--box-classes", "6"}},
		{2, []string{"--draw-pictures 0"}, []string{"--boxes", "scr.safetensors", "--draw-pictures", "0"}},
		{2, []string{"--result FILE", "--weights FILE and --boxes FILE"}, []string{"--boxes", "scr.safetensors", "--result", "r.txt"}},
		{1, []string{"--result classes.safetensors", "it exists", "another name"}, []string{"--weights", "classes.safetensors", "--boxes", "scr.safetensors", "--result", "classes.safetensors"}},
		{2, []string{"--score FILE", "leave out"}, []string{"--boxes", "scr.safetensors", "--score", "r.txt"}},
		{2, []string{"--score FILE", "leave out"}, []string{"--scales", "40", "--score", "r.txt"}},
		{1, []string{"--score", "r.txt", "no such file"}, []string{"--score", "r.txt"}},
		{2, []string{"--predictions"}, []string{"--boxes", "scr.safetensors", "--predictions", "p.csv"}},
	} {
		args := c.args
		if !slices.Contains(args, "--data") {
			args = append(args, "--data", "embedded-scenes")
		}
		stdout, stderr, code := evaluateIn(t, dir, args...)
		lines := strings.Split(strings.TrimSpace(stderr), "\n")
		last := lines[len(lines)-1]
		if code != c.code || stdout != "" {
			t.Errorf("%v: exit code %d, want %d: %s%s", args, code, c.code, stdout, stderr)
		}
		for _, w := range c.want {
			if !strings.Contains(last, w) {
				t.Errorf("%v: %s\nwant %q", args, last, w)
			}
		}
	}
}
