package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/dataset/transfer"
	"vgg/generalise"
	"vgg/internal/terminal"
	"vgg/internal/text"
)

// reported is a row of the paper's table.
type reported struct {
	Method    string   `json:"method"`
	Value     float64  `json:"value"`
	Deviation *float64 `json:"deviation,omitempty"`
}

// paper are the rows of Tables 11 and 12 for the set; none for others than the paper's.
func (t *test) paper() (table int, rows []reported) {
	if t.set.Task == transfer.Action {
		for _, r := range configs.Table12() {
			name := method(r.Method, r.Nets, r.Classes)
			if r.Nets != nil {
				name += map[bool]string{true: ", picture and box", false: ", picture"}[r.Box]
			}
			rows = append(rows, reported{Method: name, Value: r.MeanAP})
		}
		return 12, rows
	}
	for _, r := range configs.Table11() {
		value := t.column(r)
		if value.Mean == configs.NotGiven {
			continue
		}
		row := reported{Method: method(r.Method, r.Nets, r.Classes), Value: value.Mean}
		if value.Deviation != configs.NotGiven {
			row.Deviation = &value.Deviation
		}
		rows = append(rows, row)
	}
	return 11, rows
}

// column is that of Table 11 for the set. Caltech's sets are told by the classes that no others have.
func (t *test) column(r configs.Generalisation) configs.Recall {
	has := func(name string) bool { return slices.Contains(t.set.Classes, name) }
	switch {
	case t.set.Year == 2007:
		return configs.Recall{Mean: r.VOC2007, Deviation: configs.NotGiven}
	case t.set.Year == 2012:
		return configs.Recall{Mean: r.VOC2012, Deviation: configs.NotGiven}
	case has("BACKGROUND_Google"):
		return r.Caltech101
	case has("257.clutter"):
		return r.Caltech256
	}
	return configs.Recall{Mean: configs.NotGiven}
}

func method(name string, nets []string, classes int) string {
	if nets != nil {
		name += ", net " + strings.Join(nets, " and ")
	}
	if classes != configs.NotGiven {
		name += fmt.Sprintf(" (trained on %d classes)", classes)
	}
	return name
}

// percent is a value with its deviation, if there is one.
func percent(v, deviation float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case math.IsNaN(deviation):
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.1f ± %.1f", v, deviation)
}

// named is a row of this run.
type named struct {
	name string
	*generalise.Result
}

func (t *test) ours() []named {
	return []named{{"these features", t.result}, {"raw pixels", t.pixels}, {"random weights", t.random}}
}

// netLines say which nets there are.
func (t *test) netLines() (lines []string) {
	for _, n := range t.nets {
		scales := text.List(n.Scales, ", ")
		if scales == "0" {
			scales = "0 (pictures not resized)"
		}
		lines = append(lines, fmt.Sprintf("%s: net %s, %s, dense and mirrored, Q = %s", n.Name, n.Info.Config, t.Layer, scales))
	}
	return lines
}

// rowsLine says what a sample's features are.
func (t *test) rowsLine() string {
	return fmt.Sprintf("scales: %s; of each: %s; %d features; computed %d times, %d times from the cache",
		t.options.Aggregate, t.Regions, t.features.D, t.features.Computed, t.features.Cached)
}

// lines are the rows of the set's table, the paper's first: a name and a value.
func (t *test) lines() (lines [][]string) {
	table, rows := t.paper()
	for _, r := range rows {
		deviation := math.NaN()
		if r.Deviation != nil {
			deviation = *r.Deviation
		}
		lines = append(lines, []string{fmt.Sprintf("Table %d: %s", table, r.Method), percent(r.Value, deviation)})
	}
	for _, r := range t.ours() {
		switch {
		case r.Result == nil:
		case math.IsNaN(r.Mean):
			lines = append(lines, []string{r.name + ", on validation samples", percent(r.Splits[0].Validation, math.NaN())})
		default:
			lines = append(lines, []string{r.name, percent(r.Mean, r.Deviation)})
		}
	}
	return lines
}

// print prints the set's table, then classes and splits.
func (t *test) print(w io.Writer) error {
	var out strings.Builder
	fmt.Fprintf(&out, "%s: %d classes, %d samples, %s in percent\n", t.set.Name, len(t.set.Classes), len(t.features.Samples), t.set.Metric)
	for _, line := range append(t.netLines(), t.rowsLine()) {
		out.WriteString(line + "\n")
	}
	out.WriteString("\n")
	for _, l := range t.lines() {
		fmt.Fprintf(&out, "%-50s  %s\n", l[0], l[1])
	}
	out.WriteString("\n")
	for i, s := range t.result.Splits {
		fmt.Fprintf(&out, "split %d: C = %g (validation %.1f), test %s; %d passes, duality gap %.1g\n",
			i+1, s.Choice.C, s.Validation, percent(s.Value, math.NaN()), s.Passes, s.Gap)
	}
	if t.result.Each != nil {
		out.WriteString("\n")
	}
	for class, v := range t.result.Each {
		fmt.Fprintf(&out, "%6.1f  %s\n", v, t.set.Classes[class])
	}
	_, err := io.WriteString(w, terminal.Wrap(w, out.String()))
	return errors.Wrap(err, "the answer cannot be written")
}

// key is what JSON calls the set's metric.
func (t *test) key() string {
	if t.set.Metric == transfer.MeanClassRecall {
		return "mean_class_recall"
	}
	return "mean_ap"
}

// figure is a number in JSON, null for NaN.
func figure(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}

// printedSplit is a split in JSON.
type printedSplit struct {
	C          float64    `json:"c"`
	AtEdge     bool       `json:"c_at_edge"`
	Grid       []*float64 `json:"validation_of_grid"` // the metric of each C; null where it is left out
	Validation float64    `json:"validation"`
	Test       *float64   `json:"test"`
	Passes     int        `json:"passes"`
	Gap        float64    `json:"gap"` // relative, of the dual
}

// object is a result in JSON.
func (t *test) object(r *generalise.Result) map[string]any {
	classes := map[string]float64{}
	for class, v := range r.Each {
		classes[t.set.Classes[class]] = v
	}
	var splits []printedSplit
	for _, s := range r.Splits {
		var grid []*float64
		for _, v := range s.Choice.Values {
			grid = append(grid, figure(v))
		}
		splits = append(splits, printedSplit{s.Choice.C, s.Choice.AtEdge, grid, s.Validation, figure(s.Value), s.Passes, s.Gap})
	}
	return map[string]any{t.key(): figure(r.Mean), "deviation": figure(r.Deviation), "classes": classes, "splits": splits}
}

func (t *test) printJSON(w io.Writer) error {
	object := t.object(t.result)
	var nets []map[string]any
	for _, n := range t.nets {
		nets = append(nets, map[string]any{"weights": n.Name, "config": n.Info.Config, "scales": n.Scales})
	}
	for name, value := range map[string]any{
		"data": t.Data, "task": t.set.Task, "metric": t.set.Metric, "samples": len(t.features.Samples), "nets": nets, "layer": t.Layer,
		"aggregate": t.options.Aggregate, "regions": t.Regions, "features": t.features.D, "computed": t.features.Computed, "cached": t.features.Cached,
		"c": t.grid, "loss": t.Loss, "notes": t.notes.List(),
	} {
		object[name] = value
	}
	if _, rows := t.paper(); rows != nil {
		object["paper"] = rows
	}
	if t.Baselines {
		object["pixels"], object["random_weights"] = t.object(t.pixels), t.object(t.random)
	}
	return errors.Wrap(json.NewEncoder(w).Encode(object), "--json")
}
