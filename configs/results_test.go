package configs

import (
	"reflect"
	"slices"
	"testing"
)

// find returns the only row of a table for a net, a training scale and a protocol.
func find(t *testing.T, table []Evaluation, config, scale string, protocol Protocol) Evaluation {
	t.Helper()
	var found []Evaluation
	for _, e := range table {
		if e.Config == config && e.Train.String() == scale && e.Protocol == protocol {
			found = append(found, e)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d rows for %s, S = %s, %s, want 1", len(found), config, scale, protocol)
	}
	return found[0]
}

func TestResultsAsPrinted(t *testing.T) {
	for _, test := range []struct {
		table         []Evaluation
		rows          int
		config, scale string
		protocol      Protocol
		top1, top5    float64
	}{
		{Table3(), 12, "A-LRN", "256", Dense, 29.7, 10.5},
		{Table3(), 12, "C", "384", Dense, 28.1, 9.3},
		{Table3(), 12, "E", "[256;512]", Dense, 25.5, 8.0},
		{Table4(), 10, "B", "256", Dense, 28.2, 9.6},
		{Table4(), 10, "D", "[256;512]", Dense, 24.8, 7.5},
		{Table5(), 6, "E", "[256;512]", MultiCrop, 24.6, 7.4},
		{Table5(), 6, "D", "[256;512]", Both, 24.4, 7.2},
	} {
		if len(test.table) != test.rows {
			t.Errorf("%d rows, want %d", len(test.table), test.rows)
		}
		e := find(t, test.table, test.config, test.scale, test.protocol)
		if e.Top1 != test.top1 || e.Top5 != test.top5 {
			t.Errorf("%s, S = %s: %v/%v, want %v/%v", test.config, test.scale, e.Top1, e.Top5, test.top1, test.top5)
		}
	}
	last := Table6()[3]
	last.Nets = nil // see TestFusedNets
	if want := (Fusion{Name: "D+E", Protocol: Both, Top1: 23.7, Top5: 6.8, TestTop5: 6.8}); !reflect.DeepEqual(last, want) {
		t.Errorf("Table 6 ends with %v, want %v", last, want)
	}
	if got, want := Table7()[14], (Result{"Krizhevsky et al.", 1, "", 40.7, 18.2, NotGiven, false}); got != want {
		t.Errorf("Table 7 ends with %v, want %v", got, want)
	}
}

// The winners' errors are those of the tables, the lowest of each method.
func TestWinners(t *testing.T) {
	var errors []float64
	for _, e := range Winners() {
		errors = append(errors, e.Error())
	}
	if want := []float64{NotGiven, 16.4, 11.7, 29.9, 6.7, 7.3, 25.3}; !slices.Equal(errors, want) {
		t.Errorf("errors %v, want %v", errors, want)
	}
}

// What section 4 concludes must follow from the tables as typed in.
func TestFindings(t *testing.T) {
	single, multi, protocols := Table3(), Table4(), Table5()

	order := []string{"A", "B", "C", "D"}
	for i := 1; i < len(order); i++ {
		shallow := find(t, single, order[i-1], "256", Dense)
		deep := find(t, single, order[i], "256", Dense)
		if deep.Top1 >= shallow.Top1 || deep.Top5 >= shallow.Top5 {
			t.Errorf("%s is not better than %s", deep.Config, shallow.Config)
		}
	}
	if a, lrn := find(t, single, "A", "256", Dense), find(t, single, "A-LRN", "256", Dense); lrn.Top1 < a.Top1 {
		t.Error("A-LRN is better than A")
	}

	for _, config := range []string{"C", "D", "E"} {
		for _, table := range [][]Evaluation{single, multi} {
			jittered := find(t, table, config, "[256;512]", Dense)
			for _, scale := range []string{"256", "384"} {
				if fixed := find(t, table, config, scale, Dense); jittered.Top1 >= fixed.Top1 || jittered.Top5 >= fixed.Top5 {
					t.Errorf("%s: jittering does not beat S = %s at Q = %v", config, scale, jittered.Test)
				}
			}
		}
	}

	for _, m := range multi {
		s := find(t, single, m.Config, m.Train.String(), Dense)
		if m.Top1 >= s.Top1 || m.Top5 >= s.Top5 {
			t.Errorf("%s, S = %s: several scales are not better than one", m.Config, m.Train)
		}
	}

	for _, config := range []string{"D", "E"} {
		dense := find(t, protocols, config, "[256;512]", Dense)
		crops := find(t, protocols, config, "[256;512]", MultiCrop)
		both := find(t, protocols, config, "[256;512]", Both)
		if both.Top1 >= crops.Top1 || crops.Top1 >= dense.Top1 {
			t.Errorf("%s: protocols out of order", config)
		}
		if m := find(t, multi, config, "[256;512]", Dense); m.Top1 != dense.Top1 || m.Top5 != dense.Top5 {
			t.Errorf("%s: dense evaluation differs between Tables 4 and 5", config)
		}
	}
}

func TestEvaluationRows(t *testing.T) {
	for _, e := range slices.Concat(Table3(), Table4(), Table5()) {
		if _, err := ByName(e.Config); err != nil {
			t.Error(err)
		}
		if e.Top5 <= 0 || e.Top5 >= e.Top1 {
			t.Errorf("%v: top-5 error must be below top-1", e)
		}
	}
	for _, e := range Table3() {
		if want := (e.Train.Min + e.Train.Max) / 2; len(e.Test) != 1 || e.Test[0] != want {
			t.Errorf("%v: section 4.1 tests at Q = %d", e, want)
		}
	}
	for _, e := range Table4() {
		want := []int{e.Train.Min - 32, e.Train.Min, e.Train.Min + 32}
		if e.Train.Min != e.Train.Max {
			want = []int{e.Train.Min, (e.Train.Min + e.Train.Max) / 2, e.Train.Max}
		}
		if !slices.Equal(e.Test, want) {
			t.Errorf("%v: section 4.2 tests at Q = %v", e, want)
		}
	}
}

// TestFusedNets: each net of Table 6 is also in Table 4 with the same test scales, and is fused with others once.
func TestFusedNets(t *testing.T) {
	for _, f := range Table6() {
		for i, net := range f.Nets {
			if e := find(t, Table4(), net.Config, net.Train.String(), Dense); !slices.Equal(e.Test, net.Test) {
				t.Errorf("%s: %v, tested at %v in Table 4", f.Name, net, e.Test)
			}
			for _, other := range f.Nets[:i] {
				if other.Config == net.Config && other.Train == net.Train {
					t.Errorf("%s: %v twice", f.Name, net)
				}
			}
		}
	}
}

func TestFusionInTable7(t *testing.T) {
	fused, art := Table6(), Table7()
	same := func(a Fusion, b Result) bool {
		return b == Result{b.Method, len(a.Nets), a.Protocol, a.Top1, a.Top5, a.TestTop5, false}
	}
	if !same(fused[3], art[0]) || !same(fused[0], art[2]) {
		t.Error("Tables 6 and 7 differ on the same nets")
	}
	if e := find(t, Table5(), "E", "[256;512]", Both); e.Top1 != art[1].Top1 || e.Top5 != art[1].Top5 {
		t.Error("Tables 5 and 7 differ on the single net")
	}
	for _, f := range fused {
		if f.Top5 <= 0 || f.Top5 >= f.Top1 {
			t.Errorf("%v: top-5 error must be below top-1", f)
		}
	}
	for _, r := range art {
		if r.Top5 == NotGiven && r.TestTop5 == NotGiven {
			t.Errorf("%v has no top-5 error at all", r)
		}
		if r.Spanned && r.Top5 != r.TestTop5 {
			t.Errorf("%v: one cell has two errors", r)
		}
		if r.Top1 != NotGiven && r.Top5 >= r.Top1 {
			t.Errorf("%v: top-5 error must be below top-1", r)
		}
	}
}
