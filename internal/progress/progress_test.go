package progress

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vgg/configs"
	"vgg/history"
	"vgg/internal/cli/clitest"
	"vgg/trainer"
)

// TestCurves: each epoch draws the curves, and the first notes which letters of the title no font has.
func TestCurves(t *testing.T) {
	dir := t.TempDir()
	printed, err := os.Create(filepath.Join(dir, "printed"))
	if err != nil {
		t.Fatal(err)
	}
	defer printed.Close()
	before := os.Stderr
	defer func() { os.Stderr = before }()
	os.Stderr = printed
	recipe := configs.Default()
	recipe.Name = clitest.Unwritten
	p := NewReporter(printed, dir, recipe)
	var h history.History
	for epoch := range 2 {
		h = append(h, history.Epoch{Epoch: epoch + 1, TrainLoss: 1, ValLoss: 1})
		if err := p.Epoch(h); err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{trainer.CurvesPNG, trainer.CurvesSVG} {
			if err := os.Remove(filepath.Join(dir, file)); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := printed.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(printed)
	if err != nil || strings.Count(string(text), "note: "+clitest.NotesUnwritten) != 1 {
		t.Errorf("printed %q, error %v", text, err)
	}
}

// TestAmong: of one of several runs, each line names it.
func TestAmong(t *testing.T) {
	dir := t.TempDir()
	printed, err := os.Create(filepath.Join(dir, "printed"))
	if err != nil {
		t.Fatal(err)
	}
	defer printed.Close()
	p := Among(printed, dir, configs.Default(), "seed 3, B-S64")
	if err := p.Begin(10, []string{"a note"}); err != nil {
		t.Fatal(err)
	}
	p.Step(1, 1, 2)
	if err := p.Epoch(history.History{{Epoch: 1, TrainLoss: 1.5, ValLoss: 1, ValTop1Error: 12.5, Seconds: 3}}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(printed.Name())
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	for _, line := range lines {
		if !strings.HasPrefix(line, "seed 3, B-S64: ") {
			t.Errorf("%q does not name the run", line)
		}
	}
	if last := lines[len(lines)-1]; len(lines) != 3 || !strings.Contains(last, "epoch 1 of ") || !strings.HasSuffix(last, "(%) 12.50") {
		t.Errorf("printed %q", text)
	}
}
