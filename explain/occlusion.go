package explain

import (
	"context"
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"vgg/graph"
	"vgg/graph/machine"
)

// covered is the graph for covered views of one shape, several at a time. It has no gradients.
type covered struct {
	net    *graph.Net
	pixels []float32 // (N, C, H, W), normalised
	vm     *machine.VM
}

func (v *View) newCovered() (*covered, error) {
	e, height, width := v.explainer, v.Height, v.Width
	input := e.model.Info.Input
	o := e.model.Net().Options
	o.Weights = e.model.Net()
	if e.Options.Dense {
		o.Dense = input
	}
	rows := e.Options.Batch * input * input / (width * height) // larger views take no more memory
	rows = min(max(1, rows), v.Places())
	x := graph.NewInput(gorgonia.NewGraph(), rows, e.model.Info.Channels, height, width)
	c := &covered{}
	var err error
	if c.net, err = graph.Build(x, e.model.Net().Config, o); err != nil {
		return nil, err
	}
	if c.vm, err = e.machine(x.Graph(), machine.Outputs(c.net.Logits), machine.Constants(c.net.Learnables()...)); err != nil {
		return nil, err
	}
	c.pixels, err = bind(x)
	return c, err
}

// Places is the number of places that Occlusion covers.
func (v *View) Places() int {
	_, columns, rows := v.grid()
	return columns * rows
}

// grid gives the side of a cell in pixels, and how many there are.
func (v *View) grid() (cell float64, columns, rows int) {
	cell = float64(min(v.Width, v.Height)) / float64(v.explainer.Options.Grid)
	count := func(side int) int { return int(math.Ceil(float64(side)/cell - 1e-9)) } // not one more by rounding
	return cell, count(v.Width), count(v.Height)
}

// Occlusion covers one place of the view after the other by a square of the mean colour, and gives for each of some
// classes how much its score falls. Values below 0 are of places that lower the score. The square around a place is
// Options.Square cells wide, less where it reaches beyond the view. Before each batch of covered views it looks at ctx;
// after it, it calls each, if not nil, with the number of places.
func (v *View) Occlusion(ctx context.Context, classes []int, each func(places int)) ([]Map, error) {
	if err := v.check(classes...); err != nil {
		return nil, err
	}
	e := v.explainer
	g, err := e.graphsFor(v.Height, v.Width)
	if err != nil {
		return nil, err
	}
	if g.covered == nil {
		if g.covered, err = v.newCovered(); err != nil {
			return nil, errors.Wrapf(err, "explain: %s", e.model.Name)
		}
	}
	cell, columns, rows := v.grid()
	maps := make([]Map, len(classes))
	for i := range maps {
		maps[i] = Map{columns, rows, make([]float32, columns*rows), cell}
	}
	batch := len(g.covered.pixels) / len(v.pixels)
	for from := 0; from < columns*rows; from += batch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n := min(batch, columns*rows-from)
		for i := range n {
			row := g.covered.pixels[i*len(v.pixels):][:len(v.pixels)]
			copy(row, v.pixels)
			v.cover(row, cell, (from+i)%columns, (from+i)/columns)
		}
		if err := g.covered.vm.RunAll(); err != nil {
			return nil, errors.Wrap(err, "explain")
		}
		logits := floats(g.covered.net.Logits)
		for i := range n {
			for k, class := range classes {
				maps[k].Values[from+i] = v.Logits[class] - logits[i*len(v.Logits)+class]
			}
		}
		if each != nil {
			each(n)
		}
	}
	return maps, nil
}

// cover puts the mean colour, 0, on a square around a place.
func (v *View) cover(pixels []float32, cell float64, column, row int) {
	half := float64(v.explainer.Options.Square) / 2
	span := func(place, side int) (first, end int) {
		middle := float64(place) + 0.5
		first = int(math.Round((middle - half) * cell))
		end = max(first+1, int(math.Round((middle+half)*cell)))
		return max(0, first), min(side, end)
	}
	left, right := span(column, v.Width)
	top, bottom := span(row, v.Height)
	for c := range v.picture.Channels {
		for y := top; y < bottom; y++ {
			clear(pixels[(c*v.Height+y)*v.Width:][left:right])
		}
	}
}
