package reproduce

import (
	"bytes"
	_ "embed"
	"fmt"
	"math"
	"strings"
	"text/template"
	"time"

	"github.com/pkg/errors"

	"vgg/internal/page"
	"vgg/internal/text"
)

// The files of a report.
const (
	MarkdownFile = page.MarkdownFile // with its figures in FiguresDir
	HTMLFile     = page.HTMLFile     // the same in one file that needs no other
	FiguresDir   = page.FiguresDir
)

// Figure is a picture of a report.
type Figure = page.Figure

//go:embed report.md.tmpl
var markdownTemplate string

// write writes the report in both forms.
func (p Plan) write(r *Report) error {
	return writeReport(p.Dir, r.Data, markdownTemplate, r, r.figures(), r.Findings)
}

// writeReport writes a report in both forms, in which findings have their colours.
func writeReport(dir, data, text string, report any, figures []Figure, findings []Finding) error {
	markdown, err := markdown(text, report)
	if err != nil {
		return err
	}
	classes := map[string]string{}
	for _, f := range findings {
		classes[f.Claim], classes[f.Verdict] = "claim", string(f.Outcome)
	}
	title := "Very deep convolutional networks in miniature: " + data
	return errors.Wrap(page.Write(dir, title, markdown, figures, classes), "reproduce")
}

// templateFunctions are those that the templates of reports call.
var templateFunctions = template.FuncMap{
	"escape":        page.Escape,
	"figures":       page.Figures,
	"duration":      func(d time.Duration) string { return d.Round(time.Second).String() },
	"findings":      findingsTable,
	"counted":       counted,
	"intervals":     intervalsText,
	"results":       resultsTable,
	"openings":      openingsTable,
	"openingsWords": func() string { return openingsWords },
	"sealedWords":   func() string { return sealedWords },
	"sizes":         sizesTable,
	"trainings":     func(t []Training) string { return trainingsTable(t, "validation error (top-1, centre crop)") },
	"boxTrainings":  func(t []Training) string { return trainingsTable(t, "validation error (class or box, centre crop)") },
}

// markdown is a report, of which text is the template, as Markdown of GitHub's dialect, which has tables.
func markdown(text string, report any) ([]byte, error) {
	t, err := template.New(MarkdownFile).Funcs(templateFunctions).Parse(text)
	if err != nil {
		return nil, errors.Wrap(err, "reproduce: template of the report")
	}
	var out bytes.Buffer
	err = t.Execute(&out, report)
	return out.Bytes(), errors.Wrap(err, "reproduce: report")
}

func findingsTable(findings []Finding) string {
	var rows [][]string
	for _, f := range findings {
		paper, seeds := "–", "–"
		if !math.IsNaN(f.Paper) {
			paper = fmt.Sprintf("%+.1f", f.Paper)
		}
		if len(f.Each) > 1 {
			seeds = strings.Trim(fmt.Sprintf("%+.2f", f.Each), "[]")
			seeds = fmt.Sprintf("%s (%+.2f to %+.2f)", strings.ReplaceAll(seeds, " ", ", "), f.Seeds.Low, f.Seeds.High)
		}
		ours := fmt.Sprintf("%+.2f (%+.2f to %+.2f)", f.Ours.Value, f.Ours.Low, f.Ours.High)
		rows = append(rows, []string{f.Claim, f.Verdict, minus(paper), minus(ours), minus(seeds)})
	}
	return page.Table([]string{"finding", "verdict", "paper, points", "here, points (interval over pictures)", "each seed (interval over seeds)"}, rows)
}

// counted says how many findings there are of each outcome.
func counted(findings []Finding) string {
	n := map[Outcome]int{}
	for _, f := range findings {
		n[f.Outcome]++
	}
	var parts []string
	for _, part := range []struct {
		outcome Outcome
		text    string
	}{
		{Shown, "shown"}, {Uncertain, "uncertain, because the seeds disagree or are too few to tell"},
		{Open, "within the uncertainty of the pictures"}, {Against, "the opposite"},
	} {
		if count := n[part.outcome]; count > 0 || part.outcome == Shown {
			parts = append(parts, fmt.Sprintf("%d %s", count, part.text))
		}
	}
	return fmt.Sprintf("Of %s in the miniature: %s.", text.Count(len(findings), "finding"), strings.Join(parts, "; "))
}

// intervalsText says what the verdicts rest on, and of which pictures the errors are compared.
func intervalsText(pictures string) string {
	return "Intervals are of 95 %. That over the pictures compares each picture's error with one with its error with the other, " + pictures + ": " +
		"it says what other pictures would change. Pictures that are known to show the same subject, as scenes of one garment do, count as one. " +
		"That over the seeds is Student's, of the differences of the seeds: it says what trainings with other seeds would change, and " +
		"with two seeds it is wide. A difference is shown only where both exclude 0 and all seeds agree, and that there is no improvement only " +
		"where the interval over the seeds lies within half a point. With one seed there is none over seeds, and the verdict is of that seed alone."
}

// minus replaces hyphens by minus signs.
func minus(number string) string { return strings.ReplaceAll(number, "-", "−") }

func resultsTable(t Table) string {
	var titles []string
	rows := make([][]string, len(t.Lines))
	for _, c := range t.columns {
		titles = append(titles, c.title)
		for i, l := range t.Lines {
			rows[i] = append(rows[i], c.cell(l))
		}
	}
	return page.Table(titles, rows)
}

func openingsTable(all []Opening) string {
	var rows [][]string
	for _, o := range all {
		rows = append(rows, []string{o.Time, o.Seeds, o.Recipe[:min(12, len(o.Recipe))], o.Build, page.Escape(o.Why)})
	}
	return page.Table([]string{"time (UTC)", "seeds", "recipe", "program", "why"}, rows)
}

func sizesTable(lines []SizeLine) string {
	var rows [][]string
	for _, l := range lines {
		rows = append(rows, []string{fmt.Sprint(l.Pictures), percent(l.A), percent(l.E)})
	}
	return page.Table([]string{"training pictures", "A, top-1 error", "E, top-1 error"}, rows)
}

func trainingsTable(trainings []Training, measured string) string {
	var rows [][]string
	for _, t := range trainings {
		rows = append(rows, []string{t.Net, t.Scale, t.From, t.Epochs, t.Best, t.Error, fmt.Sprintf("%.0f", t.Seconds)})
	}
	return page.Table([]string{"net", "S", "starts from", "epochs", "best epoch", measured, "seconds, all seeds"}, rows)
}

// figures are all figures of the report.
func (r *Report) figures() []Figure {
	all := append(r.Learned[:len(r.Learned):len(r.Learned)], r.Curves...)
	for _, t := range r.Tables {
		all = append(all, t.Figures...)
	}
	return all
}
