package graph

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestOtherModule builds and runs a module that uses this one as docs/library.md shows.
func TestOtherModule(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	program := `package main

import (
	"fmt"
	"log"

	"gorgonia.org/gorgonia"

	"vgg/configs"
	"vgg/graph"
)

func main() {
	g := gorgonia.NewGraph()
	x := graph.NewInput(g, 1, 1, 16, 16)
	small := configs.Config{Name: "small", Stages: [][]configs.Row{{configs.Conv(3, 8)}, {configs.Conv(3, 16), configs.Conv(1, 16)}}}
	net, err := graph.Build(x, small, graph.Options{Classes: 4, FC: 32})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(net.Logits.Shape())
}
`
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(program), 0o666); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) string {
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("go %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	run("mod", "init", "other")
	run("mod", "edit", "-require", "vgg@v0.0.0", "-replace", "vgg="+root)
	// The checkout's own requirements and sums save the test the network.
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o666); err != nil {
		t.Fatal(err)
	}
	run("mod", "tidy")
	if got := run("run", "."); got != "(1, 4)\n" {
		t.Errorf("the program prints %q, want (1, 4)", got)
	}
}

// TestDependencies: who declares nets links neither the readers of other frameworks' files nor data sets.
func TestDependencies(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	for _, unwanted := range []string{"vgg/weights/foreign", "vgg/dataset"} {
		if slices.Contains(deps, unwanted) {
			t.Errorf("graph imports %s", unwanted)
		}
	}
	if !slices.Contains(deps, "vgg/weights") {
		t.Errorf("not the packages that graph imports: %v", deps)
	}
}

// TestPackageComment: the code in the package comment is that of the example, which runs.
func TestPackageComment(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	for line := range strings.Lines(string(doc)) {
		if indented, ok := strings.CutPrefix(line, "//\t"); ok {
			code.WriteString("\t" + indented)
		}
	}
	if code.Len() == 0 || !strings.Contains(string(example), code.String()) {
		t.Errorf("example_test.go does not hold the code of doc.go:\n%s", &code)
	}
}
