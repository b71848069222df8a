package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"vgg/configs"
	"vgg/graph"
	"vgg/internal/cli/clitest"
	"vgg/onnx"
	"vgg/weights"
)

func TestMain(m *testing.M) { clitest.Main(m, main) }

// weightsIn runs the command in a folder.
func weightsIn(t *testing.T, dir string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return clitest.Run(t, clitest.Command(t, dir, args...))
}

// folder holds a bare file of each net of the paper, for 2 classes, named after it, the sample of PyTorch, and texts.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, config := range configs.All() {
		g := gorgonia.NewGraph()
		x := graph.NewInput(g, 1, 3, 32, 32)
		net, err := graph.Build(x, config, graph.Options{Classes: 2, Width: 1.0 / 32, FC: 8, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := weights.Write(filepath.Join(dir, config.Name), weights.File{Tensors: net.Tensors()}); err != nil {
			t.Fatal(err)
		}
	}
	sample, err := os.ReadFile("../../weights/foreign/testdata/zip-f16.pth")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"sample": string(sample), "cut": string(sample[:5000]), "two": "cat\r\ndog\r\n", "three": "a\nb\nc\n", "gap": "a\n\nb\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// shown is what show --json prints.
type shown struct {
	Format     string            `json:"format"`
	Parameters int               `json:"parameters"`
	Metadata   map[string]string `json:"metadata"`
	Tensors    []row             `json:"tensors"`
}

func showJSON(t *testing.T, dir string, args ...string) (s shown) {
	t.Helper()
	stdout, stderr, code := weightsIn(t, dir, append([]string{"show", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(stdout), &s); err != nil || code != 0 {
		t.Fatalf("%v: exit code %d, %v: %s", args, code, err, stderr)
	}
	return s
}

// TestConvert converts each net, and compares checksums and metadata.
func TestConvert(t *testing.T) {
	dir := folder(t)
	for _, name := range []string{"A", "A-LRN", "B", "C", "D", "E", "sample"} {
		stdout, stderr, code := weightsIn(t, dir, "convert", name, "out.safetensors", "--force")
		if code != 0 || !strings.Contains(stdout, "out.safetensors: net ") {
			t.Fatalf("%s: exit code %d: %s%s", name, code, stdout, stderr)
		}
		in, out := showJSON(t, dir, name), showJSON(t, dir, "out.safetensors")
		if len(in.Tensors) == 0 || len(in.Tensors) != len(out.Tensors) || in.Parameters != out.Parameters || out.Format != "safetensors" {
			t.Fatalf("%s: %+v became %+v", name, in, out)
		}
		for i, a := range in.Tensors {
			if b := out.Tensors[i]; a.Name != b.Name || a.SHA256 != b.SHA256 || b.DType != "F32" {
				t.Errorf("%s: %+v became %+v", name, a, b)
			}
		}
		for key, value := range in.Metadata {
			if out.Metadata[key] != value {
				t.Errorf("%s: metadata %s %q became %q", name, key, value, out.Metadata[key])
			}
		}
		if want := name; name != "sample" && out.Metadata["config"] != want || out.Metadata["normalisation"] != "torchvision" || out.Metadata["class_names"] == "" {
			t.Errorf("%s: metadata %v", name, out.Metadata)
		}
	}
	before, err := os.ReadFile(filepath.Join(dir, "out.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	_, stderr, code := weightsIn(t, dir, "convert", "A", "out.safetensors")
	after, err := os.ReadFile(filepath.Join(dir, "out.safetensors"))
	if code != 1 || !strings.Contains(stderr, "out.safetensors is there already") || !strings.Contains(stderr, "--force") || err != nil || !bytes.Equal(before, after) {
		t.Errorf("a second time: exit code %d: %s", code, stderr)
	}
	stdout, _, code := weightsIn(t, dir, "show", "sample")
	if code != 0 || !strings.Contains(stdout, "PyTorch zip, 22 tensors, 2379 parameters") || !strings.Contains(stdout, "F16  [1 3 3 3]  0f5cd5") {
		t.Errorf("exit code %d: %s", code, stdout)
	}
}

// TestConvertONNX: the model is the one of the same weights in our own format.
func TestConvertONNX(t *testing.T) {
	dir := folder(t)
	for _, out := range []string{"own.safetensors", "out.onnx", "again.ONNX"} {
		in := "A"
		if strings.HasSuffix(out, "ONNX") {
			in = "own.safetensors"
		}
		if stdout, stderr, code := weightsIn(t, dir, "convert", in, out); code != 0 || !strings.Contains(stdout, out+": net A") {
			t.Fatalf("%s: exit code %d: %s%s", out, code, stdout, stderr)
		}
	}
	f, err := weights.Read(filepath.Join(dir, "own.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := onnx.Encode(&want, *f); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"out.onnx", "again.ONNX"} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%s: %d bytes, want the %d of the same model: %v", name, len(got), want.Len(), err)
		}
	}
}

// TestOwnNet: a net of the user's own layers is converted with them.
func TestOwnNet(t *testing.T) {
	dir := t.TempDir()
	own := configs.Config{Name: "own", Stages: [][]configs.Row{{configs.Conv(5, 8)}, {configs.Conv(3, 16), configs.Conv(1, 8)}}}
	g := gorgonia.NewGraph()
	net, err := graph.Build(graph.NewInput(g, 1, 3, 32, 32), own, graph.Options{Classes: 2, Width: 1, FC: 8, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	info := weights.Info{Config: own.Name, Layers: weights.LayersOf(own), Width: 1, FC: 8, Input: 32, Channels: 3, Classes: []string{"a", "b"}, Mean: []float64{1, 2, 3}, Std: []float64{1, 1, 1}}
	if err := weights.Write(filepath.Join(dir, "own"), weights.File{Metadata: info.Metadata(), Tensors: net.Tensors()}); err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{"out.safetensors", "out.onnx"} {
		if stdout, stderr, code := weightsIn(t, dir, "convert", "own", out); code != 0 || stderr != "" || !strings.HasPrefix(stdout, out+": net own, width 1, input 32×32, 2 classes") {
			t.Errorf("exit code %d: %s%s", code, stdout, stderr)
		}
	}
	if a, b := showJSON(t, dir, "own"), showJSON(t, dir, "out.safetensors"); !reflect.DeepEqual(a, b) || b.Metadata["layers"] != own.String() {
		t.Errorf("%+v became %+v", a, b)
	}
}

// TestOverrides: flags change what the file says.
func TestOverrides(t *testing.T) {
	dir := folder(t)
	plain, turned := showJSON(t, dir, "A"), showJSON(t, dir, "A", "--normalisation", "caffe", "--classes", "two", "--mean", "1,2,3", "--config", "vgg11")
	if turned.Tensors[0].SHA256 == plain.Tensors[0].SHA256 || turned.Tensors[1].SHA256 != plain.Tensors[1].SHA256 {
		t.Error("caffe does not turn the first layer, and no other")
	}
	want := map[string]string{"config": "A", "classes": "2", "class_names": `["cat","dog"]`, "mean": "1,2,3", "std": "1,1,1", "normalisation": "custom"}
	for key, value := range want {
		if turned.Metadata[key] != value {
			t.Errorf("%s is %q, want %q", key, turned.Metadata[key], value)
		}
	}
}

// TestErrors: one line that names the file or flag, and the exit code.
func TestErrors(t *testing.T) {
	dir := folder(t)
	for _, c := range []struct {
		code int
		want []string
		args []string
	}{
		{2, []string{"show", "convert"}, nil},
		{2, []string{"out.foo", ".safetensors"}, []string{"convert", "A", "out.foo"}},
		{2, []string{"--normalisation", "grey", "torchvision"}, []string{"show", "A", "--normalisation", "grey"}},
		{1, []string{"missing"}, []string{"show", "missing"}},
		{1, []string{"two", "not a weights file"}, []string{"show", "two"}},
		{1, []string{"cut", "cut short"}, []string{"show", "cut"}},
		{1, []string{"--classes", "gap", "line 2"}, []string{"show", "A", "--classes", "gap"}},
		{1, []string{"--classes", "nowhere"}, []string{"show", "A", "--classes", "nowhere"}},
		{1, []string{"config D", "no features.2.weight", "unknown features.3.weight", "more"}, []string{"convert", "A", "o.safetensors", "--config", "D"}},
		{1, []string{"--classes three: 3 classes, and A has 2 outputs"}, []string{"convert", "A", "o.safetensors", "--classes", "three"}},
		{1, []string{"unknown config", "F"}, []string{"convert", "A", "o.safetensors", "--config", "F"}},
		{1, []string{"--mean 1", "one number per channel"}, []string{"convert", "A", "o.safetensors", "--mean", "1", "--std", "1"}},
		{1, []string{"missing/o.safetensors"}, []string{"convert", "A", "missing/o.safetensors"}},
	} {
		stdout, stderr, code := weightsIn(t, dir, c.args...)
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
