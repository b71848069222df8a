package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vgg/internal/cli/clitest"
)

// TestReported prints the paper's tables: all rows, and the cells of Table 7 that span two columns.
func TestReported(t *testing.T) {
	var out strings.Builder
	if err := reported(&out, flags{Tables: "3-12"}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Table 3. ", "Table 12. ", "E       [256;512]   384   dense      25.5    8.0\n", "GoogLeNet                 7         –          –                    6.7\n",
		"Krizhevsky et al.         1         –          40.7        18.2        –\n", "VGG D + E", "92.7 ± 0.5", "84.0", "33.1", "26.9",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	for _, bad := range []string{"", "1", "13", "7-3", "x", "3-", "3,,4", "-3"} {
		if err := reported(&out, flags{Tables: bad}); err == nil || !strings.Contains(err.Error(), "from 3 to 12") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestWinners prints each year's entries with their errors.
func TestWinners(t *testing.T) {
	var out strings.Builder
	if err := reported(&out, flags{Winners: true}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "Places in ILSVRC") || !strings.Contains(out.String(), "2013   classification   1       Clarifai                  11.7    4.5\n") {
		t.Errorf("%s", out.String())
	}
}

// TestResults: a run stands below the paper's rows of its net.
func TestResults(t *testing.T) {
	run := func(summary string) string {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "summary.json"), []byte(summary), 0o666); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	good := run(`{"config": "B", "data": "flowers96.zip", "classes": 5, "epochs": 3, "val_top1_error": 26.486}`)
	var out strings.Builder
	if err := reported(&out, flags{Tables: "3", Results: []string{good}}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	if !strings.HasPrefix(lines[4], "B ") || !strings.HasPrefix(lines[5], "B ") || !strings.Contains(lines[5], "26.49") ||
		!strings.Contains(lines[5], "flowers96.zip") || !strings.Contains(lines[4], "ILSVRC-2012") {
		t.Errorf("%s", out.String())
	}
	for want, f := range map[string]flags{
		"beside Table 3 only": {Tables: "7", Results: []string{good}},
		"has finished":        {Tables: "3", Results: []string{t.TempDir()}},
		"names no net":        {Tables: "3", Results: []string{run("{}")}},
		"no validation error": {Tables: "3", Results: []string{run(`{"config": "A", "classes": 3}`)}},
		"predicts boxes":      {Tables: "3", Results: []string{run(`{"config": "D", "boxes": "single"}`)}},
		"summary.json":        {Tables: "3", Results: []string{run("{")}},
	} {
		if err := reported(&out, f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestMain(m *testing.M) { clitest.Main(m, main) }

// TestRefused: flags of a net are refused where no net is shown.
func TestRefused(t *testing.T) {
	for _, args := range [][]string{{"--tables", "7", "--width", "0.5"}, {"--winners", "--config", "D"}, {"--stacks", "--input", "64"}, {"--table1", "--config", "A"}, {"--width", "0"}} {
		if stdout, stderr, code := clitest.Run(t, clitest.Command(t, t.TempDir(), args...)); code != 2 || stdout != "" || !strings.Contains(stderr, args[len(args)-2]) {
			t.Errorf("%v: exit code %d, %s%s", args, code, stdout, stderr)
		}
	}
}

// TestTogether: no flag is ignored.
func TestTogether(t *testing.T) {
	for _, f := range []flags{
		{Tables: "3", Stacks: true}, {Table1: true, JSON: true}, {Dot: "x", Figure: "y"}, {Results: []string{"run"}}, {Figure: "x", JSON: true},
	} {
		if checkTogether(f) == nil {
			t.Errorf("%+v is taken", f)
		}
	}
	for _, f := range []flags{{}, {Tables: "3", JSON: true, Results: []string{"run"}}, {Stacks: true, Figure: "x"}, {JSON: true}} {
		if err := checkTogether(f); err != nil {
			t.Errorf("%+v: %v", f, err)
		}
	}
}
