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
	Output         []int  `json:"output"`          // (C, H, W) or (features)
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
		r := LayerSummary{Name: l.name, Kind: l.kind, Kernel: l.kernel, Output: picture(l.node.Shape())}
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
			field = side
		}
		r.ReceptiveField = field
		rows = append(rows, r)
	}
	return rows
}

// picture turns the shape (N, H, W, C) or (N, features) into that of one picture, channels first.
func picture(s tensor.Shape) []int {
	if s.Dims() == 4 {
		return []int{s[3], s[1], s[2]}
	}
	return slices.Clone([]int(s[1:]))
}
