package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
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
	"vgg/svm"
	"vgg/weights"
)

func TestMain(m *testing.M) { clitest.Main(m, main) }

// folder holds four nets and three classes of seven pictures each, of other colours.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, o := range map[string]graph.Options{
		"net.safetensors":   {Classes: 2, Width: 1.0 / 32, FC: 8, Seed: 1},
		"other.safetensors": {Classes: 2, Width: 1.0 / 32, FC: 12, Seed: 2},
		"boxes.safetensors": {Classes: 2, Width: 1.0 / 32, FC: 8, Seed: 2, Boxes: configs.RegressSingle},
		"grey.safetensors":  {Classes: 2, Width: 1.0 / 32, FC: 8, Seed: 1},
	} {
		channels := 3
		if name == "grey.safetensors" {
			channels = 1
		}
		g := gorgonia.NewGraph()
		net, err := graph.Build(graph.NewInput(g, 1, channels, 32, 32), configs.A, o)
		if err != nil {
			t.Fatal(err)
		}
		info := weights.Info{Config: "A", Width: o.Width, FC: o.FC, Input: 32, Channels: channels, Classes: []string{"x", "y"}, Boxes: o.Boxes,
			Mean: []float64{127, 127, 127}[:channels], Std: []float64{50, 50, 50}[:channels], Scale: configs.Scale{Min: 32, Max: 48}}
		if err := weights.Write(filepath.Join(dir, name), weights.File{Metadata: info.Metadata(), Tensors: net.Tensors()}); err != nil {
			t.Fatal(err)
		}
	}
	for class, colour := range map[string]color.RGBA{"blue": {0, 0, 200, 255}, "green": {0, 200, 0, 255}, "red": {200, 0, 0, 255}} {
		for i := range 7 {
			write(t, filepath.Join(dir, "set", class, fmt.Sprintf("%d.jpg", i)), photo(t, colour, i))
		}
	}
	return dir
}

func write(t *testing.T, file string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// photo is a JPEG of 10×8 pixels of a colour, with a grey corner.
func photo(t *testing.T, colour color.RGBA, i int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 10, 8))
	for y := range 8 {
		for x := range 10 {
			img.SetRGBA(x, y, colour)
			if x < 4 && y < 4 {
				img.SetRGBA(x, y, color.RGBA{uint8(30 * i), uint8(30 * i), uint8(30 * i), 255})
			}
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// command runs the command in a folder, with a cache in it.
func command(t *testing.T, dir string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return clitest.Run(t, clitest.Command(t, dir, append([]string{"--cache", "cache"}, args...)...))
}

// answer is what JSON says.
type answer struct {
	outcome
	Computed, Cached, Samples, Features int
	Aggregate, Regions                  string
	Nets                                []struct{ Scales []int }
	Pixels                              *outcome
	RandomWeights                       *outcome `json:"random_weights"`
	Paper                               []reported
	Notes                               []string
}

type outcome struct {
	MeanClassRecall *float64 `json:"mean_class_recall"`
	MeanAP          *float64 `json:"mean_ap"`
	Deviation       *float64
	Classes         map[string]float64
	Splits          []printedSplit
}

func parse(t *testing.T, stdout string) (a answer) {
	t.Helper()
	if err := json.Unmarshal([]byte(stdout), &a); err != nil {
		t.Fatalf("%v: %s", err, stdout)
	}
	return a
}

// Classes of other colours are told apart, by raw pixels too; the second run takes all features from the cache and
// says the same.
func TestClasses(t *testing.T) {
	dir := folder(t)
	args := []string{"--weights", "net.safetensors", "--data", "set", "--per-class", "4", "--test", "3", "--json", "--baselines", "--out", "f.npy", "--report", "report"}
	stdout, stderr, code := command(t, dir, args...)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	a := parse(t, stdout)
	if a.MeanClassRecall == nil || a.Deviation == nil || len(a.Splits) != 3 || len(a.Classes) != 3 || a.Pixels == nil || a.RandomWeights == nil ||
		!slices.Equal(a.Nets[0].Scales, []int{37, 55, 73}) || a.Features != 3*8 || a.Aggregate != "stack" || a.Regions != "picture" || a.Paper != nil || a.MeanAP != nil {
		t.Fatalf("%s", stdout)
	}
	if *a.Pixels.MeanClassRecall != 100 || a.Cached != 0 || a.Computed != 3*a.Samples {
		t.Errorf("raw pixels %.1f; %d computed, %d from the cache", *a.Pixels.MeanClassRecall, a.Computed, a.Cached)
	}
	mean := 0.0
	for _, s := range a.Splits {
		mean += *s.Test / 3
		if s.Gap > 1e-4 || s.Passes < 1 {
			t.Errorf("%+v", s)
		}
	}
	if math.Abs(mean-*a.MeanClassRecall) > 1e-9 || math.Abs((a.Classes["blue"]+a.Classes["green"]+a.Classes["red"])/3-mean) > 1e-9 {
		t.Errorf("%s", stdout)
	}
	if !strings.Contains(strings.Join(a.Notes, "\n"), "3 random splits by seed 0") || strings.Count(stderr, "note: ") != len(a.Notes) {
		t.Errorf("notes %q, printed %q", a.Notes, stderr)
	}
	testReport(t, filepath.Join(dir, "report"), "| raw pixels | 100.0 ± 0.0 |", "| blue | ", "AP 2007, split 1", "figures/recall1.png", "figures/pictures1.png",
		"figures/classes1.png", "- set: 3 random splits by seed 0")
	names, err := os.ReadFile(filepath.Join(dir, "f.npy.txt"))
	if err != nil || strings.Count(string(names), "\n") != a.Samples || !strings.Contains(string(names), "red/0.jpg\n") {
		t.Errorf("names %q, error %v", names, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "f.npy")); err != nil || info.Size() != int64(128+4*a.Samples*a.Features) {
		t.Errorf("%v, error %v", info, err)
	}

	stdout, _, code = command(t, dir, args...)
	again := parse(t, stdout)
	if code != 0 || again.Computed != 0 || again.Cached != a.Computed || *again.MeanClassRecall != *a.MeanClassRecall {
		t.Errorf("again: %s", stdout)
	}
	stdout, stderr, code = command(t, dir, "--weights", "other.safetensors", "--weights", "net.safetensors", "--data", "set", "--per-class", "4", "--test", "3",
		"--splits", "1", "--scales", "32,40", "--aggregate", "mean", "--c", "1,100")
	for _, want := range []string{"3 classes, ", "net A, fc7, dense and mirrored, Q = 32, 40", "scales: mean; of each: picture; 20 features", "these features", "split 1: C = ", "  green\n"} {
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("exit code %d, want %q: %s%s", code, want, stdout, stderr)
		}
	}
}

// A net for grey pictures gets no colours, and a note says so.
func TestGrey(t *testing.T) {
	args := []string{"--weights", "grey.safetensors", "--data", "set", "--per-class", "5", "--test", "1", "--splits", "1", "--scales", "32", "--c", "1", "--json"}
	stdout, stderr, code := command(t, folder(t), args...)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	if a := parse(t, stdout); !slices.Contains(a.Notes, "grey.safetensors is for grey pictures: colours are left out") {
		t.Errorf("notes %q", a.Notes)
	}
}

// A C that does not converge is left out, in a note, in JSON and in the report, and does not count as the grid's edge.
func TestLeftOut(t *testing.T) {
	dir := folder(t)
	for class := range 3 { // that differ in nothing
		for i := range 6 {
			write(t, filepath.Join(dir, "same", fmt.Sprint(class), fmt.Sprintf("%d.jpg", i)), photo(t, color.RGBA{uint8(37 * i * (i + class)), uint8(91 * i), 0, 255}, i))
		}
	}
	args := []string{"--weights", "net.safetensors", "--data", "same", "--per-class", "5", "--test", "1", "--splits", "2", "--scales", "32", "--json", "--report", "report"}
	stdout, stderr, code := command(t, dir, append(args, "--c", "1,1e12")...)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	a := parse(t, stdout)
	notes := strings.Join(a.Notes, "\n")
	for _, want := range []string{"features: C = 1e+12 is left out in split 1, 2: after 1000 passes", "--c chooses the grid", "features: the best C, 1, is at the edge of --c 1,1e12"} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes %q do not say %q", a.Notes, want)
		}
	}
	for _, s := range a.Splits {
		if s.C != 1 || !s.AtEdge || s.Grid[0] == nil || s.Grid[1] != nil {
			t.Errorf("%+v", s)
		}
	}
	testReport(t, filepath.Join(dir, "report"), "; 1e+12: –", "is left out in split 1, 2")
	of := &test{flags: flags{C: "0.1,1,1e12"}}
	if text := of.edge(svm.Choice{C: 1, Best: 1, Grid: []float64{0.1, 1, 1e12}}); text != "the best C, 1, is beside values of --c 0.1,1,1e12 that are left out: a finer grid may hold a better one" {
		t.Errorf("%q", text)
	}
	_, stderr, code = command(t, dir, append(args, "--c", "1e12")...)
	if code != 1 || !strings.Contains(stderr, "features: split 1: C = 1e+12: after 1000 passes") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// testReport: the Markdown says what it should, its figures are there, and the page holds them and needs no other file.
func testReport(t *testing.T, dir string, want ...string) {
	t.Helper()
	markdown, err := os.ReadFile(filepath.Join(dir, "report.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range want {
		if !strings.Contains(string(markdown), text) {
			t.Errorf("the report has no %q: %s", text, markdown)
		}
	}
	html, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	figures, err := filepath.Glob(filepath.Join(dir, "figures", "*.png"))
	n := strings.Count(string(html), `<img src="data:image/png;base64,`)
	if err != nil || n != len(figures) || strings.Count(string(html), "<img ") != n {
		t.Errorf("%d figures in the page, %d beside it, error %v", n, len(figures), err)
	}
}

// voc makes a small VOC2012 whose test labels are on a server.
func voc(t *testing.T, dir string) {
	t.Helper()
	root := filepath.Join(dir, "VOCdevkit", "VOC2012")
	lists := map[string]string{}
	for i, id := range []string{"t1", "t2", "v1", "v2", "x1", "x2", "x3"} {
		write(t, filepath.Join(root, "JPEGImages", id+".jpg"), photo(t, []color.RGBA{{200, 0, 0, 255}, {0, 200, 0, 255}}[i%2], i))
		set := map[byte]string{'t': "train", 'v': "val", 'x': "test"}[id[0]]
		lists[set] += id + "\n"
		if set != "test" {
			lists["cat_"+set] += fmt.Sprintf("%s %d\n", id, 1-2*(i%2))
			lists["dog_"+set] += fmt.Sprintf("%s %d\n", id, 2*(i%2)-1)
		}
	}
	for name, text := range lists {
		write(t, filepath.Join(root, "ImageSets", "Main", name+".txt"), []byte(text))
	}
}

// Where the labels are on a server, the value is that of the validation samples, and result files are written. The
// paper's rows stand beside.
func TestVOC(t *testing.T) {
	dir := folder(t)
	voc(t, dir)
	args := []string{"--weights", "net.safetensors", "--data", "VOCdevkit", "--results", "results", "--scales", "32,40", "--report", "report"}
	stdout, stderr, code := command(t, dir, append(args, "--json")...)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	testReport(t, filepath.Join(dir, "report"), "these features, on validation samples", "| 89.3 |", "there is nothing to draw")
	a := parse(t, stdout)
	if a.MeanAP != nil || a.MeanClassRecall != nil || a.Aggregate != "mean" || a.Features != 8 || a.Samples != 7 || len(a.Splits) != 1 || a.Splits[0].Test != nil ||
		len(a.Paper) != 7 || a.Paper[6].Value != 89.3 {
		t.Errorf("%s", stdout)
	}
	data, err := os.ReadFile(filepath.Join(dir, "results", "comp2_cls_test_cat.txt"))
	if err != nil || strings.Count(string(data), "\n") != 3 || !strings.HasPrefix(string(data), "x1 ") {
		t.Errorf("%q, error %v", data, err)
	}
	stdout, _, code = command(t, dir, args...)
	for _, want := range []string{"Table 11: VGG, net D and E", "89.3\n", "these features, on validation samples"} {
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("want %q: %s", want, stdout)
		}
	}
}

// TestErrors: a last line that names the flag or the file, the exit code, and nothing on standard output.
func TestErrors(t *testing.T) {
	dir := folder(t)
	voc(t, dir)
	const net = "net.safetensors"
	of := func(data string, more ...string) []string {
		return append([]string{"--weights", net, "--data", data}, more...)
	}
	for _, c := range []struct {
		code int
		want []string
		args []string
	}{
		{2, []string{"--c", "larger than the one before"}, of("set", "--c", "1,1")},
		{2, []string{"--c"}, of("set", "--c", "0,1")},
		{2, []string{"--test", "rest"}, of("set", "--test", "some")},
		{2, []string{"--per-class 0"}, of("set", "--per-class", "0")},
		{2, []string{"--out f.txt", ".npy"}, of("set", "--out", "f.txt")},
		{1, []string{"--report", "net.safetensors"}, of("set", "--report", net)},
		{2, []string{"--year 2007", "none of VOC's"}, of("set", "--year", "2007", "--per-class", "4")},
		{2, []string{"--results", "VOC's"}, of("set", "--results", "r", "--per-class", "4")},
		{2, []string{"--per-class", "splits of its own"}, of("VOCdevkit", "--per-class", "4")},
		{2, []string{"--scales", "x"}, of("set", "--scales", "x", "--per-class", "4")},
		{1, []string{"--data", "30 pictures of each class", "ask for 6 or fewer"}, of("set")},
		{1, []string{"--data", "missing"}, of("missing")},
		{1, []string{"--data", "actions"}, of("set", "--task", "action")},
		{1, []string{"picture-and-box", "no boxes"}, of("set", "--regions", "picture-and-box", "--per-class", "4")},
		{1, []string{"fc9", "fc7"}, of("set", "--layer", "fc9", "--per-class", "4")},
		{1, []string{"Q = 20", "32×32"}, of("set", "--scales", "20", "--per-class", "4")},
		{1, []string{"--weights", "boxes.safetensors", "predicts boxes"}, []string{"--weights", "boxes.safetensors", "--data", "set"}},
		{1, []string{"--weights", "none.safetensors"}, []string{"--weights", "none.safetensors", "--data", "set"}},
	} {
		stdout, stderr, code := command(t, dir, append(c.args, "--json")...)
		if code != c.code || stdout != "" && c.code != 2 {
			t.Errorf("%v: exit code %d, want %d: %q %q", c.args, code, c.code, stdout, stderr)
		}
		last := stderr[strings.LastIndex(strings.TrimSuffix(stderr, "\n"), "\n")+1:]
		for _, want := range c.want {
			if !strings.Contains(last, want) {
				t.Errorf("%v: %q does not say %q", c.args, last, want)
			}
		}
	}
}

// TestUnwritten: letters that the figures lack are noted once, in the report too.
func TestUnwritten(t *testing.T) {
	dir := folder(t)
	if err := os.Rename(filepath.Join(dir, "set/red"), filepath.Join(dir, "set/red"+clitest.Unwritten)); err != nil {
		t.Fatal(err)
	}
	_, stderr, code := command(t, dir, "--weights", "net.safetensors", "--data", "set", "--per-class", "4", "--test", "3", "--scales", "one", "--report", "report")
	if code != 0 || strings.Count(stderr, "note: "+clitest.NotesUnwritten) != 1 {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	testReport(t, filepath.Join(dir, "report"), "- "+clitest.NotesUnwritten)
}
