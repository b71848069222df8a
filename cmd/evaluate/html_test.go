package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"vgg/evaluate"
	"vgg/internal/cli/clitest"
	"vgg/internal/page"
	"vgg/metrics"
)

func readTable(t *testing.T, path string) [][]string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

// TestReport tests one net and two fused, and compares the report and the JSON with the predictions.
func TestReport(t *testing.T) {
	dir := folder(t)
	for _, nets := range [][]string{{"--weights", "one.safetensors"}, {"--weights", "one.safetensors", "--weights", "two.safetensors"}} {
		args := append(nets, "--data", "pictures", "--json", "--predictions", "p.csv", "--out", "new/report", "--calibration-bins", "5")
		stdout, stderr, code := evaluateIn(t, dir, args...)
		if code != 0 {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		var out struct {
			ECE       float64     `json:"expected_calibration_error"`
			Bins      int         `json:"calibration_bins"`
			Errors    []float64   `json:"class_errors"`
			Intervals [][]float64 `json:"class_intervals"`
			Pictures  []int       `json:"class_images"`
		}
		if err := json.Unmarshal([]byte(stdout), &out); err != nil {
			t.Fatal(err)
		}
		calibration := metrics.NewCalibration(5)
		wrong, mistakes := map[string]int{}, 0
		for _, row := range readTable(t, filepath.Join(dir, "p.csv")) {
			p, err := strconv.ParseFloat(row[3], 64)
			if err != nil {
				t.Fatal(err)
			}
			if err := calibration.Add(p, row[1] == row[2]); err != nil {
				t.Fatal(err)
			}
			if row[1] != row[2] {
				wrong[row[1]]++
				mistakes++
			}
		}
		if out.Bins != 5 || math.Abs(out.ECE-calibration.ECE()) > 1e-3 || !slices.Equal(out.Pictures, []int{2, 2, 2}) {
			t.Errorf("%+v, want an error of %v %%", out, calibration.ECE())
		}
		for c, class := range []string{"a", "b", "c"} {
			low, high := metrics.Interval(wrong[class], 2)
			if out.Errors[c] != 50*float64(wrong[class]) || !slices.Equal(out.Intervals[c], []float64{low, high}) {
				t.Errorf("class %s: %+v, want %d wrong", class, out, wrong[class])
			}
		}
		if got := readTable(t, filepath.Join(dir, "new/report", mistakesFile)); len(got) != mistakes || mistakes == 0 {
			t.Errorf("%d mistakes in the table, want %d", len(got), mistakes)
		}
		html, err := os.ReadFile(filepath.Join(dir, "new/report", page.HTMLFile))
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(html, []byte(`<img src="data:image/png;base64,`)); n != 4 || bytes.Count(html, []byte("<img")) != n {
			t.Errorf("%d figures in the page, want 4, all within it", n)
		}
		for _, want := range append([]string{"one.safetensors", "What the nets confuse", "(5 bins)"}, slices.Sorted(rowsOf(wrong))...) {
			if !bytes.Contains(html, []byte(want)) {
				t.Errorf("the page has no %q", want)
			}
		}
		for _, name := range []string{"confusion", "classes", "worst1", "calibration"} {
			for extension, magic := range map[string]string{".png": "\x89PNG", ".svg": "<?xml"} {
				data, err := os.ReadFile(filepath.Join(dir, "new/report", page.FiguresDir, name+extension))
				if err != nil || !bytes.HasPrefix(data, []byte(magic)) {
					t.Errorf("%s%s: %v", name, extension, err)
				}
			}
		}
	}
}

// rowsOf gives the rows of the table of classes that have mistakes.
func rowsOf(wrong map[string]int) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for class, n := range wrong {
			if !yield(fmt.Sprintf("<td>%s</td>\n<td>%d of 2</td>", class, n)) {
				return
			}
		}
	}
}

// TestManyClasses: the matrix and the bars are cut to what can be read, and the report says so; names may be long.
func TestManyClasses(t *testing.T) {
	const n = 60
	var classes []string
	var predictions []evaluate.Prediction
	for c := range n {
		classes = append(classes, fmt.Sprintf("%s %d", strings.Repeat("a long name | with *marks* ", 4), c))
		for k := range 3 {
			p := evaluate.Prediction{Picture: len(predictions), Class: c, Probabilities: make([]float64, n)}
			p.Probabilities[(c+k%2)%n] = 1
			predictions = append(predictions, p)
		}
	}
	test := &timedTest{Result: evaluate.Score(classes, predictions), confused: confused{calibration: metrics.NewCalibration(15)}}
	for _, p := range predictions {
		if err := test.add(p); err != nil {
			t.Fatal(err)
		}
	}
	dir, w := t.TempDir(), &written{}
	for _, draw := range []func(string, *written) error{test.drawMatrix, test.drawBars, test.drawCalibration} {
		if err := draw(dir, w); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ said, want string }{
		{w.Cut, "the 39 classes of 60 that are confused the most"}, {w.Shown, "the 40 classes of 60 with the highest errors"},
	} {
		if !strings.Contains(c.said, c.want) {
			t.Errorf("%q, want %q in it", c.said, c.want)
		}
	}
	matrix, err := os.ReadFile(filepath.Join(dir, page.FiguresDir, "confusion.svg"))
	if err != nil || bytes.Count(matrix, []byte(">21 others</text>")) != 2 {
		t.Errorf("the others have no row and column: %v", err)
	}
	if rows := strings.Count(test.classesTable(), "\n"); rows != 2+n {
		t.Errorf("%d lines in the table of classes, want %d", rows, 2+n)
	}
	worst := test.worst(n)
	if len(worst[7]) != 1 || worst[7][0] != (mistake{picture: 22, class: 7, predicted: 8, sure: 1}) {
		t.Errorf("mistakes of class 7: %+v", worst[7])
	}
}

// TestReportRefused: what cannot be written or means nothing is refused before the test.
func TestReportRefused(t *testing.T) {
	dir := folder(t)
	if err := os.WriteFile(filepath.Join(dir, "taken"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "full", page.HTMLFile), 0o777); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"--out: mkdir taken":      {"--weights", "one.safetensors", "--out", "taken"},
		"--out: full/report.html": {"--weights", "one.safetensors", "--out", "full"},
		"leave out --boxes":       {"--boxes", "one.safetensors", "--out", "new"},
		"--calibration-bins 0":    {"--weights", "one.safetensors", "--calibration-bins", "0"},
		"--score FILE tests":      {"--score", "guesses", "--out", "new"},
	} {
		stdout, stderr, code := evaluateIn(t, dir, append(args, "--data", "pictures")...)
		if code == 0 || !strings.Contains(stderr, want) || stdout != "" {
			t.Errorf("%v: exit code %d, %s%s, want %q", args, code, stdout, stderr, want)
		}
	}
}

// TestUnwritten: letters that the figures lack are noted once, in the report too.
func TestUnwritten(t *testing.T) {
	dir := folder(t)
	name := "c" + clitest.Unwritten
	for _, split := range []string{"train", "val"} {
		if err := os.Rename(filepath.Join(dir, "pictures", split, "c"), filepath.Join(dir, "pictures", split, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "names"), []byte("a\nb\n"+name+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	_, stderr, code := evaluateIn(t, dir, "--weights", "one.safetensors", "--classes", "names", "--data", "pictures", "--out", "report")
	if code != 0 || strings.Count(stderr, "note: "+clitest.NotesUnwritten) != 1 {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "report", page.MarkdownFile)); err != nil || !strings.Contains(string(text), "- "+clitest.NotesUnwritten) {
		t.Errorf("error %v, %s", err, text)
	}
}
