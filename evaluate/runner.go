package evaluate

import (
	"math"
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/graph"
	"vgg/graph/machine"
	"vgg/metrics"
)

// runner is a graph for batches of one shape.
type runner struct {
	purpose
	net      *graph.Net
	input    []float32      // (N, C, H, W)
	features *gorgonia.Node // nil if none are wanted
	vm       *machine.VM
}

// purpose identifies a graph.
type purpose struct {
	rows, height, width int // of its input
	dense               bool
	prepared            bool   // the filters are transformed once, which saves a tenth of the time but takes several times their memory
	features            string // layer whose outputs are wanted too; "" for none
}

func (p purpose) pixels() int { return p.rows * p.height * p.width }

// keptGraphs is the number of graphs that a model keeps, since each has memory of its own.
const keptGraphs = 4

// runner gives the graph for a purpose.
func (m *Model) runner(p purpose) (*runner, error) {
	i := slices.IndexFunc(m.graphs, func(r *runner) bool { return r.purpose == p })
	if i >= 0 {
		r := m.graphs[i]
		copy(m.graphs[1:i+1], m.graphs[:i])
		m.graphs[0] = r
		return r, nil
	}
	m.makeRoom(p)
	r, err := m.newRunner(p)
	if err != nil {
		return nil, errors.Wrap(err, m.Name)
	}
	m.graphs = slices.Insert(m.graphs, 0, r)
	return r, nil
}

// makeRoom closes the least recently used graphs until the others and one for p are at most keptGraphs, and together at
// most twice as large as the largest of them.
func (m *Model) makeRoom(p purpose) {
	largest, pixels, kept := p.pixels(), p.pixels(), 0
	for _, r := range m.graphs {
		largest = max(largest, r.pixels())
		if kept == keptGraphs-1 || pixels+r.pixels() > 2*largest {
			break
		}
		pixels += r.pixels()
		kept++
	}
	for _, r := range m.graphs[kept:] {
		r.vm.Close()
	}
	m.graphs = slices.Delete(m.graphs, kept, len(m.graphs))
}

func (m *Model) newRunner(p purpose) (*runner, error) {
	o := m.net.Options
	o.From, o.Weights, o.Inference = nil, m.net, p.prepared
	if p.dense {
		o.Dense = m.Info.Input
	}
	r := &runner{purpose: p}
	g := gorgonia.NewGraph()
	x := graph.NewInput(g, p.rows, m.Info.Channels, p.height, p.width)
	input := tensor.New(tensor.WithShape(x.Shape()...), tensor.Of(tensor.Float32))
	r.input = input.Data().([]float32)
	var err error
	if err = gorgonia.Let(x, input); err != nil {
		return nil, err
	}
	if r.net, err = graph.Build(g, x, m.config, o); err != nil {
		return nil, err
	}
	options := []machine.Option{machine.Outputs(r.net.Logits)}
	if p.features != "" {
		if r.features, err = r.net.Layer(p.features); err != nil {
			return nil, err
		}
		options = append(options, machine.Outputs(r.features))
	}
	if p.prepared {
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

// addTo adds the results in a row of the batch to the means of the crop's picture.
func (r *runner) addTo(c *crop, row int) {
	logits := rowOf(values(r.net.Logits), row, r.rows)
	add(c.picture.Logits, logits, c.weight)
	add(c.picture.Probabilities, metrics.Softmax(logits), c.weight)
	if r.features == nil {
		return
	}
	n := len(c.picture.Features)
	places := rowOf(values(r.features), row, r.rows) // (places, features)
	for place := range slices.Chunk(places, n) {
		add(c.picture.Features, place, c.featureWeight*float64(n)/float64(len(places)))
	}
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

// normalise divides a vector by its L2 norm; a vector of zeros stays as it is.
func normalise(v []float64) {
	norm := 0.0
	for _, x := range v {
		norm += x * x
	}
	if norm > 0 {
		for i := range v {
			v[i] /= math.Sqrt(norm)
		}
	}
}
