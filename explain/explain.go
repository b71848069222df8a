package explain

import (
	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/configs"
	"vgg/evaluate"
	"vgg/graph/machine"
	"vgg/internal/text"
)

// Defaults of Options.
const (
	DefaultGrid   = 14
	DefaultSquare = 2
	leastMaps     = 7 // values along a side of the maps that Grad-CAM weights: fewer hardly tell where something is
)

// Options say what a net sees of a picture, and how maps are made. The zero value of each field means the default named.
type Options struct {
	Dense  bool // the net sees the whole resized picture, as in the dense protocol, not only the crop from its middle
	Scale  int  // Q, the smaller side of the resized picture; 0 = evaluate.Model.Scale
	Grid   int  // places that occlusion covers along the shorter side of a view; 0 = DefaultGrid
	Square int  // the side of the covering square, in cells of the grid; 0 = DefaultSquare
	Batch  int  // covered views computed at a time; 0 = evaluate.DefaultBatch

	// Layer is that whose feature maps Grad-CAM weights: a convolution, LRN or max-pool; "" = the last convolution whose maps
	// have 7×7 values or more for a view of the net's input. In the paper's nets, of 224×224, that is the last of all.
	Layer string
}

// Explainer makes the maps of a net's scores. It keeps graphs for the shapes of views that it met last. It is for one
// goroutine at a time.
type Explainer struct {
	Options Options // as resolved

	model     *evaluate.Model
	transform augment.Transform
	cell      float64   // of Grad-CAM's layer, in pixels
	graphs    []*graphs // the most recently used first
	memory    *machine.Memory
}

// New makes an explainer for a net that classifies. The model must stay open as long as it is used. It is an error if
// the options do not fit the net.
func New(m *evaluate.Model, o Options) (*Explainer, error) {
	if err := m.Info.Classifies(); err != nil {
		return nil, errors.Wrapf(err, "explain: %s", m.Name)
	}
	o, cell, err := o.resolve(m)
	if err != nil {
		return nil, errors.Wrap(err, "explain")
	}
	transform := augment.Transform{Size: m.Info.Input, Mean: m.Info.Mean, Std: m.Info.Std}
	return &Explainer{o, m, transform, cell, nil, new(machine.Memory)}, nil
}

// resolve puts in the defaults for a net, checks the options, and gives the size in pixels of what a value in the maps
// of the layer stands for.
func (o Options) resolve(m *evaluate.Model) (Options, float64, error) {
	set := func(value *int, otherwise int) {
		if *value == 0 {
			*value = otherwise
		}
	}
	set(&o.Scale, m.Scale())
	set(&o.Grid, DefaultGrid)
	set(&o.Square, DefaultSquare)
	set(&o.Batch, evaluate.DefaultBatch)
	input, layer := m.Info.Input, o.Layer
	switch {
	case o.Scale != 0 && o.Scale < input:
		return o, 0, errors.Errorf("pictures resized to Q = %d are smaller than the input of %s, %d×%[3]d: want at least %[3]d", o.Scale, m.Name, input)
	case o.Grid < 1 || o.Grid > input:
		return o, 0, errors.Errorf("a grid of %d places along a side of %d pixels: want 1 to %[2]d", o.Grid, input)
	case o.Square < 1 || o.Square > o.Grid:
		return o, 0, errors.Errorf("a square of %d cells on a grid of %d: want 1 to %[2]d", o.Square, o.Grid)
	case o.Batch < 1:
		return o, 0, errors.Errorf("a batch of %d covered views: want at least 1", o.Batch)
	}
	var names []string // of layers that have feature maps
	cell := 0.0        // of the chosen one
	for _, l := range m.Net().Config.Layers() {
		if l.Kind == configs.FullyConnected {
			continue
		}
		names = append(names, l.Name)
		pools := l.Stage - 1 // of 2×2 pixels, before the layer's output
		if l.Kind == configs.MaxPool {
			pools++
		}
		fine := l.Kind == configs.Convolution && (input>>pools >= leastMaps || pools == 0)
		if l.Name == layer || layer == "" && fine {
			o.Layer, cell = l.Name, float64(int(1)<<pools)
		}
	}
	if cell == 0 {
		return o, 0, errors.Errorf("no feature maps of a layer %q: config %s has those of %s", layer, m.Info.Config, text.FirstFew(names, len(names)))
	}
	return o, cell, nil
}

// Close releases the graphs.
func (e *Explainer) Close() {
	for _, g := range e.graphs {
		g.close()
	}
	e.graphs, e.memory = nil, new(machine.Memory)
}
