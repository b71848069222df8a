package main

import (
	"fmt"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/trainer"
)

// withRuns adds to Table 3 a row for each run, below the paper's last row of the run's net. The errors of a run are
// those of its best epoch on its own validation pictures.
func withRuns(tables []table, runs []string) ([]table, error) {
	for _, dir := range runs {
		s, err := summary(dir)
		if err != nil {
			return nil, err
		}
		placed := false
		for k, t := range tables {
			if t.Number != 3 {
				continue
			}
			placed = true
			top5 := dash("")
			if s.ValTop5Error != nil {
				top5 = fmt.Sprintf("%.2f", *s.ValTop5Error)
			}
			row := []string{s.Config, "run", fmt.Sprintf("%d classes", s.Classes), string(configs.Center), fmt.Sprintf("%.2f", s.ValTop1Error), top5}
			if len(t.Columns) < 7 {
				t = t.widened("pictures")
			}
			row = append(row, fmt.Sprintf("%s (%s)", s.Data, dir))
			at := len(t.Rows)
			for i, r := range t.Rows {
				if r[0] == s.Config {
					at = i + 1
				}
			}
			t.Rows = append(t.Rows[:at:at], append([][]string{row}, t.Rows[at:]...)...)
			tables[k] = t
		}
		if !placed {
			return nil, errors.Errorf("%s: runs stand beside Table 3 only: give --tables 3", dir)
		}
	}
	return tables, nil
}

// widened adds a column that says ILSVRC in the paper's rows.
func (t table) widened(column string) table {
	t.Columns = append(t.Columns[:len(t.Columns):len(t.Columns)], column)
	for i, r := range t.Rows {
		t.Rows[i] = append(r, "ILSVRC-2012")
	}
	return t
}

// summary reads what a run of cmd/train reached.
func summary(dir string) (s trainer.Summary, err error) {
	if s, err = trainer.ReadSummary(dir); err != nil {
		return s, errors.Wrapf(err, "%s: want the directory of a run that cmd/train has finished", dir)
	}
	switch {
	case s.Config == "":
		return s, errors.Errorf("%s: its summary names no net: want a run of cmd/train", dir)
	case s.Boxes != "":
		return s, errors.Errorf("%s: the net predicts boxes, and Table 3 is about classification", dir)
	case s.Epochs < 1 || !(s.ValTop1Error >= 0 && s.ValTop1Error <= 100):
		return s, errors.Errorf("%s: its summary has no validation error: want a run that has finished an epoch", dir)
	}
	return s, nil
}
