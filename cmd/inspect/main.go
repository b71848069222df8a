// Command inspect shows what a net is made of, as counted on its Gorgonia graph: the course's table of shapes, memory,
// weights and receptive fields, and the paper's Tables 1 and 2.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/google/renameio/v2"
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"vgg/configs"
	"vgg/graph"
	"vgg/internal/cli"
)

type flags struct {
	Config   string  `help:"Net to show: A, A-LRN, B, C, D or E." default:"D" placeholder:"NET"`
	Input    int     `help:"Side of the input in pixels, a multiple of 32." default:"224" placeholder:"PIXELS"`
	Channels int     `help:"Colour channels of the input." default:"3" placeholder:"N"`
	Classes  int     `help:"Number of classes." default:"1000" placeholder:"N"`
	Width    float64 `help:"Multiplier of the channels of every convolution." default:"1" placeholder:"FACTOR"`
	FC       int     `name:"fc" help:"Width of the hidden fully connected layers." default:"4096" placeholder:"N"`
	JSON     bool    `name:"json" help:"Print one JSON object."`
	Table1   bool    `name:"table1" help:"Print the paper's Tables 1 and 2 from the graphs of all six nets."`
	Dot      string  `help:"Write the forward graph to this file for Graphviz." placeholder:"FILE"`
}

func main() {
	var f flags
	cli.Main("inspect", "Show a net's layers, shapes, memory, weights, multiply-adds and receptive fields.", &f, func(context.Context) error {
		switch {
		case f.Table1:
			return tables(os.Stdout, f)
		case f.Dot != "":
			return dot(f)
		}
		return inspect(os.Stdout, f)
	})
}

// build declares a net for one picture. The weights start at zero, which is quickest: nothing is computed.
func build(f flags, config configs.Config) (*graph.Net, error) {
	if f.Input < 0 || f.Channels < 1 {
		return nil, cli.Usage(errors.Errorf("--input %d --channels %d: want positive numbers", f.Input, f.Channels))
	}
	g := gorgonia.NewGraph()
	x := graph.NewInput(g, 1, f.Channels, f.Input, f.Input)
	net, err := graph.Build(g, x, config, graph.Options{Classes: f.Classes, Width: f.Width, FC: f.FC, Init: configs.InitZero})
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
	fmt.Fprintf(w, "Net %s, one picture of %d×%d×%d (values are float32; weights are counted without biases, parameters with them)\n\n", t.Config, f.Input, f.Input, f.Channels)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "layer\toutput\tvalues\tMB\tweights\tparameters\tmultiply-adds\treceptive field\t")
	for _, l := range t.Layers {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%.2f\t%s\t%s\t%s\t%d\t\n", l.Name, shape(l.Output), thousands(l.Activations), 4*float64(l.Activations)/1e6,
			thousands(l.Weights), thousands(l.Parameters), thousands(l.MultiplyAdds), l.ReceptiveField)
	}
	fmt.Fprintf(tw, "total\t\t%s\t%.2f\t%s\t%s\t%s\t\t\n", thousands(t.Activations), float64(t.MemoryBytes)/1e6, thousands(t.Weights), thousands(t.Parameters), thousands(t.MultiplyAdds))
	return errors.Wrap(tw.Flush(), "inspect")
}

// shape writes (C, H, W) the way the course does, H×W×C.
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

// tables prints Table 1, a column a net and a row a layer, and Table 2 below it.
func tables(w io.Writer, f flags) error {
	var totals []total
	tallest := map[string]int{} // rows of a stage
	stages := []string{}
	columns := map[string]map[string][]string{} // stage → net → cells
	for _, config := range configs.All() {
		net, err := build(f, config)
		if err != nil {
			return err
		}
		t := sum(net, f.Input)
		totals = append(totals, t)
		for _, l := range t.Layers[1:] {
			stage := tableRow(l.Layer)
			if columns[stage] == nil {
				columns[stage] = map[string][]string{}
				stages = append(stages, stage)
			}
			row := l.Row
			row.Channels = l.Output[0]
			columns[stage][t.Config] = append(columns[stage][t.Config], row.String())
			tallest[stage] = max(tallest[stage], len(columns[stage][t.Config]))
		}
	}
	tw := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	header, layers, millions := []string{"Table 1"}, []string{"weight layers"}, []string{"Table 2: parameters, millions"}
	exact := []string{"exact"}
	for _, t := range totals {
		header = append(header, t.Config)
		weighted := 0
		for _, l := range t.Layers {
			if l.Weights > 0 {
				weighted++
			}
		}
		layers = append(layers, strconv.Itoa(weighted))
		millions = append(millions, fmt.Sprintf("%.0f", float64(t.Parameters)/1e6))
		exact = append(exact, thousands(t.Parameters))
	}
	line := func(cells []string) { fmt.Fprintln(tw, strings.Join(cells, "\t")) }
	line(header)
	line(layers)
	for _, stage := range stages {
		for row := range tallest[stage] {
			cells := []string{stage}
			if row > 0 {
				cells[0] = ""
			}
			for _, t := range totals {
				cell := ""
				if column := columns[stage][t.Config]; row < len(column) {
					cell = column[row]
				}
				cells = append(cells, cell)
			}
			line(cells)
		}
	}
	line(millions)
	line(exact)
	return errors.Wrap(tw.Flush(), "inspect")
}

// tableRow names the row or rows of Table 1 to which a layer belongs.
func tableRow(l configs.Layer) string {
	if l.Kind == configs.Convolution || l.Kind == configs.LRN {
		return fmt.Sprintf("stage %d", l.Stage)
	}
	return l.Name
}

func dot(f flags) error {
	config, err := configs.ByName(f.Config)
	if err != nil {
		return cli.Usage(errors.Wrap(err, "--config"))
	}
	net, err := build(f, config)
	if err != nil {
		return err
	}
	return errors.Wrapf(renameio.WriteFile(f.Dot, []byte(net.Input.Graph().ToDot()), 0o666), "inspect: cannot write --dot %s", f.Dot)
}
