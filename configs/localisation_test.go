package configs

import (
	"slices"
	"testing"
)

func TestRegressionOutputs(t *testing.T) {
	for r, want := range map[Regression]int{"": 1000, RegressPerClass: 4000, RegressSingle: 4} {
		if got := r.Outputs(1000); got != want {
			t.Errorf("%q: %d outputs, want %d", r, got, want)
		}
	}
}

// TestTable8: per-class regression is better than one box for all classes, and training all layers better than a few.
func TestTable8(t *testing.T) {
	rows := Table8()
	if len(rows) != 3 || !slices.IsSortedFunc(rows, func(a, b BoxTest) int { return int(10*b.Error) - int(10*a.Error) }) {
		t.Fatalf("%v: want three rows with falling errors", rows)
	}
	if rows[0].Regression != RegressSingle || rows[1].Regression != RegressPerClass || rows[2].Regression != RegressPerClass ||
		rows[0].AllLayers || rows[1].AllLayers || !rows[2].AllLayers {
		t.Errorf("%v: the kinds are not Table 8's", rows)
	}
}

// TestTable9: nets, scales and the order of the errors are the text's, and the last row joins the first and the third.
func TestTable9(t *testing.T) {
	rows := Table9()
	if len(rows) != 4 {
		t.Fatalf("%d rows", len(rows))
	}
	for i, r := range rows {
		if i > 0 && r.Val >= rows[i-1].Val {
			t.Errorf("%v: want a lower error than that of the row before", r)
		}
		if r.Test != NotGiven && r.Test >= r.Val {
			t.Errorf("%v: the paper's errors on the test set are lower", r)
		}
		for _, net := range r.Nets {
			if net.Config != "D" || net.Train.Min != net.Train.Max || net.Test[len(net.Test)-1] != net.Train.Min {
				t.Errorf("%v: want net D without scale jittering, with Q up to S", net)
			}
		}
	}
	if last := rows[3].Nets; len(last) != 2 || !slices.Equal(last[0].Test, rows[0].Nets[0].Test) || !slices.Equal(last[1].Test, rows[2].Nets[0].Test) {
		t.Errorf("%v: want the nets of the first and the third row", last)
	}
}

// TestTable10: the first row is the best of Table 9 and the winner.
func TestTable10(t *testing.T) {
	rows, ours := Table10(), Table9()[3]
	if rows[0] != (BoxResult{"VGG", ours.Val, ours.Test}) {
		t.Errorf("%v: want %v", rows[0], ours)
	}
	for _, r := range rows[1:] {
		if r.Test <= rows[0].Test || r.Val != NotGiven && r.Val <= rows[0].Val {
			t.Errorf("%v is not behind %v", r, rows[0])
		}
	}
}
