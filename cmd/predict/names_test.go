package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"vgg/configs"
	"vgg/graph"
	"vgg/weights"
)

// TestImageNetNames: the 1,000 classes of a file without names, such as torchvision's, are called as ImageNet's, and a
// note says so; --classes calls them otherwise.
func TestImageNetNames(t *testing.T) {
	dir := folder(t)
	g := gorgonia.NewGraph()
	net, err := graph.Build(graph.NewInput(g, 1, 3, 32, 32), configs.A, graph.Options{Classes: 1000, Width: 1.0 / 16, FC: 8, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := weights.Write(filepath.Join(dir, "plain.safetensors"), weights.File{Tensors: net.Tensors()}); err != nil {
		t.Fatal(err)
	}
	args := []string{"--weights", "plain.safetensors", "--scales", "32", "--json", "pictures/0/0.png"}
	stdout, stderr, code := predictIn(t, dir, nil, args...)
	if code != 0 || strings.Count(stderr, "those of ImageNet") != 1 || !strings.Contains(stdout, "those of ImageNet") {
		t.Fatalf("exit code %d: %s%s", code, stdout, stderr)
	}
	names, _ := weights.NameImageNet(weights.NumberedClasses(1000))
	for _, top := range parse(t, stdout).Pictures[0].Top {
		if top.Class != names[top.Index] {
			t.Errorf("class %d is called %q, want %q", top.Index, top.Class, names[top.Index])
		}
	}
	own := filepath.Join(dir, "own")
	if err := os.WriteFile(own, []byte("own "+strings.Join(weights.NumberedClasses(1000), "\nown ")), 0o666); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, code = predictIn(t, dir, nil, append(args, "--classes", own)...)
	if code != 0 || strings.Contains(stderr, "ImageNet, in") || !strings.HasPrefix(parse(t, stdout).Pictures[0].Top[0].Class, "own ") {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
}
