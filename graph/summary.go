package graph

import (
	"slices"

	"gorgonia.org/tensor"
)

// LayerSummary describes one layer of a net for one picture, as counted on the graph.
type LayerSummary struct {
	Name           string `json:"name"`
	Kind           Kind   `json:"kind"`
	Kernel         int    `json:"kernel,omitempty"`
	Output         []int  `json:"output"`          // (C, H, W) or (features), in a dense net (features, rows, columns)
	Activations    int    `json:"activations"`     // values in the output
	Weights        int    `json:"weights"`         // without biases, as the course's table counts
	Parameters     int    `json:"parameters"`      // with biases
	MultiplyAdds   int    `json:"multiply_adds"`   // of the forward pass
	ReceptiveField int    `json:"receptive_field"` // side of the square of input pixels that one output sees
}

// Summary lists the input and the layers in order: what the paper's Tables 1 and 2 and section 2.3 state, from the
// graph itself.
func (n *Net) Summary() []LayerSummary {
	in := n.Input.Shape()
	rows := []LayerSummary{{Name: "input", Kind: "input", Output: in[1:].Clone(), Activations: in[1:].TotalSize(), ReceptiveField: 1}}
	field, stride, side := 1, 1, max(in[2], in[3])
	for _, l := range n.layers {
		r := LayerSummary{Name: l.name, Kind: l.kind, Kernel: l.kernel, Output: n.picture(l.node.Shape())}
		r.Activations = tensor.Shape(r.Output).TotalSize()
		if l.weight != nil {
			r.Weights = l.weight.Shape().TotalSize()
			r.Parameters = r.Weights + l.bias.Shape().TotalSize()
			r.MultiplyAdds = r.Weights * r.Activations / l.weight.Shape()[0]
		}
		switch l.kind {
		case Conv:
			field += (l.kernel - 1) * stride
		case Pool:
			field += stride
			stride *= 2
		case Linear:
			field = min(field+(n.mapSide()-1)*stride, side)
			stride = 0 // further ones see no more
		}
		r.ReceptiveField = field
		rows = append(rows, r)
	}
	return rows
}

// picture turns the shape (N, H, W, C) or (N, features) into that of one picture, channels first. A dense net's rows of
// features are those of several places.
func (n *Net) picture(s tensor.Shape) []int {
	if s.Dims() == 4 {
		return []int{s[3], s[1], s[2]}
	}
	if n.windows == 0 {
		return slices.Clone([]int(s[1:]))
	}
	in, multiple := n.Input.Shape(), 1<<len(n.Config.Stages)
	return []int{s[1], in[2]/multiple - n.mapSide() + 1, in[3]/multiple - n.mapSide() + 1}
}

// mapSide is the side of the last feature maps that the first fully connected layer sees at once.
func (n *Net) mapSide() int {
	in := n.Input.Shape()
	side := max(in[2], in[3])
	if n.Options.Dense != 0 {
		side = n.Options.Dense
	}
	return side >> len(n.Config.Stages)
}
