package trainer

import (
	"encoding/csv"
	"io"
	"math"
	"os"
	"strconv"

	"github.com/pkg/errors"
)

// Epoch is one row of history.csv. Losses are mean cross-entropies in nats,
// errors are in percent, as the paper prints them (Tables 3 to 7).
//
// The training figures are running means over the epoch's own passes: augmented
// pictures, dropout on, weights still moving. The validation figures are taken
// at the epoch's end. NaN stands for a figure that does not exist, as the top-5
// errors of data with fewer than 6 classes.
type Epoch struct {
	Epoch           int     // from 1, rising
	Iteration       int     // weight updates since the start of the run, up to the epoch's end
	LearningRate    float64 // in force during the epoch
	TrainLoss       float64
	TrainTop1Error  float64
	TrainTop5Error  float64
	ValLoss         float64
	ValTop1Error    float64
	ValTop5Error    float64
	ImagesPerSecond float64 // training pictures per second
	Seconds         float64 // wall clock of the epoch, validation included

	LoaderWaitPercent float64 // share of the training passes' time in which they waited for pictures
}

// History is the record of a run, one Epoch after another.
type History []Epoch

// columnKind says how the values of a column are written and which are let in.
type columnKind int

const (
	countColumn   columnKind = iota // an int of the row, outside format and parse
	rateColumn                      // shortest form that reads back to the same value
	lossColumn                      // 6 significant digits; may be absent or infinite
	percentColumn                   // 4 decimals, finer than one picture in 50,000; may be absent
	timingColumn                    // 3 decimals
)

// historyColumns are those of history.csv, in order; epoch and iteration
// are integers and lead.
var historyColumns = []struct {
	name  string
	kind  columnKind
	value func(*Epoch) *float64
}{
	{"epoch", countColumn, nil},
	{"iteration", countColumn, nil},
	{"learning_rate", rateColumn, func(e *Epoch) *float64 { return &e.LearningRate }},
	{"train_loss", lossColumn, func(e *Epoch) *float64 { return &e.TrainLoss }},
	{"train_top1_error", percentColumn, func(e *Epoch) *float64 { return &e.TrainTop1Error }},
	{"train_top5_error", percentColumn, func(e *Epoch) *float64 { return &e.TrainTop5Error }},
	{"val_loss", lossColumn, func(e *Epoch) *float64 { return &e.ValLoss }},
	{"val_top1_error", percentColumn, func(e *Epoch) *float64 { return &e.ValTop1Error }},
	{"val_top5_error", percentColumn, func(e *Epoch) *float64 { return &e.ValTop5Error }},
	{"images_per_second", timingColumn, func(e *Epoch) *float64 { return &e.ImagesPerSecond }},
	{"seconds", timingColumn, func(e *Epoch) *float64 { return &e.Seconds }},
	{"loader_wait_percent", timingColumn, func(e *Epoch) *float64 { return &e.LoaderWaitPercent }},
}

// leadingCounts is the number of leading integer columns.
const leadingCounts = 2

// format writes v as the column asks; NaN is an empty field.
func (k columnKind) format(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	switch k {
	case lossColumn:
		return strconv.FormatFloat(v, 'g', 6, 64)
	case percentColumn:
		return strconv.FormatFloat(v, 'f', 4, 64)
	case timingColumn:
		return strconv.FormatFloat(v, 'f', 3, 64)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// parse is the inverse of format.
func (k columnKind) parse(s string) (float64, error) {
	mayLack := k == lossColumn || k == percentColumn
	if s == "" && mayLack {
		return math.NaN(), nil
	}
	v, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil:
		return 0, errors.Errorf("%q is not a number", s)
	case math.IsNaN(v) && !mayLack, math.IsInf(v, 0) && k != lossColumn:
		return 0, errors.Errorf("%s is not finite", s)
	case k == percentColumn && (v < 0 || v > 100):
		return 0, errors.Errorf("%s is not a percentage from 0 to 100", s)
	case k != lossColumn && v < 0:
		return 0, errors.Errorf("%s is negative", s)
	}
	return v, nil
}

// WriteCSV writes the header and one row an epoch. The same history always
// gives the same bytes, and a history read back and written again is unchanged.
func (h History) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	row := make([]string, len(historyColumns))
	for i, c := range historyColumns {
		row[i] = c.name
	}
	// The csv.Writer keeps the first error for Error, below.
	_ = out.Write(row)
	for _, e := range h {
		row[0], row[1] = strconv.Itoa(e.Epoch), strconv.Itoa(e.Iteration)
		for i, c := range historyColumns[leadingCounts:] {
			row[leadingCounts+i] = c.kind.format(*c.value(&e))
		}
		_ = out.Write(row)
	}
	out.Flush()
	return errors.Wrap(out.Error(), "history")
}

// ReadHistory reads what WriteCSV wrote to a file. The header must be exact and the epochs
// must rise; an error names the file, the line and the column.
func ReadHistory(path string) (History, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, errors.Wrap(err, "cannot read the history")
	}
	defer f.Close()
	return readHistory(f, path)
}

// readHistory is ReadHistory from a reader, which errors call by a name.
func readHistory(r io.Reader, path string) (History, error) {
	in := csv.NewReader(r)
	in.FieldsPerRecord = len(historyColumns)
	in.ReuseRecord = true

	header, err := in.Read()
	if err == io.EOF {
		return nil, errors.Errorf("%s: empty, not even a header line", path)
	}
	if err != nil {
		return nil, errors.Wrapf(err, "%s: the header", path)
	}
	for i, c := range historyColumns {
		if header[i] != c.name {
			return nil, errors.Errorf("%s: line 1, column %d: %q where %q is due", path, i+1, header[i], c.name)
		}
	}

	var h History
	for {
		row, err := in.Read()
		if err == io.EOF {
			return h, nil
		}
		if err != nil {
			return nil, errors.Wrap(err, path)
		}
		e, column, err := parseRow(row)
		if err == nil && len(h) > 0 && e.Epoch <= h[len(h)-1].Epoch {
			column, err = 0, errors.Errorf("epoch %d follows epoch %d", e.Epoch, h[len(h)-1].Epoch)
		}
		if err != nil {
			line, _ := in.FieldPos(column)
			return nil, errors.Wrapf(err, "%s: line %d, column %d (%s)", path, line, column+1, historyColumns[column].name)
		}
		h = append(h, e)
	}
}

// parseRow reads one row; on an error it says at which column.
func parseRow(row []string) (e Epoch, column int, err error) {
	for i, n := range []*int{&e.Epoch, &e.Iteration} {
		if *n, err = strconv.Atoi(row[i]); err != nil || *n < 0 {
			return e, i, errors.Errorf("%q is not a count", row[i])
		}
	}
	for i := leadingCounts; i < len(historyColumns); i++ {
		if *historyColumns[i].value(&e), err = historyColumns[i].kind.parse(row[i]); err != nil {
			return e, i, err
		}
	}
	return e, 0, nil
}

// Best is the epoch with the lowest validation top-1 error, the first of them
// on a tie; false where no epoch has one.
func (h History) Best() (Epoch, bool) {
	best, found := Epoch{}, false
	for _, e := range h {
		if !math.IsNaN(e.ValTop1Error) && (!found || e.ValTop1Error < best.ValTop1Error) {
			best, found = e, true
		}
	}
	return best, found
}
