// Command weights shows what a file of weights contains, and converts weights of other frameworks to our format or to
// ONNX.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"vgg/evaluate"
	"vgg/internal/cli"
	"vgg/internal/terminal"
	"vgg/onnx"
	"vgg/weights"
)

type flags struct {
	Show struct {
		File string `arg:"" help:"Weights in any format that is read: safetensors, .pth of PyTorch, .caffemodel." placeholder:"FILE"`
		JSON bool   `name:"json" help:"Print one JSON object."`
	} `cmd:"" help:"Print the tensors, their shapes, types and checksums, and the metadata."`
	Convert struct {
		In  string `arg:"" help:"Weights in any format that is read." placeholder:"IN"`
		Out string `arg:"" help:"File to write; its ending names the format: .safetensors or .onnx." placeholder:"OUT"`

		Force bool `help:"Write OUT although there is such a file."`
	} `cmd:"" help:"Write weights in another format, with all that the other commands need to use them."`
	cli.Overrides
}

const description = `Show weights files, and convert them.

Examples:

    go run ./cmd/weights show runs/RUN
    go run ./cmd/weights convert IN.pth OUT.safetensors`

func main() {
	var f flags
	cli.Main("weights", description, &f, func(context.Context) error {
		if f.Show.File != "" {
			return show(cli.Stdout, f)
		}
		return convert(cli.Stdout, f)
	})
}

// row is a tensor as show prints it.
type row struct {
	Name   string `json:"name"`
	Shape  []int  `json:"shape"`
	DType  string `json:"dtype"`  // as stored
	SHA256 string `json:"sha256"` // of the values as float32, little-endian
}

func show(w io.Writer, flags flags) error {
	f, err := flags.ReadTensors(flags.Show.File)
	if err != nil {
		return err
	}
	var notes cli.Notes
	notes.Add(f.Notes...)
	var tensors []row
	values := 0
	for _, t := range f.Tensors {
		tensors = append(tensors, row{t.Name, append([]int{}, t.Shape...), t.DType, t.SHA256()})
		values += len(t.Data)
	}
	if flags.Show.JSON {
		return errors.Wrap(json.NewEncoder(w).Encode(map[string]any{
			"file": flags.Show.File, "format": f.Format, "parameters": values, "tensors": tensors, "metadata": f.Metadata, "notes": notes.List(),
		}), "--json")
	}
	fmt.Fprintln(w, terminal.Wrap(w, fmt.Sprintf("%s: %s, %d tensors, %d parameters\n", flags.Show.File, f.Format, len(tensors), values)))
	digits, most := 64, 120
	if width := terminal.Width(w); width > 0 { // --json has all
		digits, most = 16, min(most, width-20)
	}
	var table, metadata terminal.Table
	for _, t := range tensors {
		table.Rows = append(table.Rows, []string{t.Name, t.DType, fmt.Sprint(t.Shape), t.SHA256[:digits]})
	}
	for _, key := range slices.Sorted(maps.Keys(f.Metadata)) {
		metadata.Rows = append(metadata.Rows, []string{key, shorten(f.Metadata[key], most)})
	}
	table.Gap, metadata.Gap = 2, 2
	if err := table.Fprint(w); err != nil || len(metadata.Rows) == 0 {
		return errors.Wrap(err, "cannot print")
	}
	fmt.Fprintln(w)
	return errors.Wrap(metadata.Fprint(w), "cannot print")
}

// shorten keeps a long text, such as a thousand names of classes, to a line of most characters.
func shorten(text string, most int) string {
	text = strings.ReplaceAll(text, "\n", " ")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + " …"
	}
	return text
}

func convert(w terminal.File, flags flags) error {
	in, out := flags.Convert.In, flags.Convert.Out
	write, ok := writers[strings.ToLower(filepath.Ext(out))]
	if !ok {
		return cli.Usage(errors.Errorf("%s: its ending names no format that can be written: want one of %s", out,
			strings.Join(slices.Sorted(maps.Keys(writers)), ", ")))
	}
	if err := cli.CheckOutput("OUT", out, in); err != nil {
		return err
	}
	if _, err := os.Stat(out); err == nil && !flags.Convert.Force {
		return errors.Errorf("%s is there already: give another name, or --force to write over it", out)
	}
	f, err := flags.ReadWeights(in)
	if err != nil {
		return err
	}
	m, err := evaluate.NewModel(in, f) // which checks that the tensors fit the metadata
	if err != nil {
		return flags.Explain(err)
	}
	defer m.Close()
	info := m.Info
	// The defaults of ParseInfo, such as the names of the classes, are written too.
	metadata := info.Metadata()
	maps.Copy(metadata, f.Metadata)
	metadata["config"] = info.Config // without its other names
	if err := write(out, weights.File{Metadata: metadata, Tensors: f.Tensors}); err != nil {
		return err
	}
	new(cli.Notes).Add(f.Notes...)
	line := fmt.Sprintf("%s: net %s, width %g, input %d×%d, %d classes, from %s", out, info.Config, info.Width, info.Input, info.Input, len(info.Classes), f.Format)
	_, err = fmt.Fprintln(w, terminal.Wrap(w, line))
	return err
}

// writers are the formats that convert writes, by the ending of the file's name.
var writers = map[string]func(path string, f weights.File) error{
	".safetensors": weights.Write,
	".onnx":        onnx.Write,
}
