package reproduce

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	htmltemplate "html/template"
	"math"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"github.com/pkg/errors"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"vgg/internal/atomicfile"
)

// The files of a report.
const (
	MarkdownFile = "report.md"   // with its figures in FiguresDir
	HTMLFile     = "report.html" // the same in one file that needs no other
)

//go:embed report.md.tmpl
var markdownTemplate string

//go:embed page.html.tmpl
var pageTemplate string

// write writes the report in both forms.
func (p Plan) write(r *Report) error {
	markdown, err := r.markdown()
	if err != nil {
		return err
	}
	page, err := renderPage(r.Data, markdown, r.figures(), r.Findings)
	if err != nil {
		return err
	}
	return writeReport(p.Dir, markdown, page)
}

func writeReport(dir string, markdown, page []byte) error {
	for name, data := range map[string][]byte{MarkdownFile: markdown, HTMLFile: page} {
		if err := atomicfile.Write(filepath.Join(dir, name), data); err != nil {
			return errors.Wrap(err, "reproduce: report")
		}
	}
	return nil
}

// templateFunctions are those that the templates of reports call.
var templateFunctions = template.FuncMap{
	"escape":       escape.Replace,
	"duration":     func(d time.Duration) string { return d.Round(time.Second).String() },
	"findings":     findingsTable,
	"results":      resultsTable,
	"trainings":    func(t []Training) string { return trainingsTable(t, "top-1 error on the centre crop") },
	"boxTrainings": func(t []Training) string { return trainingsTable(t, "error on the centre crop, of class or box") },
}

// markdown is the report as Markdown of GitHub's dialect, which has tables.
func (r *Report) markdown() ([]byte, error) {
	t, err := template.New(MarkdownFile).Funcs(templateFunctions).Parse(markdownTemplate)
	if err != nil {
		return nil, errors.Wrap(err, "reproduce: template of the report")
	}
	var out bytes.Buffer
	err = t.Execute(&out, r)
	return out.Bytes(), errors.Wrap(err, "reproduce: report")
}

// escape takes their meaning from the characters that Markdown uses within a line.
var escape = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", `\<`, "&", `\&`, "|", `\|`)

// markdownTable is a table in Markdown.
func markdownTable(titles []string, rows [][]string) string {
	var out strings.Builder
	line := func(cells []string) { fmt.Fprintf(&out, "| %s |\n", strings.Join(cells, " | ")) }
	line(titles)
	out.WriteString("|" + strings.Repeat("---|", len(titles)) + "\n")
	for _, row := range rows {
		line(row)
	}
	return out.String()
}

func findingsTable(findings []Finding) string {
	var rows [][]string
	for _, f := range findings {
		ours := fmt.Sprintf("%+.2f (%+.2f to %+.2f)", f.Ours.Value, f.Ours.Low, f.Ours.High)
		paper := "–"
		if !math.IsNaN(f.Paper) {
			paper = minus(fmt.Sprintf("%+.1f", f.Paper))
		}
		rows = append(rows, []string{f.Claim, paper, minus(ours), f.Verdict})
	}
	return markdownTable([]string{"finding", "paper, points", "here, points (95 % interval)", "verdict"}, rows)
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
	return markdownTable(titles, rows)
}

func trainingsTable(trainings []Training, measured string) string {
	var rows [][]string
	for _, t := range trainings {
		rows = append(rows, []string{t.Net, t.Scale, t.From, t.Epochs, t.Best, t.Error, fmt.Sprintf("%.0f", t.Seconds)})
	}
	return markdownTable([]string{"net", "S", "starts from", "epochs", "best epoch", measured, "seconds, all seeds"}, rows)
}

// renderPage renders the Markdown as one page that holds its figures and needs no network.
func renderPage(data string, markdown []byte, figures []Figure, findings []Finding) ([]byte, error) {
	var body bytes.Buffer
	style := &styler{figures: map[string]string{}, classes: map[string]string{}}
	for _, f := range figures {
		style.figures[f.File] = "data:image/png;base64," + base64.StdEncoding.EncodeToString(f.png)
	}
	for _, f := range findings {
		style.classes[f.Claim], style.classes[f.Verdict] = "claim", string(f.Outcome)
	}
	converter := goldmark.New(goldmark.WithExtensions(extension.Table),
		goldmark.WithParserOptions(parser.WithASTTransformers(util.Prioritized(style, 0))))
	if err := converter.Convert(markdown, &body); err != nil {
		return nil, errors.Wrap(err, "reproduce: report as HTML")
	}
	t, err := htmltemplate.New(HTMLFile).Parse(pageTemplate)
	if err != nil {
		return nil, errors.Wrap(err, "reproduce: template of the page")
	}
	var out bytes.Buffer
	err = t.Execute(&out, struct {
		Data string
		Body htmltemplate.HTML
	}{data, htmltemplate.HTML(body.String())})
	return out.Bytes(), errors.Wrap(err, "reproduce: page")
}

// figures are all figures of the report.
func (r *Report) figures() []Figure {
	all := append(r.Learned[:len(r.Learned):len(r.Learned)], r.Curves...)
	for _, t := range r.Tables {
		all = append(all, t.Figures...)
	}
	return all
}

// styler puts figures into the page, and gives paragraphs and cells the classes of the page's style sheet.
type styler struct {
	figures map[string]string // from the file to the data URI
	classes map[string]string // of cells, by their text
}

// Transform implements parser.ASTTransformer.
func (s *styler) Transform(document *ast.Document, reader text.Reader, _ parser.Context) {
	_ = ast.Walk(document, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // the function gives no error
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Image:
			n.Destination = []byte(s.figures[string(n.Destination)])
			n.Parent().SetAttributeString("class", []byte("figure"))
		case *extast.Table:
			s.table(n, reader.Source())
		}
		return ast.WalkContinue, nil
	})
}

// table gives cells their classes: those of the paper's columns, and those with a text that has a class.
func (s *styler) table(table *extast.Table, source []byte) {
	var paper []bool // by column
	for row := table.FirstChild(); row != nil; row = row.NextSibling() {
		column := 0
		for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
			content := textOf(cell, source)
			if row.Kind() == extast.KindTableHeader {
				paper = append(paper, strings.HasPrefix(content, "paper"))
			}
			class := s.classes[content]
			if column < len(paper) && paper[column] {
				class = "paper"
			}
			if class != "" {
				cell.SetAttributeString("class", []byte(class))
			}
			column++
		}
	}
}

// textOf is the text of a node without its marks.
func textOf(n ast.Node, source []byte) string {
	var out strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // the function gives no error
		if t, ok := n.(*ast.Text); ok && entering {
			out.Write(t.Value(source))
		}
		return ast.WalkContinue, nil
	})
	return out.String()
}
