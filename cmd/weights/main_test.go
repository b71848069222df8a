package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/configs"
	"vgg/graph"
	"vgg/onnx"
	"vgg/weights"
)

// asCommand makes the test binary behave as the command.
const asCommand = "VGG_TEST_AS_WEIGHTS"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// weightsIn runs the command in a folder.
func weightsIn(t *testing.T, dir string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), asCommand+"=1")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// folder holds a bare file of each net of the paper, for 2 classes, named after it, the sample of PyTorch, and texts.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, config := range configs.All() {
		g := gorgonia.NewGraph()
		x := gorgonia.NewTensor(g, tensor.Float32, 4, gorgonia.WithShape(1, 3, 32, 32), gorgonia.WithName("x"))
		net, err := graph.Build(g, x, config, graph.Options{Classes: 2, Width: 1.0 / 32, FC: 8, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := weights.Write(filepath.Join(dir, config.Name), weights.File{Tensors: net.Tensors()}); err != nil {
			t.Fatal(err)
		}
	}
	sample, err := os.ReadFile("../../weights/testdata/zip-f16.pth")
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

// TestConvertONNX converts a file that lacks metadata, and finds in the model what convert has put there.
func TestConvertONNX(t *testing.T) {
	dir := folder(t)
	stdout, stderr, code := weightsIn(t, dir, "convert", "A-LRN", "out.onnx")
	if code != 0 || !strings.Contains(stdout, "out.onnx: net A-LRN") {
		t.Fatalf("exit code %d: %s%s", code, stdout, stderr)
	}
	model, err := os.ReadFile(filepath.Join(dir, "out.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{onnx.Input, onnx.Output, "lrn1_1", "classifier.6.weight", "class_names", `["0","1"]`} {
		if !bytes.Contains(model, []byte(want)) {
			t.Errorf("the model lacks %s", want)
		}
	}
}

// TestConvert converts each net, and compares checksums and metadata.
func TestConvert(t *testing.T) {
	dir := folder(t)
	for _, name := range []string{"A", "A-LRN", "B", "C", "D", "E", "sample"} {
		stdout, stderr, code := weightsIn(t, dir, "convert", name, "out.safetensors")
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
	stdout, _, code := weightsIn(t, dir, "show", "sample")
	if code != 0 || !strings.Contains(stdout, "PyTorch zip, 22 tensors, 2379 parameters") || !strings.Contains(stdout, "F16  [1 3 3 3]  0f5cd5") {
		t.Errorf("exit code %d: %s", code, stdout)
	}
}

// TestOverrides: flags change what the file says.
func TestOverrides(t *testing.T) {
	dir := folder(t)
	plain, turned := showJSON(t, dir, "A"), showJSON(t, dir, "A", "--normalisation", "caffe", "--classes", "two", "--mean", "1,2,3")
	if turned.Tensors[0].SHA256 == plain.Tensors[0].SHA256 || turned.Tensors[1].SHA256 != plain.Tensors[1].SHA256 {
		t.Error("caffe does not turn the first layer, and no other")
	}
	want := map[string]string{"classes": "2", "class_names": `["cat","dog"]`, "mean": "1,2,3", "std": "1,1,1", "normalisation": "custom"}
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
		{1, []string{"classifier.6.weight is [2 8], not [3 8]", "of 2 classes", "fc8", "replace"}, []string{"convert", "A", "o.safetensors", "--classes", "three"}},
		{1, []string{"unknown config", "F"}, []string{"convert", "A", "o.safetensors", "--config", "F"}},
		{1, []string{"mean", "one number per channel"}, []string{"convert", "A", "o.safetensors", "--mean", "1"}},
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
