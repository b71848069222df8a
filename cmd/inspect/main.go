// Command inspect shows what a net is made of, computed from its Gorgonia graph: a table of shapes, memory, weights and
// receptive fields, layer by layer, and the paper's Tables 1 and 2 (arXiv 1409.1556). It draws the net, compares the
// convolutions of section 2.3, and prints what the paper reports in Tables 3 to 12.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"vgg/configs"
	"vgg/graph"
	"vgg/internal/atomicfile"
	"vgg/internal/cli"
	"vgg/internal/terminal"
)

type flags struct {
	Config   string   `help:"Net to show: A (vgg11), A-LRN, B (vgg13), C, D (vgg16), E (vgg19) or B-5x5 (section 4.1)." default:"D" placeholder:"NET"`
	Input    int      `help:"Side of the input in pixels, a multiple of 32." default:"224" placeholder:"PIXELS"`
	Channels int      `help:"Colour channels of the input." default:"3" placeholder:"N"`
	Classes  int      `help:"Number of classes." default:"1000" placeholder:"N"`
	Width    float64  `help:"Multiplier of the channels of every convolution." default:"1" placeholder:"FACTOR"`
	FC       int      `name:"fc" help:"Width of the hidden fully connected layers." default:"4096" placeholder:"N"`
	JSON     bool     `name:"json" help:"Print one JSON object."`
	Table1   bool     `name:"table1" help:"Print the paper's Tables 1 and 2 from the graphs of all six nets."`
	Tables   string   `help:"Print what the paper reports in some of its Tables 3 to 12, such as 7, 3,7 or 3-12." placeholder:"N"`
	Winners  bool     `help:"Print who won ILSVRC from 2011 to 2014, as the paper says."`
	Results  []string `help:"With --tables 3: run directories of cmd/train, whose errors are printed beside the paper's rows of the same net. Repeatable." placeholder:"RUN" sep:"none"`
	Stacks   bool     `help:"Compare one large convolution with several of 3×3 (section 2.3); with --figure, draw them."`
	Figure   string   `help:"Draw the net to this file, whose name ends in .svg, .png or .pdf." placeholder:"FILE"`
	Dot      string   `help:"Write the forward graph to this file for Graphviz." placeholder:"FILE"`
}

const description = `Show a net's layers, shapes, memory, weights, multiply-adds and receptive fields,
as a table or a picture, and the paper's tables.

Examples:

    go run ./cmd/inspect
    go run ./cmd/inspect --config E --figure net.svg`

func main() {
	var f flags
	cli.Main("inspect", description, &f, func(context.Context) error {
		if err := checkTogether(f); err != nil {
			return cli.Usage(err)
		}
		switch {
		case f.Tables != "" || f.Winners:
			return reported(cli.Stdout, f)
		case f.Stacks:
			return stacks(cli.Stdout, f)
		case f.Figure != "":
			return architecture(f)
		case f.Table1:
			return tables(cli.Stdout, f)
		case f.Dot != "":
			return dot(f)
		}
		return inspect(cli.Stdout, f)
	})
}

// checkTogether refuses flags of which one would be ignored.
func checkTogether(f flags) error {
	var given []string
	for _, one := range []struct {
		flag string
		is   bool
	}{
		{"--tables", f.Tables != ""}, {"--winners", f.Winners}, {"--stacks", f.Stacks}, {"--table1", f.Table1}, {"--dot", f.Dot != ""},
		{"--figure", f.Figure != "" && !f.Stacks}, {"--json", f.JSON && f.Tables == "" && !f.Winners},
	} {
		if one.is {
			given = append(given, one.flag)
		}
	}
	switch {
	case len(given) > 1:
		return errors.Errorf("%s: want one of them at a time", strings.Join(given, " and "))
	case len(f.Results) > 0 && f.Tables == "":
		return errors.New("--results stands beside a table of the paper: give --tables 3 too")
	}
	net := []string{"--config", "--input", "--channels", "--classes", "--width", "--fc"}
	switch {
	case f.Tables != "" || f.Winners:
		return cli.Refuse("the paper's tables and winners are of no one net: leave it out", net...)
	case f.Stacks:
		return cli.Refuse("--stacks is of no one net: leave it out", net...)
	case f.Table1:
		return cli.Refuse("--table1 is of all nets of the paper: leave it out", "--config")
	}
	return nil
}

// build declares a net for one picture. The weights are zero, which is fastest: nothing is computed.
func build(f flags, config configs.Config) (*graph.Net, error) {
	if f.Channels < 1 || f.Classes < 1 || f.FC < 1 || !(f.Width > 0) {
		return nil, cli.Usage(errors.Errorf("--channels %d --classes %d --fc %d --width %g: want positive numbers", f.Channels, f.Classes, f.FC, f.Width))
	}
	if err := config.CheckInput(f.Input); err != nil {
		return nil, cli.Usage(errors.Wrap(err, "--input"))
	}
	g := gorgonia.NewGraph()
	x := graph.NewInput(g, 1, f.Channels, f.Input, f.Input)
	net, err := graph.Build(x, config, graph.Options{Classes: f.Classes, Width: f.Width, FC: f.FC, Init: configs.InitZero})
	return net, cli.Usage(err)
}

// total sums up a net for one picture.
type total struct {
	Config       string               `json:"config"`
	Input        int                  `json:"input"`
	Layers       []graph.LayerSummary `json:"layers"`
	Activations  int                  `json:"activations"`
	MemoryBytes  int                  `json:"memory_bytes"` // of the activations of one forward pass, float32
	Weights      int                  `json:"weights"`      // without biases
	Parameters   int                  `json:"parameters"`   // with biases
	MultiplyAdds int                  `json:"multiply_adds"`
}

func sum(net *graph.Net, input int) total {
	t := total{Config: net.Config.Name, Input: input, Layers: net.Summary()}
	for _, l := range t.Layers {
		t.Activations += l.Activations
		t.Weights += l.Weights
		t.Parameters += l.Parameters
		t.MultiplyAdds += l.MultiplyAdds
	}
	t.MemoryBytes = 4 * t.Activations
	return t
}

func inspect(w io.Writer, f flags) error {
	config, err := configs.ByName(f.Config)
	if err != nil {
		return cli.Usage(errors.Wrap(err, "--config"))
	}
	net, err := build(f, config)
	if err != nil {
		return err
	}
	t := sum(net, f.Input)
	if f.JSON {
		return errors.Wrap(json.NewEncoder(w).Encode(t), "inspect")
	}
	fmt.Fprintf(w, "%s\n\n", terminal.Wrap(w, fmt.Sprintf("Net %s, one picture of %d×%d×%d (values are float32; weights are counted without biases, parameters with them)",
		t.Config, f.Input, f.Input, f.Channels)))
	rows := [][]string{{"layer", "output", "values", "MB", "weights", "parameters", "multiply-adds", "receptive field"}}
	for _, l := range t.Layers {
		rows = append(rows, []string{l.Name, shape(l.Output), thousands(l.Activations), megabytes(4 * l.Activations),
			thousands(l.Weights), thousands(l.Parameters), thousands(l.MultiplyAdds), strconv.Itoa(l.ReceptiveField)})
	}
	rows = append(rows, []string{"total", "", thousands(t.Activations), megabytes(t.MemoryBytes), thousands(t.Weights), thousands(t.Parameters), thousands(t.MultiplyAdds), ""})
	return errors.Wrap(terminal.Table{Gap: 2, Right: true, Rows: rows}.Fprint(w), "inspect")
}

func megabytes(bytes int) string {
	return fmt.Sprintf("%.2f", float64(bytes)/1e6)
}

// shape writes (C, H, W) as H×W×C.
func shape(s []int) string {
	if len(s) == 3 {
		return fmt.Sprintf("%d×%d×%d", s[1], s[2], s[0])
	}
	return strconv.Itoa(s[0])
}

// thousands groups digits: 138,357,544.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// tables prints Table 1, a column for each net and a row for each layer, and Table 2 below it.
func tables(w io.Writer, f flags) error {
	var nets []total
	header, layers := []string{"Table 1"}, []string{"weight layers"}
	millions, exact := []string{"Table 2: parameters, millions"}, []string{"exact"}
	for _, config := range configs.All() {
		net, err := build(f, config)
		if err != nil {
			return err
		}
		t := sum(net, f.Input)
		nets = append(nets, t)
		header = append(header, t.Config)
		layers = append(layers, strconv.Itoa(config.WeightLayers()))
		millions = append(millions, fmt.Sprintf("%.0f", float64(t.Parameters)/1e6))
		exact = append(exact, thousands(t.Parameters))
	}
	rows := slices.Concat([][]string{header, layers}, table1(nets), [][]string{millions, exact})
	return errors.Wrap(terminal.Table{Gap: gap, Rows: rows}.Fprint(w), "inspect")
}

// table1 gives the lines of Table 1 below its head: a name, and a cell for each net. The convolutions of a stage stand
// in the same lines in all nets, so that cells of nets with fewer of them are empty.
func table1(nets []total) (lines [][]string) {
	var sections []string
	columns := map[string][][]string{} // of each section, for each net
	for i, net := range nets {
		for _, l := range net.Layers[1:] { // after the input
			section := sectionOf(l.Layer)
			if columns[section] == nil {
				sections = append(sections, section)
				columns[section] = make([][]string, len(nets))
			}
			row := l.Row
			row.Channels = l.Output[0]
			columns[section][i] = append(columns[section][i], row.String())
		}
	}
	for _, section := range sections {
		height := 0
		for _, column := range columns[section] {
			height = max(height, len(column))
		}
		for row := range height {
			line := make([]string, 1+len(nets))
			if row == 0 {
				line[0] = section
			}
			for i, column := range columns[section] {
				if row < len(column) {
					line[1+i] = column[row]
				}
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// sectionOf names the part of Table 1, between two of its ruled lines, to which a layer belongs.
func sectionOf(l configs.Layer) string {
	if l.Kind == configs.Convolution || l.Kind == configs.LRN {
		return fmt.Sprintf("stage %d", l.Stage)
	}
	return l.Name
}

// dot writes the forward graph for Graphviz.
func dot(f flags) error {
	config, err := configs.ByName(f.Config)
	if err != nil {
		return cli.Usage(errors.Wrap(err, "--config"))
	}
	if err := cli.CheckOutput("--dot", f.Dot); err != nil {
		return err
	}
	net, err := build(f, config)
	if err != nil {
		return err
	}
	for _, n := range net.Learnables() {
		if err := gorgonia.Let(n, unshown{n.Value()}); err != nil {
			return err
		}
	}
	return errors.Wrapf(atomicfile.Write(f.Dot, []byte(net.Input.Graph().ToDot())), "inspect: cannot write --dot %s", f.Dot)
}

// unshown is a value without its numbers, which ToDot would write: millions of zeros.
type unshown struct{ gorgonia.Value }

func (unshown) Format(s fmt.State, _ rune) { fmt.Fprint(s, "not shown") }
