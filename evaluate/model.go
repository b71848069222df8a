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

// Model is a trained net with the graphs in which it runs: one for each shape of pictures.
type Model struct {
	Name string
	Info weights.Info

	config configs.Config
	view   augment.View
	net    *graph.Net // holds the weights
	graphs []*runner  // the last used first
}

// keptGraphs is the number of graphs that are kept, since each has memory of its own: pictures come in many shapes.
const keptGraphs = 4

// runner is a graph for one shape (N, C, H, W).
type runner struct {
	shape tensor.Shape
	dense bool
	net   *graph.Net
	vm    *machine.VM
}

// NewModel makes a model of a weights file, which name calls it. The file's metadata say what it is; its tensors are used
// as they are, not copied.
func NewModel(name string, f *weights.File) (*Model, error) {
	info, err := weights.ParseInfo(f.Metadata)
	if err != nil {
		return nil, errors.Wrap(err, name)
	}
	m := &Model{Name: name, Info: info, view: augment.View{Size: info.Input, Mean: info.Mean, Std: info.Std}}
	if m.config, err = configs.ByName(info.Config); err != nil {
		return nil, errors.Wrap(err, name)
	}
	if err := m.view.Validate(info.Channels); err != nil {
		return nil, errors.Wrap(err, name)
	}
	g := gorgonia.NewGraph()
	x := gorgonia.NewTensor(g, tensor.Float32, 4, gorgonia.WithShape(1, info.Channels, info.Input, info.Input), gorgonia.WithName("x"))
	m.net, err = graph.Build(g, x, m.config, graph.Options{Classes: len(info.Classes), Width: info.Width, FC: info.FC, From: f.Tensors})
	return m, errors.Wrap(err, name)
}

// Scale is the test scale that section 3.2 gives the net at a single one.
func (m *Model) Scale() int { return Scale(m.Info.ScaleMin, m.Info.ScaleMax) }

// Scales are the test scales that section 3.2 gives the net at several.
func (m *Model) Scales() []int { return Scales(m.Info.ScaleMin, m.Info.ScaleMax, m.Info.Input) }

// Close lets go of the graphs' memory.
func (m *Model) Close() {
	for _, r := range m.graphs {
		r.vm.Close()
	}
	m.graphs = nil
}

// view of a picture, (C, Height, Width).
type view struct {
	augment.Window
	pixels []float32
}

// views are all that some looks see of a picture, look by look.
func (m *Model) views(p augment.Picture, looks []look) ([][]view, error) {
	multiple := 1 << len(m.config.Stages)
	all := make([][]view, len(looks))
	for i, l := range looks {
		for _, w := range l.windows(p, m.Info.Input, multiple) {
			v := view{w, make([]float32, m.Info.Channels*w.Width*w.Height)}
			if err := m.view.Window(v.pixels, p, w); err != nil {
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

// runner gives the graph for a shape.
func (m *Model) runner(n, height, width int, dense bool) (*runner, error) {
	shape := tensor.Shape{n, m.Info.Channels, height, width}
	for i, r := range m.graphs {
		if r.dense == dense && r.shape.Eq(shape) {
			copy(m.graphs[1:i+1], m.graphs[:i])
			m.graphs[0] = r
			return r, nil
		}
	}
	o := m.net.Options
	o.From, o.Weights = nil, m.net
	if dense {
		// Its filters are not prepared: that would take several times the weights' memory for every shape.
		o.Dense = m.Info.Input
	} else {
		o.Inference = true
	}
	r := &runner{shape: shape, dense: dense}
	g := gorgonia.NewGraph()
	x := gorgonia.NewTensor(g, tensor.Float32, 4, gorgonia.WithShape(shape...), gorgonia.WithName("x"))
	var err error
	if r.net, err = graph.Build(g, x, m.config, o); err != nil {
		return nil, errors.Wrap(err, m.Name)
	}
	options := []machine.Option{machine.Outputs(r.net.Logits)}
	if o.Inference {
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
	x := tensor.New(tensor.WithShape(r.shape...), tensor.Of(tensor.Float32))
	data := x.Data().([]float32)
	for i, v := range views {
		copy(data[i*len(v.pixels):], v.pixels)
	}
	if err := gorgonia.Let(r.net.Input, x); err != nil {
		return nil, errors.Wrap(err, "evaluate: pictures")
	}
	if err := r.vm.RunAll(); err != nil {
		return nil, err
	}
	return r.net.Logits.Value().Data().([]float32), nil
}

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
