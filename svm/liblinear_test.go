package svm

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestLiblinear: objectives and predictions are liblinear's, with the tools of Debian's package liblinear-tools.
func TestLiblinear(t *testing.T) {
	for _, tool := range []string{"liblinear-train", "liblinear-predict"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed: apt-get install liblinear-tools", tool)
		}
	}
	const k = 4
	for _, shape := range [][2]int{{400, 60}, {150, 200}} {
		rows, targets := problem(t, shape[0], shape[1], k)
		file := filepath.Join(t.TempDir(), "rows")
		writeRows(t, file, rows, targets)
		for loss, solver := range map[Loss]string{Hinge: "3", SquaredHinge: "1"} {
			// With larger C, liblinear reaches its most passes, 1,000, before the optimum.
			for _, c := range []float64{0.1, 1} {
				o := Options{Loss: loss, C: c, Bias: 1, Tolerance: 1e-5}
				m, err := Train(rows, targets, o)
				if err != nil {
					t.Fatal(err)
				}
				theirs := liblinear(t, file, rows.d, k, "-s", solver, "-c", fmt.Sprint(c), "-B", "1", "-e", "1e-8")
				for class, certificate := range m.Certificates {
					want := primal(rows, targets, o, class, theirs.weights(class, 1))
					if !near(certificate.Primal, want, 1e-4) || certificate.Dual > want*(1+1e-5) {
						t.Errorf("%v, C %g, class %d: between %v and %v, liblinear finds %v", loss, c, class, certificate.Dual, certificate.Primal, want)
					}
				}
				comparePredictions(t, file, rows, m, fmt.Sprintf("%v, C %g", loss, c))
			}
		}
	}
}

// writeRows writes rows as liblinear reads them, with 9 digits, labelled by their class.
func writeRows(t *testing.T, file string, rows *Rows, targets Targets) {
	t.Helper()
	var text strings.Builder
	for i := range rows.n {
		fmt.Fprint(&text, slices.Index(targets.Y[i*targets.K:][:targets.K], 1))
		for j, v := range rows.x[i*rows.d:][:rows.d] {
			fmt.Fprintf(&text, " %d:%.9g", j+1, v)
		}
		text.WriteByte('\n')
	}
	if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// liblinear trains on a file, keeps the model beside it, and returns it.
func liblinear(t *testing.T, file string, d, k int, flags ...string) *Model {
	t.Helper()
	if out, err := exec.Command("liblinear-train", append(append([]string{"-q"}, flags...), file, file+".model")...).CombinedOutput(); err != nil {
		t.Fatalf("liblinear-train: %v\n%s", err, out)
	}
	f, err := os.Open(file + ".model")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m := &Model{K: k, D: d, W: make([]float32, k*d), B: make([]float32, k)}
	lines := bufio.NewScanner(f)
	var order []int // the classes of the columns
	for lines.Scan() && lines.Text() != "w" {
		if labels, ok := strings.CutPrefix(lines.Text(), "label "); ok {
			for _, label := range strings.Fields(labels) {
				class, err := strconv.Atoi(label)
				if err != nil {
					t.Fatal(err)
				}
				order = append(order, class)
			}
		}
	}
	for j := 0; lines.Scan(); j++ {
		for column, word := range strings.Fields(lines.Text()) {
			v, err := strconv.ParseFloat(word, 64)
			if err != nil {
				t.Fatal(err)
			}
			if class := order[column]; j == d {
				m.B[class] = float32(v)
			} else {
				m.W[class*d+j] = float32(v)
			}
		}
	}
	return m
}

// comparePredictions compares the classes of all rows but those whose two best scores are close.
func comparePredictions(t *testing.T, file string, rows *Rows, m *Model, name string) {
	t.Helper()
	if out, err := exec.Command("liblinear-predict", file, file+".model", file+".out").CombinedOutput(); err != nil {
		t.Fatalf("liblinear-predict: %v\n%s", err, out)
	}
	out, err := os.ReadFile(file + ".out")
	if err != nil {
		t.Fatal(err)
	}
	scores, err := m.Scores(rows)
	if err != nil {
		t.Fatal(err)
	}
	theirs, compared := strings.Fields(string(out)), 0
	for i, ours := range Argmax(scores, m.K) {
		row := slices.Sorted(slices.Values(scores[i*m.K:][:m.K]))
		if row[m.K-1]-row[m.K-2] < 1e-3 {
			continue
		}
		if compared++; theirs[i] != strconv.Itoa(ours) {
			t.Errorf("%s: row %d is of class %d with scores %v, liblinear says %s", name, i, ours, scores[i*m.K:][:m.K], theirs[i])
		}
	}
	if len(theirs) != rows.n || float64(compared) < 0.8*float64(rows.n) {
		t.Errorf("%s: %d rows compared, %d predicted: want most of %d", name, compared, len(theirs), rows.n)
	}
}
