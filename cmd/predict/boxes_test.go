package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"image"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"vgg/configs"
	"vgg/graph"
	"vgg/internal/cli/clitest"
	"vgg/weights"
)

// withBoxes adds to a folder a net that predicts the left upper quarter of its crop for each class, and a photograph of
// 96×64 pixels, which is turned to 64×96.
func withBoxes(t *testing.T) string {
	t.Helper()
	dir := folder(t)
	for name, classes := range map[string][]string{"boxes.safetensors": {"a", "b", "c"}, "two.safetensors": {"a", "b"}} {
		g := gorgonia.NewGraph()
		net, err := graph.Build(graph.NewInput(g, 1, 3, 32, 32), configs.A, graph.Options{Classes: len(classes), Boxes: configs.RegressPerClass, Width: 1.0 / 16, FC: 8, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		tensors := net.Tensors()
		for _, tensor := range tensors {
			switch tensor.Name {
			case "classifier.6.weight":
				clear(tensor.Data)
			case "classifier.6.bias":
				for i := range tensor.Data {
					tensor.Data[i] = []float32{0.25, 0.25, 0.5, 0.5}[i%4]
				}
			}
		}
		info := weights.Info{Config: "A", Width: 1.0 / 16, FC: 8, Input: 32, Channels: 3, Classes: classes, Boxes: configs.RegressPerClass,
			Mean: []float64{127, 127, 127}, Std: []float64{50, 50, 50}, Scale: configs.Scale{Min: 32, Max: 32}}
		if err := weights.Write(filepath.Join(dir, name), weights.File{Metadata: info.Metadata(), Tensors: tensors}); err != nil {
			t.Fatal(err)
		}
	}
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, image.NewRGBA(image.Rect(0, 0, 96, 64)), nil); err != nil {
		t.Fatal(err)
	}
	// A TIFF of one directory with one entry: tag 0x0112, type 3 (short), one value: 6, a quarter turn clockwise.
	exif := "Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"
	segment := append([]byte{0xff, 0xe1, 0, byte(len(exif) + 2)}, exif...)
	turned := slices.Concat(photo.Bytes()[:2], segment, photo.Bytes()[2:])
	if err := os.WriteFile(filepath.Join(dir, "turned.jpg"), turned, 0o666); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestBoxes: boxes are in pixels of the picture as it is stored. Upright and resized, the crop is that of 32×48 from y
// = 8, and the box from (0, 8) to (16, 24); turned back, that is the left lower corner of the photograph, but for a
// sixth on the left.
func TestBoxes(t *testing.T) {
	dir := withBoxes(t)
	want := [4]float64{16, 32, 48, 64}
	same := func(box [4]float64) bool {
		for i := range box {
			if math.Abs(box[i]-want[i]) > 0.01 {
				return false
			}
		}
		return true
	}
	args := []string{"--weights", "net.safetensors", "--boxes", "boxes.safetensors", "--box-protocol", "center"}
	stdout, stderr, code := predictIn(t, dir, nil, append(args, "--json", "--draw", "drawn/here", "turned.jpg", "pictures/0/0.png")...)
	var out struct {
		Pictures []struct {
			Picture                    string
			Top                        []struct{ Class string }
			Width, Height, Orientation int
			Boxes                      []struct {
				Class              string
				Probability, Score float64
				Windows            int
				Box                [4]float64
			}
		}
	}
	if err := json.Unmarshal([]byte(stdout), &out); code != 0 || err != nil {
		t.Fatalf("exit code %d, %v: %s", code, err, stderr)
	}
	p := out.Pictures[0]
	if p.Width != 96 || p.Height != 64 || p.Orientation != 6 || len(p.Boxes) != 3 || p.Boxes[0].Class != p.Top[0].Class {
		t.Errorf("%+v", p)
	}
	for _, b := range p.Boxes {
		if !same(b.Box) || b.Windows != 1 || b.Score != b.Probability {
			t.Errorf("%+v, want a box of %v", b, want)
		}
	}
	if out.Pictures[1].Orientation != 1 {
		t.Errorf("a PNG: %+v", out.Pictures[1])
	}
	drawn, err := os.Open(filepath.Join(dir, "drawn", "here", "00000-turned.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer drawn.Close()
	if c, err := png.DecodeConfig(drawn); err != nil || c.Width%64 != 0 || c.Height%96 != 0 || c.Width*96 != c.Height*64 {
		t.Errorf("the drawing: %+v, %v: want it upright", c, err)
	}

	stdout, stderr, code = predictIn(t, dir, nil, append(args, "--csv", "turned.jpg")...)
	rows, err := csv.NewReader(strings.NewReader(stdout)).ReadAll()
	if code != 0 || err != nil || len(rows) != 4 || strings.Join(rows[1][9:], " ") != "16.00 32.00 48.00 64.00" || strings.Join(rows[1][:5], " ") != "turned.jpg 96 64 6 1" {
		t.Errorf("exit code %d, %v: %s%s", code, err, stdout, stderr)
	}
	photo, err := os.ReadFile(filepath.Join(dir, "turned.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr, code = predictIn(t, dir, photo, append(args, "--draw", "drawn", "-")...)
	if code != 0 || !strings.HasPrefix(stdout, "- (boxes in pixels of 96×64: left, top, right, bottom, of the picture as stored, with EXIF's orientation 6)\n") ||
		strings.Count(stdout, "   16.0    32.0    48.0    64.0  ") != 3 {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
	// Dense, several scales: the default protocol of boxes.
	if _, stderr, code = predictIn(t, dir, nil, "--weights", "net.safetensors", "--boxes", "boxes.safetensors@32,64", "pictures"); code != 0 {
		t.Errorf("dense: exit code %d: %s", code, stderr)
	}
}

// TestBoxErrors: each in one line, with the remedy.
func TestBoxErrors(t *testing.T) {
	dir := withBoxes(t)
	for _, c := range []struct {
		code int
		want []string
		args []string
	}{
		{1, []string{"--boxes", "net.safetensors", "predicts no boxes", "boxes.regression"}, []string{"--weights", "net.safetensors", "--boxes", "net.safetensors"}},
		{1, []string{"--weights boxes.safetensors", "--boxes boxes.safetensors"}, []string{"--weights", "boxes.safetensors"}},
		{1, []string{"only the first knows c"}, []string{"--weights", "net.safetensors", "--boxes", "two.safetensors"}},
		{2, []string{"--csv", "--boxes FILE"}, []string{"--weights", "net.safetensors", "--csv"}},
		{2, []string{"--draw", "--boxes FILE"}, []string{"--weights", "net.safetensors", "--draw", "here"}},
		{2, []string{"--csv and --json"}, []string{"--weights", "net.safetensors", "--boxes", "boxes.safetensors", "--csv", "--json"}},
		{2, []string{"--features and --boxes"}, []string{"--weights", "net.safetensors", "--boxes", "boxes.safetensors", "--features", "fc7", "--out", "f.csv"}},
	} {
		stdout, stderr, code := predictIn(t, dir, nil, append(c.args, "turned.jpg")...)
		lines := strings.Split(strings.TrimSpace(stderr), "\n")
		if code != c.code || stdout != "" {
			t.Errorf("%v: exit code %d, want %d: %s%s", c.args, code, c.code, stdout, stderr)
		}
		for _, w := range c.want {
			if !strings.Contains(lines[len(lines)-1], w) {
				t.Errorf("%v: %s\nwant %q", c.args, stderr, w)
			}
		}
	}
}

// TestUnwritten: letters that drawings lack are noted once.
func TestUnwritten(t *testing.T) {
	dir := withBoxes(t)
	draw := func(want int) {
		t.Helper()
		_, stderr, code := predictIn(t, dir, nil, "--weights", "net.safetensors", "--boxes", "boxes.safetensors", "--box-protocol", "center",
			"--draw", "drawn", "--json", "turned.jpg", "pictures/0/0.png")
		if code != 0 || strings.Count(stderr, "note: "+clitest.NotesUnwritten) != want {
			t.Errorf("exit code %d, %s, want %d notes", code, stderr, want)
		}
	}
	draw(0)
	for _, name := range []string{"net.safetensors", "boxes.safetensors"} {
		file := filepath.Join(dir, name)
		f, err := weights.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		info, err := weights.ParseInfo(f.Metadata)
		if err != nil {
			t.Fatal(err)
		}
		for i := range info.Classes {
			info.Classes[i] += clitest.Unwritten
		}
		f.Metadata = info.Metadata()
		if err := weights.Write(file, *f); err != nil {
			t.Fatal(err)
		}
	}
	draw(1)
}
