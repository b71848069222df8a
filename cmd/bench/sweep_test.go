package main

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vgg/internal/cli/clitest"
)

func TestMain(m *testing.M) { clitest.Main(m, main) }

// tiny are flags of a net that is measured at once, with more, but without those that a sweep sets.
func tiny(more ...string) (args []string) {
	for flag, value := range map[string]string{"--config": "A", "--input": "32", "--batch": "2", "--steps": "1", "--classes": "5", "--width": "0.05", "--fc": "8"} {
		if at := slices.Index(more, "--sweep"); at < 0 || "--"+more[at+1] != flag {
			args = append(args, flag, value)
		}
	}
	return append(args, more...)
}

// TestSweep: each value is measured, kept in a file and drawn, and the powers are printed.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	stdout, stderr, code := clitest.Run(t, clitest.Command(t, dir, tiny("--sweep", "input", "--at", "64,32", "--csv", "input.csv", "--plot", "input.png")...))
	if code != 0 || !strings.Contains(stdout, "time grows as input^") || !strings.Contains(stderr, "input 64: ") {
		t.Fatalf("exit code %d: %s%s", code, stdout, stderr)
	}
	text, err := os.Open(filepath.Join(dir, "input.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	rows, err := csv.NewReader(text).ReadAll()
	if err != nil || len(rows) != 3 || rows[0][0] != "input" || rows[1][0] != "32" || rows[2][0] != "64" {
		t.Errorf("%v, %v", rows, err)
	}
	if drawn, err := os.Stat(filepath.Join(dir, "input.png")); err != nil || drawn.Size() == 0 {
		t.Error(err)
	}

	stdout, stderr, code = clitest.Run(t, clitest.Command(t, dir, tiny("--sweep", "width", "--at", "0.05,0.1", "--mode", "infer", "--json")...))
	var costs []cost
	if err := json.Unmarshal([]byte(stdout), &costs); err != nil || code != 0 || len(costs) != 2 {
		t.Fatalf("exit code %d, %v: %s%s", code, err, stdout, stderr)
	}
	for i, c := range costs {
		if c.At != []float64{0.05, 0.1}[i] || c.SecondsPerStep <= 0 || c.PeakRSSBytes <= 0 || i > 0 && c.MultiplyAdds <= costs[0].MultiplyAdds {
			t.Errorf("%+v", c)
		}
	}
}

// TestBadSweep: a value that cannot be measured is refused before any is.
func TestBadSweep(t *testing.T) {
	for want, args := range map[string][]string{
		"--sweep input at 40":  {"--sweep", "input", "--at", "32,40"},
		"--at 1.5":             {"--sweep", "batch", "--at", "1.5"},
		"--at 1000":            {"--sweep", "threads", "--at", "1000"},
		"--at 0":               {"--sweep", "width", "--at", "0"},
		"--plot":               {"--sweep", "batch", "--plot", "none/batch.png"},
		"--sweep with --hosts": {"--sweep", "batch", "--hosts", "2"},
		"both same.png":        {"--sweep", "batch", "--csv", "same.png", "--plot", "./same.png"},
		"takes at least":       {"--sweep", "batch", "--at", "99999999999"},
		"give them with --at":  {"--sweep", "input", "--input", "32"},
	} {
		stdout, stderr, code := clitest.Run(t, clitest.Command(t, t.TempDir(), tiny(args...)...))
		if code == 0 || stdout != "" || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: exit code %d: %s%s", args, code, stdout, stderr)
		}
	}
}

func TestExponent(t *testing.T) {
	var y []float64
	x := []float64{1, 2, 3, 10}
	for _, v := range x {
		y = append(y, 5*math.Pow(v, 1.7))
	}
	if got := exponent(x, y); math.Abs(got-1.7) > 1e-12 {
		t.Errorf("%v, want 1.7", got)
	}
}
