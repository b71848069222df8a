package generalise

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/dataset/transfer"
	"vgg/evaluate"
	"vgg/internal/finite"
	"vgg/internal/text"
)

// Aggregation is what becomes of the features of a net at several scales.
type Aggregation string

const (
	Mean  Aggregation = "mean"  // of the outputs; as many features as at one scale
	Stack Aggregation = "stack" // one scale's beside the other's
)

// DefaultAggregation is that of appendix B: averaged on VOC's sets, stacked on Caltech's and other sets of classes.
func DefaultAggregation(set *transfer.Set) Aggregation {
	if set.Year != 0 {
		return Mean
	}
	return Stack
}

// DefaultScales are the Q of appendix B for nets of 224 pixels: 256, 384, 512, and on VOC's sets 640 and 768 too. For
// other inputs they are in proportion.
func DefaultScales(set *transfer.Set, m *evaluate.Model) []int {
	const input = 224
	all := []int{256, 384, 512}
	if set.Year != 0 {
		all = append(all, 640, 768)
	}
	for i, q := range all {
		all[i] = int(math.Round(float64(q*m.Info.Input) / input))
	}
	return all
}

// Net is a net and the scales Q at which it is applied.
type Net struct {
	*evaluate.Model
	Scales []int
}

// Options say which features are wanted.
type Options struct {
	Layer     string      // hidden fully connected, such as fc7
	Aggregate Aggregation // of scales
	Cache     string      // folder for the features of each net at each scale; "" for none
	// Notice, if not nil, is called with what was found to be wrong with the cache.
	Notice func(message string)
}

// Features are those of the samples that a set's splits use, a row each, of L2 norm 1.
type Features struct {
	set     *transfer.Set
	Samples []int     // of the set, rising
	X       []float32 // (N, D)
	D       int
	parts   int // that are stacked in a row
	// Computed and Cached are how many times a net was applied to a picture or box at a scale, and how often the cache
	// had the outputs.
	Computed, Cached int

	progress Progress
}

// Name is what files call row i: the sample's ID, with the number of the object if it is of one.
func (f *Features) Name(i int) string {
	s := f.set.Samples[f.Samples[i]]
	if s.Object > 0 {
		return fmt.Sprintf("%s %d", s.ID, s.Object)
	}
	return s.ID
}

// Row is the features of row i.
func (f *Features) Row(i int) []float32 { return f.X[i*f.D:][:f.D] }

// Check refuses options that do not fit nets. It computes nothing.
func (o Options) Check(nets []Net) error {
	if o.Aggregate != Mean && o.Aggregate != Stack {
		return errors.Errorf("aggregation %q: want %s or %s", o.Aggregate, Mean, Stack)
	}
	if len(nets) == 0 {
		return errors.New("no nets to compute features with")
	}
	for _, n := range nets {
		if len(n.Scales) == 0 {
			return errors.Errorf("%s: no scales", n.Name)
		}
		if err := predictions(o.Layer, n.Scales...).Check(n.Model); err != nil {
			return err
		}
	}
	return nil
}

// predictions are the options with which a net gives features.
func predictions(layer string, scales ...int) evaluate.Options {
	return evaluate.Options{Protocol: configs.Dense, Scales: scales, Features: layer}
}

// Features computes features with nets: outputs of a layer, averaged over all places of the picture and of the mirrored
// one. Several scales are averaged or stacked, nets are stacked, and boxes on the whole picture. All parts that are
// stacked have the same L2 norm, so that none counts more than another because its net has larger activations.
func (p *Pictures) Features(ctx context.Context, nets []Net, o Options) (*Features, error) {
	if err := o.Check(nets); err != nil {
		return nil, err
	}
	width, runs, parts := 0, 0, 0
	widths := make([]int, len(nets))
	for i, n := range nets {
		var err error
		if widths[i], err = n.FeatureWidth(o.Layer); err != nil {
			return nil, err
		}
		runs += len(n.Scales)
		width += widths[i] * n.parts(o.Aggregate)
		parts += n.parts(o.Aggregate)
	}
	c, err := openCache(o)
	if err != nil {
		return nil, err
	}
	f := p.newFeatures(width, parts)
	p.progress.Restart(runs * len(p.items))
	at, done := 0, 0
	for i, n := range nets {
		sum := make([]float32, 0)
		for _, q := range n.Scales {
			r := run{Pictures: p, net: n.Model, layer: o.Layer, width: widths[i], scale: q, cache: c, done: done}
			values, err := r.outputs(ctx, f)
			if err != nil {
				return nil, err
			}
			done += len(p.items)
			if o.Aggregate == Stack {
				f.put(p, values, widths[i], at)
				at += widths[i]
				continue
			}
			if len(sum) == 0 {
				sum = values
				continue
			}
			for i, v := range values {
				sum[i] += v
			}
		}
		if o.Aggregate == Mean {
			f.put(p, sum, widths[i], at)
			at += widths[i]
		}
	}
	return f, nil
}

// parts is the number of vectors that are stacked.
func (n Net) parts(c Aggregation) int {
	if c == Mean {
		return 1
	}
	return len(n.Scales)
}

// newFeatures makes features with the given size and number of parts for each region.
func (p *Pictures) newFeatures(width, parts int) *Features {
	regions := len(p.regions[0])
	return &Features{set: p.set, Samples: p.samples, D: regions * width, parts: regions * parts, progress: p.progress,
		X: make([]float32, len(p.samples)*regions*width)}
}

// put writes vectors of width numbers, one of each item, at a place in the rows of the samples, divided by their norms
// and by what makes the whole row's norm 1.
func (f *Features) put(p *Pictures, items []float32, width, at int) {
	regions := len(p.regions[0])
	for row, of := range p.regions {
		for region, i := range of {
			v := items[i*width:][:width]
			norm := 0.0
			for _, x := range v {
				norm += float64(x) * float64(x)
			}
			if norm == 0 {
				continue
			}
			scale := 1 / math.Sqrt(norm*float64(f.parts))
			to := f.Row(row)[region*(f.D/regions)+at:]
			for j, x := range v {
				to[j] = float32(scale * float64(x))
			}
		}
	}
}

// run is a net at a scale.
type run struct {
	*Pictures
	net   *evaluate.Model
	layer string
	width int // of its features
	scale int
	cache *cache
	done  int // steps of the progress before
}

// blockItems are computed together and kept in a file of the cache: with their mirrored ones, enough for the net's
// filters to be prepared.
const blockItems = 64

// outputs are the layer's of all items, (items, width), from the cache or computed.
func (r run) outputs(ctx context.Context, f *Features) ([]float32, error) {
	width := r.width
	all := make([]float32, len(r.items)*width)
	key := r.key()
	var missing []block
	var damaged []string
	for first := 0; first < len(r.items); first += blockItems {
		b := block{r.Pictures, first, min(blockItems, len(r.items)-first), r.net.Info.Channels}
		found, bad := r.cache.read(key, first, all[first*width:][:b.n*width])
		switch {
		case found:
			f.Cached += b.n
			continue
		case bad != "":
			damaged = append(damaged, bad)
		}
		missing = append(missing, b)
	}
	if len(damaged) > 0 {
		const names = 3
		r.cache.notice(fmt.Sprintf("cache of features: cut short or changed, and computed again: %s", text.FirstFew(damaged, names)))
	}
	what := fmt.Sprintf("%s at Q = %d", r.net.Name, r.scale)
	done := r.done + len(r.items)
	for _, b := range missing {
		done -= b.n
	}
	r.progress.Set(done, what)
	for _, b := range missing {
		values := all[b.first*width:][:b.n*width]
		err := r.compute(ctx, b, values, func() {
			done++
			r.progress.Set(done, what)
		})
		if err != nil {
			return nil, err
		}
		f.Computed += b.n
		if err := r.cache.write(key, b.first, values); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// compute applies the net to a block.
func (r run) compute(ctx context.Context, b block, values []float32, step func()) error {
	return evaluate.Predict(ctx, []*evaluate.Model{r.net}, b, predictions(r.layer, r.scale), func(p evaluate.Prediction) error {
		if i := slices.IndexFunc(p.Features, func(v float64) bool { return !finite.Is(v * p.Norm) }); i >= 0 {
			return errors.Errorf("%s gives %s of %s a feature (number %d) that is not finite: want weights of a net that trained well",
				r.net.Name, r.layer, b.Name(p.Picture), i)
		}
		for i, v := range p.Features {
			values[p.Picture*r.width+i] = float32(v * p.Norm)
		}
		step()
		return nil
	})
}
