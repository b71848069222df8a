package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vgg/history"
	"vgg/trainer"
)

func TestRunNames(t *testing.T) {
	for want, runs := range map[string][]string{
		"A D":                   {"runs/A", "runs/D/"},
		"r1/run r2/run":         {"r1/run", "r2/run"},
		"x/1/A x/2/A y/1/A":     {"r/x/1/A", "r/x/2/A", "r/y/1/A"},
		"seed-1/A seed-2/A q/B": {"runs/seed-1/A", "runs/seed-2/A", "q/B"},
		"A A":                   {"A", "A/"},
	} {
		if got := strings.Join(runNames(runs), " "); got != want {
			t.Errorf("%v are named %s, want %s", runs, got, want)
		}
	}
}

func TestDraw(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
		h := history.History{{Epoch: 1, ValLoss: 2, ValTop1Error: 50}, {Epoch: 2, ValLoss: 1, ValTop1Error: 30}}
		var csv bytes.Buffer
		if err := h.WriteCSV(&csv); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, history.FileName), csv.Bytes(), 0o666); err != nil {
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
	for name, regression := range map[string]string{"a": "single", "b": ""} {
		recipe := []byte("base = \"localise-scenes\"\nboxes.regression = \"" + regression + "\"")
		if err := os.WriteFile(filepath.Join(dir, name, trainer.RecipeFile), recipe, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := draw(f); err == nil || !strings.Contains(err.Error(), "a is measured by the error of test 1 (%), ") {
		t.Errorf("a run of boxes beside one of classes: %v", err)
	}
	boxes := flags{Runs: f.Runs[:1], Out: filepath.Join(dir, "boxes.svg")}
	if err := draw(boxes); err != nil {
		t.Fatal(err)
	}
	if svg, err := os.ReadFile(boxes.Out); err != nil || !strings.Contains(string(svg), "Euclidean loss") || !strings.Contains(string(svg), "error of test 1") {
		t.Errorf("the axes of a run of boxes: %v", err)
	}
	f.Runs, f.Out = boxes.Runs, filepath.Join(dir, "both.xyz")
	if err := draw(f); err == nil || !strings.Contains(err.Error(), "both.xyz") {
		t.Errorf("unknown kind of picture: %v", err)
	}
	f.Runs = []string{filepath.Join(dir, "missing")}
	if err := draw(f); err == nil || !strings.Contains(err.Error(), "missing is not a run directory") {
		t.Errorf("missing run: %v", err)
	}
}

// TestWatch draws again when a run has got further, and ends without an error when it is interrupted.
func TestWatch(t *testing.T) {
	dir := t.TempDir()
	history := func(epochs int) {
		t.Helper()
		var h history.History
		for i := range epochs {
			h = append(h, history.Epoch{Epoch: i + 1, ValLoss: 2, ValTop1Error: 50 - float64(i)})
		}
		var csv bytes.Buffer
		if err := h.WriteCSV(&csv); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, history.FileName), csv.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	f := flags{Runs: []string{dir}, Out: filepath.Join(dir, "run.svg")}
	drawn := func(text string) {
		t.Helper()
		for {
			if svg, err := os.ReadFile(f.Out); err == nil && strings.Contains(string(svg), text) {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	history(2)
	go func() { done <- watch(ctx, f) }()
	drawn("best 49.0 %")
	history(5)
	drawn("best 46.0 %")
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	f.Runs = []string{filepath.Join(dir, "missing")}
	if err := watch(t.Context(), f); err == nil || !strings.Contains(err.Error(), "no epoch yet") {
		t.Errorf("a missing run: %v", err)
	}
}
