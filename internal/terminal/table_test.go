package terminal

import (
	"strings"
	"testing"

	"github.com/rivo/uniseg"
)

func TestTable(t *testing.T) {
	table := Table{Gap: 3, Spans: true, Rows: [][]string{
		{"net", "layers", "val", "test"},
		{"고", "11", "1", ""},
		{"VGG", " ", " ", "2.5"},
	}}
	right := table
	right.Right, right.Spans, right.Rows = true, false, [][]string{{"net", "layers"}, {"고", "11"}}
	for _, c := range []struct {
		table Table
		width int
		want  string
	}{
		{table, 0, "net   layers   val   test\n고    11           1\nVGG                  2.5\n"},
		{table, 25, "net   layers   val   test\n고    11           1\nVGG                  2.5\n"},
		{table, 22, "net  layers  val  test\n고   11          1\nVGG               2.5\n"},
		{table, 21, "net  layers\n고   11\nVGG\n\nnet  val  test\n고       1\nVGG       2.5\n"},
		{right, 0, "net   layers\n 고       11\n"},
	} {
		got := c.table.text(c.width)
		if got != c.want {
			t.Errorf("in %d columns:\n%s\nwant\n%s", c.width, got, c.want)
		}
		for _, line := range strings.Split(got, "\n") {
			if wide := uniseg.StringWidth(line); c.width > 0 && wide > c.width {
				t.Errorf("%q: %d columns of %d", line, wide, c.width)
			}
		}
	}
}
