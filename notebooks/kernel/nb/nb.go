package nb

import (
	"bytes"
	"image/png"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// Check ends the cell if there is an error.
func Check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// Must returns the value, or ends the cell if there is an error.
func Must[T any](value T, err error) T {
	Check(err)
	return value
}

// TempPath returns a path in the kernel's temporary folder, which exists until the kernel ends.
func TempPath(name string) string { return filepath.Join(os.Getenv("GONB_TMP_DIR"), name) }

// Brief are changes to a recipe that make a training short where notebooks/run only checks that all cells run.
func Brief() []string {
	if os.Getenv("NOTEBOOKS_CHECK") == "" {
		return nil
	}
	return []string{"epochs=1"}
}

// Table displays rows below a header, as Markdown.
func Table(header []string, rows ...[]string) {
	line := func(cells []string) string { return "| " + strings.Join(cells, " | ") + " |\n" }
	text := line(header) + strings.Repeat("|---", len(header)) + "|\n"
	for _, row := range rows {
		text += line(row)
	}
	gonbui.DisplayMarkdown(text)
	gonbui.Sync()
}

// Figure can be encoded as PNG, like those of package vgg/plots.
type Figure interface {
	Encode(w io.Writer, format string) error
}

// Show displays a figure.
func Show(figure Figure) { ShowIn(NewPlace(), figure) }

// A Place of a cell's output holds one figure.
type Place string

// NewPlace returns a place that is empty.
func NewPlace() Place { return Place(gonbui.UniqueId()) }

// ShowIn displays a figure in a place, and replaces the one that it held.
func ShowIn(place Place, figure Figure) {
	var picture bytes.Buffer
	Check(figure.Encode(&picture, "png"))
	pixels := Must(png.DecodeConfig(bytes.NewReader(picture.Bytes()))).Width
	gonbui.SendData(&protocol.DisplayData{
		Data:      map[protocol.MIMEType]any{protocol.MIMEImagePNG: picture.Bytes()},
		Metadata:  map[string]any{"width": pixels / 2}, // figures have two pixels for each of a page's
		DisplayID: string(place),
	})
	gonbui.Sync() // before the cell's program ends
}
