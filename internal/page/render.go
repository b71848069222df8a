package page

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"html/template"
	"strings"

	"github.com/pkg/errors"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

//go:embed page.html.tmpl
var pageTemplate string

// render renders Markdown as one page that holds its figures.
func render(title string, markdown []byte, figures []Figure, classes map[string]string) ([]byte, error) {
	var body bytes.Buffer
	style := &styler{figures: map[string]string{}, classes: classes}
	for _, f := range figures {
		style.figures[f.File] = "data:image/png;base64," + base64.StdEncoding.EncodeToString(f.PNG)
	}
	converter := goldmark.New(goldmark.WithExtensions(extension.Table),
		goldmark.WithParserOptions(parser.WithASTTransformers(util.Prioritized(style, 0))))
	if err := converter.Convert(markdown, &body); err != nil {
		return nil, errors.Wrap(err, "report as HTML")
	}
	t, err := template.New(HTMLFile).Parse(pageTemplate)
	if err != nil {
		return nil, errors.Wrap(err, "template of the page")
	}
	var out bytes.Buffer
	err = t.Execute(&out, struct {
		Title string
		Body  template.HTML
	}{title, template.HTML(body.String())})
	return out.Bytes(), errors.Wrap(err, "page of the report")
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
