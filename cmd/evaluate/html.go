package main

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"github.com/pkg/errors"

	"vgg/internal/atomicfile"
	"vgg/internal/cli"
	"vgg/internal/drawing"
	"vgg/internal/page"
	"vgg/metrics"
	"vgg/plots"
)

//go:embed report.md.tmpl
var reportTemplate string

const (
	mistakesFile = "mistakes.csv"
	mostBins     = 1000

	namedClasses  = 40  // classes that the confusion matrix names, at most
	listedPairs   = 20  // of the most frequent mistakes
	drawnClasses  = 40  // bars, and rows of pictures, at most
	rowsOfSheet   = 10  // of pictures in a figure
	drawnMistakes = 4   // pictures in a row
	tileSide      = 225 // pixels
)

// written is what the template of the report is given. Tables are Markdown.
type written struct {
	Name                                string
	Lines, Notes                        []string
	Errors, Pairs, Classes, Calibration string
	Cut, Shown, Drawn                   string // what is left out; "" for nothing
	MistakesFile                        string
	Matrix, Bars, Worst, Reliability    []page.Figure

	pen drawing.Pen // of the pictures
}

// checkReport makes the folder of the report, and refuses one that the report cannot be written into.
func (f flags) checkReport() error {
	if f.Out == "" || cli.World.Rank() > 0 {
		return nil
	}
	if err := os.MkdirAll(filepath.Join(f.Out, page.FiguresDir), 0o777); err != nil {
		return errors.Wrap(err, "--out")
	}
	for _, file := range []string{page.HTMLFile, page.MarkdownFile, mistakesFile, filepath.Join(page.FiguresDir, "confusion.png")} {
		if err := cli.CheckOutput("--out", filepath.Join(f.Out, file), append(f.Weights, f.Data)...); err != nil {
			return err
		}
	}
	return nil
}

// report writes the report, its figures and the table of mistakes.
func (t *timedTest) report(f flags, notes *cli.Notes) error {
	worst := t.worst(len(t.Classes))
	mistakes, err := table(worst, t.set.Val.Name, t.Classes)
	if err != nil {
		return err
	}
	if err := atomicfile.Write(filepath.Join(f.Out, mistakesFile), mistakes); err != nil {
		return err
	}
	w := &written{
		Name: t.set.Name, Lines: append(t.netLines(), t.testedLine(), "protocol: "+f.Protocol), MistakesFile: mistakesFile,
		Errors: t.errorsTable(), Pairs: t.pairsTable(), Classes: t.classesTable(), Calibration: upperFirst(t.calibrationLine()) + ".",
	}
	for _, draw := range []func(string, *written) error{t.drawMatrix, t.drawBars, t.drawCalibration} {
		if err := draw(f.Out, w); err != nil {
			return err
		}
	}
	if err := t.drawWorst(f.Out, w, worst); err != nil {
		return err
	}
	for _, left := range []string{w.Cut, w.Shown, w.Drawn} {
		if left != "" {
			notes.Add(page.HTMLFile + ": " + left)
		}
	}
	figures := slices.Concat(w.Matrix, w.Bars, w.Worst, w.Reliability)
	notes.Add(page.Notes(figures, w.pen.Lacking)...)
	w.Notes = notes.List()
	parsed, err := template.New(page.MarkdownFile).Funcs(template.FuncMap{"escape": page.Escape, "figures": page.Figures}).Parse(reportTemplate)
	if err != nil {
		return errors.Wrap(err, "template of the report")
	}
	var markdown bytes.Buffer
	if err := parsed.Execute(&markdown, w); err != nil {
		return errors.Wrap(err, "report")
	}
	return page.Write(f.Out, "What the nets confuse: "+t.set.Name, markdown.Bytes(), figures, nil)
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// drawBoth writes a figure as PNG and SVG, and appends it to a part of the report.
func drawBoth(dir string, to *[]page.Figure, figure *plots.Figure, err error, name, caption string) error {
	if err := page.Draw(dir, to, figure, err, name+".png", caption); err != nil {
		return err
	}
	return figure.Save(filepath.Join(dir, page.FiguresDir, name+".svg"))
}

// drawMatrix draws the confusion matrix, of too many classes that of those which are confused the most.
func (t *timedTest) drawMatrix(dir string, w *written) error {
	classes, counts := t.Classes, t.Confusion
	caption := "Pictures by true class, a row, and by predicted class, a column."
	if n := len(classes); n > namedClasses {
		chosen := metrics.MostConfused(counts, namedClasses-1)
		counts, classes = metrics.Merge(counts, chosen), nil
		for _, c := range chosen {
			classes = append(classes, t.Classes[c])
		}
		classes = append(classes, fmt.Sprintf("%d others", n-len(chosen)))
		w.Cut = fmt.Sprintf("The matrix shows the %d classes of %d that are confused the most, and all others together as the last (evaluate --json has all of it).", len(chosen), n)
	}
	figure, err := plots.Confusion(classes, counts, "Confusion matrix")
	return drawBoth(dir, &w.Matrix, figure, err, "confusion", caption)
}

// drawBars draws the error of each class, the worst first.
func (t *timedTest) drawBars(dir string, w *written) error {
	var bars []plots.Bar
	for c, name := range t.Classes {
		if wrong, of := t.OfClass(c); of > 0 {
			low, high := metrics.Interval(wrong, of)
			bars = append(bars, plots.Bar{Label: name, Ours: plots.Estimate{Value: metrics.Percent(wrong, of), Low: low, High: high}})
		}
	}
	slices.SortStableFunc(bars, func(a, b plots.Bar) int { return cmp.Compare(b.Ours.Value, a.Ours.Value) })
	if n := len(bars); n > drawnClasses {
		bars = bars[:drawnClasses]
		w.Shown = fmt.Sprintf("The figure of errors has the %d classes of %d with the highest errors; the table has all.", drawnClasses, n)
	}
	figure, err := plots.Values(bars, "top-1 error (%)", "Error of each class")
	return drawBoth(dir, &w.Bars, figure, err, "classes", "The top-1 error of each class, the worst first, with its interval.")
}

func (t *timedTest) drawCalibration(dir string, w *written) error {
	figure, err := plots.Calibration(t.calibration, "Calibration")
	return drawBoth(dir, &w.Reliability, figure, err, "calibration", "How often answers are right, by how sure the nets are of them, and how many there are.")
}

// drawWorst draws sheets of the surest mistakes of the classes with the most mistakes, in the order of the classes.
func (t *timedTest) drawWorst(dir string, w *written, worst [][]mistake) error {
	var classes []int
	for c, all := range worst {
		if len(all) > 0 {
			classes = append(classes, c)
		}
	}
	if n := len(classes); n > drawnClasses {
		slices.SortStableFunc(classes, func(a, b int) int { return cmp.Compare(len(worst[b]), len(worst[a])) })
		classes = classes[:drawnClasses]
		slices.Sort(classes)
		w.Drawn = fmt.Sprintf("The pictures are of the %d classes with the most mistakes, of %d with any.", drawnClasses, n)
	}
	for number, part := range slices.Collect(slices.Chunk(classes, rowsOfSheet)) {
		var rows []plots.SheetRow
		for _, c := range part {
			row := plots.SheetRow{Label: t.Classes[c]}
			for _, m := range worst[c][:min(drawnMistakes, len(worst[c]))] {
				tile, err := t.tile(&w.pen, m)
				if err != nil {
					return err
				}
				row.Pictures = append(row.Pictures, tile)
			}
			rows = append(rows, row)
		}
		figure, err := plots.Sheet(rows, "Taken for another class", "each row: pictures of the class; below each what it is taken for")
		caption := fmt.Sprintf("The worst pictures, from %s to %s.", t.Classes[part[0]], t.Classes[part[len(part)-1]])
		if err := drawBoth(dir, &w.Worst, figure, err, fmt.Sprintf("worst%d", number+1), caption); err != nil {
			return err
		}
	}
	return nil
}

// tile is a picture with what it is taken for.
func (t *timedTest) tile(pen *drawing.Pen, m mistake) (image.Image, error) {
	p, err := t.set.Val.Picture(m.picture)
	if err != nil {
		return nil, err
	}
	return pen.Tile(p.Image(), tileSide, fmt.Sprintf("%s\n%.1f %%", strings.ReplaceAll(t.Classes[m.predicted], "\n", " "), 100*m.sure), drawing.Vermilion)
}

func (t *timedTest) errorsTable() string {
	low, high := t.Top1Interval()
	rows := [][]string{{"top-1 error", percent(t.Top1Error(), low, high)}}
	if e := t.Top5Error(); !math.IsNaN(e) {
		low, high := t.Top5Interval()
		rows = append(rows, []string{"top-5 error", percent(e, low, high)})
	}
	rows = append(rows, []string{"expected calibration error", fmt.Sprintf("%.2f", t.calibration.ECE())})
	return page.Table([]string{"", "percent"}, rows)
}

// percent is an error with its interval.
func percent(value, low, high float64) string {
	return fmt.Sprintf("%.2f (%.2f–%.2f)", value, low, high)
}

func (t *timedTest) pairsTable() string {
	var rows [][]string
	all := metrics.Confusions(t.Confusion)
	for _, c := range all[:min(listedPairs, len(all))] {
		_, of := t.OfClass(c.Class)
		rows = append(rows, []string{page.Escape(t.Classes[c.Class]), page.Escape(t.Classes[c.Predicted]), fmt.Sprintf("%d of %d", c.Pictures, of)})
	}
	if rows == nil {
		return ""
	}
	return page.Table([]string{"class", "taken for", "pictures"}, rows)
}

func (t *timedTest) classesTable() string {
	var rows [][]string
	for c, name := range t.Classes {
		wrong, of := t.OfClass(c)
		row := []string{page.Escape(name), fmt.Sprintf("%d of %d", wrong, of), "–", "–"}
		if of > 0 {
			low, high := metrics.Interval(wrong, of)
			row[2] = percent(metrics.Percent(wrong, of), low, high)
		}
		most := 0
		for other, n := range t.Confusion[c] {
			if other != c && n > most {
				most = n
				row[3] = fmt.Sprintf("%s, %d", page.Escape(t.Classes[other]), n)
			}
		}
		rows = append(rows, row)
	}
	return page.Table([]string{"class", "wrong", "top-1 error, percent", "most often taken for"}, rows)
}
