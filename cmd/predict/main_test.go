package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"vgg/configs"
	"vgg/dataset"
	"vgg/evaluate"
	"vgg/graph"
	"vgg/internal/cli"
	"vgg/internal/cli/clitest"
	"vgg/weights"
)

func TestMain(m *testing.M) { clitest.Main(m, main) }

// predictIn runs the command in a folder.
func predictIn(t *testing.T, dir string, stdin []byte, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := clitest.Command(t, dir, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	return clitest.Run(t, cmd)
}

const pictures = 7

// folder holds a net of three classes, seven pictures of noise in folders, and what is no picture, or a damaged one.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	g := gorgonia.NewGraph()
	x := graph.NewInput(g, 1, 3, 32, 32)
	net, err := graph.Build(x, configs.B, graph.Options{Classes: 3, Width: 1.0 / 16, FC: 16, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	info := weights.Info{Config: "B", Width: 1.0 / 16, FC: 16, Input: 32, Channels: 3, Classes: []string{"a", "b", "c"},
		Mean: []float64{127, 127, 127}, Std: []float64{50, 50, 50}, Scale: configs.Scale{Min: 32, Max: 48}}
	if err := weights.Write(filepath.Join(dir, "net.safetensors"), weights.File{Metadata: info.Metadata(), Tensors: net.Tensors()}); err != nil {
		t.Fatal(err)
	}
	write := func(name string, data []byte) {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range pictures {
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
		write(filepath.Join("pictures", strconv.Itoa(i%2), fmt.Sprintf("%d.png", i)), data.Bytes())
		if i == 0 {
			write("damaged/0.png", data.Bytes())
			write("damaged/1.png", data.Bytes()[:data.Len()/2])
		}
	}
	write("pictures/notes.txt", []byte("no picture"))
	write("pictures/.hidden/x.png", []byte("no picture"))
	write("texts/notes.txt", []byte("no picture"))
	write("names", []byte("ant\nbee\ncat\n"))
	write("two", []byte("ant\nbee\n"))
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

// output is what --json prints.
type output struct {
	Pictures []struct {
		Picture string
		Top     []struct {
			Class       string
			Index       int
			Probability float64
		}
		Logits []float64
	}
	Skipped []dataset.Skip
}

func parse(t *testing.T, stdout string) (o output) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(stdout))
	if err := d.Decode(&o); err != nil {
		t.Fatalf("%v in %q", err, stdout)
	}
	if d.More() {
		t.Fatalf("more than one object: %q", stdout)
	}
	return o
}

// library predicts a picture as a program would.
func library(t *testing.T, dir, picture string, o evaluate.Options) evaluate.Prediction {
	t.Helper()
	f, err := weights.Read(filepath.Join(dir, "net.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := evaluate.NewModel("net", f)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	in, err := os.Open(filepath.Join(dir, picture))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	p, err := dataset.Decode(in)
	if err != nil {
		t.Fatal(err)
	}
	answers, err := m.Predict(o, p)
	if err != nil {
		t.Fatal(err)
	}
	return answers[0]
}

// TestPredict compares what is printed with what the library says of each picture by itself.
func TestPredict(t *testing.T) {
	dir := folder(t)
	for _, c := range []struct {
		args    []string
		options evaluate.Options
	}{
		{nil, evaluate.Options{}},
		{[]string{"--batch", "3"}, evaluate.Options{}},
		{[]string{"--batch", "1", "--threads", "1"}, evaluate.Options{}},
		{[]string{"--protocol", "both", "--scales", "several"}, evaluate.Options{Protocol: configs.Both, Scales: []int{32, 40, 48}}},
	} {
		args := append([]string{"--weights", "net.safetensors", "--json", "--logits", "--top", "2", "pictures"}, c.args...)
		stdout, stderr, code := predictIn(t, dir, nil, args...)
		if code != 0 || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "notes.txt: not a JPEG") {
			t.Fatalf("%v: exit code %d: %s", args, code, stderr)
		}
		out := parse(t, stdout)
		if len(out.Pictures) != pictures || len(out.Skipped) != 1 {
			t.Fatalf("%v: %d pictures, skipped %v", args, len(out.Pictures), out.Skipped)
		}
		for _, p := range out.Pictures {
			want := library(t, dir, p.Picture, c.options)
			best := want.Ranking()[0]
			if len(p.Top) != 2 || p.Top[0].Index != best || p.Top[0].Class != string(rune('a'+best)) || math.Abs(p.Top[0].Probability-want.Probabilities[best]) > 1e-5 {
				t.Errorf("%v: %s: %+v, want %v", args, p.Picture, p.Top, want.Probabilities)
			}
			for i, l := range want.Logits {
				if len(p.Logits) != 3 || math.Abs(p.Logits[i]-l) > 1e-4 {
					t.Fatalf("%v: %s: logits %v, want %v", args, p.Picture, p.Logits, want.Logits)
				}
			}
		}
	}
}

// TestText: the lines for people, names from a file, and a picture on standard input, which is as good as a file.
func TestText(t *testing.T) {
	dir := folder(t)
	picture, err := os.ReadFile(filepath.Join(dir, "pictures/0/0.png"))
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"--weights", "net.safetensors", "--logits", "--classes", "names"}
	piped, stderr, code := predictIn(t, dir, picture, append(args, "-")...)
	if note := "note: net.safetensors: the classes are called ant, bee, cat, as --classes says, and not a, b, c as in the file\n"; code != 0 || stderr != note {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	named, _, _ := predictIn(t, dir, nil, append(args, "pictures/0/0.png")...)
	if strings.Replace(named, "pictures/0/0.png", "-", 1) != piped {
		t.Errorf("from a file %q, from standard input %q", named, piped)
	}
	want := library(t, dir, "pictures/0/0.png", evaluate.Options{})
	lines := strings.Split(strings.TrimSpace(named), "\n")
	for i, class := range want.Ranking() {
		line := fmt.Sprintf("%9.2f %%  %9.4f  %s", 100*want.Probabilities[class], want.Logits[class], []string{"ant", "bee", "cat"}[class])
		if len(lines) != 4 || lines[i+1] != line {
			t.Errorf("line %d is not %q in %q", i+1, line, named)
		}
	}
}

// TestOwnNet: a net of the user's own layers is read by its metadata alone.
func TestOwnNet(t *testing.T) {
	dir := folder(t)
	own := configs.Config{Name: "own", Stages: [][]configs.Row{{configs.Conv(5, 8)}, {configs.Conv(3, 16), configs.Conv(1, 8)}}}
	g := gorgonia.NewGraph()
	net, err := graph.Build(graph.NewInput(g, 1, 3, 32, 32), own, graph.Options{Classes: 3, Width: 1, FC: 16, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	info := weights.Info{Config: own.Name, Layers: weights.LayersOf(own), Width: 1, FC: 16, Input: 32, Channels: 3, Classes: []string{"a", "b", "c"},
		Mean: []float64{127, 127, 127}, Std: []float64{50, 50, 50}, Scale: configs.Scale{Min: 32, Max: 48}}
	if err := weights.Write(filepath.Join(dir, "net.safetensors"), weights.File{Metadata: info.Metadata(), Tensors: net.Tensors()}); err != nil {
		t.Fatal(err)
	}
	const picture = "pictures/0/0.png"
	stdout, stderr, code := predictIn(t, dir, nil, "--weights", "net.safetensors", "--json", picture)
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	want := library(t, dir, picture, evaluate.Options{})
	if top := parse(t, stdout).Pictures[0].Top[0]; top.Index != want.Ranking()[0] || math.Abs(top.Probability-want.Probabilities[top.Index]) > 1e-5 {
		t.Errorf("%+v, want %v", top, want.Probabilities)
	}
}

// TestFind: what of a folder is read, and in which order, through links too.
func TestFind(t *testing.T) {
	dir := folder(t)
	t.Chdir(dir)
	for name, to := range map[string]string{"link": "pictures", "pictures/more": "../damaged", "pictures/nowhere": "missing", "pictures/one": "0/0.png"} {
		if err := os.Symlink(to, name); err != nil {
			t.Fatal(err)
		}
	}
	list, err := cli.FindPictures([]string{"damaged/0.png", "link", "-"})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range list {
		names = append(names, f.Name)
	}
	want := "damaged/0.png link/0/0.png link/0/2.png link/0/4.png link/0/6.png link/1/1.png link/1/3.png link/1/5.png link/more/0.png link/more/1.png link/notes.txt link/nowhere link/one -"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if err := os.Symlink("..", "pictures/loop"); err != nil {
		t.Fatal(err)
	}
	if _, err := cli.FindPictures([]string{"link"}); err == nil || !strings.Contains(err.Error(), "leads in a circle: remove it") {
		t.Errorf("a link in a circle: %v", err)
	}
}

// TestFeatures: both kinds of files hold what the library gives, of norm 1, in the order of their names.
func TestFeatures(t *testing.T) {
	dir := folder(t)
	for _, file := range []string{"f.csv", "f.npy"} {
		if _, stderr, code := predictIn(t, dir, nil, "--weights", "net.safetensors", "--features", "fc7", "--out", file, "--protocol", "dense", "pictures"); code != 0 {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
	}
	text, err := os.Open(filepath.Join(dir, "f.csv"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(text).ReadAll()
	text.Close()
	if err != nil || len(rows) != 1+pictures || len(rows[0]) != 1+16 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	names, err := os.ReadFile(filepath.Join(dir, "f.npy.txt"))
	if err != nil {
		t.Fatal(err)
	}
	array, err := os.ReadFile(filepath.Join(dir, "f.npy"))
	if err != nil {
		t.Fatal(err)
	}
	begin := 10 + int(binary.LittleEndian.Uint16(array[8:]))
	if begin%64 != 0 || len(array) != begin+4*16*pictures || !bytes.Contains(array[:begin], []byte("'shape': (7, 16)")) || array[begin-1] != '\n' {
		t.Fatalf("%d bytes, the header %q", len(array), array[:begin])
	}
	for i, row := range rows[1:] {
		if name := strings.Split(string(names), "\n")[i]; name != row[0] {
			t.Errorf("row %d is of %s in one file, of %s in the other", i, row[0], name)
		}
		want := library(t, dir, row[0], evaluate.Options{Features: "fc7", Protocol: configs.Dense}).Features
		norm := 0.0
		for k, w := range want {
			inText, err := strconv.ParseFloat(row[1+k], 32)
			inArray := float64(math.Float32frombits(binary.LittleEndian.Uint32(array[begin+4*(16*i+k):])))
			if err != nil || math.Abs(inText-w) > 1e-5 || inArray != inText {
				t.Fatalf("%s, feature %d: %v and %v, want %v", row[0], k, inText, inArray, w)
			}
			norm += inText * inText
		}
		if math.Abs(norm-1) > 1e-5 {
			t.Errorf("%s: norm %v", row[0], math.Sqrt(norm))
		}
	}
}

// TestBadPictures: a damaged picture ends the command, after what was done before it is written; or it is skipped.
func TestBadPictures(t *testing.T) {
	dir := folder(t)
	args := []string{"--weights", "net.safetensors", "--json", "--batch", "1", "damaged", "pictures/0/2.png"}
	stdout, stderr, code := predictIn(t, dir, nil, args...)
	if out := parse(t, stdout); code != 1 || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "damaged/1.png cannot be read") || len(out.Pictures) != 1 {
		t.Errorf("exit code %d, %q, %v", code, stderr, out)
	}
	stdout, stderr, code = predictIn(t, dir, nil, append(args, "--bad-pictures", "skip")...)
	if out := parse(t, stdout); code != 0 || !strings.Contains(stderr, "skipped: damaged/1.png") || len(out.Pictures) != 2 || len(out.Skipped) != 1 || out.Skipped[0].Picture != "damaged/1.png" {
		t.Errorf("exit code %d, %q, %v", code, stderr, out)
	}
}

// TestInterrupted: nothing is printed of pictures that were not predicted.
func TestInterrupted(t *testing.T) {
	dir := folder(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	out, err := os.Create(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	f := flags{Weights: filepath.Join(dir, "net.safetensors"), Pictures: []string{filepath.Join(dir, "pictures")}, Top: 1, JSON: true}
	f.Protocol, f.Scales, f.Batch, f.BoxProtocol, f.BoxClasses, f.BoxMerge = "center", "one", 1, "dense", evaluate.MostGuesses, evaluate.DefaultMergeLimit
	if err := run(ctx, f, nil, out); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if info, err := out.Stat(); err != nil || info.Size() != 0 {
		t.Errorf("%d bytes printed, %v", info.Size(), err)
	}
}

// TestErrors: a last line that names the flag or the file, the exit code, and nothing on standard output.
func TestErrors(t *testing.T) {
	dir := folder(t)
	if err := os.Mkdir(filepath.Join(dir, "pictures.npy"), 0o777); err != nil {
		t.Fatal(err)
	}
	const net, picture = "net.safetensors", "pictures/0/0.png"
	for _, c := range []struct {
		code int
		want []string
		args []string
	}{
		{2, []string{"--weights"}, []string{picture}},
		{2, []string{"picture"}, []string{"--weights", net}},
		{2, []string{"--top 0"}, []string{"--weights", net, picture, "--top", "0"}},
		{2, []string{"--batch 0"}, []string{"--weights", net, picture, "--batch", "0"}},
		{2, []string{"--protocol", "ten", "multi-crop"}, []string{"--weights", net, picture, "--protocol", "ten"}},
		{2, []string{"--scales", "x"}, []string{"--weights", net, picture, "--scales", "x"}},
		{2, []string{"--features", "fc8"}, []string{"--weights", net, picture, "--features", "fc8", "--out", "f.csv"}},
		{2, []string{"--features", "--out"}, []string{"--weights", net, picture, "--features", "fc7"}},
		{2, []string{"--features", "--out"}, []string{"--weights", net, picture, "--out", "f.csv"}},
		{2, []string{"--out f.txt", ".npy"}, []string{"--weights", net, picture, "--features", "fc7", "--out", "f.txt"}},
		{1, []string{"--out", "no folder missing"}, []string{"--weights", net, picture, "--features", "fc7", "--out", "missing/f.csv"}},
		{1, []string{"--out", "pictures.npy", "a folder"}, []string{"--weights", net, picture, "--features", "fc7", "--out", "pictures.npy"}},
		{1, []string{"missing.png"}, []string{"--weights", net, "missing.png"}},
		{1, []string{"missing", "--weights"}, []string{"--weights", "missing", picture}},
		{1, []string{"names", "--weights"}, []string{"--weights", "names", picture}},
		{1, []string{"names", "not a JPEG"}, []string{"--weights", net, "names"}},
		{1, []string{"-", "an empty file"}, []string{"--weights", net, "-"}},
		{1, []string{"only once"}, []string{"--weights", net, "-", "-"}},
		{1, []string{"empty", "no files"}, []string{"--weights", net, "empty"}},
		{1, []string{"none of 1 files", "texts"}, []string{"--weights", net, "texts"}},
		{1, []string{"predict: " + picture + " cannot be read (--bad-pictures skip goes on without): too large for dense evaluation"},
			[]string{"--weights", net, picture, "--protocol", "dense", "--scales", "1000000"}},
		{1, []string{"--std 1,1", "one number per channel"}, []string{"--weights", net, picture, "--std", "1,1"}},
		{2, []string{"--mean 0.4,0.4,0.4 --std 0.2,0.2,0.2 are for pixels from 0 to 1", "by 255"}, []string{"--weights", net, picture, "--mean", "0.4,0.4,0.4", "--std", "0.2,0.2,0.2"}},
		{1, []string{"--classes two", "2 classes", "net.safetensors has 3 outputs"}, []string{"--weights", net, picture, "--classes", "two"}},
		{1, []string{"Q = 20", "32×32"}, []string{"--weights", net, picture, "--scales", "20"}},
	} {
		stdout, stderr, code := predictIn(t, dir, nil, append(c.args, "--json")...)
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
