package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"math"
	"slices"
	"strings"
	"text/template"

	"github.com/pkg/errors"

	"vgg/dataset/transfer"
	"vgg/generalise"
	"vgg/internal/page"
)

//go:embed report.md.tmpl
var reportTemplate string

// written is what the template of the report is given. Tables are Markdown.
type written struct {
	Name                        string
	Classes, Samples            int
	Metric                      transfer.Metric
	Nets                        []string
	Rows                        string
	Values, Splits, Each, Place string
	Drawn                       *generalise.Drawn
	Notes                       []string
}

// report writes report.html and report.md.
func (t *test) report() error {
	drawn, err := generalise.Draw(t.Report, t.set, t.result)
	if err != nil {
		return err
	}
	t.notes.Add(drawn.Notes()...)
	w := written{
		Name: t.set.Name, Classes: len(t.set.Classes), Samples: len(t.features.Samples), Metric: t.set.Metric,
		Nets: t.netLines(), Rows: t.rowsLine(), Drawn: drawn, Notes: t.notes.List(), Each: t.eachTable(drawn),
	}
	var rows [][]string
	for _, l := range t.lines() {
		rows = append(rows, []string{page.Escape(l[0]), l[1]})
	}
	w.Values = page.Table([]string{"method", string(t.set.Metric)}, rows)
	if len(drawn.Shown) < len(t.set.Classes) && t.result.Each != nil {
		w.Place = fmt.Sprintf("Of the %d classes, the best and the worst are drawn, %d in all.\n", len(t.set.Classes), len(drawn.Shown))
	}
	if t.result.Each == nil {
		w.Place = "The labels of the test samples are not here, so that there is nothing to draw: the values are of the validation samples.\n"
	}
	rows = nil
	for i, s := range t.result.Splits {
		split := t.set.Splits[i]
		var grid []string
		for j, c := range s.Choice.Grid {
			grid = append(grid, fmt.Sprintf("%g: %s", c, percent(s.Choice.Values[j], math.NaN())))
		}
		value := "–"
		if s.Each != nil {
			value = fmt.Sprintf("%.1f", s.Value)
		}
		rows = append(rows, []string{fmt.Sprint(i + 1), fmt.Sprintf("%d, %d, %d", len(split.Train), len(split.Val), len(split.Test)),
			fmt.Sprintf("%g", s.Choice.C), strings.Join(grid, "; "), value, fmt.Sprint(s.Passes), fmt.Sprintf("%.1g", s.Gap)})
	}
	w.Splits = page.Table([]string{"split", "training, validation, test", "C", "validation, by C", "test", "passes", "duality gap"}, rows)
	parsed, err := template.New(page.MarkdownFile).Funcs(template.FuncMap{"escape": page.Escape, "figures": page.Figures}).Parse(reportTemplate)
	if err != nil {
		return errors.Wrap(err, "template of the report")
	}
	var markdown bytes.Buffer
	if err := parsed.Execute(&markdown, w); err != nil {
		return errors.Wrap(err, "report")
	}
	figures := slices.Concat(drawn.Bars, drawn.Curves, drawn.Pictures)
	return page.Write(t.Report, "Features on other data: "+t.set.Name, markdown.Bytes(), figures, nil)
}

// eachTable is the value of each class, and both average precisions of those that are drawn; "" if there are none.
func (t *test) eachTable(drawn *generalise.Drawn) string {
	var rows [][]string
	for class, value := range t.result.Each {
		row := []string{page.Escape(t.set.Classes[class]), fmt.Sprintf("%.1f", value), "–", "–", "–"}
		if curve, ok := drawn.AP[class]; ok {
			row[2], row[3], row[4] = fmt.Sprintf("%.1f", curve.AP2007()), fmt.Sprintf("%.1f", curve.AP2010()), fmt.Sprint(curve.Positives)
		}
		rows = append(rows, row)
	}
	if rows == nil {
		return ""
	}
	return page.Table([]string{"class", string(t.set.Metric), "AP 2007, split 1", "AP 2010, split 1", "of the class, split 1"}, rows)
}
