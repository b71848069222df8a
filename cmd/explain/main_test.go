package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"vgg/configs"
	"vgg/graph"
	"vgg/internal/cli/clitest"
	"vgg/weights"
)

func TestMain(m *testing.M) { clitest.Main(m, main) }

// folder holds a net of the scenes' classes, two pictures, one of them damaged, and a text.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	g := gorgonia.NewGraph()
	net, err := graph.Build(graph.NewInput(g, 1, 3, 32, 32), configs.A, graph.Options{Classes: 10, Width: 1.0 / 16, FC: 8, Seed: 1, Init: configs.InitHe})
	if err != nil {
		t.Fatal(err)
	}
	info := weights.Info{Config: "A", Width: 1.0 / 16, FC: 8, Input: 32, Channels: 3, Mean: []float64{127, 127, 127}, Std: []float64{50, 50, 50},
		Classes: []string{"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"}, Scale: configs.Scale{Min: 32, Max: 48}}
	if err := weights.Write(filepath.Join(dir, "net.safetensors"), weights.File{Metadata: info.Metadata(), Tensors: net.Tensors()}); err != nil {
		t.Fatal(err)
	}
	m := image.NewRGBA(image.Rect(0, 0, 50, 40))
	for i := range 50 * 40 {
		m.Set(i%50, i/50, color.RGBA{uint8(i * 7), uint8(i * i), uint8(i / 9), 255})
	}
	file, err := os.Create(filepath.Join(dir, "whole.png"))
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(file, m); err != nil {
		t.Fatal(err)
	}
	file.Close()
	data, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"many/damaged.png": data[:len(data)/2], "many/notes.txt": []byte("none"), "many/whole.png": data} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func explainIn(t *testing.T, dir string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return clitest.Run(t, clitest.Command(t, dir, append([]string{"--weights", "net.safetensors"}, args...)...))
}

type output struct {
	Layer    string
	Skipped  []struct{ Picture string }
	Notes    []string
	Pictures []struct {
		Picture, Drawing string
		Height, Width    int
		Seconds          map[string]float64
		Classes          []struct {
			Class string
			Index int
			Maps  []struct {
				Method, Array string
				Height, Width int
				Most          float64
				Peak          *[2]float64
			}
		}
	}
	PointingGame map[string]any `json:"pointing_game"`
}

func parse(t *testing.T, stdout string) (o output) {
	t.Helper()
	if err := json.Unmarshal([]byte(stdout), &o); err != nil {
		t.Fatalf("%v in %q", err, stdout)
	}
	return o
}

// TestExplain: a drawing a picture, of two classes and three maps, and an array for each map, of which JSON tells.
func TestExplain(t *testing.T) {
	dir := folder(t)
	stdout, stderr, code := explainIn(t, dir, "--class", "Bag", "--class", "0", "--out", "new/out", "--grid", "4", "--json", "whole.png")
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	out := parse(t, stdout)
	if len(out.Pictures) != 1 || len(out.Pictures[0].Classes) != 2 || out.Layer != "conv3_2" {
		t.Fatalf("%+v", out)
	}
	p := out.Pictures[0]
	if p.Height != 32 || p.Width != 32 || p.Classes[0].Class != "Bag" || p.Classes[1].Index != 0 || len(p.Seconds) != 4 {
		t.Errorf("%+v", p)
	}
	for _, c := range p.Classes {
		for _, m := range c.Maps {
			array, err := os.ReadFile(filepath.Join(dir, m.Array))
			if err != nil {
				t.Fatal(err)
			}
			begin := 10 + int(binary.LittleEndian.Uint16(array[8:]))
			if !strings.Contains(string(array[:begin]), fmt.Sprintf("'shape': (%d, %d)", m.Height, m.Width)) || len(array) != begin+4*m.Height*m.Width {
				t.Errorf("%s: %d bytes for %d×%d values: %s", m.Array, len(array), m.Height, m.Width, array[:begin])
			}
			if m.Method == "occlusion" && m.Width != 4 || m.Method == "saliency" && (m.Width != 32 || m.Peak == nil) {
				t.Errorf("%+v", m)
			}
		}
	}
	file, err := os.Open(filepath.Join(dir, p.Drawing))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if size, err := png.DecodeConfig(file); err != nil || size.Width < 4*224 || size.Height < 2*224 {
		t.Errorf("the drawing: %+v, %v", size, err)
	}

	stdout, stderr, code = explainIn(t, dir, "--out", "one", "--methods", "grad-cam", "--layer", "pool3", "--top", "2", "--protocol", "dense", "whole.png")
	if code != 0 || strings.Count(stdout, " %  ") != 2 || !strings.Contains(stdout, "grad-cam of pool3, 5×7 values") || !strings.HasSuffix(stdout, "one/00000-whole.png\n") {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
}

// TestPointingGame: the numbers of a net that has learnt nothing, as text and as JSON; nothing is written.
func TestPointingGame(t *testing.T) {
	dir := folder(t)
	args := []string{"--data", "embedded-scenes", "--pictures", "5", "--pointing-game", "--grid", "3"}
	stdout, stderr, code := explainIn(t, dir, args...)
	if code != 0 || !strings.HasPrefix(stdout, "5 pictures of embedded-scenes") || strings.Count(stdout, "points") != 3 || strings.Count(stdout, "\n") != 5 {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
	stdout, _, code = explainIn(t, dir, append(args, "--json")...)
	if out := parse(t, stdout); code != 0 || out.PointingGame["pictures"] != 5.0 || out.PointingGame["saliency"] == nil || len(out.Pictures) != 5 || out.Pictures[0].Drawing != "" {
		t.Errorf("exit code %d: %+v", code, out)
	}
}

// TestBadPictures: a damaged picture ends the command after what was made before, or is skipped.
func TestBadPictures(t *testing.T) {
	dir := folder(t)
	args := []string{"--methods", "saliency", "--out", "out", "--json", "whole.png", "many"}
	stdout, stderr, code := explainIn(t, dir, args...)
	if out := parse(t, stdout); code != 1 || len(out.Pictures) != 1 || !strings.Contains(stderr, "damaged.png cannot be read (--bad-pictures skip") {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
	stdout, stderr, code = explainIn(t, dir, append(args, "--bad-pictures", "skip")...)
	if out := parse(t, stdout); code != 0 || len(out.Pictures) != 2 || len(out.Skipped) != 2 || !strings.Contains(stderr, "skipped: many/notes.txt") {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
}

// TestErrors: one line that names the flag or the file, and nothing on standard output.
func TestErrors(t *testing.T) {
	dir := folder(t)
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{2, "want one of them", []string{"--out", "o"}},
		{2, "want one of them", []string{"--out", "o", "--data", "embedded-scenes", "whole.png"}},
		{2, "--out DIR", []string{"whole.png"}},
		{2, "embedded-scenes", []string{"--pointing-game", "whole.png"}},
		{2, "--class and --top", []string{"--out", "o", "--class", "Bag", "--top", "2", "whole.png"}},
		{2, "true class", []string{"--data", "embedded-scenes", "--pointing-game", "--top", "2"}},
		{2, "--pictures", []string{"--out", "o", "--pictures", "2", "whole.png"}},
		{2, "--methods", []string{"--out", "o", "--methods", "guessing", "whole.png"}},
		{2, "--methods", []string{"--out", "o", "--methods", "saliency,saliency", "whole.png"}},
		{2, "--grid: these are for occlusion", []string{"--out", "o", "--methods", "saliency", "--grid", "5", "whole.png"}},
		{2, "--layer: Grad-CAM", []string{"--out", "o", "--methods", "saliency", "--layer", "conv1_1", "whole.png"}},
		{2, "positive numbers", []string{"--out", "o", "--grid", "0", "whole.png"}},
		{1, "--class Hat: the net knows T-shirt/top", []string{"--out", "o", "--class", "Hat", "whole.png"}},
		{1, "--class 10: the net knows", []string{"--out", "o", "--class", "10", "whole.png"}},
		{1, "layer \"fc6\"", []string{"--out", "o", "--layer", "fc6", "whole.png"}},
		{1, "1 to 32", []string{"--out", "o", "--grid", "33", "whole.png"}},
		{1, "at least 32", []string{"--out", "o", "--scale", "16", "whole.png"}},
		{1, "--out", []string{"--out", "whole.png/o", "whole.png"}},
		{1, "missing.png", []string{"--out", "o", "missing.png"}},
		{1, "none of 1 files", []string{"--out", "o", "--bad-pictures", "skip", "many/notes.txt"}},
		{1, "no picture has a box", []string{"--data", "embedded", "--pointing-game"}},
	} {
		stdout, stderr, code := explainIn(t, dir, c.args...)
		lines := strings.Split(strings.TrimSpace(stderr), "\n")
		if code != c.code || stdout != "" || !strings.Contains(lines[len(lines)-1], c.want) {
			t.Errorf("%v: exit code %d, want %d and %q: %s%s", c.args, code, c.code, c.want, stdout, stderr)
		}
	}
}

// TestUnwritten: letters that drawings lack are noted once.
func TestUnwritten(t *testing.T) {
	dir := folder(t)
	for _, name := range []string{"a", "b"} {
		if err := os.Link(filepath.Join(dir, "whole.png"), filepath.Join(dir, name+clitest.Unwritten+".png")); err != nil {
			t.Fatal(err)
		}
	}
	stdout, stderr, code := explainIn(t, dir, "--methods", "saliency", "--out", "out", "--json", "a"+clitest.Unwritten+".png", "b"+clitest.Unwritten+".png")
	if code != 0 || strings.Count(stderr, "note: "+clitest.NotesUnwritten) != 1 || !strings.Contains(strings.Join(parse(t, stdout).Notes, "\n"), clitest.NotesUnwritten) {
		t.Errorf("exit code %d, %s%s", code, stdout, stderr)
	}
}
