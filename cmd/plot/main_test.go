package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vgg/trainer"
)

func TestDraw(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
		h := trainer.History{{Epoch: 1, ValLoss: 2, ValTop1Error: 50}, {Epoch: 2, ValLoss: 1, ValTop1Error: 30}}
		var csv bytes.Buffer
		if err := h.WriteCSV(&csv); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, trainer.HistoryFile), csv.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	f := flags{Runs: []string{filepath.Join(dir, "a"), filepath.Join(dir, "b") + "/"}, Out: filepath.Join(dir, "both.svg")}
	if err := draw(f); err != nil {
		t.Fatal(err)
	}
	svg, err := os.ReadFile(f.Out)
	if err != nil || !strings.Contains(string(svg), "a (best 30.0 %)") {
		t.Errorf("the picture does not name run a: %v", err)
	}
	f.Out = filepath.Join(dir, "both.xyz")
	if err := draw(f); err == nil || !strings.Contains(err.Error(), "both.xyz") {
		t.Errorf("unknown kind of picture: %v", err)
	}
	f.Runs = []string{filepath.Join(dir, "missing")}
	if err := draw(f); err == nil || !strings.Contains(err.Error(), "missing is not a run directory") {
		t.Errorf("missing run: %v", err)
	}
}
