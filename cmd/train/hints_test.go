package main

import "testing"

// Messages that name keys of the recipe get the flags that set them; names of files do not.
func TestWithFlags(t *testing.T) {
	for _, c := range []struct {
		message string
		resumed bool
		want    string
	}{
		{"nothing is named", false, "nothing is named"},
		{"lower net.width or training.micro_batch", false, "lower net.width or training.micro_batch (--width for net.width; --micro-batch for training.micro_batch)"},
		{`another initialiser (net.init = "he")`, false, `another initialiser (net.init = "he") (--init for net.init)`},
		{"set run.stall_seconds", true, "set run.stall_seconds (--set run.stall_seconds=VALUE)"},
		{"schedule.patience", true, "schedule.patience (--set schedule.patience=VALUE with --force schedule.patience)"},
		{"boxes of 3 pictures, from boxes.csv (34) and run.log", false, "boxes of 3 pictures, from boxes.csv (34) and run.log"},
	} {
		if got := withFlags(c.message, c.resumed); got != c.want {
			t.Errorf("%q: %q, want %q", c.message, got, c.want)
		}
	}
}
