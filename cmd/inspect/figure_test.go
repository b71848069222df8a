package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vgg/configs"
)

// TestFigure: every net is drawn, for pictures and widths of any size.
func TestFigure(t *testing.T) {
	dir := t.TempDir()
	for _, config := range append(configs.All(), configs.B5) {
		f := paper(config.Name)
		f.Input, f.Width, f.FC, f.Figure = 64, 0.25, 32, filepath.Join(dir, "net.svg")
		if err := architecture(f); err != nil {
			t.Fatal(err)
		}
		drawn, err := os.ReadFile(f.Figure)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"Net " + config.Name + ",", "64×64×16", "FC-32", "soft-max", "memory", "weights"} {
			if !strings.Contains(string(drawn), want) {
				t.Errorf("net %s: no %q", config.Name, want)
			}
		}
	}
	f := paper("A")
	f.Input, f.Width, f.FC, f.Figure = 32, 0.1, 8, filepath.Join(dir, "net.bmp")
	if err := architecture(f); err == nil || !strings.Contains(err.Error(), "--figure") {
		t.Errorf("a format that cannot be written: %v", err)
	}
}

// TestStacks holds what is counted against section 2.3.
func TestStacks(t *testing.T) {
	var out strings.Builder
	f := flags{Stacks: true, Figure: filepath.Join(t.TempDir(), "stacks.svg")}
	if err := stacks(&out, f); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"one 7×7", "three 3×3", "two 3×3", "49 C²", "27 C²", "25 C²", "18 C²", "+81 %"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if _, err := os.Stat(f.Figure); err != nil {
		t.Error(err)
	}
}
