package evaluate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"vgg/augment"
	"vgg/configs"
	"vgg/graph"
	"vgg/graph/machine"
	"vgg/weights"
)

// Model is a trained net with the graphs in which it runs: one for each shape of batches. It is for one goroutine at a
// time; Share gives others their own.
type Model struct {
	Name string
	Info weights.Info

	config    configs.Config
	transform augment.Transform
	net       *graph.Net // holds the weights
	graphs    []*runner  // the most recently used first

	activations     *machine.Memory // of all graphs
	activationBytes int64           // that the largest graph needed
	file            *weights.File   // of the weights, if it is to be closed with the model
}

// NewModel makes a model of a weights file; name is for messages. The file's metadata say which net it is. Its tensors
// are used without a copy: it must not be closed before the model.
func NewModel(name string, f *weights.File) (*Model, error) {
	info, err := f.Info()
	if err != nil {
		return nil, errors.Wrap(err, name)
	}
	m := &Model{Name: name, activations: new(machine.Memory), Info: info, transform: augment.Transform{Size: info.Input, Mean: info.Mean, Std: info.Std}}
	if m.config, err = info.Net(); err != nil {
		return nil, errors.Wrap(err, name)
	}
	if err := m.config.CheckInput(info.Input); err != nil {
		return nil, errors.Wrap(err, name)
	}
	if err := m.transform.Validate(info.Channels); err != nil {
		return nil, errors.Wrap(err, name)
	}
	g := gorgonia.NewGraph()
	x := graph.NewInput(g, 1, info.Channels, info.Input, info.Input)
	m.net, err = graph.Build(x, m.config, graph.Options{Classes: len(info.Classes), Boxes: info.Boxes, Width: info.Width, FC: info.FC, From: f.Tensors, Inference: true})
	return m, errors.Wrap(err, name)
}

// ReadModel makes a model of a file that package weights has written. It is the model's name, and open until the model
// is closed.
func ReadModel(path string) (*Model, error) {
	f, err := weights.Read(path)
	if err != nil {
		return nil, err
	}
	m, err := NewModel(path, f)
	if err != nil {
		_ = f.Close() // err matters more
		return nil, err
	}
	m.file = f
	return m, nil
}

// Net holds the weights, which other graphs can share (graph.Options.Weights) while the model is in use.
func (m *Model) Net() *graph.Net { return m.net }

// Scale is the test scale that section 4.1 gives the net at a single one.
func (m *Model) Scale() int { return m.Info.Scale.Middle() }

// Scales are the test scales that section 4.2 gives the net at several.
func (m *Model) Scales() []int { return m.Info.Scale.TestScales(m.Info.Input) }

// Checksum tells models apart: it is of the weights and of what is known of them.
func (m *Model) Checksum() string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%+v\n", m.Info)
	for _, t := range m.net.Tensors() {
		fmt.Fprintln(sum, t.Name, t.Shape, t.SHA256())
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// Share makes a model with the same weights for another goroutine.
func (m *Model) Share() *Model {
	shared := *m
	shared.graphs, shared.activations, shared.activationBytes, shared.file = nil, new(machine.Memory), 0, nil
	return &shared
}

// Close releases the memory of the graphs, and the weights of a model of ReadModel.
func (m *Model) Close() {
	if m.file != nil {
		_ = m.file.Close() // of memory that is mapped
		m.file = nil
	}
	for _, r := range m.graphs {
		r.vm.Close()
	}
	m.graphs, m.activations, m.activationBytes = nil, new(machine.Memory), 0
}

// FeatureWidth is the number of features that a layer gives: units, or channels of a map. The error names the layers that
// give some: all but the last.
func (m *Model) FeatureWidth(layer string) (int, error) {
	layers := m.net.Summary()
	var names []string
	for _, l := range layers[1 : len(layers)-1] { // the first is the input
		if l.Name == layer {
			return l.Output[0], nil
		}
		names = append(names, l.Name)
	}
	return 0, errors.Errorf("evaluate: features of a layer %q: want one of %s", layer, strings.Join(names, ", "))
}
