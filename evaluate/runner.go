package evaluate

import (
	"math"
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/graph"
	"vgg/graph/machine"
	"vgg/internal/kernel"
	"vgg/metrics"
)

// runner is a graph for batches of one shape.
type runner struct {
	purpose
	net    *graph.Net
	input  []float32      // (N, C, H, W)
	wanted *gorgonia.Node // the layer's outputs; nil if none are wanted
	vm     *machine.VM
}

// purpose identifies a graph.
type purpose struct {
	rows, height, width int // of its input
	dense               bool
	prepared            bool   // the filters are transformed apart from the convolutions: see preparedBatches
	kept                bool   // and only once, for all such graphs
	layer               string // whose outputs are wanted too; "" for none
}

// keptGraphs is the number of graphs that a model keeps. They share the memory of activations.
const keptGraphs = 8

// runner gives the graph for a purpose.
func (m *Model) runner(p purpose) (*runner, error) {
	i := slices.IndexFunc(m.graphs, func(r *runner) bool { return r.purpose == p })
	if i >= 0 {
		r := m.graphs[i]
		copy(m.graphs[1:i+1], m.graphs[:i])
		m.graphs[0] = r
		return r, nil
	}
	r, err := m.newRunner(p)
	if err != nil {
		return nil, errors.Wrap(err, m.Name)
	}
	input := tensor.New(tensor.WithShape(r.net.Input.Shape()...), tensor.Of(tensor.Float32))
	r.input = input.Data().([]float32)
	if err := gorgonia.Let(r.net.Input, input); err != nil {
		return nil, errors.Wrap(err, m.Name)
	}
	kept := min(len(m.graphs), keptGraphs-1)
	if need := r.vm.PlannedBytes(); need > m.activationBytes {
		m.activationBytes, kept = need, 0 // the others would hold on to the memory that is now too small
	}
	for _, r := range m.graphs[kept:] {
		r.vm.Close()
	}
	m.graphs = slices.Insert(m.graphs[:kept:kept], 0, r)
	return r, nil
}

// newRunner declares a graph and plans its memory, but allocates none.
func (m *Model) newRunner(p purpose) (*runner, error) {
	o := m.net.Options
	o.Weights, o.Inference = m.net, p.prepared
	if p.dense {
		o.Dense = m.Info.Input
	}
	r := &runner{purpose: p}
	g := gorgonia.NewGraph()
	x := graph.NewInput(g, p.rows, m.Info.Channels, p.height, p.width)
	var err error
	if r.net, err = graph.Build(x, m.config, o); err != nil {
		return nil, err
	}
	options := []machine.Option{machine.Shared(m.activations)}
	if r.net.Logits != nil {
		options = append(options, machine.Outputs(r.net.Logits))
	}
	if p.layer != "" {
		if r.wanted, err = r.net.Layer(p.layer); err != nil {
			return nil, err
		}
		options = append(options, machine.Outputs(r.wanted))
	}
	if p.kept {
		options = append(options, machine.Constants(r.net.Learnables()...))
	}
	r.vm, err = machine.New(g, options...)
	return r, err
}

// run computes a batch.
func (r *runner) run(crops []*crop) error {
	for row, c := range crops {
		copy(rowOf(r.input, row, r.rows), c.values)
	}
	return r.vm.RunAll()
}

// addTo adds the results in a row of the batch to the means of the crop's picture, or to its maps. It refuses class
// scores of which no mean and no order can be made.
func (r *runner) addTo(c *crop, row int) error {
	if c.weight > 0 {
		logits := rowOf(values(r.net.Logits), row, r.rows)
		if !kernel.Finite(logits) {
			return errors.New("class scores that are not finite: want weights of a net that trained well")
		}
		add(c.picture.Logits, logits, c.weight)
		add(c.picture.Probabilities, metrics.Softmax(logits), c.weight)
	}
	if r.wanted == nil {
		return nil
	}
	positions := rowOf(values(r.wanted), row, r.rows) // (positions, outputs)
	if c.mapped {
		rows, columns := r.net.Positions()
		c.picture.maps = append(c.picture.maps, outputMap{c.model, c.protocol, c.at, rows, columns, slices.Clone(positions)})
		return nil
	}
	n := len(c.picture.Features)
	if r.wanted.Dims() == 4 { // a map (C, H, W)
		for channel, area := range slices.Collect(slices.Chunk(positions, len(positions)/n)) {
			for _, v := range area {
				c.picture.Features[channel] += c.featureWeight * float64(v) / float64(len(area))
			}
		}
		return nil
	}
	for position := range slices.Chunk(positions, n) {
		add(c.picture.Features, position, c.featureWeight*float64(n)/float64(len(positions)))
	}
	return nil
}

func values(n *gorgonia.Node) []float32 { return n.Value().Data().([]float32) }

// rowOf is one of several equal parts of values.
func rowOf(values []float32, row, rows int) []float32 {
	size := len(values) / rows
	return values[row*size:][:size]
}

// add adds weighted values to a sum.
func add[F float32 | float64](sum []float64, values []F, weight float64) {
	for i, v := range values {
		sum[i] += weight * float64(v)
	}
}

// normalise divides a vector by its L2 norm, which it returns; a vector of zeros stays as it is.
func normalise(v []float64) float64 {
	norm := 0.0
	for _, x := range v {
		norm += x * x
	}
	norm = math.Sqrt(norm)
	if norm > 0 {
		for i := range v {
			v[i] /= norm
		}
	}
	return norm
}
