package explain

import (
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/graph"
	"vgg/graph/machine"
	"vgg/internal/memory"
)

// graphs are those for views of one shape. The machines of the first run parts of one graph.
type graphs struct {
	height, width int
	net           *graph.Net
	pixels        []float32      // (1, C, H, W), normalised
	chosen        []float32      // (1, classes): the gradient of the score with regard to the logits, 1 for the class
	maps          *gorgonia.Node // of Grad-CAM's layer, (1, H, W, C)
	byPixels      *gorgonia.Node // the gradient with regard to the pixels, (1, C, H, W)
	byMaps        *gorgonia.Node // that with regard to the maps, (1, H, W, C)

	scores, saliency, gradCAM *machine.VM

	covered *covered // nil before the first occlusion
}

// keptGraphs is the number of shapes of views whose graphs are kept.
const keptGraphs = 4

// graphsFor gives the graphs for views of a shape.
func (e *Explainer) graphsFor(height, width int) (*graphs, error) {
	if i := slices.IndexFunc(e.graphs, func(g *graphs) bool { return g.height == height && g.width == width }); i >= 0 {
		g := e.graphs[i]
		copy(e.graphs[1:i+1], e.graphs[:i])
		e.graphs[0] = g
		return g, nil
	}
	g, err := e.newGraphs(height, width)
	if err != nil {
		return nil, errors.Wrapf(err, "explain: %s", e.model.Name)
	}
	if len(e.graphs) == keptGraphs {
		e.graphs[keptGraphs-1].close()
		e.graphs = e.graphs[:keptGraphs-1]
	}
	e.graphs = slices.Insert(e.graphs, 0, g)
	return g, nil
}

// newGraphs declares the net, whose weights are the model's and fixed, and the gradients of a weighted sum of its logits.
func (e *Explainer) newGraphs(height, width int) (*graphs, error) {
	o := e.model.Net().Options
	o.Weights, o.Inference, o.InputGradient = e.model.Net(), false, true
	for _, l := range e.model.Net().Config.Layers() {
		if l.HasWeights() {
			o.Freeze = append(o.Freeze, l.Name)
		}
	}
	if e.Options.Dense {
		o.Dense = e.model.Info.Input
	}
	g := &graphs{height: height, width: width}
	x := graph.NewInput(gorgonia.NewGraph(), 1, e.model.Info.Channels, height, width)
	var err error
	if g.net, err = graph.Build(x, e.model.Net().Config, o); err != nil {
		return nil, err
	}
	if g.maps, err = g.net.Maps(e.Options.Layer); err != nil {
		return nil, err
	}
	chosen := gorgonia.NewMatrix(x.Graph(), tensor.Float32, gorgonia.WithShape(g.net.Logits.Shape()...), gorgonia.WithName("chosen"))
	gradients, err := gorgonia.Backpropagate(gorgonia.Nodes{g.net.Logits}, gorgonia.Nodes{chosen}, gorgonia.Nodes{x, g.maps})
	if err != nil {
		return nil, errors.Wrap(err, "gradients")
	}
	g.byPixels, g.byMaps = gradients[0], gradients[1]
	if g.pixels, err = bind(x); err != nil {
		return nil, err
	}
	if g.chosen, err = bind(chosen); err != nil {
		return nil, err
	}
	for _, m := range []struct {
		vm      **machine.VM
		outputs gorgonia.Nodes
	}{{&g.scores, gorgonia.Nodes{g.net.Logits}}, {&g.saliency, gorgonia.Nodes{g.byPixels}}, {&g.gradCAM, gorgonia.Nodes{g.maps, g.byMaps}}} {
		if *m.vm, err = e.machine(x.Graph(), machine.Outputs(m.outputs...)); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// machine plans a graph, and refuses one that takes too much memory before any is allocated.
func (e *Explainer) machine(g *gorgonia.ExprGraph, options ...machine.Option) (*machine.VM, error) {
	vm, err := machine.New(g, append(options, machine.Shared(e.memory))...)
	if err != nil {
		return nil, err
	}
	const gigabyte = 1e9
	if need, most := vm.PlannedBytes(), memory.Limit()/2; need > most {
		return nil, errors.Errorf("the view takes %.3g GB, more than half of the memory, %.3g GB: want a smaller scale, or the crop from the middle", float64(need)/gigabyte, float64(most)/gigabyte)
	}
	return vm, nil
}

// bind gives an input a value, and returns its elements.
func bind(n *gorgonia.Node) ([]float32, error) {
	value := tensor.New(tensor.WithShape(n.Shape()...), tensor.Of(tensor.Float32))
	return value.Data().([]float32), gorgonia.Let(n, value)
}

// floats are the elements of a node's value.
func floats(n *gorgonia.Node) []float32 { return n.Value().Data().([]float32) }

func (g *graphs) close() {
	for _, vm := range []*machine.VM{g.scores, g.saliency, g.gradCAM} {
		vm.Close()
	}
	if g.covered != nil {
		g.covered.vm.Close()
	}
}

// differentiate runs a machine of the view's graphs for a class.
func (v *View) differentiate(class int, vm func(*graphs) *machine.VM) (*graphs, error) {
	if err := v.check(class); err != nil {
		return nil, err
	}
	g, err := v.explainer.graphsFor(v.Height, v.Width)
	if err != nil {
		return nil, err
	}
	copy(g.pixels, v.pixels)
	clear(g.chosen)
	g.chosen[class] = 1
	return g, errors.Wrap(vm(g).RunAll(), "explain")
}

// Saliency is the largest absolute value over the channels of the gradient of a class's score with regard to the pixels
// of the view, of 0 to 255: how much the score changes when the pixel changes by one level, to first order.
func (v *View) Saliency(class int) (Map, error) {
	g, err := v.differentiate(class, func(g *graphs) *machine.VM { return g.saliency })
	if err != nil {
		return Map{}, err
	}
	m := Map{v.Width, v.Height, make([]float32, v.Width*v.Height), 1}
	for i, d := range floats(g.byPixels) {
		at := i % len(m.Values)
		// The net sees (pixel − mean) / std.
		m.Values[at] = max(m.Values[at], abs(d)/float32(v.explainer.transform.Std[i/len(m.Values)]))
	}
	return m, nil
}

func abs(x float32) float32 { return max(x, -x) }

// GradCAM is the sum of the feature maps of Options.Layer, each times the mean over its places of the gradient of a
// class's score with regard to it, and cut off below 0.
func (v *View) GradCAM(class int) (Map, error) {
	g, err := v.differentiate(class, func(g *graphs) *machine.VM { return g.gradCAM })
	if err != nil {
		return Map{}, err
	}
	shape := g.maps.Shape() // (1, H, W, C)
	height, width, channels := shape[1], shape[2], shape[3]
	weights := make([]float64, channels)
	for i, d := range floats(g.byMaps) {
		weights[i%channels] += float64(d)
	}
	m := Map{width, height, make([]float32, width*height), v.explainer.cell}
	maps := floats(g.maps)
	for i := range m.Values {
		sum := 0.0
		for c, value := range maps[i*channels:][:channels] {
			sum += float64(value) * weights[c]
		}
		m.Values[i] = float32(max(0, sum/float64(width*height)))
	}
	return m, nil
}
