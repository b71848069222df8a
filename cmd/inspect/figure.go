package main

import (
	"fmt"
	"io"
	"strconv"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/graph"
	"vgg/internal/cli"
	"vgg/internal/terminal"
	"vgg/plots"
)

// architecture draws the net of --config.
func architecture(f flags) error {
	config, err := configs.ByName(f.Config)
	if err != nil {
		return cli.Usage(errors.Wrap(err, "--config"))
	}
	if err := cli.CheckOutput("--figure", f.Figure); err != nil {
		return err
	}
	net, err := build(f, config)
	if err != nil {
		return err
	}
	figure, err := plots.Architecture(parts(net.Summary()), fmt.Sprintf("Net %s, %d layers with weights, %d×%[3]d pixels", config.Name, config.WeightLayers(), f.Input))
	if err != nil {
		return err
	}
	return errors.Wrap(figure.Save(f.Figure), "--figure")
}

// parts puts the layers of a net together by stages.
func parts(layers []graph.LayerSummary) (all []plots.Part) {
	stage := -1
	for _, l := range layers {
		if l.Stage == 0 || l.Stage != stage {
			all = append(all, plots.Part{Size: shape(l.Output)})
		}
		stage = l.Stage
		p := &all[len(all)-1]
		p.Memory += 4 * l.Activations
		p.Parameters += l.Parameters
		slab := plots.Slab{Side: 1, Channels: l.Output[0], Dark: l.Kind == configs.MaxPool}
		if len(l.Output) == 3 {
			slab.Side = l.Output[1]
		}
		p.Slabs = append(p.Slabs, slab)
		row := l.Row
		row.Channels = l.Output[0]
		switch name := row.String(); {
		case row.Kind == configs.FullyConnected:
			p.Size = name
		default:
			addLine(p, name)
		}
	}
	last := &all[len(all)-1]
	last.Lines = append(last.Lines, "soft-max")
	return all
}

// addLine adds a layer to a part's lines, in which equal ones next to each other share a line.
func addLine(p *plots.Part, name string) {
	if n := len(p.Lines); n > 0 {
		var times int
		switch _, err := fmt.Sscanf(p.Lines[n-1], name+" ×%d", &times); {
		case err == nil:
			p.Lines[n-1] = fmt.Sprintf("%s ×%d", name, times+1)
			return
		case p.Lines[n-1] == name:
			p.Lines[n-1] = name + " ×2"
			return
		}
	}
	p.Lines = append(p.Lines, name)
}

// stackPairs are those that section 2.3 compares.
func stackPairs() [][2]plots.Stack {
	return [][2]plots.Stack{{stackOf(7), stackOf(3, 3, 3)}, {stackOf(5), stackOf(3, 3)}}
}

// stackOf counts what convolutions on each other, of these kernels and of C channels each, see and hold.
func stackOf(kernels ...int) plots.Stack {
	s := plots.Stack{Kernel: kernels[0], Field: 1}
	for _, k := range kernels {
		s.Layers, s.Field, s.Weights, s.ReLUs = s.Layers+1, s.Field+k-1, s.Weights+k*k, s.ReLUs+1
	}
	return s
}

// stacks prints the comparison of section 2.3, and draws it for --figure.
func stacks(w io.Writer, f flags) error {
	if err := cli.CheckOutput("--figure", f.Figure); err != nil {
		return err
	}
	pairs := stackPairs()
	if f.Figure != "" {
		figure, err := plots.Stacks(pairs, "One large convolution, or several of 3×3 (section 2.3)")
		if err != nil {
			return err
		}
		if err := figure.Save(f.Figure); err != nil {
			return errors.Wrap(err, "--figure")
		}
	}
	rows := [][]string{{"convolutions of C to C channels", "an output sees", "weights", "ReLUs", "the other has"}}
	for _, pair := range pairs {
		for i, s := range pair {
			rows = append(rows, []string{fmt.Sprint(s), fmt.Sprintf("%d×%[1]d", s.Field), fmt.Sprintf("%d C²", s.Weights), strconv.Itoa(s.ReLUs),
				fmt.Sprintf("%+.0f %% weights", 100*(float64(pair[1-i].Weights)/float64(s.Weights)-1))})
		}
	}
	return errors.Wrap(terminal.Table{Gap: gap, Rows: rows}.Fprint(w), "inspect")
}
