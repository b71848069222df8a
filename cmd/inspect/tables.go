package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/internal/cli"
	"vgg/internal/terminal"
	"vgg/internal/text"
)

// table is one of the paper's, as text, or with Number 0 of facts from its text. A cell "" continues the one on its left, as a spanned cell does.
type table struct {
	Number  int        `json:"number"`
	Title   string     `json:"title"`
	Columns []string   `json:"columns"`
	Rows    [][]string `json:"rows"`
}

// spanned continues the cell on its left.
const spanned = ""

// paperTables are Tables 3 to 12.
func paperTables() []table {
	return []table{
		evaluations(3, "Single test scale; top-1 and top-5 error on ILSVRC's validation set, in %", configs.Table3()),
		evaluations(4, "Several test scales; errors as in Table 3", configs.Table4()),
		evaluations(5, "Dense and multi-crop evaluation; errors as in Table 3", configs.Table5()),
		table6(), table7(), table8(), table9(), table10(), table11(), table12(),
	}
}

func evaluations(number int, title string, rows []configs.Evaluation) table {
	t := table{Number: number, Title: title, Columns: []string{"net", "S", "Q", "protocol", "top-1", "top-5"}}
	for _, r := range rows {
		t.Rows = append(t.Rows, []string{r.Config, r.Train.String(), text.List(r.Test, ","), string(r.Protocol), percent(r.Top1), percent(r.Top5)})
	}
	return t
}

func table6() table {
	t := table{Number: 6, Title: "Fusion of several nets; errors in %", Columns: []string{"nets", "S / Q", "protocol", "top-1 val", "top-5 val", "top-5 test"}}
	for _, r := range configs.Table6() {
		var nets []string
		for _, n := range r.Nets {
			nets = append(nets, fmt.Sprintf("%s %s/%s", n.Config, n.Train, text.List(n.Test, ",")))
		}
		t.Rows = append(t.Rows, []string{r.Name, fmt.Sprintf("%d nets", len(nets)), string(r.Protocol), percent(r.Top1), percent(r.Top5), percent(r.TestTop5)})
		if r.Protocol == configs.Dense { // the first of rows with the same nets
			for _, n := range nets {
				t.Rows = append(t.Rows, []string{"", n, " ", " ", " ", " "})
			}
		}
	}
	return t
}

func table7() table {
	t := table{Number: 7, Title: "State of the art in ILSVRC's classification; errors in %", Columns: []string{"method", "nets", "protocol", "top-1 val", "top-5 val", "top-5 test"}}
	for _, r := range configs.Table7() {
		nets := "several"
		if r.Nets != configs.NotGiven {
			nets = strconv.Itoa(r.Nets)
		}
		row := []string{r.Method, nets, dash(string(r.Protocol)), percent(r.Top1), percent(r.Top5), percent(r.TestTop5)}
		if r.Spanned {
			row[5] = spanned
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func table8() table {
	t := table{Number: 8, Title: "Localisation, central crop, box of the true class, S = 384; error on the validation set, in %", Columns: []string{"fine-tuned layers", "regression", "error"}}
	for _, r := range configs.Table8() {
		layers := "1st and 2nd fully connected"
		if r.AllLayers {
			layers = "all"
		}
		t.Rows = append(t.Rows, []string{layers, string(r.Regression), percent(r.Error)})
	}
	return t
}

func table9() table {
	t := table{Number: 9, Title: "Localisation, whole procedure; top-5 error, in %", Columns: []string{"net, S / Q", "val", "test"}}
	for _, r := range configs.Table9() {
		var nets []string
		for _, n := range r.Nets {
			nets = append(nets, fmt.Sprintf("%s %s/%s", n.Config, n.Train, text.List(n.Test, ",")))
		}
		t.Rows = append(t.Rows, []string{strings.Join(nets, " + "), percent(r.Val), percent(r.Test)})
	}
	return t
}

func table10() table {
	t := table{Number: 10, Title: "State of the art in ILSVRC's localisation; top-5 error, in %", Columns: []string{"method", "val", "test"}}
	for _, r := range configs.Table10() {
		t.Rows = append(t.Rows, []string{r.Method, percent(r.Val), percent(r.Test)})
	}
	return t
}

func table11() table {
	t := table{Number: 11, Title: "Features on other data sets: mean average precision (VOC) and mean class recall (Caltech), in %",
		Columns: []string{"method", "VOC-2007", "VOC-2012", "Caltech-101", "Caltech-256"}}
	recall := func(r configs.Recall) string {
		if r.Mean == configs.NotGiven {
			return dash("")
		}
		return fmt.Sprintf("%.1f ± %.1f", r.Mean, r.Deviation)
	}
	for _, r := range configs.Table11() {
		t.Rows = append(t.Rows, []string{method(r.Method, r.Nets, r.Classes), percent(r.VOC2007), percent(r.VOC2012), recall(r.Caltech101), recall(r.Caltech256)})
	}
	return t
}

func table12() table {
	t := table{Number: 12, Title: "Actions of VOC-2012: mean average precision, in %", Columns: []string{"method", "features of", "mean AP"}}
	for _, r := range configs.Table12() {
		of := dash("")
		switch {
		case r.Nets != nil && r.Box:
			of = "picture and box"
		case r.Nets != nil:
			of = "picture"
		}
		t.Rows = append(t.Rows, []string{method(r.Method, r.Nets, r.Classes), of, percent(r.MeanAP)})
	}
	return t
}

// method names a row of Tables 11 and 12.
func method(name string, nets []string, classes int) string {
	if nets != nil {
		name += " " + strings.Join(nets, " + ")
	}
	if classes != configs.NotGiven {
		name += fmt.Sprintf(" (%d classes)", classes)
	}
	return name
}

// percent writes what the paper gives with one digit, or a dash.
func percent(v float64) string {
	if v == configs.NotGiven {
		return dash("")
	}
	return strconv.FormatFloat(v, 'f', 1, 64)
}

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// numbersOf reads --tables: numbers and ranges, with commas between them.
func numbersOf(text string) (numbers []int, err error) {
	const first, last = 3, 12
	for _, part := range strings.Split(text, ",") {
		from, to, isRange := strings.Cut(strings.TrimSpace(part), "-")
		low, err := strconv.Atoi(from)
		high := low
		if err == nil && isRange {
			high, err = strconv.Atoi(to)
		}
		if err != nil || low < first || high > last || low > high {
			return nil, errors.Errorf("%q: want numbers of the paper's tables from %d to %d, such as 7 or 3-12 (--table1 prints Tables 1 and 2)", text, first, last)
		}
		for n := low; n <= high; n++ {
			numbers = append(numbers, n)
		}
	}
	return numbers, nil
}

// print writes the table. A spanned cell stands in the middle of its columns.
func (t table) print(w io.Writer) error {
	title := t.Title
	if t.Number > 0 {
		title = fmt.Sprintf("Table %d. %s", t.Number, title)
	}
	fmt.Fprintln(w, terminal.Wrap(w, title))
	return errors.Wrap(terminal.Table{Gap: gap, Spans: true, Rows: append([][]string{t.Columns}, t.Rows...)}.Fprint(w), "inspect")
}

// gap is the space between columns.
const gap = 3

// winners are the entries of ILSVRC whose places the paper gives.
func winners() table {
	t := table{Title: "Places in ILSVRC that the paper gives; top-5 error on the test set, in %", Columns: []string{"year", "task", "place", "method", "error", "section"}}
	for _, e := range configs.Winners() {
		t.Rows = append(t.Rows, []string{strconv.Itoa(e.Year), e.Task, strconv.Itoa(e.Place), e.Method, percent(e.Error()), e.Section})
	}
	return t
}

// chosen are the tables that flags ask for.
func chosen(f flags) (tables []table, err error) {
	if f.Winners {
		return []table{winners()}, nil
	}
	numbers, err := numbersOf(f.Tables)
	for _, n := range numbers {
		tables = append(tables, paperTables()[n-3])
	}
	return tables, err
}

// reported prints tables of the paper, with the errors of runs beside Table 3.
func reported(w io.Writer, f flags) error {
	tables, err := chosen(f)
	if err != nil {
		return cli.Usage(errors.Wrap(err, "--tables"))
	}
	if tables, err = withRuns(tables, f.Results); err != nil {
		return errors.Wrap(err, "--results")
	}
	if f.JSON {
		return errors.Wrap(json.NewEncoder(w).Encode(tables), "inspect")
	}
	for i, t := range tables {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := t.print(w); err != nil {
			return err
		}
	}
	return nil
}
