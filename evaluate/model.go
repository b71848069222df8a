package evaluate

import (
	"math"
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/augment"
	"vgg/configs"
	"vgg/graph"
	"vgg/graph/machine"
	"vgg/weights"
)

// Model is a trained net with the graphs in which it runs: one for each shape of pictures. It is for one goroutine at a
// time; Share gives others their own.
type Model struct {
	Name string
	Info weights.Info

	config    configs.Config
	transform augment.Transform
	net       *graph.Net // holds the weights
	graphs    []*runner  // the last used first
}

// keptGraphs is the number of graphs that are kept, since each has memory of its own: pictures come in many shapes.
const keptGraphs = 4

// purpose is what a graph is for.
type purpose struct {
	n, height, width int // of its input
	dense            bool
	prepared         bool   // the filters are transformed once, which saves a tenth of the time and takes several times the weights' memory
	features         string // layer whose values are wanted too; "" for none
}

// runner is a graph for one purpose.
type runner struct {
	purpose
	net      *graph.Net
	features *gorgonia.Node // nil where none are wanted
	vm       *machine.VM
}

// NewModel makes a model of a weights file, which name calls it. The file's metadata say what it is; its tensors are used
// as they are, not copied: it must not be closed before the model.
func NewModel(name string, f *weights.File) (*Model, error) {
	info, err := weights.ParseInfo(f.Metadata)
	if err != nil {
		return nil, errors.Wrap(err, name)
	}
	m := &Model{Name: name, Info: info, transform: augment.Transform{Size: info.Input, Mean: info.Mean, Std: info.Std}}
	if m.config, err = configs.ByName(info.Config); err != nil {
		return nil, errors.Wrap(err, name)
	}
	if err := m.transform.Validate(info.Channels); err != nil {
		return nil, errors.Wrap(err, name)
	}
	g := gorgonia.NewGraph()
	x := graph.NewInput(g, 1, info.Channels, info.Input, info.Input)
	from := append([]weights.Tensor{}, f.Tensors...) // never nil, which would mean new weights
	m.net, err = graph.Build(g, x, m.config, graph.Options{Classes: len(info.Classes), Width: info.Width, FC: info.FC, From: from})
	return m, errors.Wrap(err, name)
}

// Scale is the test scale that section 3.2 gives the net at a single one.
func (m *Model) Scale() int { return m.Info.Scale.Middle() }

// Scales are the test scales that section 3.2 gives the net at several.
func (m *Model) Scales() []int { return m.Info.Scale.TestScales(m.Info.Input) }

// Share gives a model over the same weights, for another goroutine.
func (m *Model) Share() *Model {
	shared := *m
	shared.graphs = nil
	return &shared
}

// Close lets go of the graphs' memory.
func (m *Model) Close() {
	for _, r := range m.graphs {
		r.vm.Close()
	}
	m.graphs = nil
}

// view of a picture, (C, Height, Width).
type view struct {
	augment.Crop
	pixels []float32
}

// views are all that some looks see of a picture, look by look.
func (m *Model) views(p augment.Picture, looks []look) ([][]view, error) {
	multiple := m.config.Stride()
	all := make([][]view, len(looks))
	for i, l := range looks {
		for _, w := range l.windows(p, m.Info.Input, multiple) {
			v := view{w, make([]float32, m.Info.Channels*w.Width*w.Height)}
			if err := m.transform.Crop(v.pixels, p, w); err != nil {
				return nil, err
			}
			all[i] = append(all[i], v)
		}
	}
	return all, nil
}

// add adds the mean soft-max outputs of a picture's views to probabilities, times a weight.
func (m *Model) add(probabilities []float64, looks []look, views [][]view, batch int, weight float64) error {
	classes := len(probabilities)
	for i, l := range looks {
		of := views[i]
		size := min(batch, len(of))
		r, err := m.runner(size, of[0].Height, of[0].Width, l.protocol == configs.Dense)
		if err != nil {
			return err
		}
		for first := 0; first < len(of); first += size {
			rows := min(size, len(of)-first)
			logits, err := r.run(of[first : first+rows])
			if err != nil {
				return err
			}
			for row := range rows {
				for c, p := range softmax(logits[row*classes : (row+1)*classes]) {
					probabilities[c] += weight * l.weight / float64(len(of)) * p
				}
			}
		}
	}
	return nil
}

// runner gives the graph for a shape. The filters of dense ones, which come in many shapes, are not prepared.
func (m *Model) runner(n, height, width int, dense bool) (*runner, error) {
	return m.runnerFor(purpose{n: n, height: height, width: width, dense: dense, prepared: !dense})
}

func (m *Model) runnerFor(p purpose) (*runner, error) {
	for i, r := range m.graphs {
		if r.purpose == p {
			copy(m.graphs[1:i+1], m.graphs[:i])
			m.graphs[0] = r
			return r, nil
		}
	}
	o := m.net.Options
	o.From, o.Weights, o.Inference = nil, m.net, p.prepared
	if p.dense {
		o.Dense = m.Info.Input
	}
	r := &runner{purpose: p}
	g := gorgonia.NewGraph()
	x := graph.NewInput(g, p.n, m.Info.Channels, p.height, p.width)
	var err error
	if r.net, err = graph.Build(g, x, m.config, o); err != nil {
		return nil, errors.Wrap(err, m.Name)
	}
	options := []machine.Option{machine.Outputs(r.net.Logits)}
	if p.features != "" {
		if r.features, err = r.net.Layer(p.features); err != nil {
			return nil, errors.Wrap(err, m.Name)
		}
		options = append(options, machine.Outputs(r.features))
	}
	if p.prepared {
		options = append(options, machine.Constants(r.net.Learnables()...))
	}
	if r.vm, err = machine.New(g, options...); err != nil {
		return nil, errors.Wrap(err, m.Name)
	}
	if len(m.graphs) == keptGraphs {
		m.graphs[keptGraphs-1].vm.Close()
		m.graphs = m.graphs[:keptGraphs-1]
	}
	m.graphs = append([]*runner{r}, m.graphs...)
	return r, nil
}

// run gives the logits of views, which may be fewer than the graph has rows for.
func (r *runner) run(views []view) ([]float32, error) {
	err := r.compute(func(x []float32) error {
		for i, v := range views {
			copy(x[i*len(v.pixels):], v.pixels)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return values(r.net.Logits), nil
}

// compute runs the graph on what fill puts into its input (N, C, H, W).
func (r *runner) compute(fill func(x []float32) error) error {
	x := tensor.New(tensor.WithShape(r.net.Input.Shape()...), tensor.Of(tensor.Float32))
	if err := fill(x.Data().([]float32)); err != nil {
		return err
	}
	if err := gorgonia.Let(r.net.Input, x); err != nil {
		return errors.Wrap(err, "evaluate: pictures")
	}
	return r.vm.RunAll()
}

func values(n *gorgonia.Node) []float32 { return n.Value().Data().([]float32) }

func softmax(logits []float32) []float64 {
	out := make([]float64, len(logits))
	top, sum := slices.Max(logits), 0.0
	for i, l := range logits {
		out[i] = math.Exp(float64(l - top))
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}
