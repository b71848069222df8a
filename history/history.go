package history

import (
	"encoding/csv"
	"io"
	"math"
	"os"
	"strconv"

	"github.com/pkg/errors"
)

// FileName is the name of the history in a run directory.
const FileName = "history.csv"

// Epoch is one row of history.csv. Losses are mean cross-entropies in nats, errors are in percent, as the paper prints
// them (Tables 3 to 7).
//
// The training figures are running means over the epoch's training pass: augmented pictures, dropout on, weights still
// changing. The validation figures are measured at the end of the epoch. NaN stands for a figure that does not exist,
// such as the top-5 error of data with fewer than six classes.
type Epoch struct {
	Epoch           int     // from 1, rising
	Iteration       int     // weight updates from the start of the run to the end of the epoch
	LearningRate    float64 // during the epoch
	TrainLoss       float64
	TrainTop1Error  float64
	TrainTop5Error  float64
	ValLoss         float64
	ValTop1Error    float64
	ValTop5Error    float64
	ImagesPerSecond float64 // training pictures per second
	Seconds         float64 // wall-clock time of the epoch, validation included

	LoaderWaitPercent   float64 // part of the training pass's time spent waiting for pictures
	ExchangeWaitPercent float64 // and waiting for other ranks
}

// History is the record of a run, one Epoch after another.
type History []Epoch

// kind says how the values of a column are written and which are accepted.
type kind int

const (
	count   kind = iota // an integer
	rate                // the shortest form that reads back as the same value
	loss                // 6 significant digits; may be missing or infinite
	percent             // 4 decimals, finer than one picture in 50,000; may be missing
	timing              // 3 decimals
)

// columns are those of history.csv, in order.
var columns = []struct {
	name  string
	kind  kind
	field func(*Epoch) any // a pointer to the field: *int for counts, else *float64
}{
	{"epoch", count, func(e *Epoch) any { return &e.Epoch }},
	{"iteration", count, func(e *Epoch) any { return &e.Iteration }},
	{"learning_rate", rate, func(e *Epoch) any { return &e.LearningRate }},
	{"train_loss", loss, func(e *Epoch) any { return &e.TrainLoss }},
	{"train_top1_error", percent, func(e *Epoch) any { return &e.TrainTop1Error }},
	{"train_top5_error", percent, func(e *Epoch) any { return &e.TrainTop5Error }},
	{"val_loss", loss, func(e *Epoch) any { return &e.ValLoss }},
	{"val_top1_error", percent, func(e *Epoch) any { return &e.ValTop1Error }},
	{"val_top5_error", percent, func(e *Epoch) any { return &e.ValTop5Error }},
	{"images_per_second", timing, func(e *Epoch) any { return &e.ImagesPerSecond }},
	{"seconds", timing, func(e *Epoch) any { return &e.Seconds }},
	{"loader_wait_percent", timing, func(e *Epoch) any { return &e.LoaderWaitPercent }},
	{"exchange_wait_percent", timing, func(e *Epoch) any { return &e.ExchangeWaitPercent }},
}

// required is the number of the first columns that a file must have; those of older versions lack the others.
const required = 12

// format writes the value that a field points to; NaN is an empty string.
func (k kind) format(field any) string {
	if n, ok := field.(*int); ok {
		return strconv.Itoa(*n)
	}
	v := *field.(*float64)
	if math.IsNaN(v) {
		return ""
	}
	switch k {
	case loss:
		return strconv.FormatFloat(v, 'g', 6, 64)
	case percent:
		return strconv.FormatFloat(v, 'f', 4, 64)
	case timing:
		return strconv.FormatFloat(v, 'f', 3, 64)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// parse is the inverse of format.
func (k kind) parse(s string, field any) (err error) {
	if n, ok := field.(*int); ok {
		if *n, err = strconv.Atoi(s); err != nil || *n < 0 {
			return errors.Errorf("%q is not a count", s)
		}
		return nil
	}
	mayLack := k == loss || k == percent
	if s == "" && mayLack {
		*field.(*float64) = math.NaN()
		return nil
	}
	v, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil:
		return errors.Errorf("%q is not a number", s)
	case math.IsNaN(v) && !mayLack, math.IsInf(v, 0) && k != loss:
		return errors.Errorf("%s is not finite", s)
	case k == percent && (v < 0 || v > 100):
		return errors.Errorf("%s is not a percentage from 0 to 100", s)
	case k != loss && v < 0:
		return errors.Errorf("%s is negative", s)
	}
	*field.(*float64) = v
	return nil
}

// WriteCSV writes a header and one row per epoch. The same history always gives the same bytes, and a history that is
// read back and written again is unchanged. It is an error if an epoch has a value that Read would refuse.
func (h History) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	row := make([]string, len(columns))
	for i, c := range columns {
		row[i] = c.name
	}
	_ = out.Write(row) // the writer keeps its first error
	for _, e := range h {
		for i, c := range columns {
			row[i] = c.kind.format(c.field(&e))
		}
		if _, column, err := parseRow(row); err != nil {
			return errors.Wrapf(err, "history: epoch %d, %s", e.Epoch, columns[column].name)
		}
		_ = out.Write(row)
	}
	out.Flush()
	return errors.Wrap(out.Error(), "history")
}

// Read reads a file that WriteCSV wrote, now or in a version with fewer columns. The header must be exact and the
// epochs must rise; an error names the file, the line and the column.
func Read(path string) (History, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, errors.Wrap(err, "cannot read the history")
	}
	defer f.Close()
	return Decode(f, path)
}

// Decode is Read from a reader; errors begin with name.
func Decode(r io.Reader, name string) (History, error) {
	in := csv.NewReader(r)
	in.ReuseRecord = true

	header, err := in.Read()
	if err == io.EOF {
		return nil, errors.Errorf("%s: empty, not even a header line", name)
	}
	if err != nil {
		return nil, errors.Wrapf(err, "%s: the header", name)
	}
	if len(header) < required || len(header) > len(columns) {
		return nil, errors.Errorf("%s: line 1: %d columns where %d are expected", name, len(header), len(columns))
	}
	for i, c := range columns[:len(header)] {
		if header[i] != c.name {
			return nil, errors.Errorf("%s: line 1, column %d: %q where %q is expected", name, i+1, header[i], c.name)
		}
	}

	var h History
	for {
		row, err := in.Read()
		if err == io.EOF {
			return h, nil
		}
		if err != nil {
			return nil, errors.Wrap(err, name)
		}
		e, column, err := parseRow(row)
		if err == nil && len(h) > 0 && e.Epoch <= h[len(h)-1].Epoch {
			column, err = 0, errors.Errorf("epoch %d follows epoch %d", e.Epoch, h[len(h)-1].Epoch)
		}
		if err != nil {
			line, _ := in.FieldPos(column)
			return nil, errors.Wrapf(err, "%s: line %d, column %d (%s)", name, line, column+1, columns[column].name)
		}
		h = append(h, e)
	}
}

// parseRow reads one row; column is where the error is.
func parseRow(row []string) (e Epoch, column int, err error) {
	for i, c := range columns[:len(row)] {
		if err := c.kind.parse(row[i], c.field(&e)); err != nil {
			return e, i, err
		}
	}
	return e, 0, nil
}

// Best is the epoch with the lowest validation top-1 error, the first of them on a tie; false if no epoch has one. It
// is the same for a history that was written and read back.
func (h History) Best() (Epoch, bool) {
	best, lowest, found := Epoch{}, 0.0, false
	for _, e := range h {
		if math.IsNaN(e.ValTop1Error) {
			continue
		}
		// The error as written cannot fail to be read.
		top1, _ := strconv.ParseFloat(percent.format(&e.ValTop1Error), 64)
		if !found || top1 < lowest {
			best, lowest, found = e, top1, true
		}
	}
	return best, found
}
