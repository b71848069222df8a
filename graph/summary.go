package graph

import (
	"slices"

	"gorgonia.org/tensor"

	"vgg/configs"
)

// LayerSummary describes one layer of a net for one picture, as counted on the graph.
type LayerSummary struct {
	configs.Layer
	Output         []int `json:"output"`          // (C, H, W) or (features), in a dense net (features, rows, columns)
	Activations    int   `json:"activations"`     // values in the output
	Weights        int   `json:"weights"`         // without biases
	Parameters     int   `json:"parameters"`      // with biases
	MultiplyAdds   int   `json:"multiply_adds"`   // of the forward pass
	ReceptiveField int   `json:"receptive_field"` // side of the square of input pixels that one output sees
}

// Summary lists the input, under that name and kind, and the layers in order: what the paper's Tables 1 and 2 and
// section 2.3 state, from the graph itself.
func (n *Net) Summary() []LayerSummary {
	in := n.Input.Shape()
	input := configs.Layer{Name: "input", Row: configs.Row{Kind: "input"}}
	rows := []LayerSummary{{Layer: input, Output: in[1:].Clone(), Activations: in[1:].TotalSize(), ReceptiveField: 1}}
	field, stride, side := 1, 1, max(in[2], in[3])
	for _, l := range n.layers {
		r := LayerSummary{Layer: l.Layer, Output: n.picture(l.node.Shape())}
		r.Activations = tensor.Shape(r.Output).TotalSize()
		if l.weight != nil {
			r.Weights = l.weight.Shape().TotalSize()
			r.Parameters = r.Weights + l.bias.Shape().TotalSize()
			r.MultiplyAdds = r.Weights * r.Activations / l.weight.Shape()[0]
		}
		switch l.Kind {
		case configs.Convolution:
			field += (l.Kernel - 1) * stride
		case configs.MaxPool:
			field += (l.Kernel - 1) * stride
			stride *= l.Kernel
		case configs.FullyConnected:
			field = min(field+(n.mapSide()-1)*stride, side)
			stride = 0 // further ones see no more
		}
		r.ReceptiveField = field
		rows = append(rows, r)
	}
	return rows
}

// picture turns the shape (N, H, W, C) or (N, features) into that of one picture, channels first. In a dense net, a
// picture has a row of features for each position.
func (n *Net) picture(s tensor.Shape) []int {
	if s.Dims() == 4 {
		return []int{s[3], s[1], s[2]}
	}
	if n.Options.Dense == 0 {
		return slices.Clone([]int(s[1:]))
	}
	return []int{s[1], n.places[0], n.places[1]}
}

// mapSide is the side of the last feature maps that the first fully connected layer sees at once.
func (n *Net) mapSide() int {
	in := n.Input.Shape()
	side := max(in[2], in[3])
	if n.Options.Dense != 0 {
		side = n.Options.Dense
	}
	return (side + n.Config.Stride() - 1) / n.Config.Stride()
}
